"""How rows are written that only this engine has: what is known of a span, summaries, counters."""

import struct
from typing import Final, NamedTuple

from sessiond.core.identity import Held, Version
from sessiond.core.model import SessionSummary, Texts, TraceSummary, UserSummary
from sessiond.storage.api import RULES_BYTES
from sessiond.storage.packing import SPAN_BYTES, SPAN_KEY_BYTES, PackedTrace, seal, unseal

_SPAN_ROW: Final = struct.Struct(">QQ16sQ")
"""What a packed span says behind its key, then the commit."""
_COUNTERS: Final = struct.Struct(">QQQQQQ")


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
    return Texts.of_row(unseal(sealed))


def pack_counters(counters: Counters) -> bytes:
    return _COUNTERS.pack(*counters)


def unpack_counters(packed: bytes) -> Counters:
    return Counters(*_COUNTERS.unpack(packed))


def pack_trace(row: TraceRow) -> bytes:
    return seal(row)


def unpack_trace(sealed: bytes) -> TraceRow:
    change, project, session, user, summary = unseal(sealed)
    return TraceRow(change, project, session, user, TraceSummary.of_row(summary))


def pack_session(row: SessionRow) -> bytes:
    return seal(row)


def unpack_session(sealed: bytes) -> SessionRow:
    change, project, users, summary = unseal(sealed)
    return SessionRow(change, project, users, SessionSummary.of_row(summary))


def pack_user(summary: UserSummary) -> bytes:
    return seal(summary)


def unpack_user(sealed: bytes) -> UserSummary:
    return UserSummary.of_row(unseal(sealed))
