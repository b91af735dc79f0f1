"""Reading a span: its attributes by the table of `core.conventions`, made clean, put together to its facts."""
