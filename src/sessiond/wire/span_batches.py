"""Stored spans -> batches for another store, and large batches -> small ones: bytes as they came, put together without protobuf."""

from collections.abc import Iterable, Iterator
from itertools import chain, repeat
from sys import maxsize
from typing import NamedTuple, Protocol, TypeVar

from sessiond.core.model import Origin
from sessiond.wire._pb.v1.transfer_service_pb2 import SpanBatch
from sessiond.wire.envelope import unfold
from sessiond.wire.repair import wrapped

# Field numbers of ResourceSpans and ScopeSpans: 1 the resource or scope, 2 the repeated part, 3 the schema URL.
_HEAD, _PARTS, _SCHEMA_URL = 1, 2, 3


class Arrived(Protocol):
    """A span's bytes, whose they are, and when they first came (0: now)."""

    @property
    def origin(self) -> Origin: ...
    @property
    def data(self) -> bytes: ...
    @property
    def received_unix_nano(self) -> int: ...


AnySpan = TypeVar("AnySpan", bound=Arrived)


class _Arrived(NamedTuple):
    origin: Origin
    data: bytes
    received_unix_nano: int


def span_batch(spans: Iterable[Arrived]) -> SpanBatch:
    """The spans by resource and scope, each with its first arrival."""
    groups: dict[Origin, list[Arrived]] = {}
    for span in spans:
        groups.setdefault(span.origin, []).append(span)
    arrivals = [span.received_unix_nano for group in groups.values() for span in group]
    return SpanBatch(
        resource_spans=[_resource_spans(origin, group) for origin, group in groups.items()],
        received_unix_nanos=arrivals if any(arrivals) else (),
    )


def cut(spans: Iterable[AnySpan], bytes_max: int) -> Iterator[list[AnySpan]]:
    """The spans some at a time: as many as `bytes_max` hold with their resources and scopes, each of which counts once.

    A larger one is alone.
    """
    held: list[AnySpan] = []
    origins: set[Origin] = set()
    size = 0
    for span in spans:
        whole = len(span.data) + sum(map(len, span.origin))
        more = len(span.data) if span.origin in origins else whole
        if held and size + more > bytes_max:
            yield held
            held, origins, size, more = [], set(), 0, whole
        held.append(span)
        origins.add(span.origin)
        size += more
    if held:
        yield held


def divided(batch: SpanBatch, bytes_max: int) -> Iterator[SpanBatch]:
    """The same spans in batches of some `bytes_max`. A batch that is not much larger, or can't be read throughout, stays one."""
    if batch.ByteSize() <= 2 * bytes_max:
        yield batch
        return
    arrivals = batch.received_unix_nanos
    envelope = unfold(SpanBatch(resource_spans=batch.resource_spans).SerializeToString(), spans_max=maxsize)
    spans = [(part.origin, data) for part in envelope.parts for data in part.spans]
    if envelope.malformed_parts or (arrivals and len(arrivals) != len(spans)):
        yield batch  # for the daemon to say what is wrong with it
        return
    arrived = (_Arrived(*span, at) for span, at in zip(spans, chain(arrivals, repeat(0)), strict=False))
    yield from map(span_batch, cut(arrived, bytes_max))


def span_count(body: bytes) -> int:
    """How many spans a batch holds; a part that can't be read counts as one, as it does among what is refused."""
    envelope = unfold(body, spans_max=maxsize)
    return sum(len(part.spans) for part in envelope.parts) + envelope.malformed_parts


def _resource_spans(origin: Origin, spans: Iterable[Arrived]) -> bytes:
    scope_spans = [_present(origin.scope, _HEAD), *(wrapped(span.data, _PARTS) for span in spans)]
    scope_spans.append(_present(origin.scope_schema_url, _SCHEMA_URL))
    resource_spans = [_present(origin.resource, _HEAD), wrapped(b"".join(scope_spans), _PARTS)]
    resource_spans.append(_present(origin.resource_schema_url, _SCHEMA_URL))
    return b"".join(resource_spans)


def _present(value: bytes, number: int) -> bytes:
    """A field, left out where it is empty, as whoever sent it did."""
    return wrapped(value, number) if value else b""
