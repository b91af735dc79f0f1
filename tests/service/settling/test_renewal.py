"""Renewal: figures that were made by other rules end as if they had always been made by those of now, and no query sees others."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import builders
from builders import OTHER_RULES, RULES, received, span, trace_id
from daemon import DEADLINE_SECONDS, STORE_BYTES_MAX, Parts, parts, until
from sessiond.core.errors import Busy, Cancelled, NotFound, StoreFull
from sessiond.core.figures.pricing import UnitPrices
from sessiond.core.model import SessionKey, SpanFacts, StoredSpan, UserKey
from sessiond.core.rows.where import Where
from sessiond.prices import GenaiPriceBook, Override, token_price
from sessiond.service.asking import freshness
from sessiond.service.asking.question import Within, ask_sessions, ask_traces
from sessiond.service.settling import renewal, settle
from sessiond.service.settling.renewal import Renewal, Renewed
from sessiond.service.settling.rules import Rules
from sessiond.service.settling.settle import Settler
from sessiond.service.upkeep.check import Checked, check
from sessiond.storage.api import Store
from sessiond.storage.lmdb.store import LmdbStore
from sessiond.storage.packing import Packer

EVERYTHING = Where()
QUESTIONS = {"traces": ask_traces(), "sessions": ask_sessions()}
TRACES = 60


def priced(usd_per_million: int) -> Rules:
    """Rules by which a token of the model `house` costs as much."""
    price = token_price(Decimal(usd_per_million))
    return Rules(GenaiPriceBook([Override("house", None, None, UnitPrices(input=price, output=price))]))


CHEAP, DEAR = priced(1), priced(3)


def turn(number: int) -> list[Any]:
    """A trace of a call; by RULES it is of session s<n> and user u<n>, by OTHER_RULES of session k<n> and user p<n>."""
    return received(
        span(
            trace=number,
            id=number,
            session=f"s{number % 5}",
            user=f"u{number % 3}",
            chat__key=f"k{number % 7}",
            chat__person=f"p{number % 4}",
            operation="chat",
            model="house",
            tokens_in=number,
            tokens_out=1,
            start_ms=number,
            input__value=f"question {number}",
        ),
        arrival=builders.ARRIVAL + number,
    )


def read_by(rules: Rules, *numbers: int) -> list[Any]:
    """The traces of some numbers as a daemon with these rules decodes them."""
    return [
        one._replace(facts=again)
        for number in numbers
        for one in turn(number)
        if (again := rules.facts(builders.stored(one.data, one.origin, one.facts.received_unix_nano)))
    ]


def written(path: Path, rules: Rules, *numbers: int) -> None:
    """A store of traces, settled and confirmed by some rules."""
    store = LmdbStore.open(path, bytes_max=STORE_BYTES_MAX, rules=rules.fingerprint)
    store.append(Packer().traces(read_by(rules, *numbers)))
    Settler(store, rules).settle_all()
    assert not store.may_be_outdated()
    store.close()


def rows(store: Store) -> dict[str, object]:
    """Everything that a store answers, without the numbers of its changes."""
    traces = [row.summary for row in store.traces.page(EVERYTHING, None, 1000).rows]
    return {
        "traces": traces,
        "texts": store.texts([trace.trace_id for trace in traces]),
        "sessions": [row.summary for row in store.sessions.page(EVERYTHING, None, 1000).rows],
        "users": sorted(map(repr, map(store.user, store.user_keys()))),
        "facts": [sorted(map(repr, store.facts(trace.trace_id))) for trace in traces],
        "marks": store.marks(),
    }


def as_if_written_by(path: Path, rules: Rules, *numbers: int) -> dict[str, object]:
    """The rows of a fresh store of these traces."""
    written(path, rules, *numbers)
    store = LmdbStore.open(path, bytes_max=STORE_BYTES_MAX, rules=rules.fingerprint)
    found = rows(store)
    store.close()
    return found


def problems(checked: Iterator[Checked]) -> list[str]:
    return [problem for one in checked for problem in one.problems]


@pytest.fixture
def fresh(tmp_path: Path) -> Callable[..., dict[str, object]]:
    return lambda rules, *numbers: as_if_written_by(tmp_path / "fresh", rules, *numbers)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step of a renewal looks at one trace, so that there is a middle to look at."""
    monkeypatch.setattr(renewal, "TRACES_PER_STEP", 1)


NUMBERS = range(1, TRACES + 1)


@contextmanager
def opened(tmp_path: Path, before: Rules, after: Rules, **more: Any) -> Iterator[Parts]:
    """A daemon by `after` over a store by `before`."""
    written(tmp_path / "data", before, *NUMBERS)
    with parts(tmp_path / "data", rules=after, **more) as running:
        yield running


CHANGES = pytest.mark.parametrize(
    ("before", "after"), [(CHEAP, DEAR), (RULES, OTHER_RULES), (OTHER_RULES, RULES)], ids=["prices", "keys", "keys taken away"]
)


@CHANGES
def test_a_store_of_other_rules_ends_as_if_written_by_those_of_now(
    tmp_path: Path, fresh: Callable[..., dict[str, object]], before: Rules, after: Rules
) -> None:
    with opened(tmp_path, before, after) as running:
        until(lambda: not running.writer.is_renewing and not any(running.writer.waiting()))
        assert rows(running.store) == fresh(after, *NUMBERS)
        assert not running.store.may_be_outdated()
        assert problems(check(running.store, lambda: after)) == []


def test_nothing_is_renewed_where_the_rules_are_the_same(tmp_path: Path) -> None:
    with opened(tmp_path, CHEAP, priced(1)) as running:
        assert (running.writer.is_renewing, running.writer.renewed()) == (False, None)


def test_progress_counts_the_traces_that_were_looked_at(tmp_path: Path) -> None:
    written(tmp_path, CHEAP, *NUMBERS)
    store = LmdbStore.open(tmp_path, bytes_max=STORE_BYTES_MAX, rules=DEAR.fingerprint)
    walk = Renewal(store)
    assert walk.progress() == Renewed(0, TRACES)
    assert len(walk.step()) == TRACES
    assert walk.progress() == Renewed(TRACES, TRACES)
    store.renew(store.trace_ids(), DEAR.facts)
    assert walk.step() == []
    assert walk.progress() is None
    store.close()


@pytest.mark.usefixtures("slow")
@CHANGES
def test_the_first_queries_give_every_row_by_the_rules_of_now(
    tmp_path: Path, fresh: Callable[..., dict[str, object]], before: Rules, after: Rules
) -> None:
    expected = fresh(after, *NUMBERS)
    for kind, question in QUESTIONS.items():
        with opened(tmp_path / kind, before, after) as running:
            walked = {row[:2]: row for page in running.queries.stream(question) for row in page}
            assert sorted(walked.values()) == sorted(expected[kind])


@pytest.mark.usefixtures("slow")
@CHANGES
def test_a_paged_walk_skips_nothing_and_ends_with_each_row_by_the_rules_of_now(
    tmp_path: Path, fresh: Callable[..., dict[str, object]], before: Rules, after: Rules
) -> None:
    expected = fresh(after, *NUMBERS)
    for kind, question in QUESTIONS.items():
        with opened(tmp_path / kind, before, after) as running:
            found, token = running.queries.page(question, 2, "")
            while token:
                more, token = running.queries.page(question, 2, token)
                found += more
            walked = {(row.key if kind == "sessions" else row.trace_id): row for row in found}
            held = {(row.key if kind == "sessions" else row.trace_id): row for row in expected[kind]}
            assert {key: walked.get(key) for key in held} == held


@pytest.mark.usefixtures("slow")
def test_one_row_asked_for_first_is_by_the_rules_of_now(tmp_path: Path, fresh: Callable[..., dict[str, object]]) -> None:
    expected = fresh(OTHER_RULES, *NUMBERS)
    asks: dict[str, Callable[[Parts], object]] = {
        "session": lambda running: running.queries.session(SessionKey("default", "k1"))[0] in expected["sessions"],
        "traces of a session": lambda running: len(running.queries.session(SessionKey("default", "k1"))[1]) == 9,
        "user": lambda running: repr(running.queries.user(UserKey("default", "p1"))) in expected["users"],
        "trace": lambda running: running.queries.trace(trace_id(1))[0] in expected["traces"],
        "filter": lambda running: len(running.queries.page(ask_traces(Within(session_id="k1")), 99, "")[0]) == 9,
        "streamed filter": lambda running: (
            {row.session_id for page in running.queries.stream(ask_sessions(Within(user_id="p1"))) for row in page}
            == {f"k{number}" for number in range(7)}
        ),
    }
    for name, holds in asks.items():
        with opened(tmp_path / name, RULES, OTHER_RULES) as running:
            assert holds(running), name


@pytest.mark.usefixtures("slow")
def test_what_is_there_by_the_old_rules_alone_is_not_found(tmp_path: Path) -> None:
    with opened(tmp_path, RULES, OTHER_RULES) as running, pytest.raises(NotFound):
        running.queries.session(SessionKey("default", "s1"))


def hold(running_store: Any) -> Callable[[], None]:
    """Let the walk over all traces find none and never end, until what is returned is called."""
    inner = running_store.outdated
    released = threading.Event()

    def outdated(after: bytes | None = None, limit: int = 1000) -> tuple[list[bytes], bytes | None]:
        return inner(after, limit) if released.is_set() else ([], after or b"\0")

    running_store.outdated = outdated
    return released.set


@pytest.fixture
def repricing(tmp_path: Path) -> Iterator[tuple[Parts, Callable[[], None]]]:
    """A daemon whose prices have just changed, and whose renewal has not begun and begins when the second is called."""
    written(tmp_path / "data", CHEAP, *NUMBERS)
    with parts(tmp_path / "data", rules=CHEAP) as running:
        begin = hold(running.store)
        assert running.writer.change_rules(DEAR).result(DEADLINE_SECONDS) == TRACES
        yield running, begin


def test_pages_renew_what_they_show_and_wait_for_nothing_else_where_only_prices_changed(
    repricing: tuple[Parts, Callable[[], None]], fresh: Callable[..., dict[str, object]]
) -> None:
    running, begin = repricing
    expected = fresh(DEAR, *NUMBERS)
    assert running.queries.page(ask_traces(), 3, "")[0] == expected["traces"][:3]
    assert running.store.outdated_among(running.store.trace_ids()) == [trace_id(number) for number in NUMBERS[:-3]]
    assert running.queries.page(ask_sessions(), 99, "")[0] == expected["sessions"]
    assert running.writer.is_renewing
    begin()


def test_each_page_of_a_walk_renews_what_it_shows(
    repricing: tuple[Parts, Callable[[], None]], fresh: Callable[..., dict[str, object]]
) -> None:
    running, begin = repricing
    found, token = running.queries.page(ask_traces(), 20, "")
    while token:
        more, token = running.queries.page(ask_traces(), 20, token)
        found += more
    assert sorted(found) == sorted(fresh(DEAR, *NUMBERS)["traces"])
    begin()


def test_a_page_comes_though_its_rows_get_new_traces_all_the_time(repricing: tuple[Parts, Callable[[], None]]) -> None:
    running, begin = repricing
    rows_of = running.queries.rows_of
    made_of, numbers = rows_of["session"].made_of, iter(range(1000, 1100))

    def growing(session: Any) -> Any:
        running.append(read_by(DEAR, next(numbers))).result(DEADLINE_SECONDS)
        running.writer.settled("sessions").result(DEADLINE_SECONDS)
        return made_of(session)

    rows_of["session"] = rows_of["session"]._replace(made_of=growing)
    found, _ = running.queries.page(ask_sessions(), 2, "")
    assert running.store.outdated_among([each for session in found for each in made_of(session)]) == []
    assert running.writer.is_renewing
    begin()


def test_rows_are_not_renewed_for_a_client_that_left(repricing: tuple[Parts, Callable[[], None]]) -> None:
    running, begin = repricing
    with pytest.raises(Cancelled):
        running.queries.page(ask_traces(), 3, "", lambda: False)
    assert len(running.store.outdated_among(running.store.trace_ids())) == TRACES
    begin()


def test_the_same_prices_again_do_not_begin_a_renewal_anew(repricing: tuple[Parts, Callable[[], None]]) -> None:
    running, _ = repricing
    until(lambda: running.writer.renewed() == Renewed(TRACES, TRACES))
    assert running.writer.change_rules(priced(3)).result(DEADLINE_SECONDS) == TRACES
    assert running.writer.renewed() == Renewed(TRACES, TRACES)


def test_a_price_change_does_not_keep_an_unknown_session_from_being_not_found(
    repricing: tuple[Parts, Callable[[], None]],
) -> None:
    running, begin = repricing
    with pytest.raises(NotFound):
        running.queries.session(SessionKey("default", "none"))
    assert running.writer.is_renewing
    begin()


def test_a_query_that_must_see_all_of_a_long_renewal_is_told_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freshness, "SETTLE_SECONDS_MAX", 0.05)
    with opened(tmp_path, CHEAP, CHEAP) as running:
        begin = hold(running.store)
        running.writer.change_rules(OTHER_RULES).result(DEADLINE_SECONDS)
        with pytest.raises(Busy, match=r"read by new rules, [0-9]+ of 60 traces so far; ask again"):
            running.queries.session(SessionKey("default", "k1"))
        begin()


def test_spans_that_come_for_an_old_trace_are_settled_by_the_rules_of_now(tmp_path: Path) -> None:
    with opened(tmp_path, CHEAP, DEAR) as running:
        late = received(span(trace=1, id=999, operation="chat", model="house", tokens_in=10, tokens_out=0))
        running.append(late).result(DEADLINE_SECONDS)
        assert running.queries.trace(trace_id(1))[0].costs.total_nano == 3 * (2 + 10) * 1000


@pytest.mark.usefixtures("slow")
def test_a_renewal_goes_on_while_spans_keep_coming(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settle, "RENEWAL_SECONDS", 0.0)
    with opened(tmp_path, CHEAP, DEAR) as running:

        def appended_meanwhile() -> bool:
            running.append(received(span(trace=5000 + next(builders._ids), session="busy", user="busy"))).result(DEADLINE_SECONDS)
            return not running.writer.is_renewing

        until(appended_meanwhile)
        assert running.store.outdated() == ([], None)


def test_a_renewal_that_was_cut_off_goes_on_after_a_restart(tmp_path: Path, fresh: Callable[..., dict[str, object]]) -> None:
    written(tmp_path / "data", RULES, *NUMBERS)
    store = LmdbStore.open(tmp_path / "data", bytes_max=STORE_BYTES_MAX, rules=OTHER_RULES.fingerprint)
    store.renew([trace_id(number) for number in range(1, 20)], OTHER_RULES.facts)
    store.close()
    with parts(tmp_path / "data", rules=OTHER_RULES) as running:
        until(lambda: not running.writer.is_renewing and not any(running.writer.waiting()))
        assert rows(running.store) == fresh(OTHER_RULES, *NUMBERS)


def test_a_renewal_goes_on_after_the_disk_was_full(tmp_path: Path, fresh: Callable[..., dict[str, object]]) -> None:
    written(tmp_path / "data", CHEAP, *NUMBERS)
    with parts(tmp_path / "data", rules=CHEAP) as running:
        inner, failed = running.store.renew, threading.Event()

        def renew(*arguments: Any) -> None:
            if not failed.is_set():
                failed.set()
                raise StoreFull("the disk is full")
            inner(*arguments)

        running.store.renew = renew
        running.writer.change_rules(DEAR).result(DEADLINE_SECONDS)
        with suppress(StoreFull):
            running.queries.trace(trace_id(1))
        until(lambda: not running.writer.is_renewing and not any(running.writer.waiting()))
        assert failed.is_set()
        assert running.broken == []
        assert rows(running.store) == fresh(DEAR, *NUMBERS)


class FailsOnSecond(Rules):
    """Rules that can't read the span of trace 2."""

    def facts(self, span: StoredSpan) -> SpanFacts | None:
        if trace_id(2) in span.data:
            raise RecursionError("one odd span")
        return super().facts(span)


def test_a_span_that_the_new_rules_fail_on_keeps_its_facts_and_stops_no_other(
    tmp_path: Path, fresh: Callable[..., dict[str, object]]
) -> None:
    after = FailsOnSecond(OTHER_RULES.prices, OTHER_RULES.keys)
    with opened(tmp_path, RULES, after) as running:
        until(lambda: running.broken or not (running.writer.is_renewing or any(running.writer.waiting())))
        assert running.broken == []
        expected = fresh(OTHER_RULES, *NUMBERS)
        assert [one.session_id for one in running.queries.page(ask_traces(Within(session_id="s2")), 9, "")[0]] == ["s2"]
        others = [row for row in rows(running.store)["traces"] if row.trace_id != trace_id(2)]
        assert others == [row for row in expected["traces"] if row.trace_id != trace_id(2)]
        assert running.append(turn(TRACES + 1)).result(DEADLINE_SECONDS).stored == 1
    with parts(tmp_path / "data", rules=after) as running:
        assert not running.writer.is_renewing


def test_the_check_finds_nothing_during_a_renewal_and_counts_what_is_outdated(
    repricing: tuple[Parts, Callable[[], None]],
) -> None:
    running, begin = repricing
    running.queries.page(ask_traces(), 3, "")
    told = list(check(running.store, lambda: running.writer.rules))
    assert problems(iter(told)) == []
    assert told[-1].outdated == TRACES - 3
    begin()


def test_the_check_by_other_rules_counts_all_as_outdated_and_reports_nothing(tmp_path: Path) -> None:
    written(tmp_path, RULES, *NUMBERS)
    store = LmdbStore.open(tmp_path, bytes_max=STORE_BYTES_MAX, rules=OTHER_RULES.fingerprint)
    told = list(check(store, lambda: OTHER_RULES))
    assert (problems(iter(told)), told[-1].outdated) == ([], TRACES)
    store.close()


def test_the_check_does_not_compare_a_session_or_user_of_traces_of_other_rules(tmp_path: Path) -> None:
    """An older version may have summed them up differently."""
    store = LmdbStore.open(tmp_path, bytes_max=STORE_BYTES_MAX, rules=RULES.fingerprint)
    store.append(Packer().traces(read_by(RULES, *NUMBERS)))
    Settler(store, RULES).settle_all()
    session, user = store.session(SessionKey("default", "s1")), store.user(UserKey("default", "u1"))
    assert session is not None
    assert user is not None
    store.put_sessions([(session.key, session._replace(error_count=7))])
    store.put_users([(user.key, user._replace(trace_count=7))])
    assert len(problems(check(store, lambda: RULES))) == 2
    store.set_rules(OTHER_RULES.fingerprint)
    assert problems(check(store, lambda: OTHER_RULES)) == []
    store.close()


def test_two_changes_of_rules_end_with_the_last(tmp_path: Path, fresh: Callable[..., dict[str, object]]) -> None:
    with opened(tmp_path, CHEAP, CHEAP) as running:
        for rules in (DEAR, priced(5)):
            running.writer.change_rules(rules)
        until(lambda: running.writer.rules.fingerprint == priced(5).fingerprint and not running.writer.is_renewing)
        until(lambda: not any(running.writer.waiting()))
        assert rows(running.store) == fresh(priced(5), *NUMBERS)
