"""However spans arrive, the figures are those of one batch in order, in both engines, and are what the generator knows."""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median_high, median_low
from typing import Any, NamedTuple

from conversations import Turn, conversations, costs_of, deliveries, usage_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tries import examples

from builders import RULES, packed, trace_id
from sessiond.core.model import Costs, SessionKey, SessionSummary, Texts, TraceSummary, Usage, UserKey, UserSummary
from sessiond.core.rows.where import Where
from sessiond.service.settling.settle import Settler
from sessiond.service.upkeep.check import check
from sessiond.storage.api import Marks, Store
from sessiond.storage.lmdb.store import LmdbStore
from sessiond.storage.memory import MemoryStore


class Figures(NamedTuple):
    """All that a store holds of some conversations."""

    traces: list[TraceSummary]
    texts: list[Texts]
    """Of each trace."""
    sessions: list[SessionSummary]
    users: dict[UserKey, UserSummary | None]


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


def middle(values: list[int]) -> int:
    """The median as `core.fold.percentile` rounds it: half a nano is not told."""
    low, high = median_low(values), median_high(values)
    return low + round((high - low) / 2)


def figures(store: Store) -> Figures:
    traces = [row.summary for row in store.traces.page(Where(), None, 1000).rows]
    sessions = [row.summary for row in store.sessions.page(Where(), None, 1000).rows]
    users = {UserKey(trace.project, trace.user_id) for trace in traces if trace.user_id is not None}
    texts = store.texts([trace.trace_id for trace in traces])
    return Figures(traces, texts, sessions, {key: store.user(key) for key in users})


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


class Shown(NamedTuple):
    """What is known of a turn from both sides."""

    session: str | None
    user: str | None
    spans: int
    calls: int
    tools: int
    errors: int
    usage: Usage
    costs: Costs
    ttft_nano: int | None
    tags: tuple[str, ...]
    metadata: tuple[tuple[str, str], ...]
    texts: Texts


def known(turn: Turn) -> Shown:
    return Shown(
        turn.session,
        turn.user,
        len(turn.spans),
        turn.calls,
        turn.tools,
        turn.errors,
        usage_of(turn.bills),
        costs_of(turn.bills),
        turn.ttft_nano,
        tuple(turn.tags),
        tuple(sorted(turn.metadata.items())),
        turn.texts,
    )


def shown(trace: TraceSummary, texts: Texts) -> Shown:
    return Shown(
        trace.session_id,
        trace.user_id,
        trace.span_count,
        trace.llm_call_count,
        trace.tool_call_count,
        trace.error_count,
        trace.usage,
        trace.costs,
        trace.ttft_nano,
        trace.tags,
        trace.metadata,
        texts,
    )


def costs_known(turns: list[Turn]) -> Costs:
    """A turn without a call that cost nothing is as one in which nothing was called: it says nothing of the others' sides."""
    told = [turn for turn in turns if turn.calls or costs_of(turn.bills) != costs_of(())]
    return costs_of([bill for turn in told for bill in turn.bills])


def session_known(turns: list[Turn]) -> dict[str, Any]:
    """Turns stand in the order of their numbers: all start at once, and their number is their trace's id."""
    bills = [bill for turn in turns for bill in turn.bills]
    waits = [turn.ttft_nano for turn in turns if turn.ttft_nano is not None]
    users = list(dict.fromkeys(turn.user for turn in turns if turn.user))
    metadata = {key: value for turn in turns for key, value in turn.metadata.items()}
    return {
        "user_ids": tuple(users),
        "user_id": next((turn.user for turn in reversed(turns) if turn.user), None),
        "usage": usage_of(bills),
        "costs": costs_known(turns),
        "ttft_nano": middle(waits) if waits else None,
        "ttft_first_nano": turns[0].ttft_nano,
        "ttft_max_nano": max(waits, default=None),
        "ttft_count": len(waits),
        "trace_count": len(turns),
        "failed_trace_count": sum(turn.errors > 0 for turn in turns),
        "first_failed_trace_id": next((trace_id(turn.number) for turn in turns if turn.errors), None),
        "span_count": sum(len(turn.spans) for turn in turns),
        "llm_call_count": sum(turn.calls for turn in turns),
        "tool_call_count": sum(turn.tools for turn in turns),
        "error_count": sum(turn.errors for turn in turns),
        "first_trace_id": trace_id(turns[0].number),
        "last_trace_id": trace_id(turns[-1].number),
        "tags": tuple(dict.fromkeys(tag for turn in turns for tag in turn.tags)),
        "metadata": tuple(sorted(metadata.items())),
    }


def user_known(turns: list[Turn]) -> dict[str, Any]:
    bills = [bill for turn in turns for bill in turn.bills]
    costs = [cost for turn in turns if (cost := costs_of(turn.bills).total_nano) is not None]
    return {
        "session_count": len({turn.session for turn in turns} - {None}),
        "trace_count": len(turns),
        "failed_trace_count": sum(turn.errors > 0 for turn in turns),
        "usage": usage_of(bills),
        "costs": costs_known(turns),
        "cost_mean_nano": round(sum(costs) / len(costs)) if costs else None,
        "cost_median_nano": middle(costs) if costs else None,
    }


def chosen(summary: SessionSummary | UserSummary, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(summary, name) for name in names}


def grouped(told: list[Turn], key: Callable[[Turn], str | None]) -> dict[str, list[Turn]]:
    return {name: [turn for turn in told if key(turn) == name] for name in {key(turn) for turn in told} if name is not None}


@settings(deadline=None, max_examples=examples(60), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data(), conversations(), st.booleans())
def test_any_arrival_gives_the_figures_of_one_batch_in_order(data: st.DataObject, told: list[Turn], one_by_one: bool) -> None:
    batches = data.draw(deliveries(told))
    if one_by_one:
        batches = [[built] for batch in batches for built in batch]
    settled_after = data.draw(st.lists(st.booleans(), min_size=len(batches), max_size=len(batches)))
    expected = in_one_batch(told)
    assert as_they_come(memory_store, batches, settled_after) == expected
    assert as_they_come(lmdb_store, batches, settled_after) == expected


@settings(deadline=None, max_examples=examples(150))
@given(conversations())
def test_figures_are_what_the_generator_knows(told: list[Turn]) -> None:
    found = in_one_batch(told)
    assert {trace.trace_id: shown(trace, texts) for trace, texts in zip(found.traces, found.texts, strict=True)} == {
        trace_id(turn.number): known(turn) for turn in told
    }
    sessions = {name: session_known(turns) for name, turns in grouped(told, lambda turn: turn.session).items()}
    assert {one.session_id: chosen(one, session_known(told[:1])) for one in found.sessions} == sessions
    users = {name: user_known(turns) for name, turns in grouped(told, lambda turn: turn.user).items()}
    assert {key.user_id: chosen(one, user_known(told[:1])) for key, one in found.users.items()} == users


def test_a_span_arriving_alone_each_time_gives_the_same_session() -> None:
    told = [Turn(1)]
    root = told[0].add(name="turn")
    told[0].add(parent=root, operation="chat", model="m", tokens_in=5, tokens_out=7, session="s1")
    one_by_one = [[built] for built in reversed(told[0].spans)]
    for open_store in (memory_store, lmdb_store):
        assert as_they_come(open_store, one_by_one, [True, True]) == in_one_batch(told)
    assert in_one_batch(told).sessions[0].key == SessionKey("default", "s1")
