"""Feedback: scores and annotations made, changed, removed, imported, and listed."""
