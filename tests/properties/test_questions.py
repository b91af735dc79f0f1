"""Whatever is written and asked, in any order, the store on disk answers as the reference engine does; and walks skip nothing."""

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from asking import filters, orders
from conversations import Turn, turns
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule
from spoken import annotations, scores, targets
from tries import FACTOR, examples

from builders import ARRIVAL, MS, RULES, packed, trace_id
from sessiond.core.errors import SessiondError
from sessiond.core.feedback.annotation import Annotation
from sessiond.core.feedback.score import Score
from sessiond.core.feedback.target import Subject, Target, subject_of
from sessiond.core.model import SessionKey
from sessiond.core.rows.fields import Kind
from sessiond.core.statistics.breakdown import Breakdown
from sessiond.service.asking.freshness import Freshness
from sessiond.service.asking.query import Queries
from sessiond.service.asking.question import Question, ask_sessions, ask_traces, ask_users
from sessiond.service.asking.seen import Sight
from sessiond.service.feedback.asked import Asked
from sessiond.service.feedback.changes import Changes
from sessiond.service.feedback.items import ANNOTATION, SCORE, Items, Staleness
from sessiond.service.settling.settle import Settler
from sessiond.service.upkeep.check import check
from sessiond.service.upkeep.erase import Eraser, Erasing, Wanted
from sessiond.service.writer import Writer
from sessiond.storage.api import Shelf, Store
from sessiond.storage.lmdb.store import LmdbStore
from sessiond.storage.memory import MemoryStore
from sessiond.telemetry import Telemetry

ASK: dict[Kind, Callable[..., Question[Any]]] = {"trace": ask_traces, "session": ask_sessions, "user": ask_users}
KINDS = st.sampled_from(list(ASK))
TRACES = st.integers(1, 8)
IDLE_NANO = 1000 * MS
pytestmark = pytest.mark.timeout(400 * FACTOR)
"""Most of it for finding a small case where there is one."""
NOW = ARRIVAL + IDLE_NANO + 20 * MS


class Engine(NamedTuple):
    """A store with what writes and reads it."""

    store: Store
    writer: Writer
    queries: Queries
    eraser: Eraser
    scores: Items[Score]
    annotations: Items[Annotation]
    staleness: Staleness


class Walked(NamedTuple):
    """A walk under way: its question, and of each engine what came and the token it goes on with."""

    question: Question[Any]
    page_size: int
    began_with: list[Any]
    began: int
    """The last change of the second engine."""
    found: tuple[list[Any], list[Any]]
    tokens: tuple[str, str]


def row_key(row: Any) -> object:
    """Of a row, or of the key that a removal tells of."""
    return getattr(row, "trace_id", None) or getattr(row, "key", row)


def subjects_of_feedback(store: Store) -> set[Subject]:
    """What there is a score or an annotation on."""
    shelves: list[Shelf[Any]] = [store.scores, store.annotations]
    return {subject_of(item.target) for shelf in shelves for item in shelf.page(None, None, 1000)[0]}


class Asking(RuleBasedStateMachine):
    """Two engines that are told and asked the same."""

    def __init__(self) -> None:
        super().__init__()
        self.parts = ExitStack()
        folder = self.parts.enter_context(tempfile.TemporaryDirectory())
        stores = (LmdbStore.open(Path(folder), bytes_max=1 << 30, rules=RULES.fingerprint), MemoryStore(RULES.fingerprint))
        self.engines = [self.engine(store) for store in stores]
        self.told: dict[int, Turn] = {}
        self.arrivals = count()
        self.spoken_at = ARRIVAL
        self.walked: Walked | None = None

    def engine(self, store: Store) -> Engine:
        self.parts.callback(store.close)
        writer = Writer(store, Settler(store, RULES), Telemetry(), queue_bytes_max=1 << 30, broken=self.fail)
        sight = Sight(store, idle_nano=IDLE_NANO, clock=lambda: NOW)
        writer.start()
        self.parts.callback(writer.stop)
        freshness, changes = Freshness(writer), Changes(store, writer)
        queries = Queries(store, freshness, lambda: RULES, sight)
        return Engine(
            store,
            writer,
            queries,
            Eraser(store, queries, writer, refuse_seconds=60, clock=lambda: NOW),
            Items(SCORE, store, changes, freshness, lambda: self.spoken_at),
            Items(ANNOTATION, store, changes, freshness, lambda: self.spoken_at),
            Staleness(store, freshness),
        )

    @staticmethod
    def fail(error: Exception) -> None:
        raise error

    def teardown(self) -> None:
        for store in (engine.store for engine in self.engines):
            assert [problem for checked in check(store, lambda: RULES) for problem in checked.problems] == []
        self.parts.close()

    @rule(data=st.data(), number=TRACES, later_ms=st.integers(0, 3))
    def send(self, data: st.DataObject, number: int, later_ms: int) -> None:
        """Some spans of a trace, for the first time or again."""
        turn = self.told.get(number)
        if turn is None:
            turn = self.told[number] = data.draw(turns(number))
            for built in turn.spans:
                built.start_time_unix_nano += later_ms * MS
        some = data.draw(st.lists(st.sampled_from(turn.spans), min_size=1, max_size=6))
        arrival = ARRIVAL + next(self.arrivals) * MS
        one, other = (engine.writer.append(packed(*some, arrival=arrival)).result(20) for engine in self.engines)
        assert (one.stored, one.refused, one.erased) == (other.stored, other.refused, other.erased)

    @rule(data=st.data(), numbers=st.lists(TRACES, min_size=1, max_size=3))
    def erase_named(self, data: st.DataObject, numbers: list[int]) -> None:
        """Traces by their ids, sent or not."""
        self.erase(tuple(map(trace_id, numbers)))
        if data.draw(st.booleans()):
            one, other = (engine.writer.forget_erased(NOW + 1, 9).result(20) for engine in self.engines)
            assert one == other

    @rule(data=st.data(), kind=st.sampled_from(["trace", "session"]))
    def erase_matching(self, data: st.DataObject, kind: Kind) -> None:
        """What matches a filter, or sessions of what matches. Without a filter what was said of the unreceived goes too."""
        question = ASK[kind](filter=data.draw(filters(kind)))
        store = self.engines[0].store
        before = {row_key(row) for row in self.rows(self.engines[0], question)}
        if kind == "session" and not question.is_restricted:
            before |= {key for key in subjects_of_feedback(store) if isinstance(key, SessionKey)}
        told = self.erase(question)
        assert (told.sessions if kind == "session" else told.erased_traces) == len(before)
        if not question.is_restricted:
            assert subjects_of_feedback(store) <= set(store.trace_ids())
            assert kind == "session" or store.trace_ids() == []
        if not question.filter.percentiles:
            assert self.rows(self.engines[0], question) == []

    def erase(self, meant: Wanted) -> Erasing:
        one, other = (list(engine.eraser.erase(meant))[-1] for engine in self.engines)
        assert one == other
        for store in (engine.store for engine in self.engines):
            erased = {one.trace_id for one in store.erasures()}
            assert erased.isdisjoint(store.trace_ids())
            assert not any(shelf.of(gone) for gone in erased for shelf in (store.scores, store.annotations))
        return one

    def each(self, do: Callable[[Engine], Any]) -> Any:
        """What both engines say to a change or question of feedback; of what is refused, why."""
        self.spoken_at = ARRIVAL + next(self.arrivals) * MS

        def said(engine: Engine) -> Any:
            try:
                return do(engine)
            except SessiondError as error:
                return type(error), str(error)

        one, other = map(said, self.engines)
        assert one == other
        return one

    @rule(given=scores(8))
    def score(self, given: Score) -> None:
        """A score, new, again, or another under its id."""
        self.each(lambda engine: engine.scores.create(given))

    @rule(given=st.lists(scores(8), max_size=5), notes=st.lists(annotations(8), max_size=2))
    def import_some(self, given: list[Score], notes: list[Annotation]) -> None:
        """Scores and annotations with times of their own."""
        self.each(lambda engine: [(place, str(error)) for place, error in engine.scores.import_all(given).failures])
        self.each(lambda engine: engine.annotations.import_all(notes)[:2])

    @rule(given=scores(8), note=annotations(8))
    def change(self, given: Score, note: Annotation) -> None:
        """Another value for a score that may be there, another text for an annotation."""
        self.each(lambda engine: engine.scores.update(given.id, {"value": given.value}))
        self.each(lambda engine: engine.annotations.update(note.id, {"text": "changed"}))

    @rule(number=st.integers(1, 8).map(str), of_scores=st.booleans())
    def delete(self, number: str, of_scores: bool) -> None:
        """A score or annotation that may be there."""
        self.each(lambda engine: (engine.scores if of_scores else engine.annotations).delete(number))

    @rule(
        of=st.one_of(st.none(), targets(8)),
        own_only=st.booleans(),
        author=st.sampled_from(["", "ann"]),
        page_size=st.integers(1, 4),
    )
    def list_feedback(self, of: Target | None, own_only: bool, author: str, page_size: int) -> None:
        """Scores and annotations page by page; and which scores are stale."""
        asked = Asked(of, own_only, author)

        def listed(items: Items[Any]) -> list[Any]:
            found, token = items.page(asked, page_size, "")
            while token:
                more, token = items.page(asked, page_size, token)
                assert 0 < len(more) <= page_size
                found += more
            assert found == items.page(asked, 1000, "")[0]
            return found

        found = self.each(lambda engine: listed(engine.scores))
        self.each(lambda engine: engine.staleness.of(found))
        self.each(lambda engine: listed(engine.annotations))

    @rule(data=st.data(), kind=KINDS, page_size=st.integers(1, 4))
    def ask(self, data: st.DataObject, kind: Kind, page_size: int) -> None:
        """A question, page by page and as a stream."""
        question = ASK[kind](filter=data.draw(filters(kind)), order_by=data.draw(orders(kind)))
        one, other = ([row for page in engine.queries.stream(question) for row in page] for engine in self.engines)
        assert one == other
        for engine in self.engines:
            found, token = engine.queries.page(question, page_size, "")
            while token:
                more, token = engine.queries.page(question, page_size, token)
                assert len(more) <= page_size
                found += more
            assert found == one

    @rule(data=st.data(), kind=KINDS)
    def sum_up(self, data: st.DataObject, kind: Kind) -> None:
        """Statistics."""
        question = ASK[kind](filter=data.draw(filters(kind)))
        breakdown = Breakdown.asked(
            kind,
            bucket_nano=data.draw(st.sampled_from([0, 60 * 10**9])),
            group_by=data.draw(st.sampled_from(["", "models", "project"])),
            group_limit=1,
        )
        one, other = (engine.queries.stats(question, breakdown) for engine in self.engines)
        assert one == other
        assert one.total.count == len(self.rows(self.engines[0], question))

    @rule(data=st.data(), kind=KINDS, page_size=st.integers(1, 2))
    @precondition(lambda self: self.walked is None)
    def begin_walk(self, data: st.DataObject, kind: Kind, page_size: int) -> None:
        """The first page of a walk that goes on while others write."""
        question = ASK[kind](filter=data.draw(filters(kind)), order_by=data.draw(orders(kind)))
        held = self.rows(self.engines[1], question)
        (one, token), (other, other_token) = (engine.queries.page(question, page_size, "") for engine in self.engines)
        began = self.engines[1].store.last_change()
        self.walked = Walked(question, page_size, held, began, (one, other), (token, other_token))

    @rule()
    @precondition(lambda self: self.walked is not None)
    def end_walk(self) -> None:
        """Its other pages: what was there and did not change came once; what is there now came as it is now."""
        assert self.walked is not None
        walk, self.walked = self.walked, None
        for engine, found, begun in zip(self.engines, walk.found, walk.tokens, strict=True):
            token = begun
            while token:
                more, token = engine.queries.page(walk.question, walk.page_size, token)
                found.extend(more)
        assert walk.found[0] == walk.found[1]
        if walk.question.filter.percentiles:
            return  # their thresholds were fixed when the walk began
        came = {row_key(row): row for row in walk.found[0]}
        now = self.rows(self.engines[1], walk.question) if walk.tokens[0] else walk.began_with
        assert {key: came.get(key) for key in map(row_key, now)} == {row_key(row): row for row in now}
        listing = getattr(self.engines[1].store, f"{walk.question.kind}s")
        since = listing.changed(walk.began, 999)
        changed = {row_key(row.summary) for row in since.rows} | {row_key(removal.key) for removal in since.removed}
        keys = [row_key(row) for row in walk.found[0]]
        assert all(keys.count(key) == 1 for key in map(row_key, walk.began_with) if key not in changed)

    @staticmethod
    def rows(engine: Engine, question: Question[Any]) -> list[Any]:
        return [row for page in engine.queries.stream(question) for row in page]


Asking.TestCase.settings = settings(
    max_examples=examples(50), stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
)
TestAsking = Asking.TestCase
