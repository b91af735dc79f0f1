"""Erasing beside ingest and questions: what is meant goes and nothing else, what is sent again is refused, and room is made."""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from builders import packed, received, request, score, span, trace_id
from daemon import DEADLINE_SECONDS, Parts, parts, until
from sessiond.core.errors import Busy, Cancelled, Invalid, NotFound, StoreFull
from sessiond.core.feedback.target import TraceTarget
from sessiond.core.model import SessionKey, TraceSummary, UserKey
from sessiond.core.statistics.breakdown import Breakdown
from sessiond.service.asking.follow import Update
from sessiond.service.asking.freshness import Freshness
from sessiond.service.asking.question import EVERYWHERE, Question, Within, ask_sessions, ask_traces
from sessiond.service.feedback.changes import Changes
from sessiond.service.feedback.items import SCORE, Items
from sessiond.service.receiving.ingest import ERASED, Answer
from sessiond.service.settling.queues import Patience
from sessiond.service.upkeep import erase
from sessiond.service.upkeep.check import check
from sessiond.service.upkeep.erase import Eraser, Erasing, wanted

S1, ANN = SessionKey("default", "s1"), UserKey("default", "ann")
SECOND = 10**9


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Parts]:
    with parts(tmp_path / "data", bytes_max=1 << 26) as found:
        yield found
        assert [problem for one in check(found.store, lambda: found.writer.rules) for problem in one.problems] == []


def put(running: Parts, *numbers: int, **more: object) -> None:
    spans = (span(trace=number, id=number, start_ms=number, **more) for number in numbers)
    running.writer.append(packed(*spans)).result(DEADLINE_SECONDS)


def end(running: Parts, meant: erase.Wanted, *, validate_only: bool = False) -> Erasing:
    """Erase, and give the last that was told."""
    return list(running.eraser.erase(meant, validate_only=validate_only))[-1]


def ids(*numbers: int) -> tuple[bytes, ...]:
    return tuple(map(trace_id, numbers))


def traces(running: Parts) -> list[int]:
    rows = (row for page in running.queries.stream(ask_traces()) for row in page)
    return [int.from_bytes(row.trace_id, "big") for row in rows]


def sessions(running: Parts) -> list[str]:
    return [row.session_id for page in running.queries.stream(ask_sessions()) for row in page]


# -- what is meant ---------------------------------------------------------------------------------------------------------------


def test_traces_are_erased_by_their_ids(running: Parts) -> None:
    put(running, 1, 2, 3)
    assert end(running, ids(3, 9, 1)) == Erasing(2, 2, 0, 0, 2)
    assert traces(running) == [2]
    assert end(running, ids(3, 9, 1)) == Erasing()


def test_what_matches_is_erased_and_nothing_else(running: Parts) -> None:
    put(running, 1, 2, session="s1", user="ann")
    put(running, 3, session="s2", user="ann", error="timeout")
    put(running, 4, session="s2", user="bob")
    assert end(running, ask_traces(Within(user_id="ann"), 'status = "error"')) == Erasing(1, 1, 0, 0, 1)
    assert (traces(running), sessions(running)) == ([4, 2, 1], ["s2", "s1"])
    assert end(running, ask_traces(Within(user_id="ann"))) == Erasing(2, 2, 0, 0, 2)
    assert (traces(running), sessions(running)) == ([4], ["s2"])


def test_a_session_goes_with_all_its_traces_whosoever_they_are(running: Parts) -> None:
    put(running, 1, session="s1", user="ann")
    put(running, 2, session="s1", user="bob")
    put(running, 3, session="s2", user="ann")
    assert end(running, ask_sessions(Within(user_id="bob"))) == Erasing(2, 2, 1, 0, 2)
    assert (traces(running), sessions(running)) == ([3], ["s2"])
    assert running.queries.user(ANN).trace_count == 1
    with pytest.raises(NotFound):
        running.queries.user(UserKey("default", "bob"))


def test_everything_is_also_what_was_said_of_what_was_not_received(running: Parts) -> None:
    put(running, 1, session="s1")
    targets = [S1, TraceTarget(trace_id(1)), SessionKey("p", "ghost"), SessionKey("p", "ghost"), TraceTarget(trace_id(9))]
    running.store.put_feedback([score(str(number), target) for number, target in enumerate(targets)])
    everything = wanted((), "trace", EVERYWHERE, "", everything=True)
    assert end(running, everything, validate_only=True) == Erasing(1, 1, 1, 5, 0)
    assert end(running, everything) == Erasing(1, 1, 1, 5, 1)
    assert running.store.scores.page(None, None, 9) == ([], None)
    assert end(running, everything) == Erasing()


def test_feedback_goes_with_what_is_erased_and_where_only_it_was_received(running: Parts) -> None:
    put(running, 1, session="s1")
    put(running, 2, session="s2")
    unknown = SessionKey("p", "s1")
    targets = [S1, SessionKey("default", "s2"), unknown, TraceTarget(trace_id(1)), TraceTarget(trace_id(9))]
    running.store.put_feedback([score(str(number), target) for number, target in enumerate(targets)])

    def left() -> list[int]:
        return sorted(int(one.id) for one in running.store.scores.page(None, None, 9)[0])

    assert end(running, ask_sessions(Within(session_id="s1"), 'user_id = "nobody"')) == Erasing()
    assert left() == [0, 1, 2, 3, 4]
    assert end(running, ask_sessions(Within("p", "s1"), "error_count > 0")) == Erasing()
    assert end(running, ask_sessions(Within("p", "s1"))) == Erasing(0, 0, 1, 1, 0)
    assert left() == [0, 1, 3, 4]
    assert end(running, ask_sessions(Within(session_id="s1"))) == Erasing(1, 1, 1, 2, 1)
    assert left() == [1, 4]
    assert end(running, ids(9)) == Erasing(feedback=1)
    assert left() == [1]


def test_what_was_said_of_a_session_counts_where_its_last_trace_goes(running: Parts) -> None:
    put(running, 1, 2, session="s1", user="ann")
    put(running, 3, session="s1", user="bob")
    running.store.put_feedback([score("0", S1)])
    assert end(running, ask_traces(Within(user_id="ann")), validate_only=True).feedback == 0
    assert end(running, ask_traces(Within(session_id="s1")), validate_only=True).feedback == 1
    assert end(running, ids(1, 2)).feedback == 0
    assert end(running, ids(3)).feedback == 1
    assert running.store.scores.page(None, None, 9) == ([], None)


def test_what_waited_to_be_settled_is_found(running: Parts) -> None:
    for number in range(1, 30):
        running.writer.append(packed(span(trace=number, id=number, session="s1")))
    assert end(running, ask_traces(Within(session_id="s1"))).erased_traces == 29


def test_only_told_nothing_is_erased(running: Parts) -> None:
    put(running, 1, 2, session="s1")
    for meant, session_count in ((ids(1, 2), 0), (ask_traces(), 0), (ask_sessions(), 1)):
        assert end(running, meant, validate_only=True) == Erasing(2, 2, session_count, 0, 0)
    assert traces(running) == [2, 1]


def test_all_there_is_goes_round_by_round(running: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erase, "ROUND_TRACES", 4)
    monkeypatch.setattr(erase, "TRACES_PER_SLICE", 3)
    put(running, *range(1, 11), session="s1")
    told = list(running.eraser.erase(ask_traces()))
    assert told[0] == Erasing(10, 10, 0, 0, 0)  # a stream's page is a round at least
    assert [one.erased_traces for one in told[1:]] == [3, 6, 9, 10, 10]
    assert (traces(running), sessions(running), running.store.extent()[:4]) == ([], [], (0, 0, 0, 0))


def test_sessions_of_more_traces_than_a_round_holds_are_all_erased(running: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erase, "ROUND_TRACES", 2)
    for number in range(1, 10):
        put(running, number, session=f"s{number % 4}")
    assert end(running, ask_sessions()) == Erasing(9, 9, 4, 0, 9)
    assert (traces(running), sessions(running)) == ([], [])


@pytest.mark.parametrize(
    ("request_of", "problem"),
    [
        ({}, "everything: False must be set to erase all there is; or say what is to go by trace_ids, project"),
        ({"everything": True, "within": Within(project="p")}, "everything: True can't be given with what restricts it"),
        ({"everything": True, "trace_ids": ids(1)}, "everything: True can't be given"),
        ({"everything": True, "of": "session"}, "everything: True can't be given with `of`"),
        ({"trace_ids": ids(1), "filter_text": "cost_usd > 1"}, "trace_ids: '1 ids' can't be given with conditions"),
        ({"trace_ids": ids(1), "of": "session"}, "trace_ids: '1 ids' can't be given with conditions or `of`"),
        ({"filter_text": "no_such_field > 1"}, "no_such_field"),
    ],
)
def test_a_request_that_says_nothing_or_too_much_is_refused(request_of: dict[str, object], problem: str) -> None:
    asked = {"trace_ids": (), "of": "trace", "within": EVERYWHERE, "filter_text": "", "everything": False, **request_of}
    with pytest.raises(Invalid, match=problem):
        wanted(**asked)


def test_a_request_means_traces_sessions_or_all() -> None:
    assert wanted(ids(1, 2), "trace", EVERYWHERE, "", everything=False) == ids(1, 2)
    assert wanted((), "trace", EVERYWHERE, "", everything=True).asked == ask_traces().asked
    assert wanted((), "session", Within(project="p"), "", everything=False).asked == ask_sessions(Within(project="p")).asked
    assert wanted((), "trace", Within(project="p"), "", everything=False).asked == ask_traces(Within(project="p")).asked


def test_whoever_stops_waiting_stops_what_is_not_erased_yet(running: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erase, "TRACES_PER_SLICE", 1)
    put(running, 1, 2, 3, session="s1")
    told = []
    with pytest.raises(Cancelled):
        told.extend(running.eraser.erase(ids(3, 2, 1), lambda: len(running.store.trace_ids()) > 2))
    assert traces(running) == [2, 1]
    assert running.queries.session(S1)[0].trace_count == 2


# -- who asks afterwards ---------------------------------------------------------------------------------------------------------


def test_who_asks_for_an_erased_trace_is_told_that_there_is_none(running: Parts) -> None:
    put(running, 1, session="s1", user="ann")
    assert running.queries.trace(trace_id(1))[0].span_count == 1
    end(running, ids(1))
    for ask in (
        lambda: running.queries.trace(trace_id(1)),
        lambda: running.queries.explain(trace_id(1)),
        lambda: running.queries.session(S1),
        lambda: running.queries.user(ANN),
    ):
        with pytest.raises(NotFound):
            ask()


@pytest.mark.parametrize("ask", ["trace", "explain"])
def test_a_trace_that_is_erased_while_it_is_read_is_not_there(running: Parts, ask: str, monkeypatch: pytest.MonkeyPatch) -> None:
    put(running, 1)
    inner = running.store.trace

    def read_and_erased(found_id: bytes) -> TraceSummary | None:
        found = inner(found_id)
        running.writer.erase([found_id], None).result(DEADLINE_SECONDS)
        return found

    running.writer.settled("traces").result(DEADLINE_SECONDS)
    monkeypatch.setattr(running.store, "trace", read_and_erased, raising=False)
    with pytest.raises(NotFound):
        getattr(running.queries, ask)(trace_id(1))


def test_when_it_ends_nothing_waits_to_be_made_again_and_all_space_is_free(running: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sessiond.storage.lmdb.erase.SWEEP_COST_MAX", 20)
    # So that nothing is settled but what somebody waits for.
    monkeypatch.setattr("sessiond.service.settling.pace.QUIET_SECONDS", 1e9)
    monkeypatch.setattr("sessiond.service.settling.pace.OWNERS", Patience(1e9, 1e9))
    running.append(received(*(span(id=number, session="s1", user="ann") for number in range(1, 101)))).result(DEADLINE_SECONDS)
    assert running.queries.session(S1)[1]
    assert running.queries.user(ANN)
    list(running.eraser.erase(ids(1)))
    assert (running.store.session(S1), running.store.user(ANN)) == (None, None)
    assert running.store.extent()[:4] == (0, 0, 0, 0)


def test_the_bell_is_rung_for_a_trace_of_no_session(running: Parts) -> None:
    put(running, 1)
    running.writer.settled("users").result(DEADLINE_SECONDS)
    rung = running.writer.settled_bell.rung
    running.writer.erase(ids(1), None).result(DEADLINE_SECONDS)
    assert running.writer.settled_bell.rung == rung + 1


def test_statistics_are_over_what_is_left(running: Parts) -> None:
    put(running, 1, 2, session="s1")
    put(running, 3, session="s2", operation="chat", model="gpt-4o-mini", tokens_in=5, tokens_out=1)
    end(running, ask_sessions(Within(session_id="s1")))
    for ask, kind in ((ask_traces, "trace"), (ask_sessions, "session")):
        stats = running.queries.stats(ask(), Breakdown.asked(kind, bucket_nano=0, group_by="", group_limit=0))
        assert stats.total.count == 1


def test_pages_go_on_while_traces_are_erased_and_skip_nothing_else(running: Parts) -> None:
    put(running, *range(1, 21), session="s1")
    found, token = running.queries.page(ask_traces(), 3, "")
    end(running, ids(20, 18, 17, 10, 9, 1))  # behind it, where it stands, ahead of it
    while token:
        more, token = running.queries.page(ask_traces(), 3, token)
        found += more
    came = [int.from_bytes(row.trace_id, "big") for row in found]
    assert came == [20, 19, 18, 16, 15, 14, 13, 12, 11, 8, 7, 6, 5, 4, 3, 2]


def test_followers_are_told_that_traces_and_sessions_are_gone(running: Parts) -> None:
    put(running, 1, session="s1")
    put(running, 2, session="s2")

    def told(question: Question[Any], token: str, holds: Callable[[Update[Any]], object]) -> Update[Any]:
        updates = running.followers.follow(question, token, lambda: True)
        found = next(filter(holds, updates))
        updates.close()
        return found

    tokens = [told(ask(), "", lambda update: update.caught_up).token for ask in (ask_traces, ask_sessions)]
    end(running, ids(1))
    gone = [
        told(ask(), token, lambda update: update.gone).gone for ask, token in zip((ask_traces, ask_sessions), tokens, strict=True)
    ]
    assert gone == [(("default", trace_id(1), True),), (("default", "s1", True),)]


# -- what is sent again ----------------------------------------------------------------------------------------------------------


def body(*numbers: int) -> bytes:
    return request(*(span(trace=number, id=number, session="s1") for number in numbers)).SerializeToString()


def test_a_resend_of_an_erased_trace_is_refused_and_its_sender_told(running: Parts) -> None:
    running.ingest.export(body(1, 2))
    end(running, ids(1))
    assert running.ingest.export(body(1, 2)) == Answer(1, f"1 x {ERASED.message}")
    assert running.ingest.export(body(2)) == Answer(0, "")
    assert traces(running) == [2]
    assert running.telemetry.counts().refused_spans == {"erased": 1}


def test_of_senders_that_are_committed_together_only_the_one_with_erased_spans_is_told(running: Parts) -> None:
    running.ingest.export(body(1))
    end(running, ids(1))
    running.store.close_gate()
    answers: dict[int, Answer] = {}
    senders = [
        threading.Thread(target=lambda number=number: answers.update({number: running.ingest.export(body(number))}))
        for number in (7, 1, 2)
    ]
    senders[0].start()
    until(lambda: len(running.store.begun) == 2)
    for sender in senders[1:]:
        sender.start()
    until(lambda: len(running.writer._queue) == 2)
    running.store.open_gate()
    for sender in senders:
        sender.join(DEADLINE_SECONDS)
    assert len(running.store.begun) == 3
    assert answers == {7: Answer(0, ""), 1: Answer(1, f"1 x {ERASED.message}"), 2: Answer(0, "")}


def test_nothing_can_be_said_of_an_erased_trace(running: Parts) -> None:
    put(running, 1, 2)
    end(running, ids(1))
    scores = Items(SCORE, running.store, Changes(running.store, running.writer), Freshness(running.writer))
    late, other = score("a", TraceTarget(trace_id(1))), score("b", TraceTarget(trace_id(2)))
    with pytest.raises(NotFound, match=f"the trace {trace_id(1).hex()} was erased"):
        scores.create(late)
    imported = scores.import_all([late, other])
    assert (imported.created, [place for place, _ in imported.failures]) == (1, [0])
    assert running.store.scores.of(trace_id(1)) == []


def test_traces_with_much_feedback_go_a_few_at_a_time(running: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erase, "FEEDBACK_PER_SLICE", 3)
    put(running, 1, 2, 3, 4)
    running.store.put_feedback([score(f"{number}-{one}", TraceTarget(trace_id(number))) for number in (2, 3) for one in range(2)])
    told = list(running.eraser.erase(ids(1, 2, 3, 4)))
    assert [one.erased_traces for one in told] == [0, 2, 4]
    assert (told[-1].feedback, running.store.scores.page(None, None, 9)[0]) == (4, [])


def test_after_its_time_a_trace_is_taken_as_new(running: Parts) -> None:
    now = [50 * SECOND]
    eraser = Eraser(running.store, running.queries, running.writer, refuse_seconds=10, clock=lambda: now[0])
    put(running, 1)
    assert list(eraser.erase(ids(1)))[-1].erased_traces == 1

    def resent() -> Answer:
        eraser.keep_up()
        running.writer.settled("traces").result(DEADLINE_SECONDS)
        return running.ingest.export(body(1))

    now[0] = 60 * SECOND
    assert resent().rejected_spans == 1
    now[0] += 1
    assert resent() == Answer(0, "")
    assert traces(running) == [1]


def test_where_nothing_is_to_be_refused_a_trace_is_new_at_once(tmp_path: Path) -> None:
    with parts(tmp_path, refuse_erased_seconds=0) as running:
        put(running, 1)
        end(running, ids(1))
        assert running.ingest.export(body(1)) == Answer(0, "")
        assert traces(running) == [1]


def test_a_trace_that_keeps_coming_while_it_is_erased_is_gone_and_its_session_true(running: Parts) -> None:
    stopping = threading.Event()

    def send() -> None:
        for number in range(10, 100_000):
            running.writer.append(packed(span(trace=1, id=number, session="s1"), span(trace=2, id=number, session="s1")))
            if stopping.is_set():
                return
            running.writer.settled("traces").result(DEADLINE_SECONDS)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        until(lambda: running.store.trace(trace_id(1)))
        assert end(running, ids(1)).erased_traces == 1
        assert running.queries.session(S1)[0].trace_count == 1
    finally:
        stopping.set()
        sender.join(DEADLINE_SECONDS)
    assert traces(running) == [2]
    assert running.queries.session(S1)[0].span_count == running.store.extent().span_count


# -- room ------------------------------------------------------------------------------------------------------------------------


def large(number: int) -> bytes:
    return request(span(trace=number, id=number, session=f"s{number}", filler=os.urandom(100_000).hex())).SerializeToString()


def test_a_full_store_takes_spans_again_after_erasing(tmp_path: Path) -> None:
    with parts(tmp_path, bytes_max=4 << 20) as running:
        numbers = iter(range(1, 1000))

        def fill() -> int:
            for number in numbers:
                try:
                    running.ingest.export(large(number))
                except StoreFull:
                    return number
            raise AssertionError("it never came to be full")

        put(running, 1001)
        refused = fill()
        assert end(running, ids(1001)) == Erasing(1, 1, 0, 0, 1)
        assert running.writer.full is not None  # that was too little
        assert end(running, ask_traces()).erased_traces == refused - 1
        assert running.writer.full is None
        again = fill()
        assert again - refused >= refused - 2  # the freed pages hold as much as before
        assert end(running, ask_sessions()).sessions == again - refused - 1
        assert (traces(running), sessions(running)) == ([], [])


def test_a_large_trace_that_was_being_erased_when_the_writer_stopped_is_swept_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sessiond.storage.lmdb.erase.SWEEP_COST_MAX", 20)
    with parts(tmp_path) as running:
        running.append(received(*(span(id=number, session="s1") for number in range(1, 101)))).result(DEADLINE_SECONDS)
        running.writer.erase(ids(1), None).result(DEADLINE_SECONDS)
        assert running.store.extent().span_count > 50
    with parts(tmp_path) as running:
        until(lambda: running.store.extent().span_count == 0)
        assert (traces(running), sessions(running)) == ([], [])


def test_a_writer_that_stops_erases_no_more(tmp_path: Path) -> None:
    with parts(tmp_path) as running:
        put(running, 1)
        erasing = running.eraser.erase(ids(1))
        assert next(erasing) == Erasing(1, 1, 0, 0, 0)
        running.writer.stop()
        with pytest.raises(Busy, match="stopping"):
            next(erasing)
