"""Following: what matched, then what changes, until nobody waits."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from builders import ARRIVAL, RULES, packed, received, span, trace_id
from daemon import DEADLINE_SECONDS, Parts, parts, until
from sessiond.core.errors import Busy, Crowded, Invalid, TooOld
from sessiond.service.asking import follow
from sessiond.service.asking.follow import Followers, Gone, Update
from sessiond.service.asking.freshness import Freshness
from sessiond.service.asking.query import STREAM_PAGE, Queries
from sessiond.service.asking.question import Question, Within, ask_sessions, ask_traces
from sessiond.service.asking.seen import Sight
from sessiond.service.settling.settle import Settler
from sessiond.service.writer import Writer
from sessiond.storage.memory import MemoryStore
from sessiond.telemetry import Telemetry

IDLE_NANO = 60 * 10**9


class Clock:
    """Stands until it is set."""

    def __init__(self) -> None:
        self.now = ARRIVAL

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Parts]:
    with parts(tmp_path / "data") as found:
        yield found


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def followers(running: Parts, clock: Clock) -> Iterator[Followers]:
    sight = Sight(running.store, idle_nano=IDLE_NANO, clock=clock)
    queries = Queries(running.store, Freshness(running.writer), lambda: RULES, sight)
    made = Followers(running.store, queries, running.writer, sight, count_max=2)
    yield made
    made.stop()


class Follower:
    """Follows on a thread of its own, and holds what it was told."""

    def __init__(self, updates: Iterator[Update[Any]]) -> None:
        self.told: Queue[Update[Any] | BaseException] = Queue()
        self.last: Update[Any] | None = None
        self._updates = updates
        self.thread = threading.Thread(target=self._read)
        self.thread.start()

    def _read(self) -> None:
        try:
            for update in self._updates:
                self.told.put(update)
        except BaseException as error:  # noqa: BLE001  (whatever it is, the test wants to see it)
            self.told.put(error)

    def next(self) -> Update[Any]:
        """The next update."""
        told = self.told.get(timeout=DEADLINE_SECONDS)
        if isinstance(told, BaseException):
            raise told
        self.last = told
        return told

    def rows_until(self, holds: Callable[[Any], bool]) -> list[Any]:
        """All rows told up to the first for which it holds."""
        rows: list[Any] = []
        while not any(map(holds, rows)):
            rows += self.next().rows
        return rows

    def caught_up(self) -> list[Any]:
        """The rows of the first walk."""
        rows: list[Any] = []
        while True:
            update = self.next()
            rows += update.rows
            if update.caught_up:
                return rows


@contextmanager
def following(followers: Followers, question: Question[Any], token: str = "", **more: Any) -> Iterator[Follower]:
    wanted = threading.Event()
    wanted.set()
    follower = Follower(followers.follow(question, token, wanted.is_set, **more))
    try:
        yield follower
    finally:
        wanted.clear()
        follower.thread.join(DEADLINE_SECONDS)
        assert not follower.thread.is_alive()


def put(running: Parts, *spans: Span, arrival: int = ARRIVAL) -> None:
    running.append(received(*spans, arrival=arrival)).result(DEADLINE_SECONDS)


def test_what_is_there_comes_first_and_then_what_changes(running: Parts, followers: Followers) -> None:
    put(running, span(trace=1, id=1, session="s1"), span(trace=2, id=2, session="s2"))
    with following(followers, ask_sessions()) as follower:
        assert sorted(row.session_id for row in follower.caught_up()) == ["s1", "s2"]
        put(running, span(trace=2, id=3, parent=2))
        (row,) = follower.rows_until(lambda row: row.span_count == 2)
        assert row.session_id == "s2"
        put(running, span(trace=3, session="s3"))
        assert [row.session_id for row in follower.rows_until(lambda row: row.session_id == "s3")] == ["s3"]


def test_changes_only_leaves_out_what_is_there(running: Parts, followers: Followers) -> None:
    put(running, span(trace=1, session="s1"))
    with following(followers, ask_sessions(), changes_only=True) as follower:
        assert follower.caught_up() == []
        put(running, span(trace=2, session="s2"))
        assert [row.session_id for row in follower.rows_until(lambda _: True)] == ["s2"]


def test_a_first_walk_of_many_rows_comes_whole(running: Parts, followers: Followers) -> None:
    rows = 2 * STREAM_PAGE + 1
    put(running, *(span(trace=number, start_ms=number) for number in range(1, rows + 1)))
    with following(followers, ask_traces()) as follower:
        assert [row.trace_id for row in follower.caught_up()] == [trace_id(number) for number in range(rows, 0, -1)]


def test_a_row_that_no_longer_matches_is_told_as_gone(running: Parts, followers: Followers) -> None:
    put(running, span(trace=1, session="s1"))
    with following(followers, ask_sessions(filter="status = ok")) as follower:
        assert [row.session_id for row in follower.caught_up()] == ["s1"]
        put(running, span(trace=1, session="s1", error="broken"))
        update = follower.next()
        assert (update.rows, update.gone) == ((), (Gone("default", "s1", is_removed=False),))


def test_a_trace_that_no_longer_matches_is_told_as_gone(running: Parts, followers: Followers) -> None:
    put(running, span(trace=1))
    with following(followers, ask_traces(filter="NOT session_id:*")) as follower:
        assert [row.trace_id for row in follower.caught_up()] == [trace_id(1)]
        put(running, span(trace=1, session="late"))
        assert follower.next().gone == (Gone("default", trace_id(1), is_removed=False),)


def test_a_session_whose_traces_move_is_told_as_removed(running: Parts, followers: Followers) -> None:
    put(running, span(trace=1, id=1, gen_ai__conversation__id="weak"))
    with following(followers, ask_sessions()) as follower:
        assert [row.session_id for row in follower.caught_up()] == ["weak"]
        put(running, span(trace=1, id=2, session="strong"))
        gone, rows = [], []
        while not (gone and rows):
            update = follower.next()
            gone += update.gone
            rows += update.rows
        assert (gone, [row.session_id for row in rows]) == ([Gone("default", "weak", is_removed=True)], ["strong"])


def test_a_session_that_turns_idle_comes_again(running: Parts, followers: Followers, clock: Clock) -> None:
    put(running, span(trace=1, session="s1"), arrival=ARRIVAL)
    with following(followers, ask_sessions()) as follower:
        assert [row.session_id for row in follower.caught_up()] == ["s1"]
        clock.now = ARRIVAL + IDLE_NANO + 1
        assert [row.session_id for row in follower.rows_until(lambda _: True)] == ["s1"]


def test_a_session_that_turns_idle_is_gone_from_the_live_ones(running: Parts, followers: Followers, clock: Clock) -> None:
    put(running, span(trace=1, session="s1"), arrival=ARRIVAL)
    with following(followers, ask_sessions(filter="state = live")) as follower:
        assert [row.session_id for row in follower.caught_up()] == ["s1"]
        clock.now = ARRIVAL + IDLE_NANO + 1
        assert follower.next().gone == (Gone("default", "s1", is_removed=False),)


def test_a_session_that_was_idle_before_is_not_told_again(running: Parts, followers: Followers, clock: Clock) -> None:
    put(running, span(trace=1, session="old"), arrival=ARRIVAL)
    clock.now = ARRIVAL + 2 * IDLE_NANO
    with following(followers, ask_sessions()) as follower:
        assert [row.session_id for row in follower.caught_up()] == ["old"]
        clock.now += IDLE_NANO
        put(running, span(trace=2, session="new"), arrival=clock.now)
        assert [row.session_id for row in follower.rows_until(lambda _: True)] == ["new"]


def test_only_sessions_asked_for_turn_idle(running: Parts, followers: Followers, clock: Clock) -> None:
    put(running, span(trace=1, session="s1"), span(trace=2, session="s2"), span(trace=3, session="s1", sessiond__project="p"))
    with following(followers, ask_sessions(Within(project="default", session_id="s1"))) as follower:
        assert [row.session_id for row in follower.caught_up()] == ["s1"]
        clock.now = ARRIVAL + IDLE_NANO + 1
        assert follower.next()[:2] == (tuple(follower.last.rows), ())  # type: ignore[union-attr]  # set by next
        assert [(row.project, row.session_id) for row in follower.last.rows] == [("default", "s1")]  # type: ignore[union-attr]


def test_a_resume_token_goes_on_where_the_follower_was(running: Parts, followers: Followers) -> None:
    put(running, span(trace=1, session="s1"), span(trace=2, session="s2"))
    with following(followers, ask_sessions()) as follower:
        follower.caught_up()
        token = follower.last.token  # type: ignore[union-attr]  # set by next
    put(running, span(trace=2, session="s2"))
    with following(followers, ask_sessions(), token) as follower:
        (row,) = follower.rows_until(lambda _: True)
        assert (row.session_id, row.span_count) == ("s2", 2)


def test_a_removal_while_away_is_told_on_return(running: Parts, followers: Followers) -> None:
    put(running, span(trace=1, id=1, gen_ai__conversation__id="weak"))
    with following(followers, ask_sessions()) as follower:
        follower.caught_up()
        token = follower.last.token  # type: ignore[union-attr]  # set by next
    put(running, span(trace=1, id=2, session="strong"))
    running.writer.settled("sessions").result(DEADLINE_SECONDS)
    with following(followers, ask_sessions(), token) as follower:
        assert Gone("default", "weak", is_removed=True) in follower.next().gone


def test_a_token_from_before_a_forgotten_removal_is_too_old(running: Parts, followers: Followers) -> None:
    put(running, span(trace=1, session="s1"))
    with following(followers, ask_sessions()) as follower:
        follower.caught_up()
        token = follower.last.token  # type: ignore[union-attr]  # set by next
    put(running, span(trace=2, session="s2"))
    running.writer.settled("sessions").result(DEADLINE_SECONDS)
    running.writer.forget_removals(running.store.last_change()).result(DEADLINE_SECONDS)
    with pytest.raises(TooOld, match="removals are forgotten; follow without it"):
        next(followers.follow(ask_sessions(), token, lambda: True))


def test_a_client_that_stalls_past_a_forgotten_removal_is_told_to_begin_anew(running: Parts, followers: Followers) -> None:
    put(running, span(trace=1))
    updates = followers.follow(ask_traces(), "", lambda: True)
    assert [row.trace_id for row in next(updates).rows] == [trace_id(1)]
    assert next(updates).caught_up
    assert list(running.eraser.erase((trace_id(1),)))
    running.writer.forget_removals(running.store.last_change()).result(DEADLINE_SECONDS)
    put(running, span(trace=2))
    with pytest.raises(TooOld, match="removals are forgotten; follow without it"):
        next(updates)
    assert followers.count == 0


def test_a_token_from_a_store_that_was_replaced_is_refused(running: Parts, followers: Followers, tmp_path: Path) -> None:
    put(running, span(trace=1, session="s1"))
    with following(followers, ask_sessions()) as follower:
        follower.caught_up()
        token = follower.last.token  # type: ignore[union-attr]  # set by next
    with parts(tmp_path / "other") as other:
        put(other, *(span(trace=number, session=f"s{number}") for number in range(1, 10)))  # more changes than the token tells of
        other.writer.settled("sessions").result(DEADLINE_SECONDS)
        with pytest.raises(TooOld, match="of another store; follow without it"):
            next(other.followers.follow(ask_sessions(), token, lambda: True))


@pytest.mark.parametrize("token", ["x", "gA==", ""])
def test_a_token_that_is_none_is_refused(followers: Followers, token: str) -> None:
    with pytest.raises(Invalid, match="resume_token"):
        next(followers.follow(ask_sessions(), token or "AAAA", lambda: True))


def test_a_token_of_another_request_is_refused(running: Parts, followers: Followers) -> None:
    put(running, span(trace=1, session="s1"))
    with following(followers, ask_sessions()) as follower:
        follower.caught_up()
        token = follower.last.token  # type: ignore[union-attr]  # set by next
    for question in (ask_traces(), ask_sessions(filter="status = ok"), ask_sessions(Within(project="p"))):
        with pytest.raises(Invalid, match="belongs to another request"):
            next(followers.follow(question, token, lambda: True))


def test_an_order_and_a_percentile_are_refused(followers: Followers) -> None:
    for question in (ask_sessions(order_by="cost_usd"), ask_sessions(filter="cost_usd > p95(cost_usd)")):
        with pytest.raises(Invalid, match=r"'cost_usd.*' can't"):
            next(followers.follow(question, "", lambda: True))


def test_no_more_follow_than_may(followers: Followers) -> None:
    with following(followers, ask_sessions()) as one, following(followers, ask_traces()) as other:
        one.caught_up()
        other.caught_up()
        with pytest.raises(Crowded, match="2 clients follow already, which is the most; end one, or raise query"):
            next(followers.follow(ask_sessions(), "", lambda: True))
    assert followers.count == 0
    with following(followers, ask_sessions()) as again:
        again.caught_up()


def test_followers_end_when_the_daemon_stops(followers: Followers) -> None:
    with following(followers, ask_sessions()) as follower:
        follower.caught_up()
        followers.stop()
        with pytest.raises(Busy, match="stopping; follow again from the last resume_token"):
            follower.next()


def test_a_follower_that_has_not_caught_up_is_told_that_the_daemon_stops(running: Parts, followers: Followers) -> None:
    put(running, *(span(trace=number, session=f"s{number}") for number in range(1, STREAM_PAGE + 2)))
    updates = followers.follow(ask_sessions(), "", lambda: True)
    assert len(next(updates).rows) == STREAM_PAGE
    followers.stop()
    with pytest.raises(Busy, match="stopping; follow again"):
        next(updates)


def test_a_first_walk_that_finds_nothing_for_long_is_not_silent(
    running: Parts, followers: Followers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "HEARTBEAT_SECONDS", -1.0)
    put(running, span(trace=1, session="s1"))
    updates = followers.follow(ask_sessions(filter="cost_usd > 1"), "", lambda: True)
    assert next(updates) == Update()
    assert next(updates).caught_up


def test_a_heartbeat_comes_when_there_is_nothing_to_say(followers: Followers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "HEARTBEAT_SECONDS", 0.0)
    monkeypatch.setattr(follow, "LOOK_SECONDS", 0.01)
    with following(followers, ask_sessions()) as follower:
        follower.caught_up()
        update = follower.next()
        assert update._replace(token="") == Update()
        assert update.token


def test_a_client_that_stalls_is_told_and_misses_no_final_state(
    running: Parts, followers: Followers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "STALLED_SECONDS", 0.0)
    updates = followers.follow(ask_sessions(), "", lambda: True)
    assert next(updates).caught_up
    for number in range(1, 6):
        put(running, span(trace=1, id=number, session="s1"))
        running.writer.settled("sessions").result(DEADLINE_SECONDS)
    first = next(updates)
    assert [row.span_count for row in first.rows] == [5]
    put(running, span(trace=1, id=9, session="s1"))
    second = next(updates)
    assert [row.span_count for row in second.rows] == [6]
    assert second.stalled_seconds > 0
    updates.close()
    assert followers.count == 0


def test_sessions_are_settled_more_often_while_someone_follows(running: Parts, followers: Followers) -> None:
    assert running.writer.pace.follower_count == 0
    with following(followers, ask_sessions()) as follower:
        follower.caught_up()
        assert running.writer.pace.follower_count == 1
    until(lambda: running.writer.pace.follower_count == 0)


def test_the_reference_engine_is_followed_alike() -> None:
    store = MemoryStore(RULES.fingerprint)
    store.append(packed(span(trace=1, id=1, gen_ai__conversation__id="weak")))
    settler = Settler(store, RULES)
    writer = Writer(store, settler, Telemetry(), queue_bytes_max=1 << 20, broken=lambda error: None)
    writer.start()
    try:
        sight = Sight(store, idle_nano=IDLE_NANO)
        made = Followers(store, Queries(store, Freshness(writer), lambda: RULES, sight), writer, sight, count_max=1)
        updates = made.follow(ask_sessions(), "", lambda: True)
        assert [row.session_id for row in next(updates).rows] == ["weak"]
        assert next(updates).caught_up
        writer.append(packed(span(trace=1, id=2, session="strong"))).result(DEADLINE_SECONDS)
        writer.settled("sessions").result(DEADLINE_SECONDS)
        update = next(updates)
        assert Gone("default", "weak", is_removed=True) in update.gone
        updates.close()
    finally:
        writer.stop()
