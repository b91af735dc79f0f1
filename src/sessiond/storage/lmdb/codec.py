"""How rows are written: msgpack, behind a checksum against bit rot; span bytes compressed besides."""

import struct
from collections.abc import Iterable
from typing import Any, Final, NamedTuple
from zlib import crc32

import msgpack
import zstandard

from sessiond.core.errors import StoreBroken
from sessiond.core.identity import Version
from sessiond.core.model import (
    Origin,
    SessionSummary,
    SpanFacts,
    StoredSpan,
    TraceSummary,
    UserSummary,
)

ZSTD_LEVEL: Final = 1
"""Level 3 took 26 % longer for 2.5 % less (measured on the benchmark's spans, eight to a chunk)."""
CHUNK_BYTES_MAX: Final = 1 << 31
_CHECKSUM_BYTES: Final = 4
_SPAN_ROW: Final = struct.Struct(">QQQ16s")
_COUNTERS: Final = struct.Struct(">QQQQQQ")


class SpanRow(NamedTuple):
    """What is known of a stored span without reading it."""

    version: Version
    received_unix_nano: int
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


def seal(row: object) -> bytes:
    """A row as msgpack behind its checksum. Named tuples become arrays."""
    payload: bytes = msgpack.packb(row)
    return crc32(payload).to_bytes(_CHECKSUM_BYTES, "big") + payload


def unseal(sealed: bytes) -> Any:  # noqa: ANN401  (msgpack's own type; every caller builds a value of it)
    """The row, arrays as tuples. Raises StoreBroken where the checksum does not fit."""
    payload = sealed[_CHECKSUM_BYTES:]
    if crc32(payload) != int.from_bytes(sealed[:_CHECKSUM_BYTES], "big"):
        raise StoreBroken(
            "a row of the store does not fit its checksum", hint="stop sessiond and run `sessiond check` on the data directory"
        )
    return msgpack.unpackb(payload, use_list=False)


def pack_span_row(end_unix_nano: int, digest: bytes, received_unix_nano: int, commit: int) -> bytes:
    return _SPAN_ROW.pack(end_unix_nano, received_unix_nano, commit, digest)


def unpack_span_row(packed: bytes) -> SpanRow:
    end, received, commit, digest = _SPAN_ROW.unpack(packed)
    return SpanRow(Version(end, digest), received, commit)


def pack_counters(counters: Counters) -> bytes:
    return _COUNTERS.pack(*counters)


def unpack_counters(packed: bytes) -> Counters:
    return Counters(*_COUNTERS.unpack(packed))


def pack_facts(facts: Iterable[SpanFacts]) -> bytes:
    return seal(list(facts))


def unpack_facts(sealed: bytes) -> list[SpanFacts]:
    return [SpanFacts.of_row(row) for row in unseal(sealed)]


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


class ChunkCodec:
    """Spans' bytes <-> a chunk. Holds compression contexts, which must not be shared between threads."""

    def __init__(self) -> None:
        self._compressor = zstandard.ZstdCompressor(level=ZSTD_LEVEL, write_checksum=True)
        self._decompressor = zstandard.ZstdDecompressor()

    def pack(self, spans: Iterable[StoredSpan]) -> bytes:
        """A chunk: each origin once, then (origin's place, digest, first arrival, bytes) of each span."""
        origins: dict[Origin, int] = {}
        rows = []
        last, place = None, 0
        for origin, data, digest, received in spans:
            if origin is not last:
                last, place = origin, origins.setdefault(origin, len(origins))
            rows.append((place, digest, received, data))
        return self._compressor.compress(msgpack.packb((list(origins), rows)))

    def unpack(self, chunk: bytes) -> list[StoredSpan]:
        """The spans of a chunk in order. Raises StoreBroken where it can't be read."""
        try:
            origins, rows = msgpack.unpackb(self._decompressor.decompress(chunk), use_list=False, max_bin_len=CHUNK_BYTES_MAX)
        except (zstandard.ZstdError, ValueError) as error:
            raise StoreBroken(f"a chunk of spans can't be read: {error}") from error
        shared = [Origin(*origin) for origin in origins]
        return [StoredSpan(shared[place], data, digest, received) for place, digest, received, data in rows]
