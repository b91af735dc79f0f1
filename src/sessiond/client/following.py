"""Following: what one follower knows over all the streams that it takes. Reads no clock and sends nothing."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, Final, Generic, NamedTuple, TypeVar

from sessiond.client.failure import RequestFailed
from sessiond.wire._pb.v1 import session_service_pb2 as pb

SILENT_SECONDS_MAX: Final = 45.0
"""A daemon that has nothing to say says so every 15 s: three of these did not come."""
PATIENCE_SECONDS: Final = 300.0
"""A daemon that is replaced by a new version, or restarted with its machine, is back by then."""
PAUSE_SECONDS_MIN: Final = 0.25
PAUSE_SECONDS_MAX: Final = 5.0
"""Between two attempts to go on, doubling from the one to the other."""

Row = TypeVar("Row")
Request = pb.StreamSessionsRequest | pb.StreamTracesRequest


class Update(NamedTuple, Generic[Row]):
    """What changed."""

    rows: tuple[Row, ...] = ()
    """Rows that match, as they are now, whether new or changed."""
    gone: tuple[pb.Gone, ...] = ()
    """Rows that do not match any more, or are no more, whether or not they were told of."""
    caught_up: bool = False
    """All that matched at the start has been told of; what comes from now on are changes."""
    stalled: timedelta | None = None
    """How long the update before was left waiting: of what changed meanwhile only the latest is told."""
    restarted: bool = False
    """Forget what was told so far: the connection was lost for too long or too early, and all is told again from the start (with
    `changes_only`: changes from now on)."""
    broken: RequestFailed | None = None
    """Why the connection broke. It is being made again from where it was, unless this is also `restarted`."""


class Following(Generic[Row]):
    """The request to send next, and how long to wait before it."""

    def __init__(self, request: Request, rows_of: Callable[[Any], Iterable[Row]], patience_seconds: float) -> None:
        self.request = request
        self.pause_seconds = 0.0
        self._rows_of = rows_of
        self._patience_seconds = patience_seconds
        self._broken_since: float | None = None
        self._told = False
        """Whether anything was told since the start, which a new start would not take back."""

    def heard(self, answer: pb.StreamSessionsResponse | pb.StreamTracesResponse) -> Update[Row] | None:
        """What a message tells; None for a heartbeat."""
        self._broken_since = None
        self.pause_seconds = 0.0
        if answer.resume_token:
            self.request.resume_token = answer.resume_token
        stalled = answer.stalled.ToTimedelta() if answer.HasField("stalled") else None
        update = Update(tuple(self._rows_of(answer)), tuple(answer.gone), answer.caught_up, stalled)
        if not any(update):
            return None
        self._told = True
        return update

    def broke(self, failure: RequestFailed, now_seconds: float) -> Update[Row] | None:
        """What the end of a stream tells; None where an earlier one told it.

        Raises the failure where asking again can't help, and where that was tried in vain for as long as there is patience.
        """
        if failure.code == "OUT_OF_RANGE" and self.request.resume_token:
            self.request.resume_token = ""
            return self._restarted(None)
        is_first = self._broken_since is None
        self._broken_since = now_seconds if self._broken_since is None else self._broken_since
        if failure.code != "UNAVAILABLE" or now_seconds - self._broken_since >= self._patience_seconds:
            raise failure
        self.pause_seconds = min(max(2 * self.pause_seconds, PAUSE_SECONDS_MIN), PAUSE_SECONDS_MAX)
        if self._told and not self.request.resume_token:
            return self._restarted(failure)
        return Update(broken=failure) if is_first else None

    def _restarted(self, failure: RequestFailed | None) -> Update[Row]:
        self._told = False
        return Update(restarted=True, broken=failure)
