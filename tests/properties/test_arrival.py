"""However spans arrive, the figures are those of one batch in order, in both engines, and are what the generator knows."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from conversations import Turn, conversations, deliveries
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders import RULES, packed
from sessiond.core.model import SessionKey, SessionSummary, TraceSummary, UserKey, UserSummary
from sessiond.service.check import check
from sessiond.service.settle import Settler
from sessiond.storage.api import Marks, Store, Where
from sessiond.storage.lmdb.store import LmdbStore
from sessiond.storage.memory import MemoryStore

Figures = tuple[list[TraceSummary], list[SessionSummary], dict[UserKey, UserSummary]]


@contextmanager
def memory_store() -> Iterator[Store]:
    yield MemoryStore()


@contextmanager
def lmdb_store() -> Iterator[Store]:
    with tempfile.TemporaryDirectory() as folder:
        store = LmdbStore.open(Path(folder), bytes_max=1 << 30)
        try:
            yield store
        finally:
            store.close()


def figures(store: Store) -> Figures:
    traces = [row.summary for row in store.list_traces(Where(), None, 1000).rows]
    sessions = [row.summary for row in store.list_sessions(Where(), None, 1000).rows]
    users = {UserKey(trace.project, trace.user_id) for trace in traces if trace.user_id is not None}
    return traces, sessions, {key: store.user(key) for key in users}


def in_one_batch(told: list[Turn]) -> Figures:
    store = MemoryStore()
    store.append(packed(*(built for turn in told for built in turn.spans)))
    Settler(store, RULES).settle_all()
    return figures(store)


def as_they_come(open_store: Callable, batches: list, settled_after: list[bool]) -> Figures:
    with open_store() as store:
        for batch, settle in zip(batches, settled_after, strict=True):
            store.append(packed(*batch))
            if settle:
                Settler(store, RULES).settle_all()
        Settler(store, RULES).settle_all()
        assert store.marks() == Marks()
        assert [problem for checked in check(store, lambda: RULES) for problem in checked.problems] == []
        return figures(store)


def known(told: list[Turn]) -> dict[int, tuple]:
    return {
        turn.number: (
            turn.session,
            turn.user,
            len(turn.spans),
            turn.calls,
            turn.tools,
            turn.errors,
            turn.tokens_in,
            turn.tokens_out,
        )
        for turn in told
    }


def shown(traces: list[TraceSummary]) -> dict[int, tuple]:
    return {
        int.from_bytes(trace.trace_id, "big"): (
            trace.session_id,
            trace.user_id,
            trace.span_count,
            trace.llm_call_count,
            trace.tool_call_count,
            trace.error_count,
            trace.usage.input_tokens or 0,
            trace.usage.output_tokens or 0,
        )
        for trace in traces
    }


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data(), conversations())
def test_any_arrival_gives_the_figures_of_one_batch_in_order(data: st.DataObject, told: list[Turn]) -> None:
    batches = data.draw(deliveries(told))
    settled_after = data.draw(st.lists(st.booleans(), min_size=len(batches), max_size=len(batches)))
    expected = in_one_batch(told)
    assert as_they_come(memory_store, batches, settled_after) == expected
    assert as_they_come(lmdb_store, batches, settled_after) == expected


@settings(deadline=None, max_examples=200)
@given(conversations())
def test_figures_are_what_the_generator_knows(told: list[Turn]) -> None:
    traces, sessions, users = in_one_batch(told)
    assert shown(traces) == known(told)
    by_session = {turn.session: [other for other in told if other.session == turn.session] for turn in told if turn.session}
    assert {session.session_id: session.trace_count for session in sessions} == {
        session: len(turns) for session, turns in by_session.items()
    }
    assert {session.session_id: session.usage.input_tokens or 0 for session in sessions} == {
        session: sum(turn.tokens_in for turn in turns) for session, turns in by_session.items()
    }
    assert {key.user_id: user.trace_count for key, user in users.items()} == {
        user: sum(turn.user == user for turn in told) for user in {turn.user for turn in told if turn.user}
    }


def test_a_span_arriving_alone_each_time_gives_the_same_session() -> None:
    told = [Turn(1)]
    root = told[0].add(name="turn")
    told[0].add(parent=root, operation="chat", model="m", tokens_in=5, tokens_out=7, session="s1")
    one_by_one = [[built] for built in reversed(told[0].spans)]
    for open_store in (memory_store, lmdb_store):
        assert as_they_come(open_store, one_by_one, [True, True]) == in_one_batch(told)
    assert in_one_batch(told)[1][0].key == SessionKey("default", "s1")
