"""A decoded batch as bytes, for the way from one process to another; and the frames that carry it through a pipe."""

from typing import IO, Final

import msgpack

from sessiond.core.model import Origin, ReceivedSpan, Rejection, SpanFacts
from sessiond.wire.otlp import Batch

_LENGTH_BYTES: Final = 8
FRAME_BYTES_MAX: Final = 1 << 31


def pack_batch(batch: Batch) -> bytes:
    """A batch as msgpack, each origin once."""
    origins: dict[Origin, int] = {}
    spans = [
        (trace_id, facts, digest, origins.setdefault(origin, len(origins)), data)
        for trace_id, facts, digest, origin, data in batch.spans
    ]
    packed: bytes = msgpack.packb((list(origins), spans, batch.rejections))
    return packed


def unpack_batch(packed: bytes) -> Batch:
    """The batch that was packed."""
    origins, spans, rejections = msgpack.unpackb(packed, use_list=False, max_bin_len=FRAME_BYTES_MAX)
    shared = [Origin(*origin) for origin in origins]
    return Batch(
        [
            ReceivedSpan(trace_id, SpanFacts.of_row(facts), digest, shared[place], data)
            for trace_id, facts, digest, place, data in spans
        ],
        [Rejection(*rejection) for rejection in rejections],
    )


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
