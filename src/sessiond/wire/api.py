"""Core values -> messages of sessiond.v1, by the table of fields; and the ids and times of its requests -> core values."""

import re
from collections.abc import Iterable
from typing import Any, Final, TypeVar

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from sessiond.core.errors import Invalid
from sessiond.core.fields import SESSION_FIELDS, TRACE_FIELDS, Field
from sessiond.core.identity import interval
from sessiond.core.model import SessionSummary, SpanFacts, StoredSpan, TraceSummary
from sessiond.wire._pb.v1 import resources_pb2 as pb
from sessiond.wire._pb.v1 import session_service_pb2 as service_pb

NANO_PER_MILLI: Final = 1_000_000
TRACE_ID: Final = re.compile("[0-9A-Fa-f]{32}")
SECONDS_END: Final = 2**33
"""Of unix times that fit 64 bits of nanoseconds: the year 2242."""
_STATUS = {"ok": pb.STATUS_OK, "error": pb.STATUS_ERROR}

AnyMessage = TypeVar("AnyMessage", bound=Message)


def trace_message(trace: TraceSummary) -> pb.Trace:
    """A trace with every field that is known."""
    return _filled(pb.Trace(), TRACE_FIELDS, trace)


def session_message(session: SessionSummary, *, is_live: bool) -> pb.Session:
    """A session with every field that is known, and its state as the reader found it."""
    return _filled(pb.Session(state=pb.STATE_LIVE if is_live else pb.STATE_IDLE), SESSION_FIELDS, session)


def span_message(span: SpanFacts, *, counted: bool) -> pb.Span:
    """A span's figures."""
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
        counted=counted,
        tool=span.tool,
        agent=span.agent,
    )
    for name, tokens in span.usage._asdict().items() if span.usage else ():
        if tokens is not None:
            setattr(message, name, tokens)
    return message


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


def timestamp(unix_nano: int) -> Timestamp:
    """Unix nanoseconds as a Timestamp."""
    seconds, nanos = divmod(unix_nano, 10**9)
    return Timestamp(seconds=seconds, nanos=nanos)


def unix_nano(time: Timestamp, field: str) -> int:
    """A request's Timestamp as unix nanoseconds. Raises Invalid outside 1970 to 2242 and where nanos are out of range."""
    if not 0 <= time.seconds < SECONDS_END or not 0 <= time.nanos < 10**9:
        raise Invalid(field, f"{time.seconds}.{time.nanos:09}", "is not a time from 1970 to 2242")
    return time.seconds * 10**9 + time.nanos


def trace_id(text: str) -> bytes:
    """A request's trace id. Raises Invalid."""
    if not TRACE_ID.fullmatch(text):
        raise Invalid("trace_id", text[:80], "must be 32 hexadecimal digits")
    return bytes.fromhex(text)


def _filled(message: AnyMessage, fields: Iterable[Field[Any]], summary: object) -> AnyMessage:
    for field in fields:
        value = field.get(summary) if field.served else None
        if value is None:
            continue
        match field.type:
            case "strings":
                getattr(message, field.name).extend(value)
            case "time":
                getattr(message, field.name).CopyFrom(timestamp(value))
            case "counts":
                getattr(message, field.name).update(value)
            case "milliseconds":
                setattr(message, field.name, value / NANO_PER_MILLI)
            case "id":
                setattr(message, field.name, value.hex())
            case "enum":
                setattr(message, field.name, _STATUS[value])
            case _:
                setattr(message, field.name, value)
    return message
