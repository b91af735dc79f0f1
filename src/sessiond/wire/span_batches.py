"""Stored spans -> batches for another store: their bytes as they came, put together without protobuf."""

from collections.abc import Iterable
from sys import maxsize

from sessiond.core.model import Origin, StoredSpan
from sessiond.wire._pb.v1.transfer_service_pb2 import SpanBatch
from sessiond.wire.envelope import unfold
from sessiond.wire.repair import wrapped

# Field numbers of ResourceSpans and ScopeSpans: 1 the resource or scope, 2 the repeated part, 3 the schema URL.
_HEAD, _PARTS, _SCHEMA_URL = 1, 2, 3


def span_batch(spans: Iterable[StoredSpan]) -> SpanBatch:
    """The spans by resource and scope, each with its first arrival."""
    groups: dict[Origin, list[StoredSpan]] = {}
    for span in spans:
        groups.setdefault(span.origin, []).append(span)
    return SpanBatch(
        resource_spans=[_resource_spans(origin, group) for origin, group in groups.items()],
        received_unix_nanos=[span.received_unix_nano for group in groups.values() for span in group],
    )


def span_count(body: bytes) -> int:
    """How many spans a batch holds; a part that can't be read counts as one, as it does among what is refused."""
    envelope = unfold(body, spans_max=maxsize)
    return sum(len(part.spans) for part in envelope.parts) + envelope.malformed_parts


def _resource_spans(origin: Origin, spans: Iterable[StoredSpan]) -> bytes:
    scope_spans = [_present(origin.scope, _HEAD), *(wrapped(span.data, _PARTS) for span in spans)]
    scope_spans.append(_present(origin.scope_schema_url, _SCHEMA_URL))
    resource_spans = [_present(origin.resource, _HEAD), wrapped(b"".join(scope_spans), _PARTS)]
    resource_spans.append(_present(origin.resource_schema_url, _SCHEMA_URL))
    return b"".join(resource_spans)


def _present(value: bytes, number: int) -> bytes:
    """A field, left out where it is empty, as whoever sent it did."""
    return wrapped(value, number) if value else b""
