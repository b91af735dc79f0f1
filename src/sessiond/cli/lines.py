"""LINES: the columns of rows that come one by one. There are no headers to look up at, so each figure says what it is."""

from datetime import datetime
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from rich.text import Text

from sessiond.cli.columns import cost, failure, state, tokens
from sessiond.cli.render import Column, text
from sessiond.cli.text import duration, plural
from sessiond.client import Gone, Session, Trace

_WHY: Final = {Gone.REASON_NO_MATCH: "does not match any more", Gone.REASON_REMOVED: "is no more"}

SESSION_LINE: Final = (
    Column[Session]("TIME", lambda session: _moment(session.last_activity_time), width_max=14),
    Column[Session]("SESSION", lambda session: text(session.session_id, "bold"), width_max=26),
    Column[Session]("USER", lambda session: text(session.user_id), rank=3, width_max=15),
    Column[Session]("TURNS", lambda session: Text(plural(session.trace_count, "turn")), rank=1, justify="right", width_max=9),
    Column[Session]("TOKENS", lambda session: tokens(session).append(" tokens"), rank=4, justify="right", width_max=24),
    Column[Session]("COST", cost, rank=2, justify="right", width_max=9),
    Column[Session]("STATE", lambda session: _errors(session) if session.error_count else state(session), width_max=8),
)
TRACE_LINE: Final = (
    Column[Trace]("TIME", lambda trace: _moment(trace.updated_time), width_max=14),
    Column[Trace]("TRACE", lambda trace: text(trace.trace_id, "bold"), width_max=32),
    Column[Trace]("SESSION", lambda trace: text(trace.session_id), rank=4, width_max=20),
    Column[Trace]("NAME", lambda trace: text(trace.name), rank=3, width_max=20),
    Column[Trace]("DURATION", lambda trace: Text(duration(trace.duration_ms)), rank=1, justify="right", width_max=10),
    Column[Trace]("TOKENS", lambda trace: tokens(trace).append(" tokens"), rank=5, justify="right", width_max=24),
    Column[Trace]("COST", cost, rank=2, justify="right", width_max=9),
    Column[Trace]("STATUS", failure, width_max=8),
)
GONE_LINE: Final = (
    Column[tuple[Gone, Timestamp]]("TIME", lambda told: _moment(told[1]), width_max=14),
    Column[tuple[Gone, Timestamp]]("ID", lambda told: text(told[0].id, "dim"), width_max=26),
    Column[tuple[Gone, Timestamp]]("WHY", lambda told: Text(_WHY.get(told[0].reason, "is gone"), "dim")),
)
"""Of what is gone, and when that was heard."""


def _moment(time: Timestamp) -> Text:
    """In the zone of whoever looks: what comes now stands beside their own clock."""
    return Text(f"{datetime.fromtimestamp(time.seconds).astimezone():%m-%d %H:%M:%S}", "dim")


def _errors(session: Session) -> Text:
    return text(plural(session.error_count, "error"), "bold red")
