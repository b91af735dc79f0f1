"""The cases at the end of docs/metrics.md that must come out right, from OTLP bytes to figures, by their number there.

Not here: case 15, a search's rows (`tests/e2e/test_search.py`), and the half of case 16 that speaks of sorting
(`tests/core/filter/test_order.py`).
"""

from collections.abc import Iterable, Sequence
from itertools import permutations
from typing import Any

import pytest

from builders import ARRIVAL, MS, PRICES, T0, by_trace, received, span, span_id, trace_id
from sessiond.core.figures import session, trace, user
from sessiond.core.identity import Version, version
from sessiond.core.model import Costs, ReceivedSpan, SessionKey, SessionSummary, TraceSummary, Usage, UserKey, UserSummary
from sessiond.core.spans.usage import NO_CALLS

Batch = Sequence[ReceivedSpan]
DAY = 86_400_000
"""In milliseconds."""


def traces(*batches: Batch) -> dict[bytes, TraceSummary]:
    """The figures of what is stored after these batches: of each span the version that counts, and its first arrival."""
    held: dict[tuple[bytes, bytes, int], tuple[Version, int, ReceivedSpan]] = {}
    for each in (one for batch in batches for one in batch):
        key = (each.trace_id, each.facts.span_id, each.facts.kind)
        this = version(each.facts, each.digest)
        best, first_arrival, winner = held.get(key, (this, each.facts.received_unix_nano, each))
        if this > best:
            best, winner = this, each
        held[key] = (best, min(first_arrival, each.facts.received_unix_nano), winner)
    winners = [one._replace(facts=one.facts._replace(received_unix_nano=arrival)) for _, arrival, one in held.values()]
    return {each: trace.summarize(each, facts, PRICES) for each, facts in by_trace(winners).items()}


def one_trace(*batches: Batch) -> TraceSummary:
    (found,) = traces(*batches).values()
    return found


def sessions(*batches: Batch) -> list[SessionSummary]:
    members: dict[SessionKey, list[TraceSummary]] = {}
    for each in traces(*batches).values():
        if each.session_id is not None:
            members.setdefault(SessionKey(each.project, each.session_id), []).append(each)
    return [session.summarize(key, each) for key, each in members.items()]


def one_session(*batches: Batch) -> SessionSummary:
    (found,) = sessions(*batches)
    return found


def one_user(*batches: Batch) -> UserSummary:
    return user.summarize(UserKey("default", "u"), list(traces(*batches).values()))


MINI = {"operation": "chat", "model": "gpt-4o-mini", "gen_ai__system": "openai"}
"""A call whose list price is 150 nano-dollars for a token of input, 75 for a cached one, 600 for one of output."""
FIRST_TOKEN_AFTER_200_MS = {"gen_ai.response.time_to_first_chunk": 0.2}


def test_case_1_ids_on_the_model_spans_only_make_one_session():
    def agent_turn(number: int) -> Iterable[ReceivedSpan]:
        at = {"trace": number, "start_ms": 1000 * number}
        return received(
            span(**at, id=1, operation="invoke_agent"),
            span(**at, id=2, parent=1),
            span(**at, id=3, parent=2, operation="chat", session="s", tokens_in=5),
        )

    found = one_session([*agent_turn(1), *agent_turn(2)])
    assert (found.session_id, found.trace_count, found.span_count, found.usage) == ("s", 2, 6, Usage(10))


def test_case_2_a_root_that_is_never_exported_leaves_a_duration():
    found = one_trace(received(span(id=2, parent=1, start_ms=5, end_ms=30), span(id=3, parent=1, start_ms=20, end_ms=50)))
    assert (found.root_missing, found.root_span_id, found.end_unix_nano - found.start_unix_nano) == (True, span_id(2), 45 * MS)


def test_case_3_of_two_roots_in_parallel_the_earlier_is_the_root():
    batch = received(span(id=2, start_ms=1, name="second", end_ms=90), span(id=1, name="first"))
    found = one_trace(batch)
    assert (found.name, found.root_missing, found.end_unix_nano) == ("first", False, T0 + 90 * MS)


def test_case_3_two_traces_at_once_are_two_turns_and_their_time_counts_once():
    batch = received(
        span(trace=1, id=1, end_ms=50, session="s"),
        span(trace=2, id=2, start_ms=20, end_ms=70, session="s"),
        span(trace=1, id=3, parent=1, start_ms=10, end_ms=40, operation="chat", tokens_in=5),
        span(trace=2, id=4, parent=2, start_ms=30, end_ms=60, operation="chat", tokens_in=6),
    )
    found = one_session(batch)
    assert (found.trace_count, found.duration_nano, found.llm_duration_nano, found.usage) == (2, 70 * MS, 60 * MS, Usage(11))


def test_case_4_children_before_parents_and_the_root_last_give_the_same_row():
    batches = [
        received(span(id=1, name="root", end_ms=100, session="s", user="u")),
        received(span(id=2, parent=1, operation="invoke_agent", end_ms=90, tokens_in=9)),
        received(span(id=3, parent=2, operation="chat", start_ms=5, tokens_in=5, model="m"), scope="a"),
        received(span(id=4, parent=3, operation="chat", start_ms=6, end_ms=12, tokens_in=5, error="no"), scope="b"),
    ]
    in_order = one_trace(*batches)
    assert [one_trace(*shuffled) for shuffled in permutations(batches)] == [in_order] * 24
    assert one_trace([one for batch in batches for one in batch]) == in_order


def test_case_5_the_same_batch_twice_changes_nothing():
    spans = [span(id=1, session="s"), span(id=2, parent=1, operation="chat", tokens_in=5)]
    first, again = received(*spans), received(*spans, arrival=ARRIVAL + 10**9)
    assert traces(first, again) == traces(first) == traces(again, first)


def test_case_5_of_a_span_with_changed_attributes_one_version_counts_whatever_the_order():
    started, done, other = (
        received(span(id=1, operation="chat", end_ms=end, tokens_in=tokens)) for end, tokens in ((10, 1), (20, 2), (20, 3))
    )
    found = {one_trace(*shuffled) for shuffled in permutations([started, done, other])}
    assert len(found) == 1
    (only,) = found
    assert only.usage in {Usage(2), Usage(3)}


def test_case_5_one_span_id_in_two_traces_is_two_spans():
    found = traces(received(span(trace=1, id=1, session="a"), span(trace=2, id=1, session="b")))
    assert {each: (one.span_count, one.session_id) for each, one in found.items()} == {trace_id(1): (1, "a"), trace_id(2): (1, "b")}


def test_case_5_a_client_and_a_server_span_that_share_an_id_are_two_spans_and_the_server_has_the_children():
    found = one_trace(
        received(
            span(id=1, kind=3, operation="chat", tokens_in=5, end_ms=50),
            span(id=1, kind=2, start_ms=1, end_ms=49),
            span(id=2, parent=1, start_ms=2, operation="chat", tokens_in=6),
        )
    )
    assert (found.span_count, found.llm_call_count, found.usage) == (3, 2, Usage(11))


def test_case_6_an_end_before_the_start_makes_an_instant():
    found = one_trace(received(span(id=1, start_ms=50, end_ms=10)))
    assert (found.start_unix_nano, found.end_unix_nano) == (T0 + 50 * MS, T0 + 50 * MS)


def test_case_6_an_end_ten_years_ahead_counts_as_the_arrival():
    found = one_trace(received(span(id=1, end_ms=3650 * DAY), span(id=2, parent=1, start_ms=3650 * DAY, end_ms=3651 * DAY)))
    assert (found.start_unix_nano, found.end_unix_nano) == (T0, ARRIVAL)


def test_case_7_a_session_waited_as_long_as_its_turns_did_and_not_from_one_turn_to_the_next():
    hour = 3_600_000
    found = one_session(
        received(span(trace=1, id=1, session="s", operation="chat", end_ms=900)),
        received(
            span(trace=2, id=1, session="s", start_ms=hour, end_ms=hour + 900),
            span(trace=2, id=2, parent=1, start_ms=hour + 50, end_ms=hour + 800, operation="chat", **FIRST_TOKEN_AFTER_200_MS),
        ),
    )
    assert (found.ttft_nano, found.ttft_first_nano, found.ttft_max_nano, found.ttft_count) == (250 * MS, None, 250 * MS, 1)


def test_case_7_a_turn_waited_until_the_first_token_of_any_of_its_calls():
    found = one_trace(
        received(
            span(id=1, operation="invoke_agent", end_ms=900),
            span(id=2, parent=1, start_ms=10, end_ms=90, operation="chat"),
            span(id=3, parent=1, start_ms=100, end_ms=400, operation="chat", **FIRST_TOKEN_AFTER_200_MS),
            span(id=4, parent=1, start_ms=500, end_ms=800, operation="chat", **FIRST_TOKEN_AFTER_200_MS),
        )
    )
    assert found.ttft_nano == 300 * MS


@pytest.mark.parametrize(
    ("first_token", "ttft_ms"),
    [
        ({"gen_ai.response.time_to_first_chunk": 0.2}, 200),
        ({"ai.response.msToFirstChunk": 200.5}, 200.5),
        ({"gen_ai.server.time_to_first_token": 200}, 200),
        ({"gen_ai.server.time_to_first_token": 0.2}, 200),
        ({"gen_ai.server.time_to_first_token": 200_000_000}, 200),
        ({"gen_ai.response.time_to_first_chunk": 0.0}, None),
        ({"gen_ai.response.time_to_first_chunk": 1.001}, None),
        ({"gen_ai.response.time_to_first_chunk": 5.0, "ttft_ms": 300}, 300),
        ({"events": [("First Token Stream Event", 200, {})]}, 200),
        ({"events": [("gen_ai.choice", 200, {})]}, None),
    ],
)
def test_case_7_a_first_token_is_one_that_came_within_its_call(first_token: dict[str, Any], ttft_ms: float | None):
    found = one_trace(received(span(operation="chat", end_ms=1000, **first_token)))
    assert found.ttft_nano == (None if ttft_ms is None else ttft_ms * MS)


def test_case_8_a_session_over_a_months_end_reopened_after_days_is_one():
    days = (0, 0.01, 9, 40)
    found = one_session(
        *(
            received(span(trace=n, id=n, start_ms=day * DAY, session="s"), arrival=T0 + int((day + 1) * DAY) * MS)
            for n, day in enumerate(days, 1)
        )
    )
    assert (found.trace_count, found.duration_nano, found.end_unix_nano) == (4, 40 * MS, T0 + (40 * DAY + 10) * MS)
    assert found.last_activity_unix_nano == T0 + 41 * DAY * MS


def test_case_9_metadata_that_changes_is_what_was_said_last():
    found = one_trace(
        received(
            span(id=1, metadata='{"plan": "free", "region": "eu"}', tags=["a"]),
            span(id=3, parent=1, start_ms=20, metadata='{"plan": "team"}', tags=["b", "a"]),
            span(id=2, parent=1, start_ms=10, metadata='{"plan": "pro", "step": 2}'),
        )
    )
    assert (found.metadata, found.tags) == ((("plan", "team"), ("region", "eu"), ("step", "2")), ("a", "b"))


def test_case_9_metadata_of_a_session_is_that_of_its_latest_turn_that_says_so():
    later = received(span(trace=2, id=2, start_ms=50, session="s", metadata='{"plan": "pro"}', tags=["b"]))
    earlier = received(span(trace=1, id=1, session="s", metadata='{"plan": "free", "region": "eu"}', tags=["a"]))
    for found in (one_session(earlier, later), one_session(later, earlier)):
        assert (found.metadata, found.tags) == ((("plan", "pro"), ("region", "eu")), ("a", "b"))


def test_case_10_a_parent_id_of_zeros_is_a_root():
    zeros = span(id=1, name="root", start_ms=5)
    zeros.parent_span_id = bytes(8)
    found = one_trace(received(span(id=2, parent=1), zeros))
    assert (found.name, found.root_missing) == ("root", False)


def test_case_10_a_missing_start_counts_as_the_end():
    broken = span(id=1, end_ms=30)
    broken.start_time_unix_nano = 0
    found = one_trace(received(broken, span(id=2, parent=1, start_ms=10, end_ms=20)))
    assert (found.start_unix_nano, found.end_unix_nano) == (T0 + 10 * MS, T0 + 30 * MS)


def test_case_11_cache_inside_and_outside_of_the_input_come_to_the_same():
    inside = {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.cache_read.input_tokens": 30, "gen_ai.usage.total_tokens": 110}
    outside = {"gen_ai.usage.input_tokens": 70, "gen_ai.usage.cache_read.input_tokens": 30, "gen_ai.usage.total_tokens": 110}
    by_provider = {"gen_ai.usage.prompt_tokens": 70, "gen_ai.usage.cache_read.input_tokens": 30, "gen_ai.system": "anthropic"}
    found = [one_trace(received(span(operation="chat", tokens_out=10, **each))) for each in (inside, outside, by_provider)]
    assert [each.usage for each in found] == [Usage(100, 10, 30)] * 3


def test_case_11_what_was_read_from_a_cache_costs_less_whether_it_is_told_inside_or_outside_of_the_input():
    inside = {"tokens_in": 100, "gen_ai.usage.total_tokens": 110}
    outside = {"tokens_in": 70, "gen_ai.usage.total_tokens": 110}
    cached = {"tokens_out": 10, "gen_ai.usage.cache_read.input_tokens": 30}
    found = [one_trace(received(span(**MINI, **cached, **each))) for each in (inside, outside)]
    input_nano = 70 * 150 + 30 * 75
    assert [each.costs for each in found] == [Costs(input_nano + 6000, input_nano, 6000, 0, input_nano + 6000, 0)] * 2


def test_case_11_reasoning_inside_and_outside_of_the_output_comes_to_the_same():
    inside = {"gen_ai.usage.output_tokens": 15, "gen_ai.usage.reasoning_tokens": 5, "gen_ai.usage.total_tokens": 115}
    outside = {"gen_ai.usage.output_tokens": 10, "gen_ai.usage.reasoning_tokens": 5, "gen_ai.usage.total_tokens": 115}
    found = [one_trace(received(span(operation="chat", tokens_in=100, **each))) for each in (inside, outside)]
    assert [each.usage for each in found] == [Usage(100, 15, None, None, 5)] * 2


def test_case_12_an_agent_span_that_restates_its_children_does_not_count():
    found = one_trace(
        received(
            span(id=1, operation="invoke_agent", tokens_in=11, tokens_out=2),
            span(id=2, parent=1, operation="chat", tokens_in=5, tokens_out=1),
            span(id=3, parent=1, operation="chat", tokens_in=6, tokens_out=1),
        )
    )
    assert (found.usage, found.llm_call_count) == (Usage(11, 2), 2)


def test_case_12_an_agent_span_that_is_the_only_reporter_counts():
    found = one_trace(received(span(id=1, operation="invoke_agent", tokens_in=11), span(id=2, parent=1, operation="execute_tool")))
    assert (found.usage, found.llm_call_count) == (Usage(11), 0)


def test_case_12_an_agent_span_that_accumulates_over_turns_does_not_count():
    turns = [(5, 5), (6, 11), (7, 18)]
    batch = [
        one
        for n, (call, so_far) in enumerate(turns, 1)
        for one in received(
            span(trace=n, id=1, start_ms=100 * n, operation="invoke_agent", session="s", tokens_in=so_far),
            span(trace=n, id=2, parent=1, start_ms=100 * n, operation="chat", tokens_in=call),
        )
    ]
    assert one_session(batch).usage == Usage(18)


def test_case_12_twins_as_parent_and_child_are_one_call():
    upper = received(span(id=2, parent=1, operation="chat", tokens_in=5, end_ms=50), scope="openinference")
    lower = received(span(id=3, parent=2, operation="chat", tokens_in=5, start_ms=1, end_ms=40), scope="sdk")
    found = one_trace(received(span(id=1)), upper, lower)
    assert (found.usage, found.llm_call_count, found.span_count) == (Usage(5), 1, 3)


def test_case_12_twins_as_siblings_are_one_call():
    with_ids = [
        received(span(id=n, parent=1, operation="chat", tokens_in=5, start_ms=n, response_id="r"), scope=str(n)) for n in (2, 3)
    ]
    without = [
        received(span(id=n, parent=1, operation="chat", tokens_in=5, start_ms=n, end_ms=50 - n), scope=str(n)) for n in (2, 3)
    ]
    for twins in (with_ids, without):
        found = one_trace(received(span(id=1)), *twins)
        assert (found.usage, found.llm_call_count) == (Usage(5), 1)


def test_case_12_what_counts_once_costs_once():
    call = {**MINI, "tokens_in": 10, "tokens_out": 1}
    lower = received(span(id=3, parent=2, **call), scope="sdk")
    beside = received(span(id=4, parent=2, start_ms=1, end_ms=9, **call), scope="other")
    found = one_trace(
        received(span(id=1, operation="invoke_agent", tokens_in=10, tokens_out=1, model="gpt-4o-mini", gen_ai__usage__cost=9.0)),
        received(span(id=2, parent=1, end_ms=50, **call), scope="framework"),
        lower,
        beside,
    )
    assert (found.costs, found.llm_call_count) == (Costs(2100, 1500, 600, 0, 2100, 0), 1)


def test_case_12_an_agent_span_that_is_the_only_reporter_costs_what_it_says():
    found = one_trace(received(span(id=1, operation="invoke_agent", gen_ai__usage__cost=0.5), span(id=2, parent=1)))
    assert (found.costs, found.usage, found.llm_call_count) == (Costs(HALF, None, None, HALF, 0, 0), Usage(), 0)


def test_case_12_a_call_takes_its_cost_and_its_first_token_from_the_span_that_has_them():
    upper = received(span(id=2, operation="chat", end_ms=50, gen_ai__usage__cost=0.5), scope="a")
    lower = received(
        span(id=3, parent=2, start_ms=1, end_ms=40, operation="chat", tokens_in=5, gen_ai__response__time_to_first_chunk=0.02),
        scope="b",
    )
    found = one_trace(upper, lower)
    assert (found.costs, found.ttft_nano, found.usage) == (Costs(HALF, None, None, HALF, 0, 0), 21 * MS, Usage(5))


USD = 10**9
HALF = USD // 2

ONE_CALL = {
    "total cost only": (
        {**MINI, "tokens_in": 10, "tokens_out": 1, "gen_ai.usage.cost": 0.5},
        Costs(HALF, None, None, HALF, 0, 0),
    ),
    "both sides without a total": (
        {**MINI, "tokens_in": 10, "tokens_out": 1, "llm.cost.prompt": 0.25, "llm.cost.completion": 0.5},
        Costs(3 * USD // 4, USD // 4, HALF, 3 * USD // 4, 0, 0),
    ),
    "a total that its sides do not add up to": (
        {**MINI, "tokens_in": 10, "llm.cost.total": 1, "llm.cost.prompt": 0.25, "llm.cost.completion": 0.5},
        Costs(USD, USD // 4, HALF, USD, 0, 0),
    ),
    "input cost only, of a call that answered": (
        {**MINI, "tokens_in": 10, "tokens_out": 1, "gen_ai.usage.input_cost": 0.25},
        Costs(2100, USD // 4, 600, 0, 2100, 0),
    ),
    "input cost only, of a call without output": (
        {**MINI, "tokens_in": 10, "gen_ai.usage.input_cost": 0.25},
        Costs(USD // 4, USD // 4, None, USD // 4, 0, 0),
    ),
    "input cost only, of an unknown model": (
        {"operation": "chat", "model": "nobody-knows-1", "tokens_in": 10, "tokens_out": 1, "gen_ai.usage.input_cost": 0.25},
        Costs(USD // 4, USD // 4, None, USD // 4, 0, 0),
    ),
    "an explicit 0 without tokens": (
        {"operation": "chat", "model": "gpt-4o-mini", "gen_ai.usage.cost": 0},
        Costs(0, None, None, 0, 0, 0),
    ),
    "an explicit 0 of zero tokens": (
        {"operation": "chat", "model": "nobody-knows-1", "tokens_in": 0, "tokens_out": 0, "gen_ai.usage.cost": 0},
        Costs(0, None, None, 0, 0, 0),
    ),
    "a 0 beside tokens is not known and estimated": (
        {**MINI, "tokens_in": 10, "tokens_out": 1, "gen_ai.usage.cost": 0},
        Costs(2100, 1500, 600, 0, 2100, 0),
    ),
    "a 0 beside tokens of an unknown model": (
        {"operation": "chat", "model": "nobody-knows-1", "tokens_in": 10, "gen_ai.usage.cost": 0},
        Costs(unpriced_call_count=1),
    ),
    "embeddings": (
        {"operation": "embeddings", "model": "text-embedding-3-small", "gen_ai.system": "openai", "tokens_in": 1000},
        Costs(20_000, 20_000, None, 0, 20_000, 0),
    ),
    "an unknown model": (
        {"operation": "chat", "model": "nobody-knows-1", "tokens_in": 10, "tokens_out": 1},
        Costs(unpriced_call_count=1),
    ),
    "tokens without a model": ({"operation": "chat", "tokens_in": 10}, Costs(unpriced_call_count=1)),
    "a model without tokens": (MINI, Costs(unpriced_call_count=1)),
    "a dated name": ({**MINI, "model": "gpt-4o-mini-2024-07-18", "tokens_in": 10}, Costs(1500, 1500, None, 0, 1500, 0)),
    "a dated name that the table does not list": (
        {**MINI, "model": "gpt-4o-mini-2025-11-30", "tokens_in": 10},
        Costs(1500, 1500, None, 0, 1500, 0),
    ),
    "a regional prefix, for which that provider asks a tenth more": (
        {
            "operation": "chat",
            "model": "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "gen_ai.system": "aws.bedrock",
            "tokens_in": 1000,
            "tokens_out": 100,
        },
        Costs(4_950_000, 3_300_000, 1_650_000, 0, 4_950_000, 0),
    ),
    "a router's prefix": (
        {"operation": "chat", "model": "openai/gpt-4o-mini", "tokens_in": 10, "tokens_out": 1},
        Costs(2100, 1500, 600, 0, 2100, 0),
    ),
    "a failed call that used nothing is not billed": ({**MINI, "error": "500"}, Costs()),
    "no call at all": ({}, Costs(0, 0, 0, 0, 0, 0)),
}


@pytest.mark.parametrize("case", ONE_CALL)
def test_case_13_the_cost_of_one_call(case: str):
    attributes, costs = ONE_CALL[case]
    found = received(span(session="s", user="u", **attributes))
    assert [one_trace(found).costs, one_session(found).costs, one_user(found).costs] == [costs] * 3


def test_case_13_the_costs_of_a_session_are_those_of_all_its_calls():
    calls = [
        {**MINI, "tokens_in": 10, "tokens_out": 1},
        {**MINI, "gen_ai.usage.cost": 0.5, "tokens_in": 10},
        {"operation": "chat", "model": "nobody-knows-1", "tokens_in": 10},
    ]
    in_one = [span(trace=1, id=n, start_ms=20 * n, session="s", user="u", **each) for n, each in enumerate(calls, 1)]
    a_turn_each = [span(trace=n, id=n, start_ms=20 * n, session="s", user="u", **each) for n, each in enumerate(calls, 1)]
    expected = Costs(HALF + 2100, 1500, 600, HALF, 2100, 1)
    assert [one_session(received(*spans)).costs for spans in (in_one, a_turn_each)] == [expected] * 2
    found = one_user(received(*a_turn_each))
    assert (found.costs, found.cost_mean_nano, found.cost_median_nano) == (expected, (HALF + 2100) // 2, (HALF + 2100) // 2)


def test_case_14_a_user_may_change_within_a_session():
    found = one_session(*(received(span(trace=n, id=n, start_ms=n, session="s", user=user)) for n, user in enumerate("aba", 1)))
    assert (found.user_ids, found.user_id) == (("a", "b"), "a")


def test_case_14_a_session_id_that_changes_within_a_trace_is_shown_and_splits_nothing():
    (found,) = sessions(
        received(span(id=1), span(id=2, parent=1, start_ms=1, session="a"), span(id=3, parent=1, start_ms=2, session="b"))
    )
    assert (found.session_id, found.span_count) == ("a", 3)
    assert one_trace(received(span(id=2, start_ms=1, session="a"), span(id=3, start_ms=2, session="b"))).other_session_ids == ("b",)


def test_case_14_a_better_id_that_comes_late_moves_the_trace():
    early = received(span(id=2, parent=1, start_ms=1, gen_ai__conversation__id="thread"))
    late = received(span(id=1, session="s"))
    assert [each.session_id for each in sessions(early)] == ["thread"]
    assert [(each.session_id, each.span_count) for each in sessions(early, late)] == [("s", 2)]


def test_case_16_medians_run_over_the_turns_that_have_a_figure():
    waits = {1: 0.1, 2: None, 3: 0.4, 4: 0.2, 5: None}
    spans = [
        span(trace=n, id=n, start_ms=1000 * n, end_ms=1000 * n + 500, session="s", user="u", operation="chat", **figures)
        for n, wait in waits.items()
        for figures in [{"gen_ai.response.time_to_first_chunk": wait, "gen_ai.usage.cost": wait} if wait else {}]
    ]
    found = one_session(received(*spans))
    assert (found.ttft_nano, found.ttft_first_nano, found.ttft_max_nano, found.ttft_count) == (200 * MS, 100 * MS, 400 * MS, 3)
    of_user = one_user(received(*spans))
    assert (of_user.cost_mean_nano, of_user.cost_median_nano, of_user.costs.unpriced_call_count) == (
        233_333_333,
        200_000_000,
        2,
    )


def test_case_16_a_median_over_nothing_is_absent():
    batch = received(span(session="s", user="u", operation="chat"))
    found = one_session(batch)
    assert (found.ttft_nano, found.ttft_first_nano, found.ttft_max_nano, found.ttft_count) == (None, None, None, 0)
    assert (one_user(batch).cost_mean_nano, one_user(batch).cost_median_nano) == (None, None)


def test_case_17_a_redacted_id_does_not_merge_strangers():
    scrubbed = "[Scrubbed due to 'session']"
    batch = received(
        span(trace=1, id=1, session=scrubbed),
        span(trace=2, id=2, session=scrubbed),
        span(trace=3, id=3, session=scrubbed),
        span(trace=3, id=4, parent=3, gen_ai__conversation__id="c"),
    )
    assert [each.session_id for each in traces(batch).values()] == [None, None, "c"]
    assert [(each.session_id, each.trace_count) for each in sessions(batch)] == [("c", 1)]


@pytest.mark.parametrize("redacted", ["[Scrubbed due to 'session']", "<REDACTED>"])
def test_case_17_a_redacted_user_is_none_and_leaves_room_for_the_next_key(redacted: str):
    batch = received(span(trace=1, user=redacted), span(trace=2, user=redacted, enduser__id="e"))
    assert [each.user_id for each in traces(batch).values()] == [None, "e"]


def test_a_trace_without_an_id_belongs_to_no_session_and_has_its_figures():
    batch = received(span(id=1))
    assert (sessions(batch), one_trace(batch).usage) == ([], NO_CALLS)


def test_the_same_session_id_in_two_projects_is_two_sessions():
    found = sessions(
        received(span(trace=1, id=1, session="s"), sessiond__project="a"),
        received(span(trace=2, id=2, session="s"), sessiond__project="b"),
    )
    assert [each.key for each in found] == [SessionKey("a", "s"), SessionKey("b", "s")]
