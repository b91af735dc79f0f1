"""However feedback and spans arrive, again or not, rows are those of everything in order; and are what one would count by hand."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from typing import Any, NamedTuple

import pytest
from conversations import Turn, conversations
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spoken import annotations, scores
from test_arrival import figures, lmdb_store, memory_store
from tries import examples

from builders import ARRIVAL, MS, RULES, packed
from sessiond.core.feedback.annotation import Annotation
from sessiond.core.feedback.score import Score
from sessiond.core.feedback.target import subject_of
from sessiond.core.model import ScoreSum, SessionKey, SessionSummary, TraceSummary
from sessiond.service.settling.settle import Settler
from sessiond.service.upkeep.check import check
from sessiond.storage.api import Store
from sessiond.storage.memory import MemoryStore


class Told(NamedTuple):
    """What happens, each with when it does."""

    turns: list[Turn]
    said: list[Score | Annotation]
    """Of each kind and id once."""


@st.composite
def everything(draw: st.DrawFn) -> Told:
    turns = draw(conversations())
    said = [*draw(st.lists(scores(len(turns)), max_size=8)), *draw(st.lists(annotations(len(turns)), max_size=3))]
    return Told(turns, list({(type(item), item.id): item for item in said}.values()))


def steps_of(told: Told) -> list[Any]:
    """Each turn's spans, with when they arrive, and each thing said."""
    return [*((turn, ARRIVAL + number * MS) for number, turn in enumerate(told.turns, 1)), *told.said]


def do(store: Store, step: Any) -> None:
    """A step; things said are put as the service puts them: what is there with the same content stays."""
    if isinstance(step, Score | Annotation):
        held = (store.scores if isinstance(step, Score) else store.annotations).get(step.id)
        assert held is None or held == step
        store.put_feedback([step])
    else:
        turn, arrival = step
        store.append(packed(*turn.spans, arrival=arrival))


def done(store: Store, steps: Sequence[Any], settled_after: Sequence[bool]) -> Any:
    for step, settle in zip(steps, settled_after, strict=True):
        do(store, step)
        if settle:
            Settler(store, RULES).settle_all()
    Settler(store, RULES).settle_all()
    assert [problem for checked in check(store, lambda: RULES) for problem in checked.problems] == []
    return figures(store)


@contextmanager
def both() -> Iterator[list[Store]]:
    with memory_store() as one, lmdb_store() as other:
        yield [one, other]


@settings(deadline=None, max_examples=examples(60), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data(), everything())
def test_any_order_and_any_repetition_gives_the_rows_of_everything_in_order(data: st.DataObject, told: Told) -> None:
    steps = steps_of(told)
    in_order = done(MemoryStore(), steps, [False] * len(steps))
    again = data.draw(st.lists(st.sampled_from(steps), max_size=4)) if steps else []
    shuffled = data.draw(st.permutations([*steps, *again]))
    settled_after = data.draw(st.lists(st.booleans(), min_size=len(shuffled), max_size=len(shuffled)))
    with both() as stores:
        for store in stores:
            assert done(store, shuffled, settled_after) == in_order


@settings(deadline=None, max_examples=examples(100), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(everything())
def test_rows_hold_what_was_said_of_them(told: Told) -> None:
    steps = steps_of(told)
    found = done(MemoryStore(), steps, [False] * len(steps))
    for trace in found.traces:
        said = [item for item in told.said if subject_of(item.target) == trace.trace_id]
        assert shown(trace) == counted(said, None)
    for session in found.sessions:
        key = session.key
        turns = [trace for trace in found.traces if (trace.project, trace.session_id) == key]
        ids = {trace.trace_id for trace in turns}
        said = [item for item in told.said if subject_of(item.target) == key or subject_of(item.target) in ids]
        assert shown(session) == counted(said, max(trace.received_unix_nano for trace in turns))


Counted = tuple[dict[str, tuple[int, list[float], dict[str, int], int]], int]
"""By name: how many, the numbers' mean, the categories, how many are stale; and how many annotations."""


def counted(said: Sequence[Score | Annotation], turns_received: int | None) -> Counted:
    names: dict[str, list[Score]] = {}
    for item in said:
        if isinstance(item, Score):
            names.setdefault(item.name, []).append(item)
    by_name = {}
    for name, some in sorted(names.items()):
        numbers = [float(one.value) for one in some if not isinstance(one.value, str)]
        words = sorted(one.value for one in some if isinstance(one.value, str))
        stale = [
            one for one in some if isinstance(one.target, SessionKey) and turns_received and turns_received > one.update_unix_nano
        ]
        exact = [sum(map(Fraction, numbers)) / len(numbers)] if numbers else []
        mean = [pytest.approx(float(one), rel=1e-12, abs=1e-12) for one in exact]
        by_name[name] = (len(some), mean, {word: words.count(word) for word in words}, len(stale))
    return by_name, sum(isinstance(item, Annotation) for item in said)


def shown(row: TraceSummary | SessionSummary) -> Counted:
    def told(one: ScoreSum) -> tuple[int, list[float], dict[str, int], int]:
        mean = [] if one.mean is None else [one.mean]
        return one.score_count, mean, dict(one.categories), one.stale_count

    return {one.name: told(one) for one in row.scores}, row.annotations
