"""Stored rows as filters see them, the parts that lie elsewhere included: texts, and what depends on the time."""

import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar, cast

from sessiond.core.filter import Filter
from sessiond.core.model import NO_TEXTS, SessionSummary, Texts, TraceSummary, UserSummary
from sessiond.core.rows.seen import Seen
from sessiond.storage.api import Row, Store

Summary = TypeVar("Summary", TraceSummary, SessionSummary, UserSummary)


class SeenRow(Generic[Summary]):
    """`core.rows.seen.Seen` over a row of a store."""

    __slots__ = ("_sight", "row")

    def __init__(self, row: Row[Summary], sight: "Sight") -> None:
        self.row: Row[Summary] = row
        self._sight = sight

    @property
    def place(self) -> bytes:
        return self.row.place

    @property
    def numbers(self) -> Sequence[int]:
        return self.row.numbers

    @property
    def signature(self) -> int:
        return self.row.signature

    @property
    def summary(self) -> Summary:
        return self.row.summary

    @property
    def texts(self) -> Texts:
        return self._sight.texts_of(self.row.summary)

    @property
    def is_live(self) -> bool:
        return self._sight.is_live(self.row.summary)


def _itself(row: Row[Summary]) -> Row[Summary]:
    return row


class Sight:
    """Looks at rows of a store."""

    def __init__(self, store: Store, *, idle_nano: int, clock: Callable[[], int] = time.time_ns) -> None:
        self._store = store
        self.idle_nano = idle_nano
        self._clock = clock

    def now(self) -> int:
        """Unix nanoseconds."""
        return self._clock()

    def as_of(self, unix_nano: int) -> "Sight":
        """The same at a time that stands still."""
        return Sight(self._store, idle_nano=self.idle_nano, clock=lambda: unix_nano)

    def at(self, row: Row[Summary]) -> SeenRow[Summary]:
        """A row, seen."""
        return SeenRow(row, self)

    def seer(self, matching: Filter) -> Callable[[Row[Summary]], Seen[Summary]]:
        """What makes a row fit for a filter to look at. Where its own parts are enough, it is the row itself: a scan is long."""
        return self.at if matching.looks_beyond else cast("Callable[[Row[Summary]], Seen[Summary]]", _itself)

    def idle_before(self) -> int:
        """Sessions whose last activity was before this are idle. Unix nanoseconds."""
        return self._clock() - self.idle_nano

    def is_live(self, summary: TraceSummary | SessionSummary | UserSummary) -> bool:
        """Whether it is a session whose spans arrived within the idle time."""
        return isinstance(summary, SessionSummary) and summary.last_activity_unix_nano >= self.idle_before()

    def texts(self, trace_ids: Sequence[bytes]) -> list[Texts]:
        """What the users of some traces asked and were answered."""
        return self._store.texts(trace_ids)

    def texts_of_sessions(self, sessions: Sequence[SessionSummary]) -> list[Texts]:
        """What the users of some sessions first asked and were last answered."""
        ends = [trace_id for session in sessions for trace_id in (session.first_trace_id, session.last_trace_id)]
        texts = iter(self._store.texts(ends))
        return [Texts(first.input, last.output) for first, last in zip(texts, texts, strict=True)]

    def texts_of(self, summary: TraceSummary | SessionSummary | UserSummary) -> Texts:
        """What was asked and answered in a row. A user has no texts."""
        match summary:
            case TraceSummary():
                return self.texts([summary.trace_id])[0]
            case SessionSummary():
                return self.texts_of_sessions([summary])[0]
            case UserSummary():
                return NO_TEXTS
