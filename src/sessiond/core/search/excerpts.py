"""What to show of what a query found: a few pieces of text around it, and which characters of them to highlight."""

import re
from collections.abc import Iterable, Iterator
from collections.abc import Sequence as AnySequence
from typing import Final, NamedTuple

from sessiond.core.search.analysis import Sequence, Token, tokens
from sessiond.core.search.document import Piece, Place
from sessiond.core.search.language import Node, sequences
from sessiond.core.search.matching import places

EXCERPTS_MAX: Final = 3
"""Of one trace: as many as say whether it is the one that was sought."""
EXCERPT_LENGTH_MAX: Final = 200
"""Characters of an excerpt: two lines of a terminal."""
_LEAD_LENGTH: Final = 60
"""Characters before the first find: enough to see what it is about."""
_BLANK: Final = re.compile(r"\s")


class Range(NamedTuple):
    """Characters of a text, the end not included."""

    start: int
    end: int


class Excerpt(NamedTuple):
    """Some of a piece's text."""

    place: Place
    span_id: bytes
    text: str
    highlights: tuple[Range, ...]
    """Of `text`, in order, none overlapping another."""
    is_cut_before: bool
    """Whether the piece has more text before, or behind."""
    is_cut_behind: bool


class _Found(NamedTuple):
    """Characters of a piece, and which of the sequences was found there."""

    range: Range
    sequence: int


def excerpts(node: Node, pieces: Iterable[Piece]) -> list[Excerpt]:
    """Excerpts around what a query finds, those first that show most of what it searches for; then in the order of the pieces.

    A find that another excerpt shows too comes after what none shows yet. Nothing where a query only says what is not to be found.
    """
    sought = list(dict.fromkeys(sequences(node)))
    windows = [(piece, window) for piece in pieces for window in _windows(list(_finds(sought, piece.text)))]
    shown: set[int] = set()
    chosen: list[Excerpt] = []
    while windows and len(chosen) < EXCERPTS_MAX:
        best = max(range(len(windows)), key=lambda at: _worth(windows[at][1], shown))
        piece, window = windows.pop(best)
        new = {found.sequence for found in window} - shown
        if chosen and not new:
            break
        shown |= new
        chosen.append(_excerpt(piece, window))
    return chosen


def _worth(window: AnySequence[_Found], shown: set[int]) -> tuple[int, int]:
    of = {found.sequence for found in window}
    return len(of - shown), len(of)


def _finds(sought: AnySequence[Sequence], text: str) -> Iterator[_Found]:
    """Where in a text the sequences are, by their beginnings."""
    found_tokens: list[Token] = list(tokens(text))
    piece = [token.text for token in found_tokens]
    found = [
        _Found(Range(found_tokens[at].start, _end(one, found_tokens, at + len(one.tokens) - 1)), number)
        for number, one in enumerate(sought)
        for at in places(one, piece)
    ]
    yield from sorted(found)


def _end(sought: Sequence, found: AnySequence[Token], last: int) -> int:
    """Where a find ends. One character of a run without blanks is found where a pair begins, whose other is no part of it."""
    token = found[last]
    if sought.is_prefix and token.text != sought.tokens[-1] and last + 1 < len(found):
        second = found[last + 1].start
        if token.start < second < token.end:
            return second
    return token.end


def _windows(found: AnySequence[_Found]) -> Iterator[list[_Found]]:
    """What was found, in groups that an excerpt has room for."""
    window: list[_Found] = []
    for one in found:
        if window and one.range.end - window[0].range.start > EXCERPT_LENGTH_MAX - _LEAD_LENGTH:
            yield window
            window = []
        window.append(one)
    if window:
        yield window


def _excerpt(piece: Piece, window: AnySequence[_Found]) -> Excerpt:
    text, first = piece.text, window[0].range.start
    start = _after_blank(text, max(0, first - _LEAD_LENGTH), first)
    end = _before_blank(text, window[-1].range.end, min(len(text), start + EXCERPT_LENGTH_MAX))
    merged = _merged([found.range for found in window], end)
    highlights = tuple(Range(one.start - start, one.end - start) for one in merged)
    return Excerpt(piece.place, piece.span_id, text[start:end], highlights, start > 0, end < len(text))


def _after_blank(text: str, start: int, first: int) -> int:
    """A place from `start` on where a word begins, but not past `first`."""
    if not start:
        return 0
    blank = _BLANK.search(text, start, first)
    return blank.end() if blank else start


def _before_blank(text: str, last: int, end: int) -> int:
    """A place up to `end` where a word ends, but not before `last`. A find that is longer than an excerpt is cut."""
    if end == len(text) or last >= end:
        return end
    return max((found.start() for found in _BLANK.finditer(text, last, end)), default=end)


def _merged(ranges: Iterable[Range], end: int) -> Iterator[Range]:
    """Ranges in order up to `end`, those that overlap or touch as one."""
    held: Range | None = None
    for one in (Range(each.start, min(each.end, end)) for each in sorted(ranges) if each.start < end):
        if held is not None and one.start <= held.end:
            held = Range(held.start, max(held.end, one.end))
        else:
            if held is not None:
                yield held
            held = one
    if held is not None:
        yield held
