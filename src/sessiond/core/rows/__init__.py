"""What a row is to a client and to a list: its fields, its numbers and labels, and where it stands."""
