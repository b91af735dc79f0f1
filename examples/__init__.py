"""Applications that send spans to sessiond."""
