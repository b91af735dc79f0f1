"""The command line: one module a concern, each imported when its command is used."""

from sessiond.cli.commands import main

__all__ = ["main"]
