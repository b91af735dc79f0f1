"""Asking: each query first has settled what was acknowledged before it, then reads page by page."""

import base64
import binascii
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import Final, Generic, NamedTuple, TypeVar

import msgpack

from sessiond.core import trace
from sessiond.core.calls import select
from sessiond.core.costs import Priced
from sessiond.core.errors import Busy, Invalid, NotFound
from sessiond.core.explain import Explanation, Told, explain
from sessiond.core.identity import chronological
from sessiond.core.model import SessionKey, SessionSummary, SpanFacts, StoredSpan, Texts, TraceSummary, UserKey, UserSummary
from sessiond.service.figures import said
from sessiond.service.settle import Need
from sessiond.service.writer import Writer
from sessiond.storage.api import Changes, Page, Store, Where, span_pages

PAGE_SIZE: Final = 50
PAGE_SIZE_MAX: Final = 1000
"""Larger pages are cut to it (AIP-158); a stream has no such bound."""
STREAM_PAGE: Final = 200
"""Rows read in one transaction for a stream."""
SETTLE_SECONDS_MAX: Final = 30.0
"""How long a query waits for what was acknowledged before it."""

CHANGE_END: Final = 2**63
PLACE_BYTES_MAX: Final = 256
"""Of a place in a list that a token may hold: the longest is that of a session, 153 bytes."""

Summary = TypeVar("Summary", TraceSummary, SessionSummary)


class SpanFigures(NamedTuple):
    """A span's facts, and where what it reports is in its trace's sums, what it cost."""

    facts: SpanFacts
    priced: Priced | None


class _Place(NamedTuple):
    """Where a walk over a list stands.

    Rows that changed after the walk `began` are held out of it, and come at its end in order of their changes: so nothing is
    skipped, and only a row that changed during the walk can come twice.
    """

    began: int
    after: bytes | None = None
    """Below this in the list; None: at its top."""
    through: int | None = None
    """The list is done, and so are changes up to this one; None: still in the list."""


class _List(NamedTuple, Generic[Summary]):
    """One kind of row: the two ways a store lists it, and whose figures it is made of."""

    need: Need
    page: Callable[[Where, bytes | None, int], Page[Summary]]
    changed: Callable[[Where, int, int], Changes[Summary]]
    traces: Callable[[Summary], Iterable[bytes]]


class Queries:
    """The use cases of reading. Every method may be called from any thread."""

    def __init__(self, store: Store, writer: Writer, *, idle_nano: int) -> None:
        self._store = store
        self._writer = writer
        self._idle_nano = idle_nano
        self._sessions = _List("sessions", store.list_sessions, store.changed_sessions, self._traces_of_session)
        self._traces = _List("traces", store.list_traces, store.changed_traces, lambda trace: [trace.trace_id])

    def is_live(self, session: SessionSummary) -> bool:
        """Whether spans of the session arrived within the idle time."""
        return time.time_ns() - session.last_activity_unix_nano <= self._idle_nano

    def list_sessions(self, where: Where, page_size: int, token: str) -> tuple[list[SessionSummary], str]:
        """A page of sessions by last activity, latest first, and the next page's token ("" after the last)."""
        return self._list(self._sessions, where, page_size, token)

    def list_traces(self, where: Where, page_size: int, token: str) -> tuple[list[TraceSummary], str]:
        """A page of traces by start, latest first, and the next page's token ("" after the last)."""
        return self._list(self._traces, where, page_size, token)

    def stream_sessions(self, where: Where) -> Iterator[list[SessionSummary]]:
        """Every session in the order of `list_sessions`, a few at a time."""
        return self._stream(self._sessions, where, self._begun(self._sessions, where, STREAM_PAGE))

    def stream_traces(self, where: Where) -> Iterator[list[TraceSummary]]:
        """Every trace in the order of `list_traces`, a few at a time."""
        return self._stream(self._traces, where, self._begun(self._traces, where, STREAM_PAGE))

    def session(self, key: SessionKey) -> tuple[SessionSummary, list[TraceSummary]]:
        """A session and its traces in order. Raises NotFound."""
        self._settle("sessions", lambda: [trace.trace_id for trace in self._store.traces_of_session(key)])
        summary = self._store.session(key)
        if summary is None:
            raise NotFound(
                f"there is no session {key.session_id!r} in project {key.project!r}",
                hint="give another project, or see `sessiond sessions` for those there are",
            )
        return summary, self._store.traces_of_session(key)

    def trace(self, trace_id: bytes) -> tuple[TraceSummary, list[SpanFigures]]:
        """A trace and its spans' figures in order of start. Raises NotFound."""
        self._settle("traces", lambda: [trace_id])
        summary = self._store.trace(trace_id)
        if summary is None:
            raise NotFound(f"there is no trace {trace_id.hex()}", hint="`sessiond traces` lists those there are")
        spans, intervals = chronological(self._store.facts(trace_id))
        selection = select(spans, intervals)
        priced = trace.priced(spans, intervals, selection, self._writer.rules.prices)
        return summary, [SpanFigures(span, priced.get(position)) for position, span in enumerate(spans)]

    def explain(self, trace_id: bytes) -> Explanation:
        """Where each figure of a trace comes from. Raises NotFound."""
        summary, _ = self.trace(trace_id)
        facts = self._store.facts(trace_id)
        spans, intervals = chronological(facts)
        selection = select(spans, intervals)
        rules = self._writer.rules
        sources = dict(found for page in self.spans(trace_id) for stored in page if (found := rules.sources(stored)) is not None)
        told = said(self._store, trace_id, facts)
        return explain(
            Told(
                summary,
                spans,
                intervals,
                [sources.get((span.span_id, span.kind), ()) for span in spans],
                selection,
                trace.priced(spans, intervals, selection, rules.prices),
                told.texts,
                told.asked,
                told.answered,
            )
        )

    def spans(self, trace_id: bytes) -> Iterator[list[StoredSpan]]:
        """A trace's spans as they came, page by page."""
        return span_pages(self._store, trace_id)

    def user(self, key: UserKey) -> UserSummary:
        """A user. Raises NotFound."""
        self._settle("users", lambda: [trace.trace_id for trace in self._store.traces_of_user(key)])
        summary = self._store.user(key)
        if summary is None:
            raise NotFound(f"there is no user {key.user_id!r} in project {key.project!r}", hint="give another project")
        return summary

    def texts(self, trace_ids: Sequence[bytes]) -> list[Texts]:
        """What the users of some traces asked and were answered."""
        return self._store.texts(trace_ids)

    def texts_of_session(self, session: SessionSummary) -> Texts:
        """What its user first asked, and was last answered."""
        first, last = self._store.texts([session.first_trace_id, session.last_trace_id])
        return Texts(first.input, last.output)

    def _traces_of_session(self, session: SessionSummary) -> list[bytes]:
        return [trace.trace_id for trace in self._store.traces_of_session(session.key)]

    def _settle(self, need: Need, renewed: Callable[[], Sequence[bytes]]) -> None:
        """Wait for what was acknowledged before; and where figures may be of other rules, for those of these traces."""
        try:
            self._writer.settled(need, renewed() if self._writer.is_renewing else ()).result(SETTLE_SECONDS_MAX)
        except TimeoutError as error:
            raise Busy("what was received before this query is still being settled", hint="ask again") from error

    def _list(self, rows: _List[Summary], where: Where, page_size: int, token: str) -> tuple[list[Summary], str]:
        if page_size < 0:
            raise Invalid("page_size", page_size, "must not be negative")
        limit = min(page_size or PAGE_SIZE, PAGE_SIZE_MAX)
        place = _read_token(token, rows.need, where) if token else None
        if place is None:
            place = self._begun(rows, where, limit)
        else:
            self._settle(rows.need, lambda: ())
        found: list[Summary] = []
        while place is not None and len(found) < limit:
            more, place = self._advance(rows, where, place, limit - len(found))
            found += more
        return found, "" if place is None else _token(place, rows.need, where)

    def _stream(self, rows: _List[Summary], where: Where, begun: _Place) -> Iterator[list[Summary]]:
        place: _Place | None = begun
        while place is not None:
            found, place = self._advance(rows, where, place, STREAM_PAGE)
            if found:
                yield found

    def _begun(self, rows: _List[Summary], where: Where, limit: int) -> _Place:
        """The top of a list, when what was acknowledged before is settled.

        Where figures may be of other rules, those of the first rows are renewed before the walk begins, so that they come first.
        """
        self._settle(rows.need, lambda: self._made_of(rows, rows.page(where, None, limit)))
        return _Place(self._store.last_change())

    def _made_of(self, rows: _List[Summary], page: Page[Summary]) -> list[bytes]:
        return [trace_id for row in page.rows for trace_id in rows.traces(row.summary)]

    def _advance(self, rows: _List[Summary], where: Where, place: _Place, limit: int) -> tuple[list[Summary], _Place | None]:
        """Some rows from a place on, and the place after them; None after the last."""
        if place.through is not None:
            changes = rows.changed(where, place.through, limit)
            found = [row.summary for row in changes.rows]
            return found, None if changes.through is None else place._replace(through=changes.through)
        page = rows.page(where, place.after, limit)
        if self._writer.is_renewing and self._store.outdated_among(made_of := self._made_of(rows, page)):
            self._settle(rows.need, lambda: made_of)
            page = rows.page(where, place.after, limit)
        found = [row.summary for row in page.rows if row.change <= place.began]
        return found, place._replace(after=page.after) if page.after is not None else place._replace(through=place.began)


def _token(place: _Place, need: Need, where: Where) -> str:
    return base64.urlsafe_b64encode(msgpack.packb((_bound_to(need, where), *place))).decode()


def _read_token(token: str, need: Need, where: Where) -> _Place:
    hint = "give the next_page_token of a page of the same request, or none for the first page"
    try:
        bound_to, began, after, through = msgpack.unpackb(base64.urlsafe_b64decode(token.encode()), use_list=False)
        found = _Place(began, after, through)
    except (ValueError, TypeError, binascii.Error, msgpack.UnpackException) as error:
        raise Invalid("page_token", token[:80], "is not one of ours", hint=hint) from error
    if not _is_sound(found):
        raise Invalid("page_token", token[:80], "is not one of ours", hint=hint)
    if bound_to != _bound_to(need, where):
        raise Invalid("page_token", token[:80], "belongs to another request", hint=hint)
    return found


def _is_sound(place: _Place) -> bool:
    """Whether a place that came from outside could be one that was given out."""
    numbers = (place.began, 0 if place.through is None else place.through)
    return all(type(number) is int and 0 <= number < CHANGE_END for number in numbers) and (
        place.after is None or (isinstance(place.after, bytes) and len(place.after) <= PLACE_BYTES_MAX)
    )


def _bound_to(need: Need, where: Where) -> bytes:
    return blake2b(msgpack.packb((need, *where)), digest_size=8).digest()
