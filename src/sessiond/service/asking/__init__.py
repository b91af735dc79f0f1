"""Reading: questions, the walks that answer them, and following what changes."""
