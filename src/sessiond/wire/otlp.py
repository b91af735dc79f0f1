"""An OTLP export request -> spans ready for the store, and its answer."""

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from itertools import repeat
from typing import Final, NamedTuple

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTracePartialSuccess, ExportTraceServiceResponse

from sessiond.core.errors import Invalid
from sessiond.core.identity import SpanKey
from sessiond.core.model import Origin, ReceivedSpan, Rejection, ResourceFacts
from sessiond.core.spans.normalize import DEFAULT, Normalizer
from sessiond.core.spans.sources import Source
from sessiond.wire._pb.wire import view_pb2 as view
from sessiond.wire.envelope import unfold
from sessiond.wire.spans import read_span
from sessiond.wire.values import Attributes, text

DIGEST_BYTES: Final = 16
BATCH_SPANS_MAX: Final = 4096
"""Spans decoded before they are handed on: what a large request holds in memory beside its body."""
BATCH_BYTES_MAX: Final = 4 * 1024 * 1024
"""And their bytes, with the resource and scope once for each trace, as a store keeps them: as many spans of 1 KiB."""
ORIGIN_BYTES_MAX: Final = 256 * 1024
"""Of a resource and scope together: a store keeps them with each trace. The longest known hold the command line of a process, some
tens of KiB where that is a class path."""
ORIGINS_CACHED: Final = 256
ORIGIN_CACHED_BYTES_MAX: Final = 16 * 1024
"""Resources and scopes are remembered, since a process sends the same ones with every request; together at most 4 MiB."""

MALFORMED_SPAN: Final = Rejection("malformed", "a span's bytes are not a Span message")
MALFORMED_PART: Final = Rejection("malformed", "part of the request is not protobuf; its spans could not be counted")
ORIGIN_TOO_LARGE: Final = Rejection(
    "resource",
    f"a span's resource and scope are more than {ORIGIN_BYTES_MAX >> 10} KiB together; give them less or shorter attributes",
)


class Batch(NamedTuple):
    """Some of a request's spans, in the order sent, and why others among them were refused."""

    spans: Collection[ReceivedSpan]
    rejections: list[Rejection]


class _OriginFacts(NamedTuple):
    """What a resource and scope say, and a digest of both to go on from (copy it before use)."""

    resource: ResourceFacts
    scope: str
    digest: blake2b


def decode(
    body: bytes, *, received_unix_nano: int, spans_max: int, normalizer: Normalizer = DEFAULT, arrivals: Sequence[int] = ()
) -> Iterator[Batch]:
    """The spans of an ExportTraceServiceRequest, a batch at a time; an empty request gives none.

    Spans arrive at `received_unix_nano`; where `arrivals` are given, each at the one of its place in the request, unless that is 0
    or later. A bad span, or a part that can't be read, costs only itself and is told as a Rejection. Raises Invalid where the bytes
    are no request and nothing can be saved, or the arrivals are not as many as the spans; TooLarge where it holds more than
    `spans_max` spans; all before the first batch.
    """
    envelope = unfold(body, spans_max=spans_max)
    if body and not envelope.parts and (envelope.malformed_parts or not envelope.has_resources):
        raise Invalid(
            "request", f"{len(body)} bytes", "are no ExportTraceServiceRequest", hint="send OTLP traces, protobuf-encoded"
        )
    if arrivals and len(arrivals) != (span_count := sum(len(part.spans) for part in envelope.parts)):
        raise Invalid(
            "received_unix_nanos", len(arrivals), f"are not as many as the {span_count} spans", hint="give one for each, or none"
        )
    arriving = (
        (min(arrival or received_unix_nano, received_unix_nano) for arrival in arrivals) if arrivals else repeat(received_unix_nano)
    )
    spans: list[ReceivedSpan] = []
    rejections = [MALFORMED_PART] * envelope.malformed_parts
    byte_count = 0
    for part in envelope.parts:
        origin = part.origin
        origin_bytes = sum(map(len, origin))
        traces = set[bytes]()  # those of this batch that came with this origin
        facts = _origin_facts(origin, normalizer) if origin_bytes <= ORIGIN_BYTES_MAX else ORIGIN_TOO_LARGE
        for data in part.spans:
            arrived = next(arriving)
            received = facts if isinstance(facts, Rejection) else _decode_span(data, origin, facts, arrived, normalizer)
            if isinstance(received, Rejection):
                rejections.append(received)
            else:
                spans.append(received)
                byte_count += len(data)
                if received.trace_id not in traces:
                    traces.add(received.trace_id)
                    byte_count += origin_bytes
            if len(spans) + len(rejections) >= BATCH_SPANS_MAX or byte_count >= BATCH_BYTES_MAX:
                yield Batch(spans, rejections)
                spans, rejections, byte_count, traces = [], [], 0, set()
    if spans or rejections:
        yield Batch(spans, rejections)


def decode_span(
    data: bytes, origin: Origin, *, received_unix_nano: int, normalizer: Normalizer = DEFAULT
) -> ReceivedSpan | Rejection:
    """One span from its bytes: the way from a stored span back to its facts."""
    return _decode_span(data, origin, _origin_facts(origin, normalizer), received_unix_nano, normalizer)


def _decode_span(
    data: bytes, origin: Origin, facts: _OriginFacts, received_unix_nano: int, normalizer: Normalizer
) -> ReceivedSpan | Rejection:
    span = read_span(data)
    if span is None:
        return MALFORMED_SPAN
    normal = normalizer.span(span, facts.resource, facts.scope, received_unix_nano)
    if isinstance(normal, Rejection):
        return normal
    digest = facts.digest.copy()
    digest.update(data)
    return ReceivedSpan(span.trace_id, normal, digest.digest(), origin, data)


def sources(data: bytes, origin: Origin, normalizer: Normalizer) -> tuple[SpanKey, tuple[Source, ...]] | None:
    """A stored span's key, and where each of its facts comes from; None where it can't be read."""
    span = read_span(data)
    if span is None:
        return None
    found = normalizer.sources(span, _resource_attributes(origin.resource), _read_scope(origin.scope))
    return (span.span_id, span.kind), found


def _origin_facts(origin: Origin, normalizer: Normalizer) -> _OriginFacts:
    if sum(map(len, origin)) > ORIGIN_CACHED_BYTES_MAX:
        return _read_origin(origin, normalizer)
    return _read_cached_origin(origin, normalizer)


def _read_origin(origin: Origin, normalizer: Normalizer) -> _OriginFacts:
    digest = blake2b(digest_size=DIGEST_BYTES)
    for part in origin:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return _OriginFacts(_read_resource(origin.resource, normalizer), _read_scope(origin.scope), digest)


_read_cached_origin = lru_cache(ORIGINS_CACHED)(_read_origin)


def _read_resource(raw: bytes, normalizer: Normalizer) -> ResourceFacts:
    return normalizer.resource(_resource_attributes(raw))


def _resource_attributes(raw: bytes) -> Attributes:
    """An unreadable resource costs its attributes, not its spans."""
    try:
        return Attributes(view.Resource.FromString(raw).attributes)
    except DecodeError:
        return Attributes(())


def _read_scope(raw: bytes) -> str:
    try:
        return text(view.Scope.FromString(raw).name)
    except DecodeError:
        return ""


def answer(rejected_spans: int, message: str) -> bytes:
    """An ExportTraceServiceResponse; `partial_success` is unset where nothing was refused."""
    if not rejected_spans:
        return b""
    partial = ExportTracePartialSuccess(rejected_spans=rejected_spans, error_message=message)
    return ExportTraceServiceResponse(partial_success=partial).SerializeToString()
