"""When the settler is to take its next step, and of how much."""

from concurrent.futures import Future

import pytest

from builders import OTHER_RULES, RULES, packed, span
from clock import Clock
from sessiond.service.settling.pace import (
    FOLLOWED_OWNERS,
    FOLLOWED_QUIET_SECONDS,
    MARKED_TRACES_MAX,
    MARKED_TRACES_MIN,
    OWNERS,
    QUIET_SECONDS,
    TRACES_SECONDS_MAX,
    Pace,
)
from sessiond.service.settling.queues import AT_ONCE
from sessiond.service.settling.settle import RENEWAL_SECONDS, Settler
from sessiond.storage.memory import MemoryStore

OFTEN_SECONDS = FOLLOWED_QUIET_SECONDS / 2
"""Spans that come so often leave no quiet between them."""


class Paced:
    """A settler over a store, at its pace; spans come, and time goes by, when a test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._clock = Clock(monkeypatch)
        self._store = MemoryStore(RULES.fingerprint)
        self._trace_count = 0
        self.settler = Settler(self._store, RULES)
        self.settler.settle_all()  # looks whether facts are of other rules, as after every start
        self.pace = Pace(self.settler)

    def spans_come(self, session: str | None = None, *, traces: int = 1) -> None:
        for _ in range(traces):
            self._trace_count += 1
            self.settler.note(self._store.append(packed(span(trace=self._trace_count, session=session))).traces)
        self.pace.wrote()

    def spans_keep_coming(self, seconds: float) -> None:
        for _ in range(round(seconds / OFTEN_SECONDS)):
            self.go_by(OFTEN_SECONDS)
            self.spans_come()

    def go_by(self, seconds: float) -> None:
        self._clock.now += seconds

    def is_time(self) -> bool:
        return self.pace.is_time(appends_wait=False)

    def step(self) -> None:
        assert self.settler.step(self.pace.patience(), traces=self.pace.wants_traces())
        self.pace.stepped()


@pytest.fixture
def paced(monkeypatch: pytest.MonkeyPatch) -> Paced:
    return Paced(monkeypatch)


def test_where_nothing_is_marked_no_step_is_due(paced: Paced):
    assert paced.pace.seconds_until_step() is None


def test_all_is_settled_when_it_is_quiet(paced: Paced):
    paced.spans_come()
    assert not paced.is_time()
    assert paced.pace.seconds_until_step() == pytest.approx(QUIET_SECONDS)
    paced.go_by(QUIET_SECONDS + OFTEN_SECONDS)
    assert paced.is_time()
    assert paced.pace.patience() == AT_ONCE
    assert paced.pace.seconds_until_step() == 0


def test_what_waits_for_the_disk_goes_before_what_waits_to_be_settled(paced: Paced):
    paced.spans_come()
    paced.go_by(QUIET_SECONDS * 2)
    assert not paced.pace.is_time(appends_wait=True)


def test_where_something_always_waits_for_the_disk_traces_are_settled_none_the_less(paced: Paced):
    paced.spans_come()
    paced.spans_keep_coming(TRACES_SECONDS_MAX - OFTEN_SECONDS)
    assert not paced.pace.is_time(appends_wait=True)
    paced.spans_keep_coming(OFTEN_SECONDS * 2)
    assert paced.pace.is_time(appends_wait=True)
    paced.step()
    assert not paced.settler.waiting().traces
    assert not paced.pace.is_time(appends_wait=True)


def test_where_something_always_waits_for_the_disk_a_session_is_settled_when_it_rests(paced: Paced):
    paced.spans_come("rests")
    paced.go_by(QUIET_SECONDS * 2)
    paced.step()
    paced.spans_keep_coming(OWNERS.rest_seconds - OFTEN_SECONDS)
    assert not paced.pace.is_time(appends_wait=True)
    paced.spans_keep_coming(OFTEN_SECONDS * 2)
    assert paced.pace.is_time(appends_wait=True)
    paced.step()
    assert not paced.settler.waiting().sessions


def test_where_something_always_waits_for_the_disk_facts_of_other_rules_are_renewed(paced: Paced):
    paced.settler.change_rules(OTHER_RULES)
    assert not paced.pace.is_time(appends_wait=True)
    paced.go_by(RENEWAL_SECONDS)
    paced.pace.wrote()
    assert paced.pace.is_time(appends_wait=True)


def test_while_spans_keep_coming_traces_wait_a_while_and_no_longer(paced: Paced):
    paced.spans_come()
    paced.spans_keep_coming(TRACES_SECONDS_MAX / 2)
    assert not paced.is_time()
    assert paced.pace.patience() == OWNERS
    paced.spans_keep_coming(TRACES_SECONDS_MAX / 2 + OFTEN_SECONDS)
    assert paced.is_time()
    assert paced.pace.wants_traces()
    paced.step()
    assert not paced.is_time()
    assert not paced.settler.waiting().traces


def test_many_marked_traces_are_settled_between_appends(paced: Paced):
    paced.spans_come(traces=MARKED_TRACES_MIN - 1)
    assert not paced.is_time()
    paced.spans_come()
    assert paced.is_time()
    assert paced.pace.wants_traces()
    assert not paced.pace.is_time(appends_wait=True)


def test_too_many_marked_traces_are_settled_before_further_appends(paced: Paced):
    ids = (number.to_bytes(16, "big") for number in range(1, MARKED_TRACES_MAX + 2))
    paced.settler.note(ids)
    assert paced.pace.is_behind()
    assert paced.pace.is_time(appends_wait=True)


def test_a_session_at_rest_is_settled_while_spans_of_others_keep_coming(paced: Paced):
    paced.spans_come("rests")
    paced.go_by(QUIET_SECONDS * 2)
    paced.step()
    assert paced.settler.waiting().sessions == 1
    paced.spans_keep_coming(OWNERS.rest_seconds - OFTEN_SECONDS)
    assert not paced.is_time()
    paced.spans_keep_coming(OFTEN_SECONDS * 2)
    assert paced.is_time()


def test_facts_of_other_rules_are_renewed_without_a_pause_only_when_it_is_quiet(paced: Paced):
    paced.settler.change_rules(OTHER_RULES)
    assert paced.pace.seconds_until_step() == 0
    paced.pace.wrote()  # what was there already: nothing is marked
    assert not paced.is_time()
    assert paced.pace.seconds_until_step() == pytest.approx(QUIET_SECONDS)


def test_followers_wait_less(paced: Paced):
    paced.pace.follower_count = 1
    paced.spans_come()
    assert paced.pace.patience() == FOLLOWED_OWNERS
    assert paced.pace.seconds_until_step() == pytest.approx(FOLLOWED_QUIET_SECONDS)


def test_whoever_waits_is_served_before_all_else(paced: Paced):
    paced.spans_come("asked for")
    paced.settler.wait_for("sessions", Future())
    assert paced.pace.is_time(appends_wait=True)
    assert paced.pace.seconds_until_step() == 0
