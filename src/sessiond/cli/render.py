"""Rows as a table that a person likes to read, and facts as a block of lines. Every text becomes a `Text`, cleaned."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, Generic, Literal, NamedTuple, TypeVar

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from sessiond.cli.output import Layout
from sessiond.cli.text import ABSENT, clean, number

GAP: Final = 2
"""Blanks between columns."""

Item = TypeVar("Item")


class Column(NamedTuple, Generic[Item]):
    """One column. Where a terminal is too narrow, the column of the highest `rank` is left out first; rank 0 stays."""

    header: str
    cell: Callable[[Item], Text]
    rank: int = 0
    justify: Literal["left", "right"] = "left"
    width_max: int | None = None
    """A longer cell ends here on a terminal, with an ellipsis; in a column of rank 0 it goes on in the next line."""


class Indented(NamedTuple):
    """A renderable further in. Unlike rich's `Padding` it fills no line up to the width, or to its longest."""

    shown: RenderableType
    indent: int

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in console.render_lines(self.shown, options.update_width(options.max_width - self.indent), pad=False):
            yield Segment(" " * self.indent)
            yield from line
            yield Segment.line()


class Fact(NamedTuple):
    """One line of a block."""

    label: str
    value: Text


def table(columns: Sequence[Column[Item]], rows: Iterable[Item], layout: Layout) -> Table:
    """One line a row, of as many columns as fit; a caption names those that do not, where they have a name."""
    cells = [[column.cell(row) for column in columns] for row in rows]
    widths = [_width(column, [row[position] for row in cells], layout) for position, column in enumerate(columns)]
    kept = _fitting(columns, widths, layout.width)
    drawn = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    for position in kept:
        column = columns[position]
        overflow: Literal["ellipsis", "fold"] = "ellipsis" if column.rank else "fold"
        cut = column.width_max if layout.is_terminal else None
        drawn.add_column(column.header, justify=column.justify, no_wrap=column.rank > 0, overflow=overflow, max_width=cut)
    for row in cells:
        drawn.add_row(*(row[position] for position in kept))
    return _with_caption(
        drawn, [column.header for position, column in enumerate(columns) if column.header and position not in kept]
    )


def line(columns: Sequence[Column[Item]], row: Item, layout: Layout) -> Table:
    """A row by itself, in columns of `width_max` whatever the other rows are; columns that do not fit are left out."""
    kept = _fitting(columns, [column.width_max or 0 for column in columns], layout.width)
    drawn = Table.grid()
    drawn.add_column(no_wrap=True, overflow="ellipsis")
    joined = Text(" " * GAP).join(_filled(columns[position], row, layout) for position in kept)
    joined.rstrip()  # or blanks past the terminal's edge would be cut with an ellipsis
    drawn.add_row(joined)
    return drawn


def block(facts: Iterable[Fact]) -> Table:
    """Labels and values, one pair a line."""
    drawn = Table.grid(padding=(0, GAP, 0, 0))
    drawn.add_column(style="bold", no_wrap=True)
    drawn.add_column(overflow="fold")
    for fact in facts:
        drawn.add_row(fact.label, fact.value)
    return drawn


def text(value: str | None, style: str = "") -> Text:
    """A string that may come from a span; `-` where there is none."""
    return Text(clean(value) if value else ABSENT, style)


def listed(values: Iterable[str]) -> Text:
    return text(", ".join(values))


def count(value: int | None) -> Text:
    return Text(number(value))


def failures(value: int) -> Text:
    """A count that is red where it is not 0."""
    return Text(number(value), "bold red" if value else "")


def _filled(column: Column[Item], row: Item, layout: Layout) -> Text:
    """A cell of its column's width. A longer one is cut on a terminal; but a number, and what is of rank 0, moves the others."""
    cell, width = column.cell(row), column.width_max or 0
    missing = max(0, width - cell.cell_len)
    if column.justify == "right":
        cell.pad_left(missing)
    elif column.rank and layout.is_terminal:
        cell.truncate(width, overflow="ellipsis", pad=True)
    else:
        cell.pad_right(missing)
    return cell


def _width(column: Column[Item], cells: Iterable[Text], layout: Layout) -> int:
    widest = max(map(cell_len, (column.header, *(cell.plain for cell in cells))))
    return min(widest, column.width_max) if column.width_max and layout.is_terminal else widest


def _fitting(columns: Sequence[Column[Item]], widths: Sequence[int], width: int) -> list[int]:
    """Positions of the columns that fit beside each other, in order."""
    kept = list(range(len(columns)))
    while sum(widths[position] + GAP for position in kept) - GAP > width:
        last = max(kept, key=lambda position: columns[position].rank)
        if columns[last].rank == 0:
            break
        kept.remove(last)
    return kept


def _with_caption(drawn: Table, left_out: Sequence[str]) -> Table:
    if left_out:
        drawn.caption = Text(f"too narrow for {', '.join(left_out).lower()}; --json shows all", "dim")
        drawn.caption_justify = "left"
    return drawn
