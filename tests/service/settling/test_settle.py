"""Settling: what a query waits for, what survives a stop, and traces that change hands."""

import time
from collections.abc import Iterator
from concurrent.futures import Future
from itertools import count
from pathlib import Path
from typing import Any

import pytest

import builders
from builders import PRICES, RULES, packed, received, span, trace_id
from daemon import DEADLINE_SECONDS, STORE_BYTES_MAX, parts, until
from sessiond.core.errors import StoreFull
from sessiond.core.figures import session, trace, user
from sessiond.core.model import SessionKey, SpanFacts, UserKey
from sessiond.core.rows.where import Where
from sessiond.service.asking.question import Within, ask_sessions
from sessiond.service.settling.settle import SLICE_SECONDS, TRACES_PER_SLICE, Settler, Waiting
from sessiond.storage.api import Marks, Store
from sessiond.storage.lmdb.store import LmdbStore


class Reopened:
    """A store that can be closed and opened again, as after a stop."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self.store = self._open()

    def _open(self) -> LmdbStore:
        return LmdbStore.open(self._data_dir, bytes_max=STORE_BYTES_MAX)

    def again(self) -> LmdbStore:
        self.store.close()
        self.store = self._open()
        return self.store


@pytest.fixture
def reopened(tmp_path: Path) -> Iterator[Reopened]:
    found = Reopened(tmp_path / "data")
    yield found
    found.store.close()


@pytest.fixture
def store(reopened: Reopened) -> LmdbStore:
    return reopened.store


def append(store: Store, settler: Settler, *spans: Any) -> None:
    settler.note(store.append(packed(*spans)).traces)


def session_ids(store: Store) -> list[str]:
    return [row.summary.session_id for row in store.sessions.page(Where(), None, 1000).rows]


def test_who_waits_for_a_trace_that_is_erased_waits_no_more_and_nothing_is_computed_of_it(
    store: LmdbStore, capsys: pytest.CaptureFixture[str]
) -> None:
    settler, done = Settler(store, RULES), Future[None]()
    append(store, settler, span(trace=1, session="s1"))
    settler.wait_for("traces", done)
    settler.forget(store.erase([trace_id(1)], None))
    assert (done.done(), settler.waiting()) == (True, Waiting(0, 0, 0))
    settler.settle_all()
    assert capsys.readouterr().out == ""  # where a failure would be logged


def test_a_session_ticket_is_done_when_its_trace_and_session_are_settled(store: LmdbStore) -> None:
    settler = Settler(store, RULES)
    append(store, settler, span(trace=1, session="s", user="u"))
    done: Future[None] = Future()
    settler.wait_for("sessions", done)
    assert settler.step()
    assert (store.trace(trace_id(1)), done.done()) == (trace.summarize(trace_id(1), store.facts(trace_id(1)), PRICES), False)
    assert settler.step()
    key = SessionKey("default", "s")
    assert (store.session(key), done.done()) == (session.summarize(key, store.traces_of_session(key)), True)


def test_a_trace_ticket_does_not_wait_for_sessions(store: LmdbStore) -> None:
    settler = Settler(store, RULES)
    append(store, settler, span(trace=1, session="s"))
    done: Future[None] = Future()
    settler.wait_for("traces", done)
    settler.step()
    assert (done.done(), settler.waiting()) == (True, Waiting(0, 1, 0))


def test_a_ticket_waits_for_what_was_marked_before_it_and_for_no_more(store: LmdbStore) -> None:
    settler = Settler(store, RULES)
    append(store, settler, span(trace=1, session="s"))
    done: Future[None] = Future()
    settler.wait_for("traces", done)
    append(store, settler, *(span(trace=number) for number in range(2, TRACES_PER_SLICE + 101)))
    settler.step()
    assert (done.done(), settler.waiting().traces) == (True, 100)


def test_a_session_ticket_is_done_however_many_traces_keep_coming(store: LmdbStore) -> None:
    settler = Settler(store, RULES)
    append(store, settler, span(trace=1, session="s"))
    done: Future[None] = Future()
    settler.wait_for("sessions", done)
    for number in range(2, 12):
        append(store, settler, span(trace=number, session="other"))
        settler.step()
    assert done.done()


def test_a_ticket_with_nothing_marked_is_done_at_once(store: LmdbStore) -> None:
    done: Future[None] = Future()
    Settler(store, RULES).wait_for("sessions", done)
    assert done.done()


def test_sessions_and_users_are_settled_however_slow_the_machine(store: LmdbStore, monkeypatch: pytest.MonkeyPatch) -> None:
    settler = Settler(store, RULES)
    append(store, settler, *(span(trace=number, session=f"s{number}", user=f"u{number}") for number in (1, 2, 3)))
    looks = count()  # each at the clock takes longer than a slice
    monkeypatch.setattr(time, "monotonic", lambda: next(looks) * 2 * SLICE_SECONDS)
    for _ in range(20):
        settler.step()
    assert settler.waiting() == Waiting(0, 0, 0)


def test_a_trace_marked_again_keeps_its_place(store: LmdbStore) -> None:
    settler = Settler(store, RULES)
    append(store, settler, span(trace=1, id=1))
    append(store, settler, *(span(trace=number) for number in range(2, TRACES_PER_SLICE + 2)))
    append(store, settler, span(trace=1, id=2))
    settler.step()
    settled = store.trace(trace_id(1))
    assert settled is not None
    assert (settled.span_count, settler.waiting().traces) == (2, 1)


def test_marks_survive_a_stop_and_are_settled_after_the_next_start(reopened: Reopened) -> None:
    reopened.store.append(packed(span(trace=1, session="s", user="u"), span(trace=2, session="s")))
    store = reopened.again()
    assert store.marks() == Marks(traces=(trace_id(1), trace_id(2)))
    Settler(store, RULES).settle_all()
    traces = [trace.summarize(number, store.facts(number), PRICES) for number in (trace_id(1), trace_id(2))]
    s, u = SessionKey("default", "s"), UserKey("default", "u")
    assert [store.trace(number) for number in (trace_id(1), trace_id(2))] == traces
    assert store.session(s) == session.summarize(s, traces)
    assert store.user(u) == user.summarize(u, traces[:1])
    assert store.marks() == Marks()


def test_a_stop_between_trace_and_session_leaves_the_marks_of_the_session_and_the_user(reopened: Reopened) -> None:
    settler = Settler(reopened.store, RULES)
    append(reopened.store, settler, span(trace=1, session="s", user="u"))
    settler.step()
    store = reopened.again()
    assert store.marks() == Marks(sessions=(SessionKey("default", "s"),), users=(UserKey("default", "u"),))
    assert (session_ids(store), store.user(UserKey("default", "u"))) == ([], None)
    settler = Settler(store, RULES)
    assert settler.waiting() == Waiting(0, 1, 1)
    settler.settle_all()
    assert session_ids(store) == ["s"]
    assert store.marks() == Marks()


def test_a_trace_whose_session_id_arrives_late_moves_and_the_old_session_disappears(reopened: Reopened) -> None:
    store = reopened.store
    settler = Settler(store, RULES)
    append(store, settler, span(trace=1, id=2, parent=1, session="old", user="u-old"))
    settler.settle_all()
    assert session_ids(store) == ["old"]
    append(store, settler, span(trace=1, id=1, session="new", user="u-new", end_ms=20))
    settler.settle_all()
    moved = trace.summarize(trace_id(1), store.facts(trace_id(1)), PRICES)
    assert (moved.session_id, moved.other_session_ids, moved.user_id) == ("new", ("old",), "u-new")
    new = SessionKey("default", "new")
    for reopen in (lambda: store, reopened.again):
        seen = reopen()
        assert session_ids(seen) == ["new"]
        assert seen.session(SessionKey("default", "old")) is None
        assert seen.traces_of_session(SessionKey("default", "old")) == []
        assert seen.traces_of_session(new) == [moved]
        assert seen.session(new) == session.summarize(new, [moved])
        assert seen.user(UserKey("default", "u-old")) is None
        assert seen.user(UserKey("default", "u-new")) == user.summarize(UserKey("default", "u-new"), [moved])
        assert seen.extent()[:4] == (2, 1, 1, 1)


def test_a_moved_trace_leaves_its_old_session_with_the_others(store: LmdbStore) -> None:
    settler = Settler(store, RULES)
    append(store, settler, span(trace=1, id=2, parent=1, session="old"), span(trace=2, session="old", start_ms=1000))
    settler.settle_all()
    append(store, settler, span(trace=1, id=1, session="new"))
    settler.settle_all()
    for name, numbers in (("old", [trace_id(2)]), ("new", [trace_id(1)])):
        key = SessionKey("default", name)
        traces = [trace.summarize(number, store.facts(number), PRICES) for number in numbers]
        assert (store.session(key), store.traces_of_session(key)) == (session.summarize(key, traces), traces)


def test_a_trace_without_a_session_id_belongs_to_none_until_one_comes(store: LmdbStore) -> None:
    settler = Settler(store, RULES)
    append(store, settler, span(trace=1, id=1))
    settler.settle_all()
    assert (session_ids(store), store.extent().trace_count) == ([], 1)
    append(store, settler, span(trace=1, id=2, parent=1, session="late"))
    settler.settle_all()
    assert session_ids(store) == ["late"]


class BadFacts:
    """A store whose facts of one trace can't be read."""

    def __init__(self, inner: Store, bad: bytes) -> None:
        self._inner = inner
        self._bad = bad

    def facts(self, trace_id: bytes) -> list[SpanFacts]:
        if trace_id == self._bad:
            raise ValueError("bad facts")
        return self._inner.facts(trace_id)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def test_a_trace_whose_figures_fail_keeps_its_mark_and_stops_no_other(store: LmdbStore) -> None:
    bad = BadFacts(store, trace_id(1))
    settler = Settler(bad, RULES)
    append(store, settler, span(trace=1, session="bad"), span(trace=2, session="good"))
    done: Future[None] = Future()
    settler.wait_for("sessions", done)
    settler.settle_all()
    assert (done.done(), session_ids(store), store.marks()) == (True, ["good"], Marks(traces=(trace_id(1),)))
    Settler(store, RULES).settle_all()
    assert sorted(session_ids(store)) == ["bad", "good"]


class FullForSummaries:
    """A store that has no room for summaries until told so."""

    def __init__(self, inner: Store) -> None:
        self._inner = inner
        self.is_full = True

    def put_traces(self, summaries: Any) -> Marks:
        if self.is_full:
            raise StoreFull("no room", hint="make some")
        return self._inner.put_traces(summaries)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def test_queries_are_refused_while_what_they_need_has_no_room_to_be_settled_and_answered_when_it_has(tmp_path: Path) -> None:
    with parts(tmp_path / "data") as running:
        full = FullForSummaries(running.store._inner)
        running.store._inner = full
        assert running.queries.page(ask_sessions(), 0, "") == ([], "")
        running.append(received(span(trace=1, session="s"))).result(DEADLINE_SECONDS)
        with pytest.raises(StoreFull, match="what was received before this query can't be settled: no room; make some"):
            running.queries.page(ask_sessions(), 0, "")
        assert str(running.writer.full) == "no room; make some"
        full.is_full = False
        assert [row.session_id for row in running.queries.page(ask_sessions(), 0, "")[0]] == ["s"]
        until(lambda: running.store.marks() == Marks())


def test_spans_are_taken_again_when_what_had_no_room_is_settled_unless_an_append_was_refused_too(tmp_path: Path) -> None:
    with parts(tmp_path / "data") as running:
        full = FullForSummaries(running.store._inner)
        running.store._inner = full
        running.append(received(span(trace=1))).result(DEADLINE_SECONDS)
        until(lambda: running.writer.full)
        full.is_full = False
        until(lambda: running.writer.full is None)
        assert running.store.trace(trace_id(1)) is not None
        full.is_full = True
        running.append(received(span(trace=2))).result(DEADLINE_SECONDS)
        until(lambda: running.writer.full)
        refused = StoreFull("no room for spans")
        running.store.fail_with(refused)
        assert running.append(received(span(trace=3))).exception(DEADLINE_SECONDS) is refused
        full.is_full = False
        running.writer.settled("traces").result(DEADLINE_SECONDS)
        assert running.writer.full is refused
        running.append(received(span(trace=3))).result(DEADLINE_SECONDS)
        assert running.writer.full is None


def test_traces_are_found_and_erased_where_the_store_has_no_room_to_settle(tmp_path: Path) -> None:
    with parts(tmp_path / "data") as running:
        for number in (1, 2):
            running.append(received(span(trace=number, session=f"s{number}"))).result(DEADLINE_SECONDS)
        running.writer.settled("sessions").result(DEADLINE_SECONDS)
        running.store._inner = FullForSummaries(running.store._inner)
        running.append(received(span(trace=3, session="s3"))).result(DEADLINE_SECONDS)
        told = list(running.eraser.erase(ask_sessions(Within(session_id="s1"))))
        assert (told[-1].erased_traces, running.store.trace_ids()) == (1, [trace_id(2), trace_id(3)])


def test_a_query_sees_every_append_that_was_acknowledged_before_it(tmp_path: Path) -> None:
    with parts(tmp_path / "data") as running:
        for number in range(1, 60):
            running.append(received(span(trace=number, session="s", start_ms=number))).result(DEADLINE_SECONDS)
            (found,), _ = running.queries.page(ask_sessions(), 0, "")
            assert found.trace_count == number


def test_the_order_and_the_batches_in_which_spans_come_do_not_matter(tmp_path: Path) -> None:
    spans = [
        span(trace=1, id=1, session="a", user="u", end_ms=50),
        span(trace=1, id=2, parent=1, operation="chat", model="m", tokens_in=5, tokens_out=7, start_ms=5),
        span(trace=1, id=3, parent=1, session="b", error="no"),
        span(trace=2, id=1, start_ms=90, session="a", user="v"),
        span(trace=2, id=1, start_ms=90, session="a", user="v", end_ms=95),
    ]
    answers = []
    for order in (spans, spans[::-1], [spans[number] for number in (3, 0, 4, 2, 1, 0, 3)]):
        store = LmdbStore.open(tmp_path / str(len(answers)), bytes_max=STORE_BYTES_MAX)
        settler = Settler(store, RULES)
        for one in order:
            append(store, settler, one)
            settler.settle_all()
        answers.append(
            (
                [row.summary for row in store.traces.page(Where(), None, 100).rows],
                [row.summary for row in store.sessions.page(Where(), None, 100).rows],
                [store.user(UserKey("default", name)) for name in "uv"],
            )
        )
        store.close()
    assert answers[0] == answers[1] == answers[2]
    assert [row.session_id for row in answers[0][1]] == ["a"]
    assert builders.trace_id(2) in [row.trace_id for row in answers[0][0]]
