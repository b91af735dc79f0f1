"""How rows are written that only this engine has: what is known of a span, summaries, counters.

A summary's row begins with a head of fixed width (its last change, signature and numbers), which a scan reads without the rest.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Generic, NamedTuple, TypeVar

from sessiond.core.feedback.annotation import Annotation
from sessiond.core.feedback.score import Score
from sessiond.core.identity import Held, Version
from sessiond.core.model import SessionSummary, Texts, TraceSummary, UserSummary
from sessiond.core.rows.fields import AnySummary, Kind
from sessiond.core.rows.numbers import NUMBERS, numbers_of, signature_of
from sessiond.core.rows.places import place_of
from sessiond.storage.api import RULES_BYTES
from sessiond.storage.packing import SPAN_BYTES, SPAN_KEY_BYTES, PackedTrace, Sealed, seal, unseal

_SPAN_ROW: Final = struct.Struct(">QQ16sQ")
"""What a packed span says behind its key, then the commit."""
_COUNTERS: Final = struct.Struct(">QQQQQQ")
_HEADS: Final[Mapping[Kind, struct.Struct]] = {kind: struct.Struct(f">{2 + len(fields)}q") for kind, fields in NUMBERS.items()}
"""Change, signature, then the numbers of a kind."""
Summary_co = TypeVar("Summary_co", bound=AnySummary, covariant=True)


class SpanRow(NamedTuple):
    """What is known of a stored span without reading it."""

    held: Held
    commit: int


class TraceRow(NamedTuple):
    """A trace's summary, the number of its last change, and the numbers of what it belongs to (0: to none)."""

    change: int
    project: int
    session: int
    user: int
    summary: TraceSummary


class SessionRow(NamedTuple):
    """A session's summary, the number of its last change, and the numbers of its project and users."""

    change: int
    project: int
    users: tuple[int, ...]
    summary: SessionSummary


class UserRow(NamedTuple):
    """A user's summary, the number of its last change, and the number of its project."""

    change: int
    project: int
    summary: UserSummary


_TEXTS: Final = Sealed(Texts)
_TRACE: Final = Sealed(tuple[int, int, int, TraceSummary])
_SESSION: Final = Sealed(tuple[int, tuple[int, ...], SessionSummary])
_USER: Final = Sealed(tuple[int, UserSummary])
"""Rows behind their heads, without their changes."""


class Counters(NamedTuple):
    """The last numbers given out."""

    trace: int = 0
    session: int = 0
    user: int = 0
    project: int = 0
    change: int = 0
    commit: int = 0


def span_rows(packed: PackedTrace, prefix: bytes, commit: int) -> list[tuple[bytes, bytes]]:
    """(key, row) of each span of a packed trace that is kept under `prefix` in a commit."""
    spans, behind = packed.spans, commit.to_bytes(8, "big")
    return [
        (prefix + spans[at : at + SPAN_KEY_BYTES], spans[at + SPAN_KEY_BYTES : at + SPAN_BYTES] + behind)
        for at in range(0, len(spans), SPAN_BYTES)
    ]


def unpack_span_row(row: bytes) -> SpanRow:
    end, received, digest, commit = _SPAN_ROW.unpack(row)
    return SpanRow(Held(Version(end, digest), received), commit)


def stamped(rules: bytes, facts: bytes) -> bytes:
    """Packed facts behind the rules that they were made by."""
    return rules + facts


def rules_of(row: bytes) -> bytes:
    """The rules that a row of facts was made by."""
    return row[:RULES_BYTES]


def facts_of(row: bytes) -> bytes:
    """The packed facts in a row of them."""
    return row[RULES_BYTES:]


def pack_texts(texts: Texts) -> bytes:
    return seal(texts)


def unpack_texts(sealed: bytes) -> Texts:
    return _TEXTS.unseal(sealed)


def pack_feedback(item: Score | Annotation) -> bytes:
    return seal(item)


def unpack_score(sealed: bytes) -> Score:
    return Score.of_row(unseal(sealed))


def unpack_annotation(sealed: bytes) -> Annotation:
    return Annotation.of_row(unseal(sealed))


def pack_counters(counters: Counters) -> bytes:
    return _COUNTERS.pack(*counters)


def unpack_counters(packed: bytes) -> Counters:
    return Counters(*_COUNTERS.unpack(packed))


def pack_trace(row: TraceRow) -> bytes:
    return _head("trace", row.change, row.summary) + seal(row[1:])


def unpack_trace(packed: bytes) -> TraceRow:
    return TraceRow(_change(packed), *_TRACE.unseal(packed[_HEADS["trace"].size :]))


def pack_session(row: SessionRow) -> bytes:
    return _head("session", row.change, row.summary) + seal(row[1:])


def unpack_session(packed: bytes) -> SessionRow:
    return SessionRow(_change(packed), *_SESSION.unseal(packed[_HEADS["session"].size :]))


def pack_user(row: UserRow) -> bytes:
    return _head("user", row.change, row.summary) + seal(row[1:])


def unpack_user(packed: bytes) -> UserRow:
    return UserRow(_change(packed), *_USER.unseal(packed[_HEADS["user"].size :]))


def _head(kind: Kind, change: int, summary: AnySummary) -> bytes:
    return _HEADS[kind].pack(change, signature_of(kind, summary), *numbers_of(kind, summary))


def _change(packed: bytes) -> int:
    return int.from_bytes(packed[:8], "big")


class ListedRow(Generic[Summary_co]):
    """`storage.api.Row` over a row's bytes."""

    __slots__ = ("_kind", "_packed", "_place", "_summary", "change", "numbers", "signature")

    def __init__(self, kind: Kind, packed: bytes, place: bytes | None) -> None:
        head = _HEADS[kind].unpack_from(packed)
        self.change: int = head[0]
        self.signature: int = head[1]
        self.numbers: Sequence[int] = head[2:]
        self._kind = kind
        self._packed = packed
        self._place = place
        self._summary: Summary_co | None = None

    @property
    def size(self) -> int:
        return len(self._packed)

    @property
    def place(self) -> bytes:
        return place_of(self.summary) if self._place is None else self._place

    @property
    def summary(self) -> Summary_co:
        if self._summary is None:
            self._summary = _UNPACKERS[self._kind](self._packed).summary
        return self._summary


_UNPACKERS: Final[Mapping[Kind, Callable[[bytes], Any]]] = {"trace": unpack_trace, "session": unpack_session, "user": unpack_user}
