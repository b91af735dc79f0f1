"""Scores and annotations as both clients ask for them."""
