"""Filter text -> tokens. Nothing here knows what a field is."""

import re
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from sessiond.core.filter.problem import problem

TokenKind = Literal["text", "quoted", "comparator", "(", ")", ".", ",", "end"]

_TOKEN: Final = re.compile(
    r"""
    (?P<space>\s+)
    | (?P<comparator><=|>=|!=|[<>=:])
    | (?P<mark>[().,])
    | (?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<text>(?:[^\s"'()<>=!:.,\\]|\\.)+)
    """,
    re.VERBOSE | re.DOTALL,
)
"""No part of it can match in two ways, so it takes time in proportion to the text."""
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


class Token(NamedTuple):
    """A piece of the text. `at` is the place of its first character, from 1."""

    kind: TokenKind
    text: str
    """Without quotes and escapes."""
    at: int
    has_star: bool = False
    """It ended with a `*` that was not escaped, which `text` leaves out."""
    follows_space: bool = False


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a text, the last of them its end. Raises Invalid."""
    place, follows_space = 0, False
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise problem(text[place], place + 1, _why_none(text[place]))
        group, piece = found.lastgroup or "", found.group()
        if group != "space":
            yield _token(group, piece, place + 1, follows_space=follows_space)
        follows_space = group == "space"
        place = found.end()
    yield Token("end", "", len(text) + 1)


def _token(group: str, piece: str, at: int, *, follows_space: bool) -> Token:
    if group == "comparator":
        return Token("comparator", piece, at, follows_space=follows_space)
    if group == "mark":
        return Token(piece, piece, at, follows_space=follows_space)  # type: ignore[arg-type]  # the marks are kinds
    inner = piece[1:-1] if group == "quoted" else piece
    has_star = inner.endswith("*") and not _ends_escaped(inner)
    plain = _ESCAPED.sub(r"\1", inner[:-1] if has_star else inner)
    return Token("quoted" if group == "quoted" else "text", plain, at, has_star, follows_space)


def _ends_escaped(text: str) -> bool:
    """Whether the last character has a backslash before it that is not itself escaped."""
    before = text[:-1]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1


def _why_none(character: str) -> str:
    match character:
        case '"' | "'":
            return "begins a string that does not end"
        case "!":
            return "is no comparator; write != or NOT"
        case _:
            return "is not understood here"
