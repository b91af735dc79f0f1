"""What an operator does with a whole store: check it, rebuild it, erase from it."""
