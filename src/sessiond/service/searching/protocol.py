"""What the daemon and the indexer's process say to each other, as msgpack in frames.

The daemon sends (number, verb, arguments); the answer is (number, OK or FAILED or REFUSED, what). RING has no answer. By itself the
process tells with number TOLD: first FINGERPRINT, and why the index that was there could not be used, if so; then where it stands,
once it is ready and after each commit; and with MISSED which traces it could not read.
"""

from typing import Any, Final, NamedTuple

import msgpack

from sessiond.core.rows.where import Where
from sessiond.core.search.excerpts import Excerpt, Range

RING: Final = "ring"
SEARCH: Final = "search"
MATCH: Final = "match"
EXCERPT: Final = "excerpt"

TOLD: Final = 0
OK: Final = "ok"
FAILED: Final = "failed"
REFUSED: Final = "refused"
"""The index can't take this query; what is why, in words for whoever asked."""
MISSED: Final = "missed"
"""The words of a trace could not be read: its id, and why."""


class Asked(NamedTuple):
    """A search of the index."""

    query: str
    where: Where
    session_ids: tuple[str, ...]
    """Only in these; empty: in all."""
    by_time: bool
    limit: int


class Found(NamedTuple):
    """What the index has of it: the traces in order, each with its score and start."""

    through: int
    is_built: bool
    """As of `Standing`."""
    is_all: bool
    hits: tuple[tuple[bytes, float, int], ...]


class Standing(NamedTuple):
    """Where the index stands."""

    through: int
    """All that changed in the store up to this is in it."""
    is_built: bool
    """Whether it has once held everything, since it was made anew."""
    document_count: int
    byte_count: int


_SHAPES: Final = (Asked, Where, Found, Standing, Excerpt, Range)
FINGERPRINT: Final = repr([shape._fields for shape in _SHAPES])
"""Of the shapes that both must agree on: a package may be upgraded under a daemon that runs."""


def packed(message: tuple[object, ...]) -> bytes:
    """A message as bytes."""
    data: bytes = msgpack.packb(message)
    return data


def unpacked(data: bytes) -> Any:  # noqa: ANN401  (msgpack's own type; both sides build values of it at once)
    """A message that `packed` made."""
    return msgpack.unpackb(data, use_list=False, strict_map_key=False)


def excerpt_of(plain: tuple[Any, ...]) -> Excerpt:
    """An excerpt from the plain tuples that msgpack made of it."""
    place, span_id, text, highlights, *cut = plain
    return Excerpt(place, span_id, text, tuple(Range(*one) for one in highlights), *cut)
