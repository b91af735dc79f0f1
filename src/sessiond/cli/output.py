"""Where results and remarks are written: results on stdout, remarks on stderr. Nothing that a span says steers a terminal."""

import io
import json
import shutil
import sys
from typing import Final, NamedTuple

import click
from rich.console import Console, RenderableType

from sessiond.cli.text import clean
from sessiond.client.rows import Row

WIDTH_WITHOUT_TERMINAL: Final = sys.maxsize
"""Columns where nobody looks: every cell whole, each row on one line. Nothing may be filled up to it."""


class Layout(NamedTuple):
    """How wide a result may be, and whether it goes to a terminal: there it has colours, and gives way to fit."""

    width: int = WIDTH_WITHOUT_TERMINAL
    is_terminal: bool = False


def layout_of_stdout() -> Layout:
    """The layout for whatever stdout is now."""
    return Layout(shutil.get_terminal_size().columns, is_terminal=True) if sys.stdout.isatty() else Layout()


def show(*renderables: RenderableType, layout: Layout) -> None:
    """Write renderables to stdout."""
    for renderable in renderables:
        click.echo(_writable(drawn(renderable, layout)))


def _writable(text: str) -> str:
    """The text with what stdout's encoding can't say as an escape; an old locale must not end a command."""
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def drawn(renderable: RenderableType, layout: Layout) -> str:
    """A renderable as lines of text, without blanks at their ends."""
    file = io.StringIO()
    # Strings from spans come as rich.text.Text, which is never read as markup; the other three read a str's text.
    console = Console(
        file=file,
        width=layout.width,
        force_terminal=layout.is_terminal,
        color_system="auto" if layout.is_terminal else None,
        markup=False,
        emoji=False,
        highlight=False,
    )
    console.print(renderable)
    return "\n".join(line.rstrip() for line in file.getvalue().rstrip("\n").split("\n"))


def show_json(row: Row) -> None:
    """Write a row as one line of ASCII JSON; control characters and the rest of Unicode are escaped."""
    click.echo(json.dumps(row).replace("\x7f", "\\u007f"))


def remark(text: str) -> None:
    """Write a remark to stderr."""
    click.echo(clean(text), err=True)


def note(text: str) -> None:
    """Write a remark that may come again and again: dim on a terminal."""
    click.secho(clean(text), dim=True, err=True)
