"""The figures of a trace."""

from itertools import permutations
from typing import Any

import pytest

from builders import ARRIVAL, MS, PRICES, T0, fact, facts, span, span_id, summary, trace_id
from sessiond.core.figures.trace import summarize
from sessiond.core.model import NO_USAGE, Costs, TraceSummary, Usage
from sessiond.core.spans.usage import NO_CALLS

LATER = ARRIVAL + 5 * 10**9


def test_a_whole_trace():
    spans = [
        *facts(span(id=1, name="turn", end_ms=100, session="s", user="u"), service="web", scope="app"),
        *facts(
            span(
                id=2,
                parent=1,
                start_ms=10,
                end_ms=40,
                operation="chat",
                model="m",
                tokens_in=10,
                tokens_out=2,
                gen_ai__system="openai",
                gen_ai__usage__total_cost=0.5,
                gen_ai__response__time_to_first_chunk=0.02,
                tag__tags=["blue"],
                metadata='{"plan": "free"}',
            ),
            span(
                id=3,
                parent=1,
                start_ms=30,
                end_ms=50,
                operation="chat",
                gen_ai__request__model="n",
                error="no quota",
                error__type="Q",
            ),
            span(
                id=4,
                parent=1,
                start_ms=60,
                end_ms=120,
                operation="execute_tool",
                name="search",
                gen_ai__agent__name="helper",
                metadata='{"plan": "pro"}',
            ),
            arrival=LATER,
            service="worker",
        ),
    ]
    expected = TraceSummary(
        project="default",
        trace_id=trace_id(1),
        session_id="s",
        other_session_ids=(),
        user_id="u",
        name="turn",
        root_span_id=span_id(1),
        root_missing=False,
        start_unix_nano=T0,
        end_unix_nano=T0 + 120 * MS,
        ttft_nano=30 * MS,
        llm_duration_nano=40 * MS,
        usage=Usage(10, 2),
        costs=Costs(5 * 10**8, None, None, 5 * 10**8, 0, 0),
        tags=("blue",),
        metadata=(("plan", "pro"),),
        models=("m",),
        request_models=("m", "n"),
        providers=("openai",),
        services=("web", "worker"),
        agents=("helper",),
        tools=("search",),
        span_count=4,
        llm_call_count=2,
        tool_call_count=1,
        error_count=1,
        failed_call_count=1,
        error_type="Q",
        error_message="no quota",
        received_unix_nano=ARRIVAL,
        updated_unix_nano=LATER,
        list_counts=(),
        annotations=0,
        scores=(),
    )
    for shuffled in permutations(spans):
        assert summarize(trace_id(1), shuffled, PRICES) == expected


def ids(found: TraceSummary) -> tuple[str | None, tuple[str, ...]]:
    return found.session_id, found.other_session_ids


ROOT = {"id": 1, "start_ms": 0}
CHILD = {"id": 2, "parent": 1, "start_ms": 1}
GRANDCHILD = {"id": 3, "parent": 2, "start_ms": 2}


def test_a_trace_without_an_id_has_no_session():
    assert ids(summary(span(**ROOT), span(**CHILD))) == (None, ())


@pytest.mark.parametrize("carrier", [0, 1, 2])
def test_an_id_on_any_span_binds_the_whole_trace(carrier: int):
    spans = [span(**place, session="s" if n == carrier else None) for n, place in enumerate((ROOT, CHILD, GRANDCHILD))]
    assert ids(summary(*spans)) == ("s", ())


def test_the_first_key_of_the_table_wins_over_all_spans():
    found = summary(
        span(**ROOT, session="general"),
        span(**CHILD, gen_ai__conversation__id="weak"),
        span(**GRANDCHILD, langfuse__session__id="strong"),
    )
    assert ids(found) == ("strong", ("general", "weak"))


def test_within_a_key_the_root_comes_before_the_others():
    found = summary(span(**CHILD | {"start_ms": -5}, session="child"), span(**ROOT, session="root"))
    assert ids(found) == ("root", ("child",))


def test_within_a_key_the_earlier_span_comes_first_then_the_smaller_id_then_the_smaller_kind():
    earlier = summary(span(**ROOT), span(id=3, parent=1, start_ms=1, session="a"), span(id=2, parent=1, start_ms=2, session="b"))
    smaller = summary(span(**ROOT), span(id=3, parent=1, start_ms=1, session="a"), span(id=2, parent=1, start_ms=1, session="b"))
    kinds = summary(span(**ROOT), span(**CHILD, kind=3, session="a"), span(**CHILD, kind=2, session="b"))
    assert [ids(found) for found in (earlier, smaller, kinds)] == [("a", ("b",)), ("b", ("a",)), ("b", ("a",))]


def test_a_resource_comes_after_all_spans_of_its_key_and_before_the_next_key():
    on_span = summary(span(**ROOT), span(**CHILD, session="span"), session__id="resource")
    weaker = summary(span(**ROOT), span(**CHILD, gen_ai__conversation__id="span"), session__id="resource")
    assert [ids(on_span), ids(weaker)] == [("span", ("resource",)), ("resource", ("span",))]


def test_an_invalid_value_leaves_the_key_to_other_spans():
    found = summary(span(**ROOT, session="null"), span(**CHILD, session="s"))
    assert ids(found) == ("s", ())


def test_an_id_seen_twice_is_no_other_id():
    found = summary(span(**ROOT, session="s", gen_ai__conversation__id="s"), span(**CHILD, session="s"), session__id="s")
    assert ids(found) == ("s", ())


def test_users_are_found_by_the_same_rule():
    found = summary(span(**ROOT, enduser__id="weak"), span(**CHILD, user="u2"), span(**GRANDCHILD, user="u3"), user__id="u4")
    assert found.user_id == "u2"


@pytest.mark.parametrize(
    ("on_span", "on_resource", "project"),
    [
        ({}, {}, "default"),
        ({"latitude__project": "a"}, {}, "a"),
        ({}, {"openinference__project__name": "b"}, "b"),
        ({"latitude__project": "a"}, {"latitude__project": "b"}, "a"),
        ({"openinference__project__name": "a", "sessiond__project": "c"}, {}, "c"),
        ({"sessiond__project": ""}, {}, "default"),
    ],
)
def test_the_project_is_what_a_span_says_else_the_resource(on_span: dict[str, str], on_resource: dict[str, str], project: str):
    assert summary(span(**ROOT), span(**CHILD, **on_span), **on_resource).project == project


def test_the_root_is_the_earliest_span_without_a_parent():
    found = summary(span(**CHILD | {"start_ms": -5}), span(id=8, start_ms=5, name="later"), span(**ROOT, name="root"))
    assert (found.name, found.root_span_id, found.root_missing) == ("root", span_id(1), False)


def test_without_a_root_the_earliest_span_stands_in():
    found = summary(span(**GRANDCHILD, name="late"), span(**CHILD, name="early"))
    assert (found.name, found.root_span_id, found.root_missing) == ("early", span_id(2), True)
    assert found.end_unix_nano - found.start_unix_nano == 11 * MS


def test_a_trace_lasts_from_the_earliest_start_to_the_latest_end():
    found = summary(span(**ROOT, end_ms=10), span(**CHILD | {"start_ms": -3}, end_ms=2), span(**GRANDCHILD, end_ms=70))
    assert (found.start_unix_nano, found.end_unix_nano) == (T0 - 3 * MS, T0 + 70 * MS)


def test_overlapping_calls_count_once_in_the_time_spent_on_calls_and_gaps_not_at_all():
    calls = [(0, 10), (5, 20), (6, 8), (50, 60)]
    found = summary(*(span(operation="chat", start_ms=start, end_ms=end) for start, end in calls), span(start_ms=0, end_ms=500))
    assert found.llm_duration_nano == 30 * MS


def test_a_call_told_twice_takes_the_time_of_the_span_that_counts():
    found = summary(
        span(id=1, operation="chat", end_ms=100, tokens_in=1),
        span(id=2, parent=1, operation="chat", start_ms=10, end_ms=90, tokens_in=1),
    )
    assert found.llm_duration_nano == 80 * MS


def chat(**more: Any):
    return span(operation="chat", **more)


@pytest.mark.parametrize(
    ("call", "models", "request_models"),
    [
        (chat(gen_ai__request__model="asked", gen_ai__response__model="used"), ("used",), ("asked",)),
        (chat(gen_ai__request__model="asked"), ("asked",), ("asked",)),
        (chat(gen_ai__response__model="used"), ("used",), ()),
        (chat(gen_ai__request__model="asked", error="no"), (), ("asked",)),
        (chat(gen_ai__request__model="asked", error="cut off", tokens_in=5), ("asked",), ("asked",)),
        (chat(), (), ()),
        (span(gen_ai__request__model="asked"), (), ()),
    ],
    ids=["both", "requested only", "used only", "failed", "failed with usage", "neither", "no call"],
)
def test_models_are_those_of_calls_that_were_answered(call: Any, models: tuple[str, ...], request_models: tuple[str, ...]):
    found = summary(call)
    assert (found.models, found.request_models) == (models, request_models)


def test_lists_are_in_order_of_first_use():
    found = summary(
        chat(start_ms=3, model="a", tokens_out=1, gen_ai__agent__name="x"),
        chat(start_ms=1, model="b", tokens_out=1, gen_ai__agent__name="y"),
        chat(start_ms=2, model="a", tokens_out=1, gen_ai__agent__name="x"),
    )
    assert (found.models, found.agents) == (("b", "a"), ("y", "x"))


def test_tokens_are_absent_where_no_call_reports_them_and_zero_where_there_is_no_call():
    assert [summary(span()).usage, summary(chat()).usage, summary(chat(), chat(tokens_in=5)).usage] == [
        NO_CALLS,
        NO_USAGE,
        Usage(5),
    ]
    assert Usage(0, 0, 0, 0, 0) == NO_CALLS


def test_tool_spans_are_counted_each():
    found = summary(span(operation="execute_tool", name="search"), span(operation="execute_tool", name="search"), span())
    assert (found.tool_call_count, found.tools) == (2, ("search",))


@pytest.mark.parametrize("name", ["", "execute_tool", "execute_tool "])
def test_a_tool_without_any_name_is_counted_and_not_listed(name: str):
    found = summary(span(operation="execute_tool", name=name))
    assert (found.tool_call_count, found.tools) == (1, ())


def test_the_earliest_error_is_told():
    found = summary(
        span(**ROOT, end_ms=50),
        span(**GRANDCHILD, error="second", error__type="B"),
        span(**CHILD, error="first", error__type="A"),
    )
    assert (found.error_count, found.error_type, found.error_message, found.failed_call_count) == (2, "A", "first", 0)


def test_the_earliest_error_may_have_nothing_to_say():
    found = summary(span(**CHILD, error=""), span(**GRANDCHILD, error="second", error__type="B"))
    assert (found.error_count, found.error_type, found.error_message) == (2, None, None)


def test_arrivals_are_the_first_of_the_first_and_of_the_latest_span():
    spans = [fact(1, received_unix_nano=50), fact(2, 1, received_unix_nano=90), fact(3, 1, received_unix_nano=70)]
    found = summarize(trace_id(1), spans, PRICES)
    assert (found.received_unix_nano, found.updated_unix_nano) == (50, 90)


def test_lists_are_cut_at_a_hundred_and_their_length_is_told():
    spans = [
        span(
            id=n + 1,
            start_ms=n,
            operation="execute_tool",
            name=f"tool {n}",
            session=f"s{n}",
            gen_ai__agent__name=f"agent {n % 100}",
        )
        for n in range(250)
    ]
    found = summary(*spans)
    assert found.tools == tuple(f"tool {n}" for n in range(100))
    assert found.agents == tuple(f"agent {n}" for n in range(100))
    assert (found.session_id, found.other_session_ids) == ("s0", tuple(f"s{n}" for n in range(1, 101)))
    assert found.list_counts == (("other_session_ids", 249), ("tools", 250))
    assert found.tool_call_count == 250


def test_a_trace_of_one_broken_span_has_figures():
    found = summarize(trace_id(1), [fact(5, 5, start_unix_nano=2**64 - 1, end_unix_nano=0)], PRICES)
    assert (found.start_unix_nano, found.end_unix_nano, found.root_missing, found.span_count) == (ARRIVAL, ARRIVAL, True, 1)
