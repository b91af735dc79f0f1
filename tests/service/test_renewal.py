"""When rules change: everything stored ends as if it had come under the new ones, and no query shows a row of the old ones."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from builders import ARRIVAL, RULES, packed, received, request, span, trace_id
from daemon import DEADLINE_SECONDS, STORE_BYTES_MAX, Parts, parts, until
from sessiond.core.model import SessionKey, UserKey
from sessiond.core.pricing import TokenPrice, UnitPrices
from sessiond.prices import GenaiPriceBook, Override
from sessiond.service.check import check
from sessiond.service.decode import Decoder
from sessiond.service.reprice import reprice
from sessiond.service.rules import ExtraKeys, Rules
from sessiond.service.settle import Settler
from sessiond.storage.api import Where
from sessiond.storage.lmdb.store import LmdbStore

TRACES = 500
DEAR = GenaiPriceBook([Override("gpt-4o-mini", None, None, UnitPrices(input=TokenPrice(10**18), output=TokenPrice(10**18)))])
NEW = Rules(DEAR, ExtraKeys(session=("app.chat",), user=("app.person",)))
"""Another price for every call, and keys that move every trace to another session and user."""


def turn(number: int) -> Span:
    return span(
        trace=number,
        id=1,
        start_ms=number,
        operation="chat",
        model="gpt-4o-mini",
        tokens_in=1_000_000,
        tokens_out=number,
        session=f"old-{number % 7}",
        user="old",
        app__chat=f"new-{number % 5}",
        app__person="new",
    )


def write(path: Path, rules: Rules) -> None:
    store = LmdbStore.open(path, bytes_max=STORE_BYTES_MAX, rules=rules.fingerprint)
    decoder = Decoder(rules.keys.normalizer())
    body = request(*map(turn, range(1, TRACES + 1))).SerializeToString()
    for decoded in decoder.decode(body, received_unix_nano=ARRIVAL, spans_max=TRACES):
        store.append(decoded.traces)
    Settler(store, rules).settle_all()
    store.close()


def rows(store: LmdbStore) -> tuple[object, ...]:
    """Everything that is computed of a store."""
    traces = [row.summary for row in store.list_traces(Where(), None, 10_000).rows]
    sessions = [row.summary for row in store.list_sessions(Where(), None, 10_000).rows]
    users = [store.user(key) for key in store.user_keys()]
    return traces, sessions, users, store.texts([trace.trace_id for trace in traces]), [store.facts(one.trace_id) for one in traces]


def problems(store: LmdbStore, rules: Rules) -> list[str]:
    return [problem for checked in check(store, lambda: rules) for problem in checked.problems]


@pytest.fixture
def old(tmp_path: Path) -> Path:
    write(tmp_path / "data", RULES)
    return tmp_path / "data"


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[LmdbStore]:
    """A store to which the same came under the new rules."""
    write(tmp_path / "fresh", NEW)
    store = LmdbStore.open(tmp_path / "fresh", bytes_max=STORE_BYTES_MAX, rules=NEW.fingerprint)
    yield store
    store.close()


def opened(path: Path, rules: Rules) -> LmdbStore:
    return LmdbStore.open(path, bytes_max=STORE_BYTES_MAX, rules=rules.fingerprint)


def test_a_store_of_other_rules_ends_as_if_all_had_come_under_the_new_ones(old: Path, fresh: LmdbStore) -> None:
    store = opened(old, NEW)
    settler = Settler(store, NEW)
    assert settler.renewal.is_under_way
    settler.settle_all()
    assert rows(store) == rows(fresh)
    assert problems(store, NEW) == []
    store.close()
    again = opened(old, NEW)
    assert not Settler(again, NEW).renewal.is_under_way
    again.close()


def test_the_same_rules_renew_nothing(old: Path) -> None:
    store = opened(old, RULES)
    assert not Settler(store, RULES).renewal.is_under_way
    store.close()


def test_a_renewal_that_was_cut_short_goes_on_after_the_next_start(old: Path, fresh: LmdbStore) -> None:
    store = opened(old, NEW)
    settler = Settler(store, NEW)
    for _ in range(3):
        settler.step()
    store.close()
    store = opened(old, NEW)
    assert 0 < len(store.outdated_among(store.trace_ids(None, TRACES))) < TRACES
    Settler(store, NEW).settle_all()
    assert rows(store) == rows(fresh)
    store.close()


def test_going_back_to_the_first_rules_halfway_renews_what_was_renewed(old: Path, tmp_path: Path) -> None:
    store = opened(old, NEW)
    settler = Settler(store, NEW)
    for _ in range(3):
        settler.step()
    store.close()
    write(tmp_path / "first", RULES)
    store, first = opened(old, RULES), opened(tmp_path / "first", RULES)
    Settler(store, RULES).settle_all()
    assert rows(store) == rows(first)
    store.close()
    first.close()


def test_traces_that_were_never_settled_are_renewed_before_they_are(tmp_path: Path, fresh: LmdbStore) -> None:
    store = opened(tmp_path / "data", RULES)
    store.append(packed(*map(turn, range(1, TRACES + 1))))
    store.close()
    store = opened(tmp_path / "data", NEW)
    Settler(store, NEW).settle_all()
    assert rows(store) == rows(fresh)
    store.close()


def test_a_check_under_other_rules_compares_nothing_of_them(old: Path) -> None:
    store = opened(old, NEW)
    *_, last = check(store, lambda: NEW)
    assert (last.outdated, problems(store, NEW)) == (TRACES, [])
    store.close()


# -- queries meanwhile -----------------------------------------------------------------------------------------------------------


def renewing(running: Parts, rules: Rules) -> None:
    """Let the parts change to other rules."""
    running.writer.change_rules(rules)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Parts]:
    with parts(tmp_path / "data") as found:
        sent = [one for number in range(1, TRACES + 1) for one in received(turn(number))]
        found.append(sent).result(DEADLINE_SECONDS)
        found.queries.list_sessions(Where(), 0, "")
        yield found


def test_a_trace_asked_for_is_of_the_new_rules_at_once(running: Parts) -> None:
    renewing(running, NEW)
    summary, _ = running.queries.trace(trace_id(TRACES))
    assert (summary.session_id, summary.user_id, summary.costs.total_nano) == (f"new-{TRACES % 5}", "new", 10**9 + TRACES * 1000)


def test_every_row_of_a_walk_is_of_the_new_rules_and_none_is_left_out(running: Parts) -> None:
    renewing(running, NEW)
    token, seen = "", {}
    while True:
        page, token = running.queries.list_traces(Where(), 50, token)
        seen.update({trace.trace_id: (trace.user_id, (trace.costs.total_nano or 0) >= 10**9) for trace in page})
        if not token:
            break
    assert seen == dict.fromkeys(map(trace_id, range(1, TRACES + 1)), ("new", True))


def test_a_stream_is_of_the_new_rules(running: Parts) -> None:
    renewing(running, NEW)
    streamed = {trace.trace_id: trace.user_id for page in running.queries.stream_traces(Where()) for trace in page}
    assert streamed == dict.fromkeys(map(trace_id, range(1, TRACES + 1)), "new")


def test_progress_is_told_until_all_is_done(running: Parts) -> None:
    told = list(reprice(running.writer, running.store, lambda: DEAR))
    assert told[-1] == (TRACES, TRACES)
    assert not running.writer.is_renewing
    assert running.writer.renewed() is None


def test_repriced_sessions_and_users_have_the_new_costs(running: Parts) -> None:
    list(reprice(running.writer, running.store, lambda: DEAR))
    session, traces = running.queries.session(SessionKey("default", "old-1"))
    assert session.costs.total_nano == sum(trace.costs.total_nano or 0 for trace in traces) >= len(traces) * 10**9
    user = running.queries.user(UserKey("default", "old"))
    assert user.costs.total_nano == sum(10**9 + number * 1000 for number in range(1, TRACES + 1))


def test_prices_that_did_not_change_leave_nothing_to_do(running: Parts) -> None:
    before = running.store.last_change()
    assert list(reprice(running.writer, running.store, GenaiPriceBook)) == [(0, 0)]
    assert running.store.last_change() == before


def test_prices_that_can_not_be_read_change_nothing(running: Parts) -> None:
    def unreadable() -> GenaiPriceBook:
        raise ValueError("no prices")

    with pytest.raises(ValueError, match="no prices"):
        list(reprice(running.writer, running.store, unreadable))
    assert running.writer.rules is RULES


def test_spans_that_come_while_all_is_renewed_are_of_the_new_rules(running: Parts) -> None:
    renewing(running, Rules(DEAR))
    for number in range(TRACES + 1, TRACES + 40):
        running.append(received(turn(number))).result(DEADLINE_SECONDS)
    until(lambda: not running.writer.is_renewing)
    summaries = [trace for page in running.queries.stream_traces(Where()) for trace in page]
    assert len(summaries) == TRACES + 39
    assert all((trace.costs.total_nano or 0) >= 10**9 for trace in summaries)
    assert problems(running.store._inner, Rules(DEAR)) == []
