"""When to settle in the background. While spans keep coming it waits, since what is settled is stale again with the next of them.

A query that waits does not wait for this: what it needs is settled at once.
"""

import time
from math import inf
from typing import Final

from sessiond.service.settling.queues import AT_ONCE, Patience
from sessiond.service.settling.settle import Settler

MARKED_TRACES_MAX: Final = 5_000
"""Marks kept while appends keep coming; above it settling goes first, so that the backlog stays bounded."""
MARKED_TRACES_MIN: Final = 256
"""Marks from which traces are settled while appends keep coming: a slice of a few costs a commit as one of many does. After
each append alone, the daemon took a tenth more processor time (measured)."""
QUIET_SECONDS: Final = 0.1
"""Without an append or erasure for this long, everything marked is settled in the background: a session is stale again with its
next turn, and where spans come every few hundredths of a second to settle between them took half as much processor time again
(measured)."""
OWNERS: Final = Patience(rest_seconds=0.5, wait_seconds_max=5.0)
"""While they keep coming, a session or user is settled in the background when it is due by this."""
TRACES_SECONDS_MAX: Final = 1.0
"""While appends keep coming, a trace waits no longer than this to be settled: half of what a search may lag."""
FOLLOWED_QUIET_SECONDS: Final = 0.02
FOLLOWED_OWNERS: Final = Patience(rest_seconds=0.5, wait_seconds_max=1.0)
"""The same as QUIET_SECONDS and OWNERS while somebody follows them."""


class Pace:
    """When a settler is to take its next step, and what it is to settle.

    Asked and told on the writer's thread, but for `follower_count`.
    """

    def __init__(self, settler: Settler) -> None:
        self._settler = settler
        self.follower_count = 0
        """How many wait all the time for what is settled; set from any thread."""
        self._last_write = 0.0
        self._marked_since: float | None = None
        """When the first of the traces was marked that wait to be settled."""

    def wrote(self) -> None:
        """Spans or an erasure are on disk, and what they mark is noted."""
        self._last_write = time.monotonic()
        if self._marked_since is None and self._settler.waiting().traces:
            self._marked_since = self._last_write

    def stepped(self) -> None:
        """The settler took a step."""
        if not self._settler.waiting().traces:
            self._marked_since = None

    def seconds_until_step(self) -> float | None:
        """How long until a step is due if no spans come meanwhile; None where there is nothing to settle."""
        due, renewal = self._settler.seconds_until_due(), self._settler.seconds_until_renewal()
        if due is not None and not self._settler.is_awaited():
            due = max(due, min(self._seconds_until_traces(), self._seconds_until_owner()))
        if renewal is not None:
            renewal = min(renewal, self._seconds_until_quiet())
        return min((seconds for seconds in (due, renewal) if seconds is not None), default=None)

    def is_time(self, *, appends_wait: bool) -> bool:
        """Whether to take a step now: someone waits, marks have piled up, or something is due.

        Where appends wait, which on a slow disk may be always, only what is due while spans keep coming.
        """
        if self._settler.is_awaited() or self.is_behind():
            return True
        return self._is_overdue() or (not appends_wait and (self.wants_traces() or not self._seconds_until_owner()))

    def is_behind(self) -> bool:
        """Whether so much is marked that appends must wait."""
        return self._settler.waiting().traces > MARKED_TRACES_MAX

    def wants_traces(self) -> bool:
        """Whether the step is to settle traces, though nobody waits for them."""
        return self._settler.waiting().traces >= MARKED_TRACES_MIN or not self._seconds_until_traces()

    def patience(self) -> Patience:
        """How long the step is to leave sessions and users alone."""
        return self._while_spans_come if self._seconds_until_quiet() else AT_ONCE

    def _is_overdue(self) -> bool:
        """Whether something waited as long as it is to wait at most while spans keep coming."""
        return (
            not self._seconds_until_traces_waited()
            or self._settler.seconds_until_owner(self._while_spans_come) == 0.0
            or self._settler.seconds_until_renewal() == 0.0
        )

    @property
    def _while_spans_come(self) -> Patience:
        return FOLLOWED_OWNERS if self.follower_count else OWNERS

    def _seconds_until_quiet(self) -> float:
        pause = FOLLOWED_QUIET_SECONDS if self.follower_count else QUIET_SECONDS
        return max(0.0, self._last_write + pause - time.monotonic())

    def _seconds_until_traces(self) -> float:
        """All is settled when no spans came for a while, traces also when they waited long enough."""
        return min(self._seconds_until_quiet(), self._seconds_until_traces_waited())

    def _seconds_until_traces_waited(self) -> float:
        if self._marked_since is None:
            return inf
        return max(0.0, self._marked_since + TRACES_SECONDS_MAX - time.monotonic())

    def _seconds_until_owner(self) -> float:
        seconds = self._settler.seconds_until_owner(self._while_spans_come)
        return self._seconds_until_quiet() if seconds is None else min(seconds, self._seconds_until_quiet())
