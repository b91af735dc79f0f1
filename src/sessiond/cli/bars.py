"""Amounts drawn in a line of text: bars as long as they are much, and trends over time. Plain strings; colours are the caller's."""

from collections.abc import Sequence
from math import ceil
from typing import Final, NamedTuple


class Glyphs(NamedTuple):
    """What amounts are drawn with."""

    parts: str
    """Of a bar's cell, from the narrowest to the whole."""
    levels: str
    """Of a trend's cell: for nothing, then from the lowest to the highest."""


BLOCKS: Final = Glyphs("▏▎▍▌▋▊▉█", " ▁▂▃▄▅▆▇█")
ASCII: Final = Glyphs("#", " .:-=+*#")


def glyphs_for(encoding: str | None) -> Glyphs:
    """Blocks where the encoding of the output can take them."""
    try:
        "".join(BLOCKS).encode(encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return BLOCKS


def bar(value: float, most: float, width: int, glyphs: Glyphs) -> str:
    """A bar that takes all of `width` where `value` is `most`. Empty for 0; what is little still shows."""
    per_cell = len(glyphs.parts)
    whole, rest = divmod(ceil(value / most * width * per_cell) if value else 0, per_cell)
    return glyphs.parts[-1] * whole + (glyphs.parts[rest - 1] if rest else "")


def trend(values: Sequence[int], width: int, glyphs: Glyphs) -> str:
    """One cell for each value; for more than fit, one for each few neighbours together. The highest cell stands for the most."""
    together = ceil(len(values) / width) or 1
    sums = [sum(values[place : place + together]) for place in range(0, len(values), together)]
    top = len(glyphs.levels) - 1
    most = max(sums, default=0) or 1
    return "".join(glyphs.levels[ceil(value / most * top)] for value in sums)
