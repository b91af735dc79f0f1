"""What stands above a session's turns and a trace's spans."""

from collections.abc import Iterator
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from rich.text import Text

from sessiond.cli.columns import age, cost, failure, first_token, tokens
from sessiond.cli.feedback import summed
from sessiond.cli.render import Fact, count, listed, text
from sessiond.cli.text import dollars, duration, one_line, plural
from sessiond.client import Session, State, Trace, User
from sessiond.client.rows import enum_name

SAID_LENGTH_MAX: Final = 200
"""Characters of a text that are shown: enough to know it by."""
_KINDS_OF_COST: Final = (("cost_reported_usd", "reported"), ("cost_estimated_usd", "estimated"))


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
    yield Fact("started", Text(f"{utc(trace.start_time)}, ").append_text(age(trace.start_time, now_unix_nano)))
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
    yield Fact("cost", _cost(row))
    yield Fact("first token", first_token(row))
    yield Fact("models", listed(row.models))
    yield Fact("tools", listed(row.tools))
    yield Fact("services", listed(row.services))
    if row.scores:
        yield Fact("scores", text(", ".join(summed(name, row.scores[name]) for name in sorted(row.scores))))
    if row.annotations:
        yield Fact("annotations", count(row.annotations))
    if row.tags:
        yield Fact("tags", listed(row.tags))
    if row.metadata:
        yield Fact("metadata", listed(f"{key}={value}" for key, value in sorted(row.metadata.items())))
    yield Fact("input", _said(row.input, row.input_length))
    yield Fact("output", _said(row.output, row.output_length))
    yield Fact("spans", Text(f"{row.span_count:,}, {plural(row.error_count, 'error')}"))


def user_facts(user: User, now_unix_nano: int) -> Iterator[Fact]:
    yield Fact("user", text(user.user_id))
    yield Fact("project", text(user.project))
    yield Fact("first seen", age(user.first_seen_time, now_unix_nano))
    yield Fact("last seen", age(user.last_seen_time, now_unix_nano))
    yield Fact("sessions", count(user.session_count))
    yield Fact("turns", Text(f"{user.trace_count:,}, {user.failed_trace_count:,} failed"))
    yield Fact("tokens in / out", tokens(user))
    yield Fact("cost", _cost(user))
    mean, median = (getattr(user, name) if user.HasField(name) else None for name in ("cost_mean_usd", "cost_median_usd"))
    yield Fact("cost of a turn", Text(f"mean {dollars(mean)}, median {dollars(median)}"))
    yield Fact("models", listed(user.models))
    yield Fact("tools", listed(user.tools))


def _cost(row: Session | Trace | User) -> Text:
    """The cost, and how far it is known."""
    found = cost(row)
    known = [(getattr(row, name), word) for name, word in _KINDS_OF_COST if row.HasField(name) and getattr(row, name)]
    parts = [word if len(known) == 1 else f"{dollars(usd)} {word}" for usd, word in known]
    if row.unpriced_call_count:
        parts.append(f"{plural(row.unpriced_call_count, 'call')} without a price")
    return found.append(f" ({', '.join(parts)})") if parts else found


def _said(beginning: str, length: int) -> Text:
    """The beginning of a text on one line, and how long it is where that is not all."""
    shown = one_line(beginning)
    cut = shown if len(shown) <= SAID_LENGTH_MAX else f"{shown[:SAID_LENGTH_MAX]}..."
    return text(f"{cut} ({length:,} characters)" if cut != shown or length > len(beginning) else cut)


def _status(trace: Trace) -> Text:
    found = failure(trace)
    message = trace.error_message if trace.error_type else ""
    return found.append_text(text(f": {message}")) if message else found


def utc(time: Timestamp) -> str:
    return f"{time.ToDatetime():%Y-%m-%d %H:%M:%S} UTC"
