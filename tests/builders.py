"""Input for tests: spans, requests and facts with defaults for all that a test does not speak of."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from sessiond.core.model import ReceivedSpan, SpanFacts
from sessiond.wire import otlp

T0 = 1_790_000_000_000_000_000
"""Where the clock of the tests stands: spans start then, and arrive a minute later."""
ARRIVAL = T0 + 60 * 10**9
MS = 10**6

_ids = count(1)


def trace_id(number: int) -> bytes:
    return number.to_bytes(16, "big")


def span_id(number: int) -> bytes:
    return number.to_bytes(8, "big")


def any_value(value: Any) -> AnyValue:
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, str):
        return AnyValue(string_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    if isinstance(value, bytes):
        return AnyValue(bytes_value=value)
    if isinstance(value, Mapping):
        found = AnyValue()
        found.kvlist_value.values.extend(attributes(value))
        return found
    found = AnyValue()
    found.array_value.values.extend(any_value(item) for item in value)
    return found


def attributes(values: Mapping[str, Any]) -> list[KeyValue]:
    return [KeyValue(key=key, value=any_value(value)) for key, value in values.items()]


def span(
    *,
    trace: int = 1,
    id: int | None = None,  # noqa: A002
    parent: int | None = None,
    name: str = "work",
    kind: int = 1,
    start_ms: float = 0,
    end_ms: float | None = None,
    error: str | None = None,
    session: str | None = None,
    user: str | None = None,
    operation: str | None = None,
    model: str | None = None,
    tokens_in: int | None = None,
    tokens_out: int | None = None,
    response_id: str | None = None,
    events: Sequence[tuple[str, float, Mapping[str, Any]]] = (),
    **more: Any,
) -> Span:
    """An OTLP span; times are milliseconds after T0. `more` are attributes, with `__` for the dots of their keys."""
    known = {
        "session.id": session,
        "user.id": user,
        "gen_ai.operation.name": operation,
        "gen_ai.request.model": model,
        "gen_ai.response.model": model if response_id or tokens_out is not None else None,
        "gen_ai.usage.input_tokens": tokens_in,
        "gen_ai.usage.output_tokens": tokens_out,
        "gen_ai.response.id": response_id,
        **{key.replace("__", "."): value for key, value in more.items()},
    }
    built = Span(
        trace_id=trace_id(trace),
        span_id=span_id(next(_ids) + 10**6 if id is None else id),
        parent_span_id=b"" if parent is None else span_id(parent),
        name=name,
        kind=kind,
        start_time_unix_nano=T0 + int(start_ms * MS),
        end_time_unix_nano=T0 + int((start_ms + 10 if end_ms is None else end_ms) * MS),
        attributes=attributes({key: value for key, value in known.items() if value is not None}),
    )
    if error is not None:
        built.status.code = 2
        built.status.message = error
    for event_name, at_ms, values in events:
        built.events.add(name=event_name, time_unix_nano=T0 + int(at_ms * MS), attributes=attributes(values))
    return built


def request(*spans: Span, service: str = "svc", scope: str = "scope", **resource: Any) -> ExportTraceServiceRequest:
    """A request with one resource and scope; `resource` are its attributes, with `__` for dots."""
    built = ExportTraceServiceRequest()
    resource_spans = built.resource_spans.add()
    values = {"service.name": service, **{key.replace("__", "."): value for key, value in resource.items()}}
    resource_spans.resource.attributes.extend(attributes(values))
    scope_spans = resource_spans.scope_spans.add()
    scope_spans.scope.name = scope
    scope_spans.spans.extend(spans)
    return built


def received(*spans: Span, arrival: int = ARRIVAL, scope: str = "scope", **resource: Any) -> list[ReceivedSpan]:
    """Spans as the store takes them."""
    body = request(*spans, scope=scope, **resource).SerializeToString()
    return [good for batch in otlp.decode(body, received_unix_nano=arrival, spans_max=10**6) for good in batch.spans]


def facts(*spans: Span, arrival: int = ARRIVAL, scope: str = "scope", **resource: Any) -> list[SpanFacts]:
    """The facts of spans."""
    return [one.facts for one in received(*spans, arrival=arrival, scope=scope, **resource)]


def by_trace(spans: Iterable[ReceivedSpan]) -> dict[bytes, list[SpanFacts]]:
    """The facts of each trace."""
    found: dict[bytes, list[SpanFacts]] = {}
    for one in spans:
        found.setdefault(one.trace_id, []).append(one.facts)
    return found



