"""When sessions and users that are marked again and again are due."""

import pytest

from clock import Clock
from sessiond.core.model import SessionKey
from sessiond.service.settling.queues import AT_ONCE, PAUSE_PER_COST, OwnerQueue, Patience, Queue

PATIENCE = Patience(rest_seconds=1.0, wait_seconds_max=5.0)
A, B = SessionKey("p", "a"), SessionKey("p", "b")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def queue(clock: Clock) -> OwnerQueue[SessionKey]:
    return OwnerQueue(())


def test_a_key_marked_again_keeps_its_place():
    queue = Queue("ab")
    queue.add("ca")
    assert queue.oldest(2) == ["a", "b"]
    assert not queue.is_done_through(1)
    queue.remove("a")
    assert queue.is_done_through(1)
    assert not queue.is_done_through(2)


def test_nothing_is_due_where_nothing_is_marked(queue: OwnerQueue[SessionKey]):
    assert (list(queue.due(AT_ONCE)), queue.seconds_until_due(AT_ONCE)) == ([], None)


def test_without_patience_all_are_due_the_longest_marked_first(queue: OwnerQueue[SessionKey], clock: Clock):
    queue.add([A])
    clock.now += 1
    queue.add([B])
    clock.now += 1
    queue.add([A])
    assert (list(queue.due(AT_ONCE)), queue.seconds_until_due(AT_ONCE)) == ([A, B], 0.0)


def test_one_at_rest_is_due_and_one_that_is_marked_on_and_on_waits_its_time(queue: OwnerQueue[SessionKey], clock: Clock):
    queue.add([A, B])
    for _ in range(9):
        clock.now += 0.5
        queue.add([A])
    assert list(queue.due(PATIENCE)) == [B]
    queue.remove([B])
    assert (list(queue.due(PATIENCE)), queue.seconds_until_due(PATIENCE)) == ([], 0.5)
    clock.now += 0.5
    assert (list(queue.due(PATIENCE)), queue.seconds_until_due(PATIENCE)) == ([A], 0.0)


def test_one_that_takes_long_pauses_and_keeps_no_other_from_being_due(queue: OwnerQueue[SessionKey], clock: Clock):
    queue.add([A, B])
    queue.took(A, 0.1)
    clock.now += 1
    assert list(queue.due(PATIENCE)) == [B]
    queue.remove([B])
    assert queue.seconds_until_due(PATIENCE) == 0.1 * PAUSE_PER_COST - 1
    clock.now += 1
    assert list(queue.due(PATIENCE)) == [A]
    queue.took(A, 0.1)
    queue.forget_pauses()
    assert list(queue.due(PATIENCE)) == [A]


def test_a_short_one_pauses_no_more(queue: OwnerQueue[SessionKey]):
    queue.add([A])
    queue.took(A, 0.1)
    queue.took(A, 0.001)
    assert list(queue.due(AT_ONCE)) == [A]


def test_those_due_are_found_as_they_are_taken_however_many_there_are(clock: Clock):
    looked_at = []

    class Counted(SessionKey):
        def __hash__(self) -> int:
            looked_at.append(self)
            return super().__hash__()

    queue = OwnerQueue([Counted("p", str(number)) for number in range(1000)])
    queue.took(Counted("p", "0"), 0.1)
    clock.now += 1
    looked_at.clear()
    assert next(queue.due(PATIENCE)) == SessionKey("p", "1")
    assert queue.seconds_until_due(PATIENCE) == 0
    assert len(looked_at) < 100
