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
        return self._stream(self._sessions, where)

    def stream_traces(self, where: Where) -> Iterator[list[TraceSummary]]:
        """Every trace in the order of `list_traces`, a few at a time."""
        return self._stream(self._traces, where)

    def session(self, key: SessionKey) -> tuple[SessionSummary, list[TraceSummary]]:
        """A session and its traces in order. Raises NotFound."""
        self._settle_owned("sessions", lambda: self._store.traces_of_session(key))
        summary = self._store.session(key)
        if summary is None:
            raise NotFound(
                f"there is no session {key.session_id!r} in project {key.project!r}",
                hint="give another project, or see `sessiond sessions` for those there are",
            )
        return summary, self._store.traces_of_session(key)

    def trace(self, trace_id: bytes) -> tuple[TraceSummary, list[SpanFigures]]:
        """A trace and its spans' figures in order of start. Raises NotFound."""
        self._settle("traces", [trace_id])
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
        self._settle_owned("users", lambda: self._store.traces_of_user(key))
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

    def _settle(self, need: Need, renewed: Sequence[bytes] | None = ()) -> None:
        """Wait for what was acknowledged before; and where facts may be of other rules, for these traces (None: all)."""
        try:
            self._writer.settled(need, renewed).result(SETTLE_SECONDS_MAX)
        except TimeoutError as error:
            progress = self._writer.renewed() if renewed is None else None
            if progress is not None:
                told = f"what is stored is being read by new rules, {progress.traces:,} of {progress.of:,} traces so far"
                raise Busy(told, hint="ask again") from error
            raise Busy("what was received before this query is still being settled", hint="ask again") from error

    def _settle_owned(self, need: Need, traces: Callable[[], Sequence[TraceSummary]]) -> None:
        """`_settle` for one session or user, who has these traces; as long as others may turn out to be theirs too, for all."""
        if self._writer.is_moving:
            self._settle(need, None)
        else:
            self._settle(need, [trace.trace_id for trace in traces()] if self._writer.is_renewing else ())

    def _list(self, rows: _List[Summary], where: Where, page_size: int, token: str) -> tuple[list[Summary], str]:
        if page_size < 0:
            raise Invalid("page_size", page_size, "must not be negative")
        limit = min(page_size or PAGE_SIZE, PAGE_SIZE_MAX)
        place = _read_token(token, rows.need, where) if token else None
        is_renewing = self._writer.is_renewing
        if place is None:
            place = self._begun(rows, where, limit)
        else:
            self._settle(rows.need)
        found: list[Summary] = []
        while place is not None and len(found) < limit:
            more, place = self._advance(rows, where, place, limit - len(found), is_renewing=is_renewing)
            found += more
        return found, "" if place is None else _token(place, rows.need, where)

    def _stream(self, rows: _List[Summary], where: Where) -> Iterator[list[Summary]]:
        is_renewing = self._writer.is_renewing
        place: _Place | None = self._begun(rows, where, STREAM_PAGE)

        def pages(place: _Place | None) -> Iterator[list[Summary]]:
            while place is not None:
                found, place = self._advance(rows, where, place, STREAM_PAGE, is_renewing=is_renewing)
                if found:
                    yield found

        return pages(place)

    def _begun(self, rows: _List[Summary], where: Where, limit: int) -> _Place:
        """The top of a list, when what was acknowledged before is settled.

        Where figures may be of other rules, those of the first rows are renewed before the walk begins, so that they come first.
        """
        self._settle(rows.need)
        if self._writer.is_renewing:
            self._renewed_page(rows, where, None, limit)
        return _Place(self._store.last_change())

    def _renewed_page(self, rows: _List[Summary], where: Where, after: bytes | None, limit: int) -> Page[Summary]:
        """A page of rows of the present rules: read again until none came into it whose traces were not renewed before."""
        renewed: set[bytes] = set()
        while True:
            page = rows.page(where, after, limit)
            made_of = [trace_id for row in page.rows for trace_id in rows.traces(row.summary)]
            if renewed.issuperset(made_of):
                return page
            self._settle(rows.need, made_of)
            renewed.update(made_of)

    def _advance(
        self, rows: _List[Summary], where: Where, place: _Place, limit: int, *, is_renewing: bool
    ) -> tuple[list[Summary], _Place | None]:
        """Some rows from a place on, and the place after them; None after the last.

        In a walk that began while figures were renewed (`is_renewing`) every row is of the present rules. Rows that these bring
        into the list from elsewhere come with those that changed, so that part waits until there can be no more of them.
        """
        if place.through is not None:
            changes = rows.changed(where, place.through, limit)
            found = [row.summary for row in changes.rows]
            return found, None if changes.through is None else place._replace(through=changes.through)
        read = self._renewed_page if is_renewing else self._page
        page = read(rows, where, place.after, limit)
        found = [row.summary for row in page.rows if row.change <= place.began]
        if page.after is not None:
            return found, place._replace(after=page.after)
        if is_renewing:
            self._settle(rows.need, None if self._writer.is_moving else ())
        return found, place._replace(through=place.began)

    def _page(self, rows: _List[Summary], where: Where, after: bytes | None, limit: int) -> Page[Summary]:
        return rows.page(where, after, limit)


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
