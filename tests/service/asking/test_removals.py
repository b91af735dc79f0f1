"""Removals are told for about an hour, by the notes that were taken meanwhile."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from builders import received, span
from daemon import DEADLINE_SECONDS, Parts, parts, until
from sessiond.service.asking.removals import NOTE_SECONDS, TOLD_SECONDS, Removals


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Parts]:
    with parts(tmp_path / "data") as found:
        yield found


def put(running: Parts, trace: int) -> int:
    """Put a trace, and give the number of the last change."""
    running.append(received(span(trace=trace, session=f"s{trace}"))).result(DEADLINE_SECONDS)
    running.writer.settled("sessions").result(DEADLINE_SECONDS)
    return running.store.last_change()


def forgotten(running: Parts) -> int:
    """As of everything that the writer was asked until now."""
    running.writer.settled("sessions").result(DEADLINE_SECONDS)
    return running.store.removals_forgotten()


def test_what_was_removed_is_told_for_an_hour_and_then_forgotten(running: Parts) -> None:
    now = [0.0]
    removals = Removals(running.store, running.writer, clock=lambda: now[0])
    first = put(running, 1)
    removals.keep_up()
    put(running, 2)
    now[0] = NOTE_SECONDS - 1
    removals.keep_up()
    now[0] = TOLD_SECONDS
    removals.keep_up()
    assert forgotten(running) == 0
    now[0] = TOLD_SECONDS + NOTE_SECONDS
    removals.keep_up()
    assert forgotten(running) == first


def test_many_removals_are_forgotten_in_several_transactions_until_none_is_left(running: Parts) -> None:
    for first in (1, 1001):
        running.append([one for n in range(first, first + 1000) for one in received(span(trace=n))]).result(DEADLINE_SECONDS)
    running.writer.settled("traces").result(DEADLINE_SECONDS)
    running.writer.erase(running.store.trace_ids(limit=2500), None).result(DEADLINE_SECONDS)
    inner, forgot = running.store.forget_removals, []
    running.store.forget_removals = lambda through: forgot.append(inner(through)) or forgot[-1]
    through = running.store.last_change()
    running.writer.forget_removals(through).result(DEADLINE_SECONDS)
    until(lambda: forgot[-1] is False)
    assert (forgot, forgotten(running)) == ([True, True, False], through)
    assert running.store.traces.changed(0, 9).removed == []


def test_nothing_is_noted_more_often_than_it_need_be(running: Parts) -> None:
    now = [0.0]
    removals = Removals(running.store, running.writer, clock=lambda: now[0])
    for _ in range(1000):
        removals.keep_up()
        now[0] += 1.0
    assert len(removals._notes) == 1000 // NOTE_SECONDS + 1
