"""The use case of searching: hits of the index, made rows by what the store holds now.

A hit whose trace is gone, or does not match the filter any more, is none: the index may lag, the rows never do. Within one session
the index is asked only for traces that it has as they are; those that changed since are searched as they stand in the store, so
nothing that was acknowledged is missed.

Pages are of rows. A token holds digests of the rows that were shown, and the next page the best that were not: so none comes twice
and none is left out, however the scores move while spans keep coming.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from sessiond.core.errors import Busy, Cancelled, Invalid
from sessiond.core.filter import Filter
from sessiond.core.model import SessionKey, SessionSummary, TraceSummary
from sessiond.core.search.excerpts import Excerpt
from sessiond.service.asking.freshness import Freshness
from sessiond.service.asking.query import IsWanted, Queries, always
from sessiond.service.asking.seen import Sight
from sessiond.service.asking.tokens import not_ours, read_token, write_token
from sessiond.service.asking.walk import SCAN_ROWS
from sessiond.service.searching.indexer import Indexer
from sessiond.service.searching.protocol import EXCERPT, MATCH, SEARCH, Asked, Found, excerpt_of
from sessiond.service.searching.question import SearchQuestion
from sessiond.storage.api import Row, Store

PAGE_SIZE: Final = 20
PAGE_SIZE_MAX: Final = 100
"""Larger pages are cut to it (AIP-158): for its excerpts the spans of each row are read again, a millisecond each."""
ROWS_MAX: Final = 5_000
"""Rows paged through: a token holds eight bytes of each. Nobody reads so many; who wants them narrows the search."""
HITS_MAX: Final = 200_000
"""Hits of the index looked at for a page: those of a common word that a filter leaves little of; about a second."""
FIRST_LOOK: Final = 256
LOOK_GROWTH: Final = 8
"""Of hits asked for: mostly the first look has enough."""
HITS_PER_READ: Final = 256
SCAN_MAX: Final = 5_000
"""Turns of one session searched in the store, where the index does not have them yet: some seconds."""
SCANNED_AT_ONCE: Final = 64

_DIGEST_BYTES: Final = 8

TraceRow = Row[TraceSummary]


class SearchRow(NamedTuple):
    """A row of an answer."""

    trace: TraceSummary
    """What was found; of a session the first of its turns."""
    session: SessionSummary | None
    """The session, where rows are sessions."""
    hit_count: int
    """Turns that were found in it: 1 where rows are traces."""
    excerpts: tuple[Excerpt, ...]


class SearchPage(NamedTuple):
    """An answer."""

    rows: list[SearchRow]
    token: str
    """Of the next page; "" after the last."""
    is_cut: bool = False
    """There may be rows that are not to be paged to: see ROWS_MAX and HITS_MAX."""
    behind_seconds: float = 0.0
    """What was settled longer ago than this has been searched."""
    is_building: bool = False
    """The index is being made and has not everything yet."""


class _Place(NamedTuple):
    """What a token holds."""

    thresholds: tuple[int | Decimal | None, ...] = ()
    shown: bytes = b""


class Searches:
    """Searching. May be used from any thread."""

    def __init__(self, store: Store, freshness: Freshness, sight: Sight, queries: Queries, indexer: Indexer) -> None:
        self._store = store
        self._freshness = freshness
        self._sight = sight
        self._queries = queries
        self._indexer = indexer

    def page(self, question: SearchQuestion, page_size: int = 0, token: str = "", is_wanted: IsWanted = always) -> SearchPage:
        """A page of rows. Raises Invalid, Busy, Cancelled."""
        if page_size < 0:
            raise Invalid("page_size", page_size, "must not be negative")
        place = self._read_place(question, token) if token else self._begin(question, is_wanted)
        self._freshness.settle("sessions" if question.by_session else "traces")
        search = _Search(self._store, self._sight, self._indexer, question, is_wanted)
        limit = min(page_size or PAGE_SIZE, PAGE_SIZE_MAX, ROWS_MAX - len(place.shown) // _DIGEST_BYTES)
        found = search.rows(question.filter.fixed(place.thresholds), _split(place.shown), limit + 1)
        rows, has_more = found[:limit], len(found) > limit
        shown = place.shown + b"".join(_digest(row) for row in rows)
        is_last = not has_more or len(shown) >= ROWS_MAX * _DIGEST_BYTES
        state = self._indexer.state()
        return SearchPage(
            rows=search.complete(rows),
            token="" if is_last else write_token(self._bound_to(question), (place.thresholds, shown)),
            is_cut=search.is_cut or (has_more and is_last),
            behind_seconds=0.0 if question.is_within_session else state.behind_seconds,
            is_building=not question.is_within_session and search.is_building,
        )

    def _begin(self, question: SearchQuestion, is_wanted: IsWanted) -> _Place:
        if not question.filter.percentiles:
            return _Place()
        walk = self._queries.walk(question.rows, is_wanted)
        return _Place(walk.begin(self._store.last_change, 1).thresholds)

    def _bound_to(self, question: SearchQuestion) -> tuple[object, ...]:
        return self._store.identity, *question.asked

    def _read_place(self, question: SearchQuestion, token: str) -> _Place:
        try:
            place = _Place(*read_token(token, "page_token", self._bound_to(question)))
            question.filter.fixed(place.thresholds)
            is_sound = isinstance(place.shown, bytes) and len(place.shown) < ROWS_MAX * _DIGEST_BYTES
        except (ValueError, TypeError) as error:
            raise not_ours(token, "page_token") from error
        if not is_sound:
            raise not_ours(token, "page_token")
        return place


class _Search:
    """One search under way."""

    def __init__(self, store: Store, sight: Sight, indexer: Indexer, question: SearchQuestion, is_wanted: IsWanted) -> None:
        self._store = store
        self._sight = sight
        self._indexer = indexer
        self._question = question
        self._is_wanted = is_wanted
        self.is_cut = False
        self.is_building = False
        """Whether an index answered that has not once held everything."""

    def rows(self, matching: Filter, shown: set[bytes], limit: int) -> list[SearchRow]:
        """The first rows that were not shown, without their excerpts and counts."""
        candidates = self._sessions() if self._question.by_session else self._traces()
        see = self._sight.seer(matching)
        found: list[SearchRow] = []
        for row, tested in candidates:
            digest = _digest(row)
            if digest not in shown and matching.matches(see(tested)):
                shown.add(digest)
                found.append(row)
                if len(found) == limit:
                    break
        return found

    def complete(self, rows: list[SearchRow]) -> list[SearchRow]:
        """The same rows with excerpts, and of sessions how many turns were found."""
        if not rows:
            return []
        told = self._indexer.ask(EXCERPT, self._question.query, [row.trace.trace_id for row in rows])
        counts = self._counts([row.session.key for row in rows if row.session])
        return [
            row._replace(
                excerpts=tuple(map(excerpt_of, some)),
                hit_count=max(1, counts[row.session.key]) if row.session else 1,
            )
            for row, some in zip(rows, told, strict=True)
        ]

    # -- candidates, each with the row that the filter looks at -----------------------------------------------------------------

    def _traces(self) -> Iterator[tuple[SearchRow, Row[Any]]]:
        return ((SearchRow(row.summary, None, 1, ()), row) for row in self._hits())

    def _sessions(self) -> Iterator[tuple[SearchRow, Row[Any]]]:
        """Each session once, by the first hit in it; traces without one are left out."""
        tried: set[SessionKey] = set()
        for row in self._hits():
            key = _session_of(row.summary)
            if key is None or key in tried:
                continue
            tried.add(key)
            (session,) = self._store.sessions.held([key])
            if session is not None:
                yield SearchRow(row.summary, session.summary, 1, ()), session

    def _counts(self, keys: Sequence[SessionKey]) -> Counter[SessionKey]:
        """How many hits are in each of some sessions."""
        if not keys:
            return Counter()
        if self._question.is_within_session:
            rows: Iterable[TraceRow] = self._within_session()
        else:
            found = self._ask(HITS_MAX, tuple(key.session_id for key in keys))
            rows = self._held([trace_id for trace_id, *_ in found.hits])
        return Counter(key for row in rows if (key := _session_of(row.summary)) is not None)

    # -- hits -------------------------------------------------------------------------------------------------------------------

    def _hits(self) -> Iterator[TraceRow]:
        """The rows of all traces that were found, in order."""
        return self._within_session() if self._question.is_within_session else self._everywhere()

    def _everywhere(self) -> Iterator[TraceRow]:
        """As the index has them: a few first, and more only if these are not enough."""
        told: set[bytes] = set()
        limit = FIRST_LOOK
        while True:
            found = self._ask(limit)
            trace_ids = [trace_id for trace_id, *_ in found.hits if trace_id not in told]
            told.update(trace_ids)
            yield from self._held(trace_ids)
            if found.is_all or limit == HITS_MAX:
                self.is_cut = not found.is_all
                return
            limit = min(limit * LOOK_GROWTH, HITS_MAX)

    def _within_session(self) -> Iterator[TraceRow]:
        """Of the session's traces as they are now: by the index where it has them so, else by a look at the store."""
        rows = {row.summary.trace_id: row for row in self._listed()}
        found = self._ask(HITS_MAX)
        is_current = {trace_id for trace_id, row in rows.items() if row.change <= found.through}
        scores = [(-score, rows[trace_id]) for trace_id, score, _ in found.hits if trace_id in is_current]
        changed = [trace_id for trace_id in rows if trace_id not in is_current]
        if len(changed) > SCAN_MAX:
            raise Busy(f"the index has not {len(changed):,} turns of this session yet", hint="search again in a while")
        for some in _pieces(changed, SCANNED_AT_ONCE):
            self._check_wanted()
            scores += [(-score, rows[trace_id]) for trace_id, score in self._indexer.ask(MATCH, self._question.query, some)]
        by_time = self._question.by_time

        def order(hit: tuple[float, TraceRow]) -> tuple[float, int, bytes]:
            return 0.0 if by_time else hit[0], -hit[1].summary.start_unix_nano, hit[1].summary.trace_id

        return (row for _, row in sorted(scores, key=order))

    def _listed(self) -> Iterator[TraceRow]:
        """The traces of the session."""
        after: bytes | None = None
        while True:
            self._check_wanted()
            page = self._store.traces.page(self._question.where, after, SCAN_ROWS)
            yield from page.rows
            if page.after is None:
                return
            after = page.after

    def _held(self, trace_ids: Sequence[bytes]) -> Iterator[TraceRow]:
        for some in _pieces(trace_ids, HITS_PER_READ):
            self._check_wanted()
            yield from (row for row in self._store.traces.held(some) if row is not None)

    def _ask(self, limit: int, session_ids: tuple[str, ...] = ()) -> Found:
        self._check_wanted()
        question = self._question
        asked = Asked(question.query, question.where, session_ids, question.by_time, limit)
        found = Found(*self._indexer.ask(SEARCH, *asked))
        self.is_building = self.is_building or not found.is_built
        return found

    def _check_wanted(self) -> None:
        if not self._is_wanted():
            raise Cancelled("nobody waits for the answer any more")


def _session_of(trace: TraceSummary) -> SessionKey | None:
    return None if trace.session_id is None else SessionKey(trace.project, trace.session_id)


def _digest(row: SearchRow) -> bytes:
    """Tells a row from all others of an answer."""
    told = row.trace.trace_id if row.session is None else "\0".join(row.session.key).encode()
    return blake2b(told, digest_size=_DIGEST_BYTES).digest()


def _split(shown: bytes) -> set[bytes]:
    return {shown[at : at + _DIGEST_BYTES] for at in range(0, len(shown), _DIGEST_BYTES)}


def _pieces(items: Sequence[bytes], count: int) -> Iterator[Sequence[bytes]]:
    return (items[at : at + count] for at in range(0, len(items), count))
