"""What stands above a session's turns and a trace's spans."""

from collections.abc import Iterator

from google.protobuf.timestamp_pb2 import Timestamp
from rich.text import Text

from sessiond.cli.columns import age, failure, tokens
from sessiond.cli.render import Fact, listed, text
from sessiond.cli.text import duration, plural
from sessiond.client import Session, State, Trace
from sessiond.client.rows import enum_name


def session_facts(session: Session, now_unix_nano: int) -> Iterator[Fact]:
    yield Fact("session", text(session.session_id))
    yield from _belonging(session)
    yield Fact("state", text(enum_name(State.DESCRIPTOR, session.state)))
    yield Fact("last activity", age(session.last_activity_time, now_unix_nano))
    yield Fact("turns", Text(f"{session.trace_count:,}, {session.failed_trace_count:,} failed"))
    yield Fact("active", Text(f"{duration(session.duration_ms)}, over {duration(session.wall_duration_ms)}"))
    yield from _work(session)


def trace_facts(trace: Trace, now_unix_nano: int) -> Iterator[Fact]:
    yield Fact("trace", text(trace.trace_id))
    yield Fact("name", text(trace.name))
    yield Fact("session", text(trace.session_id))
    yield from _belonging(trace)
    yield Fact("started", Text(f"{_utc(trace.start_time)}, ").append_text(age(trace.start_time, now_unix_nano)))
    yield Fact("duration", Text(duration(trace.duration_ms)))
    yield from _work(trace)
    yield Fact("status", _status(trace))


def _belonging(row: Session | Trace) -> Iterator[Fact]:
    yield Fact("project", text(row.project))
    yield Fact("user", text(row.user_id))


def _work(row: Session | Trace) -> Iterator[Fact]:
    calls = f"{row.llm_call_count:,} in {duration(row.llm_duration_ms)}, {row.failed_call_count:,} failed"
    yield Fact("LLM calls", Text(calls))
    yield Fact("tokens in / out", tokens(row))
    yield Fact("models", listed(row.models))
    yield Fact("tools", listed(row.tools))
    yield Fact("services", listed(row.services))
    yield Fact("spans", Text(f"{row.span_count:,}, {plural(row.error_count, 'error')}"))


def _status(trace: Trace) -> Text:
    found = failure(trace)
    message = trace.error_message if trace.error_type else ""
    return found.append_text(text(f": {message}")) if message else found


def _utc(time: Timestamp) -> str:
    return f"{time.ToDatetime():%Y-%m-%d %H:%M:%S} UTC"
