"""Statistics over rows: what is asked for (`breakdown`), rows -> sums and spreads in one pass (`tally`), and the answer's shape."""
