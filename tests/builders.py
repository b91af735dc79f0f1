"""Input for tests: spans, requests and facts with defaults for all that a test does not speak of."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from sessiond.core.feedback.annotation import Annotation
from sessiond.core.feedback.score import Score
from sessiond.core.feedback.target import Target
from sessiond.core.figures import trace as traces
from sessiond.core.figures.costs import NO_CALLS
from sessiond.core.model import NO_USAGE, Origin, ReceivedSpan, SessionKey, SpanFacts, StoredSpan, TraceSummary
from sessiond.core.spans.normalize import DEFAULT, ExtraKeys
from sessiond.prices import GenaiPriceBook
from sessiond.service.receiving.decode import Decoder
from sessiond.service.settling.rules import Rules
from sessiond.storage.packing import PackedTrace
from sessiond.wire import otlp
from sessiond.wire.values import Attributes

DATA = Path(__file__).parent / "data"

T0 = 1_790_000_000_000_000_000
"""Where the clock of the tests stands: spans start then, and arrive a minute later."""
ARRIVAL = T0 + 60 * 10**9
MS = 10**6

RULES = Rules(GenaiPriceBook())
"""What figures in tests are made by: the table as it is, and the list prices."""
PRICES = RULES.prices
OTHER_RULES = Rules(GenaiPriceBook(), ExtraKeys(session=("chat.key",), user=("chat.person",)))
"""Rules by which attributes that RULES does not know carry the session and the user."""

SCALARS = ((bool, "bool_value"), (str, "string_value"), (int, "int_value"), (float, "double_value"), (bytes, "bytes_value"))

_ids = count(1)


def trace_id(number: int) -> bytes:
    return number.to_bytes(16, "big")


def span_id(number: int) -> bytes:
    return number.to_bytes(8, "big")


def any_value(value: Any) -> AnyValue:
    for python_type, field in SCALARS:
        if isinstance(value, python_type):
            return AnyValue(**{field: value})
    found = AnyValue()
    if isinstance(value, Mapping):
        found.kvlist_value.values.extend(attributes(value))
    else:
        found.array_value.values.extend(any_value(item) for item in value)
    return found


def attributes(values: Mapping[str, Any]) -> list[KeyValue]:
    return [KeyValue(key=key, value=any_value(value)) for key, value in values.items()]


def encoded(values: Mapping[str, Any]) -> Attributes:
    """Attributes as they are on the wire."""
    return Attributes([attribute.SerializeToString() for attribute in attributes(values)])


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


def packed(*spans: Span, arrival: int = ARRIVAL, scope: str = "scope", **resource: Any) -> list[PackedTrace]:
    """As `received`, packed by trace as a store takes them."""
    body = request(*spans, scope=scope, **resource).SerializeToString()
    return [one for part in Decoder(DEFAULT).decode(body, received_unix_nano=arrival, spans_max=10**6) for one in part.traces]


def facts(*spans: Span, arrival: int = ARRIVAL, scope: str = "scope", **resource: Any) -> list[SpanFacts]:
    """The facts of spans."""
    return [one.facts for one in received(*spans, arrival=arrival, scope=scope, **resource)]


def by_trace(spans: Iterable[ReceivedSpan]) -> dict[bytes, list[SpanFacts]]:
    """The facts of each trace."""
    found: dict[bytes, list[SpanFacts]] = {}
    for one in spans:
        found.setdefault(one.trace_id, []).append(one.facts)
    return found


def summary(*spans: Span, arrival: int = ARRIVAL, scope: str = "scope", **resource: Any) -> TraceSummary:
    """The figures of the one trace that the spans are of."""
    return traces.summarize(trace_id(1), facts(*spans, arrival=arrival, scope=scope, **resource), PRICES)


def fact(  # the facts of a span without the way over its bytes: for times that no builder of spans should make easy
    id: int = 1,  # noqa: A002
    parent: int | None = None,
    *,
    kind: int = 1,
    start_ms: int = 0,
    end_ms: int = 10,
    **more: Any,
) -> SpanFacts:
    """Facts with all that `more` does not say left out; times are milliseconds after T0."""
    built = SpanFacts(
        span_id=span_id(id),
        parent_id=b"" if parent is None else span_id(parent),
        kind=kind,
        name="work",
        start_unix_nano=T0 + start_ms * MS,
        end_unix_nano=T0 + end_ms * MS,
        received_unix_nano=ARRIVAL,
    )
    return built._replace(**more)


def turn(number: int = 1, *, start_ms: int = 0, end_ms: int = 10, **more: Any) -> TraceSummary:
    """A trace's figures with all that `more` does not say left out; it makes no call and did not fail."""
    built = TraceSummary(
        project="default",
        trace_id=trace_id(number),
        session_id="s1",
        other_session_ids=(),
        user_id=None,
        name=f"turn {number}",
        root_span_id=span_id(number),
        root_missing=False,
        start_unix_nano=T0 + start_ms * MS,
        end_unix_nano=T0 + end_ms * MS,
        ttft_nano=None,
        llm_duration_nano=0,
        usage=NO_USAGE,
        costs=NO_CALLS,
        models=(),
        request_models=(),
        providers=(),
        services=(),
        agents=(),
        tools=(),
        span_count=1,
        llm_call_count=0,
        tool_call_count=0,
        error_count=0,
        failed_call_count=0,
        error_type=None,
        error_message=None,
        received_unix_nano=ARRIVAL,
        updated_unix_nano=ARRIVAL,
        tags=(),
        metadata=(),
        list_counts=(),
        annotations=0,
        scores=(),
    )
    return built._replace(**more)


def score(id: str = "score", target: Target = SessionKey("default", "s1"), **more: Any) -> Score:  # noqa: A002, B008
    """A score with defaults for what `more` does not say."""
    return Score(
        **{"id": id, "target": target, "name": "helpful", "value": 1.0, "update_unix_nano": more.get("create_unix_nano", 0)} | more
    )


def annotation(id: str = "annotation", target: Target = SessionKey("default", "s1"), **more: Any) -> Annotation:  # noqa: A002, B008
    """An annotation with defaults for what `more` does not say."""
    return Annotation(**{"id": id, "target": target, "text": "a note"} | more)


def stored(data: bytes, origin: Origin = Origin(), arrival: int = ARRIVAL) -> StoredSpan:  # noqa: B008  (a value, never changed)
    """A span as the store gives it back."""
    return StoredSpan(origin, data, bytes(16), arrival)


def nested_array(depth: int) -> bytes:
    """An AnyValue of arrays inside arrays, by hand: protobuf itself refuses to read one as deep as some tests want."""
    data = b"\x0a\x01x"
    for _ in range(depth):
        data = field(5, field(1, data))
    return data


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def field(number: int, value: bytes) -> bytes:
    """A length-delimited field on the wire."""
    return varint(number << 3 | 2) + varint(len(value)) + value
