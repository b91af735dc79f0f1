"""A decoded batch as bytes, for the way from one process to another; and the frames that carry it through a pipe."""

from collections.abc import Collection, Iterator
from typing import IO, Any, Final

import msgpack

from sessiond.core.model import Cost, Origin, ReceivedSpan, Rejection, SpanFacts, Usage
from sessiond.wire.otlp import Batch

_LENGTH_BYTES: Final = 8
FRAME_BYTES_MAX: Final = 1 << 31
FINGERPRINT: Final = repr([shape._fields for shape in (Batch, ReceivedSpan, SpanFacts, Usage, Cost, Origin, Rejection)]).encode()
"""Of the shapes that both sides of a pipe must agree on: a package may be upgraded under a process that runs."""


def pack_batch(batch: Batch, body: bytes) -> bytes:
    """A batch as msgpack, each origin once; its spans apart, so that they can stay packed, and without their bytes.

    Where a span's bytes lie in the request's `body` is told instead, since both sides have that. They are looked for from the end
    of the span before: they begin a few bytes further on.
    """
    origins: dict[Origin, int] = {}
    spans = []
    end = 0
    for trace_id, facts, digest, origin, data in batch.spans:
        start = body.find(data, end)
        if start < 0:  # the first of a batch may lie before the last of the one before it
            start = body.index(data)
        end = start + len(data)
        spans.append((trace_id, facts, digest, origins.setdefault(origin, len(origins)), start, end))
    packed_spans = msgpack.packb((list(origins), spans))
    packed: bytes = msgpack.packb((packed_spans, len(spans), batch.rejections, batch.byte_count))
    return packed


def unpack_batch(packed: bytes, body: bytes) -> Batch:
    """The batch that was packed; its spans are unpacked by whoever iterates over them, each time."""
    packed_spans, span_count, rejections, byte_count = _unpack(packed)
    return Batch(PackedSpans(packed_spans, span_count, body), [Rejection(*rejection) for rejection in rejections], byte_count)


class PackedSpans(Collection[ReceivedSpan]):
    """Spans that stay bytes until the one thread that wants them comes to them.

    Python runs one thread at a time: unpacked by the threads that receive, they would take the writer's turns.
    """

    def __init__(self, packed: bytes, count: int, body: bytes) -> None:
        self._packed = packed
        self._count = count
        self._body = body

    def __len__(self) -> int:
        return self._count

    def __contains__(self, span: object) -> bool:
        return any(span == one for one in self)

    def __iter__(self) -> Iterator[ReceivedSpan]:
        origins, spans = _unpack(self._packed)
        shared = [Origin(*origin) for origin in origins]
        body = self._body
        for trace_id, facts, digest, place, start, end in spans:
            yield ReceivedSpan(trace_id, SpanFacts.of_row(facts), digest, shared[place], body[start:end])


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
