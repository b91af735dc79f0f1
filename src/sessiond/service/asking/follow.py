"""Following: after a walk, each row again as it changes, from the numbers of changes and never from a queue of events.

A follower asks what changed since the number it came to. So one that is slow or away misses states between, and never the latest,
and what it costs does not grow while it waits.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, Generic, NamedTuple, TypeVar

from sessiond.core.errors import Busy, Cancelled, Crowded, Invalid, TooOld
from sessiond.core.model import SessionSummary, TraceSummary
from sessiond.core.rows.places import place_unix_nano
from sessiond.core.rows.where import Where
from sessiond.service.asking.query import STREAM_PAGE, IsWanted, Queries
from sessiond.service.asking.question import Question
from sessiond.service.asking.seen import Sight
from sessiond.service.asking.tokens import is_change, not_ours, read_token, write_token
from sessiond.service.asking.walk import Place, Rows, Walk
from sessiond.service.writer import Writer
from sessiond.storage.api import Row, Store

TICK_SECONDS: Final = 0.25
"""At least so long between two looks for changes: a row that changes all the time is sent four times a second."""
LOOK_SECONDS: Final = 1.0
"""At most so long between two looks whether somebody still waits, and for sessions that turned idle."""
HEARTBEAT_SECONDS: Final = 15.0
"""After so long with nothing to say, an empty update tells that all is well."""
STALLED_SECONDS: Final = 1.0
"""A client that lets an update wait longer is told so."""

Summary = TypeVar("Summary", TraceSummary, SessionSummary)


class Gone(NamedTuple):
    """A row that a follower is not to show any more: it changed and does not match, or it is no more."""

    project: str
    id: str | bytes
    """A session's id or a trace's."""
    is_removed: bool


class Update(NamedTuple, Generic[Summary]):
    """What a follower is told at once. Empty but for the token: all is well, and there is nothing to say."""

    rows: tuple[Summary, ...] = ()
    gone: tuple[Gone, ...] = ()
    token: str = ""
    """Where to go on; empty before the first walk is done."""
    caught_up: bool = False
    """The first walk is done. In one update."""
    stalled_seconds: float = 0.0
    """How long the update before had to wait for the client, where that was long."""


class _Standing(NamedTuple):
    """How far a follower is."""

    through: int
    """All changes up to this one have been told."""
    idle_before: int
    """Sessions whose last activity was before this have been told to be idle. Unix nanoseconds."""
    store: bytes
    """The identity of the store whose changes these are."""


class _Parts(NamedTuple):
    """What every follower reads."""

    store: Store
    queries: Queries
    writer: Writer
    sight: Sight


class Followers:
    """All followers there are. `stop` ends them; every other method may be called from any thread."""

    def __init__(self, store: Store, queries: Queries, writer: Writer, sight: Sight, *, count_max: int) -> None:
        self._parts = _Parts(store, queries, writer, sight)
        self.count_max = count_max
        self._lock = threading.Lock()
        self._count = 0
        self._stopping = False

    @property
    def count(self) -> int:
        """How many there are."""
        return self._count

    def stop(self) -> None:
        """Let all of them end at once, and take no more."""
        self._stopping = True
        self._parts.writer.settled_bell.ring()

    def follow(
        self, question: Question[Summary], token: str, is_wanted: IsWanted, *, changes_only: bool = False
    ) -> Iterator[Update[Summary]]:
        """What matches, and then what changes, until nobody waits any more.

        With a `token` of an earlier update, what changed since then. Raises Crowded; Invalid for a token of another request; TooOld
        for a token of another store, and where it or the last update is of so long ago that a removal may have been forgotten; Busy
        where the daemon stops.
        """
        if not question.order.is_default:
            raise Invalid(
                "order_by",
                str(question.asked[-1])[:80],
                "can't be given with follow",
                hint="leave it empty: changes come as they happen",
            )
        if question.filter.percentiles:
            raise Invalid("filter", question.filter.text[:80], "can't have percentiles with follow", hint="give a value")
        with self._admitted():
            wanted = lambda: is_wanted() and not self._stopping  # noqa: E731
            try:
                yield from _Following(self._parts, question, wanted).updates(token, changes_only=changes_only)
            except Cancelled:
                if not self._stopping:
                    raise
            if self._stopping:
                raise Busy("sessiond is stopping", hint="follow again from the last resume_token")

    @contextmanager
    def _admitted(self) -> Iterator[None]:
        with self._lock:
            if self._count >= self.count_max:
                raise Crowded(
                    f"{self._count} clients follow already, which is the most", hint="end one, or raise query.followers_max"
                )
            self._count += 1
            self._parts.writer.pace.follower_count = self._count
        try:
            yield
        finally:
            with self._lock:
                self._count -= 1
                self._parts.writer.pace.follower_count = self._count


class _Following(Generic[Summary]):
    """One follower."""

    def __init__(self, parts: _Parts, question: Question[Summary], is_wanted: IsWanted) -> None:
        self._store, queries, self._writer, self._sight = parts
        self._kind = question.kind
        self._filter = question.filter
        self._rows: Rows[Summary] = queries.rows_of[question.kind]
        self._walk: Walk[Summary] = queries.walk(question, is_wanted)
        self._is_wanted = is_wanted
        self._bound_to = ("follow", *question.asked)

    def updates(self, token: str, *, changes_only: bool) -> Iterator[Update[Summary]]:
        """As `Followers.follow`."""
        if token:
            standing = self._resumed(token)
        else:
            standing, told_at = _Standing(0, self._sight.idle_before(), self._store.identity), time.monotonic()
            place: Place | None = self._walk.begin(self._store.last_change, STREAM_PAGE)
            while place is not None and place.through is None:
                standing = standing._replace(through=place.began)
                if changes_only:
                    break
                rows, place = self._walk.advance(place, STREAM_PAGE)
                if rows or time.monotonic() - told_at > HEARTBEAT_SECONDS:
                    yield Update(tuple(rows))
                    told_at = time.monotonic()
            yield Update(token=self._token(standing), caught_up=True)
        yield from self._changes(standing)

    def _changes(self, begun: _Standing) -> Iterator[Update[Summary]]:
        """What changes from now on, as soon as it is settled, and a heartbeat now and then."""
        standing, told_at, stalled = begun, time.monotonic(), 0.0
        while self._is_wanted():
            rung, looked_at = self._writer.settled_bell.rung, time.monotonic()
            for told, standing in self._look(standing):  # noqa: B020  (a look goes on from where it stands)
                if told.rows or told.gone or looked_at - told_at > HEARTBEAT_SECONDS:
                    began = time.monotonic()
                    yield told._replace(token=self._token(standing), stalled_seconds=stalled)
                    told_at = time.monotonic()
                    stalled = told_at - began if told_at - began > STALLED_SECONDS else 0.0
            self._writer.settled_bell.wait(rung, LOOK_SECONDS)
            if told_at > looked_at:  # what changes all the time is told at a measured pace
                time.sleep(max(0.0, looked_at + TICK_SECONDS - time.monotonic()))

    def _look(self, standing: _Standing) -> Iterator[tuple[Update[Summary], _Standing]]:
        """What there is to tell now, a page at a time, and how far the follower is with each. Raises TooOld."""
        is_last = False
        while not is_last and self._is_wanted():
            changes = self._rows.listing.changed(standing.through, STREAM_PAGE)
            # Looked at after the changes, and on each page: a follower may come back here from any update after hours.
            if standing.through < self._store.removals_forgotten():
                raise TooOld(
                    "so much time has passed since the last resume_token that removals are forgotten", hint="follow without it"
                )
            is_last = changes.is_last
            standing = standing._replace(through=changes.through)
            told = self._told(changes.rows)
            removed = tuple(Gone(removal.key[0], removal.key[1], True) for removal in changes.removed)
            yield told._replace(gone=told.gone + removed), standing
        if self._kind == "session":
            idle_before = self._sight.idle_before()
            for page in self._turned_idle(standing, idle_before):
                yield self._told(page), standing
            yield Update(), standing._replace(idle_before=idle_before)

    def _turned_idle(self, standing: _Standing, idle_before: int) -> Iterator[Sequence[Row[Summary]]]:
        """Sessions that were live at the last look and are not now, and have not changed meanwhile: nothing else tells of them."""
        where = self._filter.where
        turning = Where(where.project, where.session_id, where.user_id, standing.idle_before, idle_before)
        after: bytes | None = None
        while True:
            page = self._rows.listing.page(turning, after, STREAM_PAGE)
            turned = [row for row in page.rows if standing.idle_before <= place_unix_nano(row.summary) < idle_before]
            if turned:
                yield [row for row in turned if row.change <= standing.through]
            if page.after is None:
                return
            after = page.after

    def _told(self, rows: Sequence[Row[Summary]]) -> Update[Summary]:
        """Rows that match, and those that don't as gone."""
        matching, gone = [], []
        for row in map(self._sight.at, rows):
            if self._filter.matches(row):
                matching.append(row.summary)
            else:
                gone.append(_gone(row.summary))
        return Update(tuple(matching), tuple(gone))

    def _token(self, standing: _Standing) -> str:
        return write_token(self._bound_to, standing)

    def _resumed(self, token: str) -> _Standing:
        """The standing in a resume token. Raises Invalid; TooOld where it is of another store."""
        place = read_token(token, "resume_token", self._bound_to)
        if len(place) != len(_Standing._fields) or not all(map(is_change, place[:-1])):
            raise not_ours(token, "resume_token")
        standing = _Standing(*place)
        if standing.store != self._store.identity or standing.through > self._store.last_change():
            raise TooOld("this resume_token is of another store", hint="follow without it")
        return standing


def _gone(summary: TraceSummary | SessionSummary) -> Gone:
    name = summary.trace_id if isinstance(summary, TraceSummary) else summary.session_id
    return Gone(summary.project, name, False)
