"""Keeping summaries true: what is marked is computed again, by the rules of now, and what other rules made is renewed."""
