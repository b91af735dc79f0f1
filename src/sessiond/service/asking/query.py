"""Asking: each query first has settled what was acknowledged before it, then reads page by page."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple, TypeVar, cast

from sessiond.core.conversation.entry import Turn
from sessiond.core.errors import Cancelled, Invalid, NotFound, shown
from sessiond.core.figures import trace
from sessiond.core.figures.calls import select
from sessiond.core.figures.costs import Priced
from sessiond.core.figures.explain import Explanation, Told, explain
from sessiond.core.identity import chronological
from sessiond.core.model import SessionKey, SessionSummary, SpanFacts, StoredSpan, Texts, TraceSummary, UserKey, UserSummary
from sessiond.core.rows.fields import Kind
from sessiond.core.rows.places import PLACE_BYTES_MAX
from sessiond.core.statistics.answer import Stats
from sessiond.core.statistics.breakdown import Breakdown
from sessiond.core.statistics.tally import Tally
from sessiond.service.asking.freshness import Freshness
from sessiond.service.asking.question import Question
from sessiond.service.asking.seen import Sight
from sessiond.service.asking.tokens import is_change, not_ours, read_token, write_token
from sessiond.service.asking.walk import Place, Rows, Walk
from sessiond.service.conversation import added_by
from sessiond.service.settling.figures import said
from sessiond.service.settling.rules import Rules
from sessiond.service.settling.said import key_of
from sessiond.storage.api import Store, span_pages

PAGE_SIZE: Final = 50
PAGE_SIZE_MAX: Final = 1000
"""Larger pages are cut to it (AIP-158); a stream has no such bound."""
STREAM_PAGE: Final = 250
"""Rows read at once for a stream."""
SORTED_PAGE: Final = 10_000
"""As STREAM_PAGE, where each page looks at all rows to find those that come next in an order; fewer, if they are large."""

Summary = TypeVar("Summary", TraceSummary, SessionSummary, UserSummary)
IsWanted = Callable[[], bool]
"""Whether somebody still waits for the answer."""


def always() -> bool:
    """Whoever asks waits."""
    return True


class SpanFigures(NamedTuple):
    """A span's facts, and where what it reports is in its trace's sums, what it cost."""

    facts: SpanFacts
    priced: Priced | None


class Queries:
    """The use cases of reading. Every method may be called from any thread."""

    def __init__(self, store: Store, freshness: Freshness, rules: Callable[[], Rules], sight: Sight) -> None:
        self._store = store
        self._freshness = freshness
        self._rules = rules
        self._sight = sight
        self.rows_of: dict[str, Rows[Any]] = {
            "trace": Rows(store.traces, "traces", lambda trace: [trace.trace_id]),
            "session": Rows(store.sessions, "sessions", lambda session: _ids(store.traces_of_session(session.key))),
            "user": Rows(store.users, "users", lambda user: _ids(store.traces_of_user(user.key))),
        }

    def though_full(self) -> "Queries":
        """The same, answered by what was settled last where the store has no room to settle more."""
        return Queries(self._store, self._freshness.though_full(), self._rules, self._sight)

    def is_live(self, session: SessionSummary) -> bool:
        """Whether spans of the session arrived within the idle time."""
        return self._sight.is_live(session)

    def page(
        self, question: Question[Summary], page_size: int, token: str, is_wanted: IsWanted = always
    ) -> tuple[list[Summary], str]:
        """A page of rows, and the next page's token ("" after the last). Raises Invalid, Busy, StoreFull, Cancelled."""
        if page_size < 0:
            raise Invalid("page_size", page_size, "must not be negative")
        limit = min(page_size or PAGE_SIZE, PAGE_SIZE_MAX)
        walk = self.walk(question, is_wanted)
        came_to = self._read_place(token, question) if token else None
        place: Place | None = walk.begin(self._store.last_change, limit) if came_to is None else walk.resume(came_to)
        found: list[Summary] = []
        while place is not None and len(found) < limit:
            more, place = walk.advance(place, limit - len(found))
            found += more
        return found, "" if place is None else write_token(self._bound_to(question), place)

    def stream(self, question: Question[Summary], is_wanted: IsWanted = always) -> Iterator[list[Summary]]:
        """Every row in the order of `page`, some at a time. Raises as `page`."""
        walk = self.walk(question, is_wanted)
        limit = STREAM_PAGE if question.order.is_default else SORTED_PAGE
        return _pages(walk, walk.begin(self._store.last_change, limit), limit)

    def stats(self, question: Question[Summary], breakdown: Breakdown, is_wanted: IsWanted = always) -> Stats:
        """Statistics over all rows that match. Raises as `page`."""
        rows: Rows[Summary] = self.rows_of[question.kind]
        walk = self.walk(question, is_wanted)
        self._freshness.settle_all(rows.need)
        began = self._store.last_change()
        tally = Tally(breakdown)
        for row in walk.each(question.filter.fixed(walk.thresholds(began)), began):
            tally.add(row)
        return tally.result()

    def walk(self, question: Question[Summary], is_wanted: IsWanted) -> Walk[Summary]:
        """The walk of a question."""
        return Walk(self._store, self.rows_of[question.kind], question, self._sight, self._freshness, is_wanted=is_wanted)

    def _bound_to(self, question: Question[Any]) -> tuple[object, ...]:
        """What a page token is good for: this question, of this store."""
        return self._store.identity, *question.asked

    def _read_place(self, token: str, question: Question[Any]) -> Place:
        """The place in a page token that this question was given."""
        try:
            place = Place(*read_token(token, "page_token", self._bound_to(question)))
            is_sound = _is_sound(place, question)
        except (ValueError, TypeError) as error:
            raise not_ours(token, "page_token") from error
        if not is_sound:
            raise not_ours(token, "page_token")
        return place

    def session(self, key: SessionKey) -> tuple[SessionSummary, list[TraceSummary]]:
        """A session and its traces in order. Raises NotFound."""
        self._freshness.settle_owned("sessions", lambda: self._store.traces_of_session(key))
        summary = self._store.session(key)
        if summary is None:
            raise NotFound(
                f"there is no session {shown(key.session_id)} in project {shown(key.project)}",
                hint="give another project, or see `sessiond sessions` for those there are",
            )
        return summary, self._store.traces_of_session(key)

    def turns(self, traces: Iterable[TraceSummary], is_wanted: IsWanted = always) -> Iterator[Turn]:
        """What each of some traces adds to its conversation. Raises Cancelled."""
        for one in traces:
            if not is_wanted():
                raise Cancelled("nobody waits for the answer any more")
            yield added_by(self._store, one.trace_id)

    def trace(self, trace_id: bytes) -> tuple[TraceSummary, list[SpanFigures]]:
        """A trace and its spans' figures in order of start. Raises NotFound."""
        summary, facts = self._settled(trace_id)
        spans, intervals = chronological(facts)
        selection = select(spans, intervals)
        priced = trace.priced(spans, intervals, selection, self._rules().prices)
        return summary, [SpanFigures(span, priced.get(position)) for position, span in enumerate(spans)]

    def explain(self, trace_id: bytes) -> Explanation:
        """Where each figure of a trace comes from. Raises NotFound."""
        summary, facts = self._settled(trace_id)
        spans, intervals = chronological(facts)
        selection = select(spans, intervals)
        rules = self._rules()
        sources = dict(found for page in self.spans(trace_id) for stored in page if (found := rules.sources(stored)) is not None)
        told = said(self._store, trace_id, facts)
        place_of = {key_of(span): place for place, span in enumerate(spans)}
        return explain(
            Told(
                summary,
                spans,
                intervals,
                [sources.get((span.span_id, span.kind), ()) for span in spans],
                selection,
                trace.priced(spans, intervals, selection, rules.prices),
                told.texts,
                *(None if at is None else place_of[key_of(facts[at])] for at in (told.asked, told.answered)),
            )
        )

    def _settled(self, trace_id: bytes) -> tuple[TraceSummary, list[SpanFacts]]:
        self._freshness.settle("traces", [trace_id])
        summary, facts = self._store.trace(trace_id), self._store.facts(trace_id)
        if summary is None or not facts:  # none, where it is erased between the two
            raise NotFound(f"there is no trace {trace_id.hex()}", hint="`sessiond traces` lists those there are")
        return summary, facts

    def spans(self, trace_id: bytes) -> Iterator[list[StoredSpan]]:
        """A trace's spans as they came, page by page."""
        return span_pages(self._store, trace_id)

    def traces_of(self, kind: Kind, rows: Iterable[TraceSummary | SessionSummary | UserSummary]) -> Iterator[bytes]:
        """The ids of all traces that some rows of a kind are made of."""
        made_of = self.rows_of[kind].made_of
        return (trace_id for row in rows for trace_id in made_of(row))

    def user(self, key: UserKey) -> UserSummary:
        """A user. Raises NotFound."""
        self._freshness.settle_owned("users", lambda: self._store.traces_of_user(key))
        summary = self._store.user(key)
        if summary is None:
            raise NotFound(f"there is no user {shown(key.user_id)} in project {shown(key.project)}", hint="give another project")
        return summary

    def texts(self, trace_ids: Sequence[bytes]) -> list[Texts]:
        """What the users of some traces asked and were answered."""
        return self._sight.texts(trace_ids)

    def texts_of_sessions(self, sessions: Sequence[SessionSummary]) -> list[Texts]:
        """What the users of some sessions first asked, and were last answered."""
        return self._sight.texts_of_sessions(sessions)


def _ids(traces: Sequence[TraceSummary]) -> list[bytes]:
    return [trace.trace_id for trace in traces]


def _pages(walk: Walk[Summary], place: Place | None, limit: int) -> Iterator[list[Summary]]:
    while place is not None:
        found, place = walk.advance(place, limit)
        if found:
            yield found


def _is_sound(place: Place, question: Question[Summary]) -> bool:
    """Whether a place that came from outside could be one that was given out. Raises ValueError too."""
    numbers_fit = (
        is_change(place.began) and (place.through is None or is_change(place.through)) and is_change(place.began_unix_nano)
    )
    thresholds_fit = _are_thresholds(place.thresholds, len(question.filter.percentiles))
    return numbers_fit and thresholds_fit and _is_row(place.after, question)


def _are_thresholds(values: object, count: int) -> bool:
    is_sound = isinstance(values, tuple) and all(value is None or type(value) in (int, Decimal) for value in values)
    return is_sound and len(cast("tuple[object, ...]", values)) == count


def _is_row(after: object, question: Question[Summary]) -> bool:
    """Whether a value from a token can be a row that a walk came to. Raises ValueError too."""
    if after is None:
        return True
    if question.order.is_default:
        return isinstance(after, bytes) and len(after) <= PLACE_BYTES_MAX
    question.order.unpack(after)
    return True
