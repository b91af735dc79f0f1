"""A request's bytes -> its spans packed for the store, a part at a time; and these parts as bytes for the way between processes."""

from collections.abc import Iterator, Sequence
from typing import IO, Final, NamedTuple

import msgspec

from sessiond.core.model import Cost, Origin, ReceivedSpan, Rejection, SpanFacts, Text, Texts, Usage
from sessiond.core.spans.normalize import Normalizer
from sessiond.service.settling.said import said_in
from sessiond.storage.packing import PackedTrace, Packer, seal
from sessiond.wire import otlp

_LENGTH_BYTES: Final = 8


class Decoded(NamedTuple):
    """Some of a request's spans, by trace, and why others among them were refused."""

    traces: list[PackedTrace]
    rejections: list[Rejection]


_SHAPES: Final = (Decoded, PackedTrace, SpanFacts, Usage, Cost, Origin, Rejection, Texts, Text)
FINGERPRINT: Final = repr([shape.__annotations__ for shape in _SHAPES]).encode()
"""Of the shapes that both sides of a pipe must agree on, and the types of their fields, by which they are read: a package may be
upgraded under a process that runs."""


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Decoded).decode


class Decoder:
    """Bytes -> packed spans. Holds a packer, so each thread has its own."""

    def __init__(self, normalizer: Normalizer) -> None:
        self._normalizer = normalizer
        self._packer = Packer()

    def decode(self, body: bytes, *, received_unix_nano: int, spans_max: int, arrivals: Sequence[int] = ()) -> Iterator[Decoded]:
        """The spans of an ExportTraceServiceRequest. Arrivals and failures are those of `wire.otlp.decode`."""
        batches = otlp.decode(
            body, received_unix_nano=received_unix_nano, spans_max=spans_max, normalizer=self._normalizer, arrivals=arrivals
        )
        for batch in batches:
            yield Decoded(self._packer.traces(batch.spans, _texts_of), batch.rejections)


def _texts_of(spans: Sequence[ReceivedSpan]) -> bytes:
    """The texts of what may be a whole trace, having a root: they are read here, where its spans are at hand."""
    if b"" not in [span.facts.parent_id for span in spans]:
        return b""
    try:
        return seal(said_in([span.facts for span in spans], lambda place: spans[place].data).texts)
    except Exception:  # noqa: BLE001  (it is met again, and told, when the trace is settled; its spans are good)
        return b""


def pack_decoded(decoded: Decoded) -> bytes:
    """As msgpack."""
    return _encode(decoded)


def unpack_decoded(packed: bytes) -> Decoded:
    """What was packed."""
    return _decode(packed)


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
