"""What was said in a span: where text is looked for, how each shape of it is read, and which spans of a trace to ask."""
