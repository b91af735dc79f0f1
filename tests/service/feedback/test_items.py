"""Scores and annotations as use cases: what is acknowledged is there, once, and seen by every query after it."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from builders import ARRIVAL, RULES, T0, annotation, packed, score, span, span_id, trace_id
from daemon import DEADLINE_SECONDS, STORE_BYTES_MAX, until
from sessiond.core.errors import AlreadyExists, Busy, Cancelled, Invalid, NotFound, StoreFull, TooLarge
from sessiond.core.feedback.annotation import Annotation
from sessiond.core.feedback.score import Score
from sessiond.core.feedback.target import TraceTarget
from sessiond.core.model import ScoreSum, SessionKey
from sessiond.service.asking.freshness import Freshness
from sessiond.service.asking.query import Queries
from sessiond.service.asking.question import ask_sessions, ask_traces
from sessiond.service.asking.seen import Sight
from sessiond.service.asking.tokens import write_token
from sessiond.service.feedback.asked import Asked
from sessiond.service.feedback.changes import Changes
from sessiond.service.feedback.items import ANNOTATION, IMPORT_MAX, SCORE, SUBJECT_ITEMS_MAX, Imported, Items, Staleness
from sessiond.service.settling.settle import Settler
from sessiond.service.upkeep.check import check
from sessiond.service.writer import Writer
from sessiond.storage.api import Marks
from sessiond.storage.lmdb.store import LmdbStore
from sessiond.telemetry import Telemetry

S1 = SessionKey("default", "s1")
TRACE, SPAN, OTHER = TraceTarget(trace_id(1)), TraceTarget(trace_id(1), span_id(1)), TraceTarget(trace_id(2))


class CountingStore:
    """A store that notes how many items each write of feedback had, and waits or fails before it as it is told."""

    def __init__(self, inner: LmdbStore) -> None:
        self._inner = inner
        self.puts: list[int] = []
        self.before: Callable[[], object] = lambda: None

    def put_feedback(self, items: Any, removed: Any = ()) -> Marks:
        self.puts.append(len(items) + len(removed))
        self.before()
        return self._inner.put_feedback(items, removed)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class Desk(NamedTuple):
    """The parts, running, and a clock that is set by hand."""

    store: CountingStore
    writer: Writer
    queries: Queries
    scores: Items[Score]
    annotations: Items[Annotation]
    staleness: Staleness
    now: list[int]

    def receive(self, number: int = 1, session: str | None = "s1", arrival: int = ARRIVAL, **more: Any) -> None:
        built = span(trace=number, id=more.pop("id", 1), session=session, **more)
        self.writer.append(packed(built, arrival=arrival)).result(DEADLINE_SECONDS)

    def listed(self, size: int = 2, **asked: Any) -> list[str]:
        found, token = self.scores.page(Asked(**asked), size, "")
        while token:
            more, token = self.scores.page(Asked(**asked), size, token)
            assert 0 < len(more) <= size
            found += more
        return [one.id for one in found]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = LmdbStore.open(tmp_path, bytes_max=STORE_BYTES_MAX, rules=RULES.fingerprint)
    store: Any = CountingStore(opened)
    writer = Writer(store, Settler(store, RULES), Telemetry(), queue_bytes_max=1 << 20, broken=lambda _: None)
    freshness = Freshness(writer)
    queries = Queries(store, freshness, lambda: RULES, Sight(store, idle_nano=10**9))
    now = [ARRIVAL]
    changes = Changes(store, writer)
    scores = Items(SCORE, store, changes, freshness, lambda: now[0])
    annotations = Items(ANNOTATION, store, changes, freshness, lambda: now[0])
    writer.start()
    yield Desk(store, writer, queries, scores, annotations, Staleness(store, freshness), now)
    writer.stop()
    assert [problem for checked in check(opened, lambda: RULES) for problem in checked.problems] == []
    opened.close()


# -- made, changed, removed ----------------------------------------------------------------------------------------------------


def test_a_score_is_given_its_times_and_an_id_where_it_has_none(desk: Desk) -> None:
    made = desk.scores.create(score("", S1, create_unix_nano=5, update_unix_nano=7))
    assert (made.create_unix_nano, made.update_unix_nano) == (ARRIVAL, ARRIVAL)
    assert desk.scores.get(made.id) == made
    assert desk.scores.create(score("", S1)).id != made.id


def test_the_same_again_changes_nothing_and_gives_what_is_stored(desk: Desk) -> None:
    made = desk.scores.create(score("a", S1))
    desk.now[0] += 99
    assert desk.scores.create(score("a", S1)) == made
    assert desk.store.puts == [1]
    assert desk.annotations.create(annotation("a", S1)) == desk.annotations.create(annotation("a", S1))


@pytest.mark.parametrize("other", [{"value": True}, {"value": "bad"}, {"target": TRACE}, {"comment": "x"}, {"author": "ann"}])
def test_other_content_under_the_same_id_is_refused_and_changes_nothing(desk: Desk, other: dict[str, Any]) -> None:
    made = desk.scores.create(score("a", S1))
    with pytest.raises(AlreadyExists, match="another score is stored under the id 'a'"):
        desk.scores.create(score("a", S1)._replace(**other))
    assert desk.scores.get("a") == made


def test_an_update_changes_what_was_asked_at_its_time(desk: Desk) -> None:
    made = desk.scores.create(score("a", S1, comment="x"))
    desk.now[0] += 99
    assert desk.scores.update("a", {"value": 0.5}) == made._replace(value=0.5, update_unix_nano=ARRIVAL + 99)
    with pytest.raises(Invalid):
        desk.scores.update("a", {"value": ""})
    assert desk.scores.get("a").value == 0.5
    with pytest.raises(NotFound, match="there is no score 'b'"):
        desk.scores.update("b", {"value": 0.5})


def test_what_is_deleted_is_gone(desk: Desk) -> None:
    desk.scores.create(score("a", S1))
    desk.scores.delete("a")
    for again in (lambda: desk.scores.get("a"), lambda: desk.scores.delete("a"), lambda: desk.scores.update("a", {})):
        with pytest.raises(NotFound):
            again()
    desk.scores.delete("a", allow_missing=True)


@pytest.mark.parametrize("name", ["", "x" * 5000, "Ω", "a b"])
def test_an_id_that_can_not_be_one_is_not_found_and_breaks_nothing(desk: Desk, name: str) -> None:
    for ask in (lambda: desk.scores.get(name), lambda: desk.scores.delete(name), lambda: desk.scores.update(name, {"value": 1.0})):
        with pytest.raises(NotFound):
            ask()
    assert desk.scores.create(score("a", S1)).id == "a"


def test_a_query_after_the_acknowledgement_sees_it(desk: Desk) -> None:
    desk.receive(1)
    for value, mean in ((1.0, 1.0), (0.0, 0.5)):
        desk.scores.create(score("", TRACE, value=value))
        (trace,), _ = desk.queries.page(ask_traces(filter=f"scores.helpful = {mean}"), 9, "")
        (session,), _ = desk.queries.page(ask_sessions(filter=f"scores.helpful = {mean}"), 9, "")
        assert trace.scores == session.scores
    desk.annotations.create(annotation("n", S1))
    assert [row.annotations for row in desk.queries.page(ask_sessions(filter="annotations > 0"), 9, "")[0]] == [1]
    desk.annotations.delete("n")
    assert desk.queries.page(ask_sessions(filter="annotations > 0"), 9, "")[0] == []


def test_feedback_that_came_first_shows_when_its_trace_comes_and_moves_with_it(desk: Desk) -> None:
    desk.scores.create(score("a", SPAN, value=0.25))
    desk.receive(1, session=None, id=2)
    assert desk.queries.trace(trace_id(1))[0].scores == (ScoreSum("helpful", 1, 1, 0.25, ()),)
    desk.receive(1, session="s1", id=3)
    assert desk.queries.session(S1)[0].scores == (ScoreSum("helpful", 1, 1, 0.25, ()),)
    assert desk.listed(target=S1) == ["a"]


# -- together --------------------------------------------------------------------------------------------------------------------


def test_changes_that_wait_together_are_written_together_and_each_hears_its_own(desk: Desk) -> None:
    gate = threading.Event()
    desk.store.before = lambda: gate.wait(DEADLINE_SECONDS)
    with ThreadPoolExecutor(20) as threads:
        first = threads.submit(desk.scores.create, score("first", S1))
        until(lambda: desk.store.puts == [1])
        good = [threads.submit(desk.scores.create, score(f"{number % 5}", S1)) for number in range(10)]
        until(lambda: len(desk.writer._tasks) == 10)
        bad = threads.submit(desk.scores.delete, "nothing")
        other = threads.submit(desk.scores.create, score("0", S1, value="other"))
        until(lambda: len(desk.writer._tasks) == 12)
        gate.set()
        assert first.result().id == "first"
        assert sorted(one.result().id for one in good) == sorted([str(number) for number in range(5)] * 2)
        with pytest.raises(NotFound):
            bad.result()
        with pytest.raises(AlreadyExists):
            other.result()
    assert desk.store.puts == [1, 5]


def test_what_is_removed_and_made_again_elsewhere_together_counts_where_it_is(desk: Desk) -> None:
    def counted() -> dict[bytes, int]:
        return {row.trace_id: sum(one.score_count for one in row.scores) for row in desk.queries.page(ask_traces(), 9, "")[0]}

    for number in (1, 2, 3):
        desk.receive(number, session=None)
    desk.scores.create(score("a", TraceTarget(trace_id(1))))
    assert counted() == {trace_id(1): 1, trace_id(2): 0, trace_id(3): 0}
    gate = threading.Event()
    desk.store.before = lambda: gate.wait(DEADLINE_SECONDS)
    with ThreadPoolExecutor(9) as threads:
        first = threads.submit(desk.scores.create, score("first", S1))
        until(lambda: desk.store.puts == [1, 1])
        waiting: list[Future[Any]] = []
        for number in (2, 3):
            waiting.append(threads.submit(desk.scores.delete, "a"))
            until(lambda: len(desk.writer._tasks) == len(waiting))
            waiting.append(threads.submit(desk.scores.create, score("a", TraceTarget(trace_id(number)))))
            until(lambda: len(desk.writer._tasks) == len(waiting))
        gate.set()
        for one in (first, *waiting):
            one.result()
    assert len(desk.store.puts) == 3
    assert counted() == {trace_id(1): 0, trace_id(2): 0, trace_id(3): 1}


def test_a_full_store_refuses_all_that_wait_and_takes_them_again_later(desk: Desk) -> None:
    def fail() -> None:
        raise StoreFull("full")

    desk.store.before = fail
    with pytest.raises(StoreFull):
        desk.scores.create(score("a", S1))
    assert desk.store.scores.get("a") is None
    desk.store.before = lambda: None
    assert desk.scores.create(score("a", S1)).id == "a"


def test_what_can_not_be_written_costs_no_more_than_its_senders(desk: Desk) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    desk.store.before = fail
    with pytest.raises(ZeroDivisionError):
        desk.scores.create(score("a", S1))
    desk.store.before = lambda: None
    assert desk.scores.create(score("b", S1)).id == "b"


def test_nothing_is_taken_once_the_writer_stops(desk: Desk) -> None:
    desk.writer.stop()
    with pytest.raises(Busy):
        desk.scores.create(score("a", S1))


# -- imports ---------------------------------------------------------------------------------------------------------------------


def test_an_import_keeps_times_and_stores_all_that_is_good(desk: Desk) -> None:
    desk.scores.create(score("there", S1))
    imported = desk.scores.import_all(
        [
            score("new", TRACE, create_unix_nano=T0, update_unix_nano=T0 + 5),
            score("there", S1),
            Invalid("trace_id", "x", "is bad"),
            score("there", S1, value="other"),
            score("new", TRACE),
            score("late", S1, name=""),
            score("only updated", S1, update_unix_nano=T0)._replace(id="updated"),
            score("", S1, update_unix_nano=0),
        ]
    )
    assert imported[:2] == Imported(3, 2, ())[:2]
    assert [(place, type(error), str(error).split(";")[0]) for place, error in imported.failures] == [
        (2, Invalid, "trace_id: 'x' is bad"),
        (3, AlreadyExists, "another score is stored under the id 'there'"),
        (5, Invalid, "name: '' must be a printable text without blanks at its ends"),
    ]
    found = {one.id: (one.create_unix_nano, one.update_unix_nano) for one in desk.scores.page(Asked(), 9, "")[0]}
    assert (found["new"], found["updated"], found["there"]) == ((T0, T0 + 5), (T0, T0), (ARRIVAL, ARRIVAL))
    assert max(found.values()) == (ARRIVAL, ARRIVAL)
    assert len(found) == 4


def test_an_import_is_bounded_and_so_is_what_one_row_is_made_of(desk: Desk) -> None:
    with pytest.raises(Invalid, match="at most 1,000"):
        desk.scores.import_all([score(str(number), S1) for number in range(IMPORT_MAX + 1)])
    for start in range(0, SUBJECT_ITEMS_MAX, IMPORT_MAX):
        part = [score(str(start + number), TRACE if number % 2 else SPAN) for number in range(IMPORT_MAX)]
        assert desk.scores.import_all(part) == Imported(IMPORT_MAX, 0, ())
    with pytest.raises(TooLarge, match="the trace has 4,000 scores"):
        desk.scores.create(score("more", SPAN))
    desk.scores.delete("7")
    imported = desk.scores.import_all([score("more", SPAN), score("too-many", SPAN), score("another-trace", OTHER)])
    assert (imported.created, [(place, type(error)) for place, error in imported.failures]) == (2, [(1, TooLarge)])
    assert desk.scores.create(score("more", SPAN)).id == "more"


# -- lists -----------------------------------------------------------------------------------------------------------------------


def fill(desk: Desk) -> None:
    desk.receive(1, start_ms=100)
    desk.receive(2, start_ms=0)
    desk.receive(3, session="other")
    given = [
        ("own", S1, {}),
        ("of 1", TRACE, {"source": "human", "author": "ann"}),
        ("of span", SPAN, {"name": "verdict", "value": "bad"}),
        ("of 2", OTHER, {"source": "evaluator"}),
        ("own later", S1, {"author": "ann"}),
        ("of 3", TraceTarget(trace_id(3)), {}),
        ("nowhere", TraceTarget(trace_id(9)), {}),
    ]
    for name, target, more in given:
        desk.now[0] += 1
        desk.scores.create(score(name.replace(" ", "-"), target, **more))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, ["nowhere", "of-3", "own-later", "of-2", "of-span", "of-1", "own"]),
        ({"target": S1}, ["own-later", "own", "of-span", "of-1", "of-2"]),
        ({"target": S1, "own_only": True}, ["own-later", "own"]),
        ({"target": TRACE}, ["of-span", "of-1"]),
        ({"target": TRACE, "own_only": True}, ["of-1"]),
        ({"target": SPAN}, ["of-span"]),
        ({"target": TraceTarget(trace_id(9))}, ["nowhere"]),
        ({"target": SessionKey("default", "gone")}, []),
        ({"target": SessionKey("another", "s1")}, []),
        ({"target": S1, "author": "ann"}, ["own-later", "of-1"]),
        ({"name": "verdict"}, ["of-span"]),
        ({"source": "evaluator"}, ["of-2"]),
        ({"source": "human", "author": "bob"}, []),
    ],
)
def test_scores_are_listed_page_by_page(desk: Desk, asked: dict[str, Any], expected: list[str]) -> None:
    fill(desk)
    assert [desk.listed(size, **asked) for size in (1, 2, 50)] == [expected] * 3


def test_annotations_are_listed_by_tag(desk: Desk) -> None:
    desk.annotations.create(annotation("a", S1, tags=("x", "y")))
    desk.annotations.create(annotation("b", TRACE, tags=("y",)))
    assert [one.id for one in desk.annotations.page(Asked(tag="x"), 9, "")[0]] == ["a"]
    assert [one.id for one in desk.annotations.page(Asked(tag="y"), 9, "")[0]] == ["b", "a"]


def test_a_page_token_is_good_for_its_question_alone(desk: Desk) -> None:
    fill(desk)
    _, token = desk.scores.page(Asked(target=S1), 1, "")
    for page, asked in ((desk.scores.page, Asked(target=TRACE)), (desk.annotations.page, Asked(target=S1))):
        with pytest.raises(Invalid, match="belongs to another request"):
            page(asked, 1, token)
    forged = write_token((desk.store.identity, "score", *Asked().bound_to), (b"", b"x" * 600))
    for token in ("nonsense", forged):
        with pytest.raises(Invalid, match="not one of ours"):
            desk.scores.page(Asked(), 1, token)
    with pytest.raises(Invalid, match="must not be negative"):
        desk.scores.page(Asked(), -1, "")


def test_what_changes_during_a_walk_neither_hides_nor_doubles_the_rest(desk: Desk) -> None:
    fill(desk)
    first, token = desk.scores.page(Asked(), 3, "")
    desk.scores.delete("own-later")
    desk.scores.create(score("newest", S1))
    rest, end = desk.scores.page(Asked(), 9, token)
    assert ([one.id for one in first], [one.id for one in rest], end) == (
        ["nowhere", "of-3", "own-later"],
        ["of-2", "of-span", "of-1", "own"],
        "",
    )


def test_a_trace_whose_start_moves_during_a_walk_is_shown_once(desk: Desk) -> None:
    for number in (1, 2, 3):
        desk.receive(number, start_ms=1000 * number)
        desk.scores.create(score(f"of-{number}", TraceTarget(trace_id(number))))
    asked = Asked(target=S1)
    first, token = desk.scores.page(asked, 2, "")
    desk.receive(3, id=2, start_ms=0)
    rest, end = desk.scores.page(asked, 2, token)
    assert ([one.id for one in (*first, *rest)], end) == (["of-1", "of-2", "of-3"], "")


def test_a_list_ends_when_nobody_waits(desk: Desk) -> None:
    fill(desk)
    with pytest.raises(Cancelled):
        desk.scores.page(Asked(), 1, "", lambda: False)


# -- staleness -------------------------------------------------------------------------------------------------------------------


def test_a_sessions_score_is_stale_once_a_new_turn_came_and_fresh_once_it_is_given_again(desk: Desk) -> None:
    desk.receive(1, arrival=ARRIVAL)
    desk.now[0] = ARRIVAL + 10
    scores = [desk.scores.create(score("session", S1)), desk.scores.create(score("trace", TRACE))]
    assert desk.staleness.of(scores) == [False, False]
    desk.receive(1, id=2, arrival=ARRIVAL + 20)  # late, of a turn that was known
    assert desk.staleness.of(scores) == [False, False]
    desk.receive(2, arrival=ARRIVAL + 20)
    assert desk.staleness.of(scores) == [True, False]
    assert desk.queries.session(S1)[0].scores[0].stale_count == 1
    desk.now[0] = ARRIVAL + 30
    assert desk.staleness.of([desk.scores.update("session", {"value": 1.0}), scores[1]]) == [False, False]
    assert desk.queries.session(S1)[0].scores[0].stale_count == 0


def test_a_score_of_a_session_that_is_not_there_is_not_stale(desk: Desk) -> None:
    assert desk.staleness.of([desk.scores.create(score("a", S1))]) == [False]
