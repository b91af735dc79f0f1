"""TABLES: the columns of sessions, traces and users, and which go first where a terminal is narrow."""

from collections.abc import Sequence
from typing import Final, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp
from rich.text import Text

from sessiond.cli.feedback import summed
from sessiond.cli.render import Column, count, failures, listed, text
from sessiond.cli.text import ABSENT, ago, dollars, duration, number
from sessiond.client import Session, State, Statistics, Status, Trace, User
from sessiond.client.rows import enum_name
from sessiond.core.figures.trace import DEFAULT_PROJECT

MODELS_WIDTH_MAX: Final = 30
NAME_WIDTH_MAX: Final = 30
USER_WIDTH_MAX: Final = 24
STATUS_WIDTH_MAX: Final = 30
SESSION_WIDTH_MAX: Final = 48
"""A UUID fits with a prefix; what is longer goes on in the next line, so that one long id does not cost the others a column."""

SCORES_WIDTH_MAX: Final = 40

Row = TypeVar("Row", Session, Trace, User)
Scored = TypeVar("Scored", Session, Trace)


def session_columns(sessions: Sequence[Session], now_unix_nano: int) -> list[Column[Session]]:
    """The columns for some sessions; their project is one where it tells them apart."""
    return [
        Column("LAST ACTIVITY", lambda session: age(session.last_activity_time, now_unix_nano)),
        *_project_column(sessions),
        Column("SESSION", lambda session: text(session.session_id), width_max=SESSION_WIDTH_MAX),
        Column("USER", lambda session: text(session.user_id), rank=6, width_max=USER_WIDTH_MAX),
        Column("TURNS", lambda session: count(session.trace_count), rank=1, justify="right"),
        Column("DURATION", lambda session: Text(duration(session.duration_ms)), rank=3, justify="right"),
        Column("LLM CALLS", lambda session: count(session.llm_call_count), rank=5, justify="right"),
        Column("TOKENS IN / OUT", tokens, rank=4, justify="right"),
        Column("COST", cost, rank=3, justify="right"),
        Column("FIRST TOKEN", first_token, rank=8, justify="right"),
        Column("MODELS", lambda session: listed(session.models), rank=9, width_max=MODELS_WIDTH_MAX),
        Column("ERRORS", lambda session: failures(session.error_count), rank=2, justify="right"),
        Column("STATE", state, rank=7),
        *_score_columns(sessions),
    ]


def trace_columns(traces: Sequence[Trace], now_unix_nano: int) -> list[Column[Trace]]:
    """The columns for some traces of any session."""
    return [
        Column("STARTED", lambda trace: age(trace.start_time, now_unix_nano)),
        *_project_column(traces),
        Column("TRACE", lambda trace: text(trace.trace_id)),
        Column("SESSION", lambda trace: text(trace.session_id), rank=6, width_max=SESSION_WIDTH_MAX),
        *_trace_figures(),
        *_score_columns(traces),
    ]


def turn_columns(traces: Sequence[Trace], now_unix_nano: int) -> list[Column[Trace]]:
    """The columns for the traces of one session."""
    return [column for column in trace_columns(traces, now_unix_nano) if column.header not in {"SESSION", "PROJECT"}]


def user_columns(users: Sequence[User], now_unix_nano: int) -> list[Column[User]]:
    """The columns for some users."""
    return [
        Column("LAST SEEN", lambda user: age(user.last_seen_time, now_unix_nano)),
        *_project_column(users),
        Column("USER", lambda user: text(user.user_id), width_max=SESSION_WIDTH_MAX),
        Column("SESSIONS", lambda user: count(user.session_count), rank=2, justify="right"),
        Column("TURNS", lambda user: count(user.trace_count), rank=1, justify="right"),
        Column("FAILED", lambda user: failures(user.failed_trace_count), rank=3, justify="right"),
        Column("TOKENS IN / OUT", tokens, rank=5, justify="right"),
        Column("COST", cost, rank=4, justify="right"),
        Column("MEDIAN TURN", _cost_of_a_turn, rank=6, justify="right"),
        Column("MODELS", lambda user: listed(user.models), rank=7, width_max=MODELS_WIDTH_MAX),
    ]


def age(time: Timestamp, now_unix_nano: int) -> Text:
    return Text(ago(time.ToNanoseconds(), now_unix_nano))


def cost(row: Session | Trace | User) -> Text:
    """In dollars; with a `+` where it is not all, since some calls have no price."""
    more = "+" if row.unpriced_call_count and row.HasField("cost_usd") else ""
    return Text(dollars(row.cost_usd if row.HasField("cost_usd") else None) + more)


def first_token(row: Session | Trace) -> Text:
    return Text(duration(row.ttft_ms) if row.HasField("ttft_ms") else ABSENT)


def tokens(row: Session | Trace | User | Statistics) -> Text:
    """Input and output; `-` where one is not known."""
    known = [getattr(row, name) if row.HasField(name) else None for name in ("input_tokens", "output_tokens")]
    return Text(" / ".join(map(number, known)))


def failure(trace: Trace) -> Text:
    """`ok`, or in red what the earliest error was."""
    if trace.status != Status.STATUS_ERROR:
        return Text("ok")
    return text(trace.error_type or trace.error_message or "error", "bold red")


def state(session: Session) -> Text:
    return text(enum_name(State.DESCRIPTOR, session.state), "green" if session.state == State.STATE_LIVE else "dim")


def _trace_figures() -> list[Column[Trace]]:
    return [
        Column("NAME", lambda trace: text(trace.name), rank=3, width_max=NAME_WIDTH_MAX),
        Column("DURATION", lambda trace: Text(duration(trace.duration_ms)), rank=1, justify="right"),
        Column("LLM CALLS", lambda trace: count(trace.llm_call_count), rank=5, justify="right"),
        Column("TOKENS IN / OUT", tokens, rank=4, justify="right"),
        Column("COST", cost, rank=3, justify="right"),
        Column("FIRST TOKEN", first_token, rank=7, justify="right"),
        Column("MODELS", lambda trace: listed(trace.models), rank=8, width_max=MODELS_WIDTH_MAX),
        Column("STATUS", failure, rank=2, width_max=STATUS_WIDTH_MAX),
    ]


def _project_column(rows: Sequence[Row]) -> list[Column[Row]]:
    if all(row.project == DEFAULT_PROJECT for row in rows):
        return []
    return [Column("PROJECT", lambda row: text(row.project))]


def _score_columns(rows: Sequence[Scored]) -> list[Column[Scored]]:
    """Where a row has scores or notes: they are told in a column that others have no use for."""
    columns = []
    if any(row.scores for row in rows):
        columns.append(Column[Scored]("SCORES", _scores, rank=10, width_max=SCORES_WIDTH_MAX))
    if any(row.annotations for row in rows):
        columns.append(Column[Scored]("NOTES", lambda row: count(row.annotations or None), rank=11, justify="right"))
    return columns


def _scores(row: Scored) -> Text:
    return text(", ".join(summed(name, row.scores[name]) for name in sorted(row.scores)))


def _cost_of_a_turn(user: User) -> Text:
    return Text(dollars(user.cost_median_usd if user.HasField("cost_median_usd") else None))
