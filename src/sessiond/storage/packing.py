"""Spans of one trace packed as a store keeps them, by whoever decoded them: what crosses from decoder to store.

Packing happens once, beside the thread that writes: a store puts the bytes where they belong and looks into them only where a span
was there already. Rows are msgpack behind a checksum against bit rot, span bytes compressed besides.
"""

import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Generic, NamedTuple, TypeVar
from zlib import crc32

import msgpack
import msgspec
import zstandard

from sessiond.core.errors import Damaged
from sessiond.core.identity import winners
from sessiond.core.model import Origin, ReceivedSpan, SpanFacts, StoredSpan

ZSTD_LEVEL: Final = -1
"""Level 1 took 43 % longer for 11 % less, level 3 another 26 % for 2.5 % (measured on the benchmark's spans, eight to a chunk)."""
_CHECKSUM_BYTES: Final = 4

_encode: Final = msgspec.msgpack.Encoder().encode
_decode_chunk: Final = msgspec.msgpack.Decoder(tuple[list[Origin], list[tuple[int, bytes, int, bytes]]]).decode
"""Origins, then of each span the place of its own, digest, first arrival and bytes."""

SPAN_KEY_BYTES: Final = 12
_SPAN: Final = struct.Struct(">8sIQQ16s")
"""Span id, kind, end, first arrival, digest."""
SPAN_BYTES: Final = _SPAN.size
KIND_MASK: Final = 0xFFFFFFFF


class PackedTrace(NamedTuple):
    """Different spans of one trace that came together, ready to be kept."""

    trace_id: bytes
    spans: bytes
    """SPAN_BYTES for each: its key of SPAN_KEY_BYTES, end, first arrival, digest; in the order of `facts` and `chunk`."""
    facts: bytes
    chunk: bytes
    duplicates: int
    conflicts: int
    """Versions of these spans that came with them and lost, of the same and of other content."""
    texts: bytes = b""
    """Sealed, what its texts are if these are all of its spans; empty where that was not looked for."""

    @property
    def span_count(self) -> int:
        """Spans that came, losing versions too."""
        return len(self.spans) // SPAN_BYTES + self.duplicates + self.conflicts

    @property
    def byte_count(self) -> int:
        """Bytes that it holds."""
        return len(self.spans) + len(self.facts) + len(self.chunk) + len(self.texts)


def span_key(facts: SpanFacts) -> bytes:
    """What tells a span from the others of its trace: SPAN_KEY_BYTES that sort by span id, then kind."""
    return facts.span_id + (facts.kind & KIND_MASK).to_bytes(4, "big")


def seal(row: object) -> bytes:
    """A row as msgpack behind its checksum. Named tuples become arrays."""
    payload = _encode(row)
    return crc32(payload).to_bytes(_CHECKSUM_BYTES, "big") + payload


def unseal(sealed: bytes) -> Any:  # noqa: ANN401  (msgpack's own type; every caller builds a value of it)
    """The row, arrays as tuples. Raises Damaged where the checksum does not fit."""
    return msgpack.unpackb(_payload(sealed), use_list=False)


Shape = TypeVar("Shape")


class Sealed(Generic[Shape]):
    """Rows of one shape, whose type is all that is needed to read them back."""

    def __init__(self, shape: type[Shape]) -> None:
        self._decode = msgspec.msgpack.Decoder(shape).decode

    def unseal(self, sealed: bytes) -> Shape:
        """The row. Raises Damaged where the checksum does not fit, or the row is of another shape."""
        try:
            return self._decode(_payload(sealed))
        except msgspec.DecodeError as error:
            raise Damaged(f"a row of the store can't be read: {error}") from error


def _payload(sealed: bytes) -> bytes:
    payload = sealed[_CHECKSUM_BYTES:]
    if crc32(payload) != int.from_bytes(sealed[:_CHECKSUM_BYTES], "big"):
        raise Damaged("a row of the store does not fit its checksum")
    return payload


_FACTS: Final = Sealed(list[SpanFacts])


def pack_facts(facts: Iterable[SpanFacts]) -> bytes:
    return seal(list(facts))


def unpack_facts(sealed: bytes) -> list[SpanFacts]:
    return _FACTS.unseal(sealed)


TextsOf = Callable[[Sequence[ReceivedSpan]], bytes]
"""Gives the texts of a trace, sealed, from the spans that are kept of it; empty where it does not look for them."""


def _no_texts(_: Sequence[ReceivedSpan]) -> bytes:
    return b""


class Packer:
    """Spans <-> their packed forms. Holds compression contexts, which must not be shared between threads."""

    def __init__(self) -> None:
        self._compressor = zstandard.ZstdCompressor(level=ZSTD_LEVEL, write_checksum=True)
        self._decompressor = zstandard.ZstdDecompressor()

    def traces(self, spans: Iterable[ReceivedSpan], texts_of: TextsOf = _no_texts) -> list[PackedTrace]:
        """The spans by trace, in order of first appearance, each packed."""
        by_trace: dict[bytes, list[ReceivedSpan]] = {}
        for span in spans:
            held = by_trace.get(span.trace_id)
            if held is None:
                by_trace[span.trace_id] = [span]
            else:
                held.append(span)
        return [self.trace(group, texts_of) for group in by_trace.values()]

    def trace(self, spans: Sequence[ReceivedSpan], texts_of: TextsOf = _no_texts) -> PackedTrace:
        """Spans of one trace, at least one, packed; of each the best version."""
        contest = winners(spans)
        kept = contest.winners
        facts = [span.facts for span in kept]
        rows = [
            _SPAN.pack(one.span_id, one.kind & KIND_MASK, one.end_unix_nano, one.received_unix_nano, span.digest)
            for one, span in zip(facts, kept, strict=True)
        ]
        chunk = self._chunk((span.origin, span.data, span.digest, span.facts.received_unix_nano) for span in kept)
        return PackedTrace(spans[0].trace_id, b"".join(rows), seal(facts), chunk, *contest[1:], texts_of(kept))

    def unpack(self, packed: PackedTrace) -> list[ReceivedSpan]:
        """The spans of a packed trace, in order."""
        return [
            ReceivedSpan(packed.trace_id, facts, stored.digest, stored.origin, stored.data)
            for facts, stored in zip(unpack_facts(packed.facts), self.unpack_chunk(packed.chunk), strict=True)
        ]

    def pack_chunk(self, spans: Iterable[StoredSpan]) -> bytes:
        """A chunk: each origin once, then (origin's place, digest, first arrival, bytes) of each span."""
        return self._chunk(spans)

    def _chunk(self, spans: Iterable[tuple[Origin, bytes, bytes, int]]) -> bytes:
        origins: dict[Origin, int] = {}
        rows = []
        last, place = None, 0
        for origin, data, digest, received in spans:
            if origin is not last:
                last, place = origin, origins.setdefault(origin, len(origins))
            rows.append((place, digest, received, data))
        return self._compressor.compress(_encode((list(origins), rows)))

    def unpack_chunk(self, chunk: bytes) -> list[StoredSpan]:
        """As the function of that name."""
        return unpack_chunk(self._decompressor, chunk)


def unpack_chunk(decompressor: zstandard.ZstdDecompressor, chunk: bytes) -> list[StoredSpan]:
    """The spans of a chunk in order. Raises Damaged where it can't be read."""
    try:
        origins, rows = _decode_chunk(decompressor.decompress(chunk))
    except (zstandard.ZstdError, msgspec.DecodeError) as error:
        raise Damaged(f"a chunk of spans can't be read: {error}") from error
    return [StoredSpan(origins[place], data, digest, received) for place, digest, received, data in rows]
