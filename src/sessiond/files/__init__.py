"""The files that exports are written to and imports read from. Knows shapes and encodings, and no daemon."""
