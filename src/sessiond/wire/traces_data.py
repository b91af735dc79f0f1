"""Stored spans -> OTLP TracesData that a standard client can parse.

Most spans are passed on as they are. What a client's protobuf would refuse is repaired, which changes the broken text and nothing
else, and named. Each span is parsed where it will stand, in a whole response, since a client counts nesting from there.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, TracesData

from sessiond.core.model import Origin, StoredSpan
from sessiond.wire._pb.v1.session_service_pb2 import GetTraceResponse
from sessiond.wire.repair import repaired, wrapped
from sessiond.wire.values import text

DEPTH_MAX: Final = 64
"""Levels left of a repaired span; protobuf's own limit is 100 from the response on."""
_SPAN_PLACE: Final = (GetTraceResponse.TRACES_DATA_FIELD_NUMBER, 1, 2, 2)
_RESOURCE_PLACE: Final = (GetTraceResponse.TRACES_DATA_FIELD_NUMBER, 1, 1)
_SCOPE_PLACE: Final = (GetTraceResponse.TRACES_DATA_FIELD_NUMBER, 1, 2, 1)
"""Field numbers down to where each stands in a response: traces_data, resource_spans, scope_spans, spans."""


class Passed(NamedTuple):
    """Spans as OTLP, and the ids of those that are not what came."""

    traces_data: TracesData
    repaired_span_ids: list[bytes]


def traces_data(spans: Iterable[StoredSpan]) -> Passed:
    """The spans, grouped as they came by resource and scope."""
    data = TracesData()
    repaired_span_ids: list[bytes] = []
    groups: dict[Origin, tuple[ScopeSpans, bool]] = {}
    for stored in spans:
        if stored.origin not in groups:
            groups[stored.origin] = _group(data, stored.origin)
        group, origin_repaired = groups[stored.origin]
        try:
            span, span_repaired = _in_place(stored.data), False
        except DecodeError:
            span, span_repaired = _in_place(repaired(stored.data, Span.DESCRIPTOR, DEPTH_MAX)), True
        group.spans.append(span)
        if span_repaired or origin_repaired:
            repaired_span_ids.append(span.span_id)
    return Passed(data, repaired_span_ids)


def _in_place(data: bytes) -> Span:
    return _response(data, _SPAN_PLACE).scope_spans[0].spans[0]


def _group(data: TracesData, origin: Origin) -> tuple[ScopeSpans, bool]:
    """A place for the spans of an origin, and whether the origin had to be repaired."""
    resource_spans = data.resource_spans.add(schema_url=text(origin.resource_schema_url))
    group = resource_spans.scope_spans.add(schema_url=text(origin.scope_schema_url))
    is_repaired = any(text(url).encode() != url for url in (origin.resource_schema_url, origin.scope_schema_url))
    try:
        resource_spans.resource.CopyFrom(_response(origin.resource, _RESOURCE_PLACE).resource)
    except DecodeError:
        mended = repaired(origin.resource, Resource.DESCRIPTOR, DEPTH_MAX)
        resource_spans.resource.CopyFrom(_response(mended, _RESOURCE_PLACE).resource)
        is_repaired = True
    try:
        group.scope.CopyFrom(_response(origin.scope, _SCOPE_PLACE).scope_spans[0].scope)
    except DecodeError:
        mended = repaired(origin.scope, InstrumentationScope.DESCRIPTOR, DEPTH_MAX)
        group.scope.CopyFrom(_response(mended, _SCOPE_PLACE).scope_spans[0].scope)
        is_repaired = True
    return group, is_repaired


def _response(data: bytes, place: tuple[int, ...]) -> ResourceSpans:
    """A response that holds nothing but `data`, at its place."""
    return GetTraceResponse.FromString(wrapped(data, *place)).traces_data.resource_spans[0]
