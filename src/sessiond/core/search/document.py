"""What a trace is to a search: pieces of text, each with where it stands. Only what the turn adds, not what its prompts repeat."""

from collections.abc import Iterable
from typing import Final, Literal, NamedTuple, get_args

from sessiond.core.search.analysis import words

VERSION: Final = 2
"""Raised whenever the same trace would give other pieces: an index of others is made anew."""
PIECE_LENGTH_MAX: Final = 32 * 1024
"""Characters of a piece that are searched: what people write and read is shorter, what is longer is mostly a file handed over."""
DOCUMENT_LENGTH_MAX: Final = 256 * 1024
"""Characters of all pieces of a trace: some 40,000 words, so that one trace costs the index no more than a second."""

Place = Literal["input", "output", "tool_call", "tool_result", "error", "name"]
"""Where text stands: what the turn was given or said; a tool's name and arguments; what the tool gave back; an error's type and
message; the name of a trace, span or agent."""
PLACES: Final[tuple[Place, ...]] = get_args(Place)


class Piece(NamedTuple):
    """Some text of a turn."""

    place: Place
    text: str
    span_id: bytes = b""
    """The span it was read from."""


def bounded(pieces: Iterable[Piece]) -> list[Piece]:
    """The pieces that are searched, each cut to what is searched of it; of pieces alike the first."""
    left = DOCUMENT_LENGTH_MAX
    kept: dict[tuple[Place, str], Piece] = {}
    for piece in pieces:
        text = piece.text[: min(left, PIECE_LENGTH_MAX)]
        if text and (piece.place, text) not in kept:
            kept[piece.place, text] = piece if len(text) == len(piece.text) else piece._replace(text=text)
            left -= len(text)
    return list(kept.values())


def words_of(pieces: Iterable[Piece]) -> list[list[str]]:
    """The tokens of each piece."""
    return [words(piece.text) for piece in pieces]
