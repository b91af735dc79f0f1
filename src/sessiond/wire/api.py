"""Core values -> messages of sessiond.v1, by the table of fields; and the ids and times of its requests -> core values."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from sessiond.core.errors import Invalid
from sessiond.core.figures.costs import Priced
from sessiond.core.figures.explain import ExplainedCall, Figure, Uncounted
from sessiond.core.identity import interval
from sessiond.core.model import ScoreSum, SessionSummary, SpanFacts, StoredSpan, Texts, TraceSummary, Usage, UserSummary
from sessiond.core.rows.fields import SESSION_FIELDS, TRACE_FIELDS, USER_FIELDS, Field, FieldType
from sessiond.wire._pb.v1 import resources_pb2 as pb
from sessiond.wire._pb.v1 import session_service_pb2 as service_pb

NANO_PER_MILLI: Final = 1_000_000
NANO_PER_USD: Final = 10**9
TRACE_ID: Final = re.compile("[0-9A-Fa-f]{32}")
SECONDS_END: Final = 2**33
"""Of unix times that fit 64 bits of nanoseconds: the year 2242."""
_STATUS = {"ok": pb.STATUS_OK, "error": pb.STATUS_ERROR}
_GONE: Final = (service_pb.Gone.REASON_NO_MATCH, service_pb.Gone.REASON_REMOVED)

Fields: TypeAlias = dict[str, Any]
"""Of a message that is built with them where it belongs: one that is built alone is copied into its answer, a tenth of the time."""
Plan: TypeAlias = tuple[tuple[str, Callable[[Any], Any], Callable[[Any], object] | None], ...]
"""(field, its value in a summary, how that looks outside) of each field of a message that a summary holds."""
WithUsage = TypeVar("WithUsage", pb.Span, pb.ExplainedCall)


def trace_fields(trace: TraceSummary, texts: Texts) -> Fields:
    """What is known of a trace, as the fields of its message."""
    fields = _known(_TRACE, trace)
    _add_texts(fields, texts)
    return fields


def session_fields(session: SessionSummary, texts: Texts, *, is_live: bool) -> Fields:
    """What is known of a session, as the fields of its message, and its state as the reader found it."""
    fields = _known(_SESSION, session)
    fields["state"] = pb.STATE_LIVE if is_live else pb.STATE_IDLE
    _add_texts(fields, texts)
    return fields


def user_message(user: UserSummary) -> pb.User:
    """A user with every field that is known."""
    return pb.User(**_known(_USER, user))


def span_message(span: SpanFacts, priced: Priced | None) -> pb.Span:
    """A span's figures; `priced` is what it cost, where it is counted."""
    start, end = interval(span)
    message = pb.Span(
        span_id=span.span_id.hex(),
        parent_span_id=span.parent_id.hex(),
        kind=span.kind,
        name=span.name,
        start_time=timestamp(start),
        end_time=timestamp(end),
        received_time=timestamp(span.received_unix_nano),
        duration_ms=(end - start) / NANO_PER_MILLI,
        operation=span.operation,
        service=span.service,
        scope=span.scope,
        status=_STATUS["error" if span.is_error else "ok"],
        error_type=span.error_type,
        error_message=span.error_message,
        provider=span.provider,
        request_model=span.request_model,
        response_model=span.response_model,
        counted=priced is not None,
        tool=span.tool,
        agent=span.agent,
        ttft_ms=None if span.first_token_nano is None else span.first_token_nano / NANO_PER_MILLI,
        cost_usd=usd(priced.cost.total_nano) if priced and priced.cost else None,
        cost_estimated=bool(priced and priced.cost and priced.row),
    )
    return _with_usage(message, span.usage)


def figure_message(figure: Figure) -> pb.Figure:
    """Where a figure comes from."""
    evidence = (pb.Evidence(span_id=one.span_id.hex(), key=one.key, value=one.value) for one in figure.evidence)
    return pb.Figure(field=figure.field, evidence=evidence, evidence_count=figure.evidence_count)


def call_message(call: ExplainedCall) -> pb.ExplainedCall:
    """A call, and what it cost."""
    cost, row, is_billed = call.priced
    message = pb.ExplainedCall(
        span_id=call.span_id.hex(),
        merged_span_ids=(span_id.hex() for span_id in call.merged_span_ids),
        is_reporter=call.is_reporter,
        failed=call.failed,
        provider=call.provider,
        request_model=call.request_model,
        response_model=call.response_model,
        cost_usd=usd(cost.total_nano) if cost else None,
        cost_source=("estimated" if row else "reported") if cost else "unpriced" if is_billed else "not billed",
        price_row=row.description if row else "",
    )
    return _with_usage(message, call.usage)


def uncounted_message(span: Uncounted) -> pb.UncountedSpan:
    """A span that is not counted."""
    return pb.UncountedSpan(
        span_id=span.span_id.hex(), rule=span.rule, counted_span_id=span.counted_span_id.hex(), reason=span.reason
    )


def gone_message(project: str, name: str | bytes, *, is_removed: bool) -> service_pb.Gone:
    """A row that a follower is not to show any more."""
    shown = name.hex() if isinstance(name, bytes) else name
    return service_pb.Gone(project=project, id=shown, reason=_GONE[is_removed])


def raw_span_message(span: StoredSpan) -> service_pb.RawSpan:
    """A span byte for byte as it came."""
    return service_pb.RawSpan(
        resource=span.origin.resource,
        resource_schema_url=span.origin.resource_schema_url,
        scope=span.origin.scope,
        scope_schema_url=span.origin.scope_schema_url,
        span=span.data,
        received_time=timestamp(span.received_unix_nano),
    )


def usd(nano: int | None) -> float | None:
    """Nano-dollars as dollars."""
    return None if nano is None else nano / NANO_PER_USD


def timestamp(unix_nano: int) -> Timestamp:
    """Unix nanoseconds as a Timestamp."""
    seconds, nanos = divmod(unix_nano, 10**9)
    return Timestamp(seconds=seconds, nanos=nanos)


def unix_nano(time: Timestamp, field: str) -> int:
    """A request's Timestamp as unix nanoseconds. Raises Invalid outside 1970 to 2242 and where nanos are out of range."""
    if not 0 <= time.seconds < SECONDS_END or not 0 <= time.nanos < 10**9:
        raise Invalid(field, f"{time.seconds}.{time.nanos:09}", "is not a time from 1970 to 2242")
    return time.seconds * 10**9 + time.nanos


def trace_id(text: str, field: str = "trace_id") -> bytes:
    """A request's trace id. Raises Invalid."""
    if not TRACE_ID.fullmatch(text):
        raise Invalid(field, text[:80], "must be 32 hexadecimal digits")
    return bytes.fromhex(text)


def _with_usage(message: WithUsage, usage: Usage | None) -> WithUsage:
    for name, tokens in usage._asdict().items() if usage else ():
        if tokens is not None:
            setattr(message, name, tokens)
    return message


def _add_texts(fields: Fields, texts: Texts) -> None:
    if texts.input is not None:
        fields["input"], fields["input_length"] = texts.input
    if texts.output is not None:
        fields["output"], fields["output_length"] = texts.output


def _known(plan: Plan, summary: object) -> Fields:
    fields: Fields = {}
    for name, get, shown in plan:
        value = get(summary)
        if value is not None and value != ():
            fields[name] = value if shown is None else shown(value)
    return fields


def _milliseconds(nano: int) -> float:
    return nano / NANO_PER_MILLI


def _dollars(nano: int) -> float:
    return nano / NANO_PER_USD


def _scores(sums: Iterable[ScoreSum]) -> dict[str, pb.ScoreSum]:
    return {
        one.name: pb.ScoreSum(count=one.score_count, mean=one.mean, categories=dict(one.categories), stale_count=one.stale_count)
        for one in sums
    }


_SHOWN: Final[Mapping[FieldType, Callable[[Any], object]]] = {
    "time": timestamp,
    "milliseconds": _milliseconds,
    "usd": _dollars,
    "id": bytes.hex,
    "enum": _STATUS.__getitem__,
    "counts": dict,
    "map": dict,
    "scores": _scores,
}
"""How values of a type look outside; all others as they are."""


def _plan(fields: Iterable[Field[Any]]) -> Plan:
    return tuple((field.name, field.get, _SHOWN.get(field.type)) for field in fields if field.kept == "row")


_TRACE: Final = _plan(TRACE_FIELDS)
_SESSION: Final = _plan(SESSION_FIELDS)
_USER: Final = _plan(USER_FIELDS)
