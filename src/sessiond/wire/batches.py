"""A decoded batch as bytes, for the way from one process to another; and the frames that carry it through a pipe."""

from collections.abc import Collection, Iterator
from typing import IO, Any, Final

import msgpack

from sessiond.core.model import Origin, ReceivedSpan, Rejection, SpanFacts, Usage
from sessiond.wire.otlp import Batch

_LENGTH_BYTES: Final = 8
FRAME_BYTES_MAX: Final = 1 << 31
FINGERPRINT: Final = repr([shape._fields for shape in (Batch, ReceivedSpan, SpanFacts, Usage, Origin, Rejection)]).encode()
"""Of the shapes that both sides of a pipe must agree on: a package may be upgraded under a process that runs."""


def pack_batch(batch: Batch) -> bytes:
    """A batch as msgpack, each origin once; its spans apart, so that they can stay packed."""
    origins: dict[Origin, int] = {}
    spans = [
        (trace_id, facts, digest, origins.setdefault(origin, len(origins)), data)
        for trace_id, facts, digest, origin, data in batch.spans
    ]
    packed_spans = msgpack.packb((list(origins), spans))
    packed: bytes = msgpack.packb((packed_spans, len(spans), batch.rejections, batch.byte_count))
    return packed


def unpack_batch(packed: bytes) -> Batch:
    """The batch that was packed; its spans are unpacked by whoever iterates over them, each time."""
    packed_spans, span_count, rejections, byte_count = _unpack(packed)
    return Batch(PackedSpans(packed_spans, span_count), [Rejection(*rejection) for rejection in rejections], byte_count)


class PackedSpans(Collection[ReceivedSpan]):
    """Spans that stay bytes until the one thread that wants them comes to them.

    Python runs one thread at a time: unpacked by the threads that receive, they would take the writer's turns.
    """

    def __init__(self, packed: bytes, count: int) -> None:
        self._packed = packed
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __contains__(self, span: object) -> bool:
        return any(span == one for one in self)

    def __iter__(self) -> Iterator[ReceivedSpan]:
        origins, spans = _unpack(self._packed)
        shared = [Origin(*origin) for origin in origins]
        for trace_id, facts, digest, place, data in spans:
            yield ReceivedSpan(trace_id, SpanFacts.of_row(facts), digest, shared[place], data)


def _unpack(packed: bytes) -> Any:  # noqa: ANN401  (msgpack's own type; both callers build values of it)
    return msgpack.unpackb(packed, use_list=False, max_bin_len=FRAME_BYTES_MAX)


def write_frame(stream: IO[bytes], payload: bytes) -> None:
    """Send a payload whole."""
    stream.write(len(payload).to_bytes(_LENGTH_BYTES, "big"))
    stream.write(payload)
    stream.flush()


def read_frame(stream: IO[bytes]) -> bytes | None:
    """The next payload; None where the other side is gone."""
    head = stream.read(_LENGTH_BYTES)
    if len(head) < _LENGTH_BYTES:
        return None
    length = int.from_bytes(head, "big")
    payload = stream.read(length)
    return payload if len(payload) == length else None
