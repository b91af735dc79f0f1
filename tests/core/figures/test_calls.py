"""Which call each span tells of, and what it takes from the others that tell of it."""

from builders import MS, T0, fact
from sessiond.core.figures.calls import Call, Merged, Selection, select
from sessiond.core.identity import chronological
from sessiond.core.model import Cost, SpanFacts, Usage

FIVE, NINE = Usage(5, 1), Usage(9, 2)
ROOT = fact(1, end_ms=100)


def chat(id: int, parent: int | None = 1, usage: Usage | None = None, **more) -> SpanFacts:  # noqa: A002
    return fact(id, parent, **{"operation": "chat", "usage": usage, **more})


def selected(*spans: SpanFacts) -> Selection:
    return select(*chronological(list(spans)))


def counted(*spans: SpanFacts) -> list[tuple[int, Usage | None]]:
    """(span id, usage) of each call."""
    in_order, _ = chronological(list(spans))
    return [(int.from_bytes(in_order[call.position].span_id), call.usage) for call in selected(*spans).calls]


def test_an_upper_span_fills_every_gap_of_the_lower():
    told = {"response_id": "r", "request_model": "m", "response_model": "m-1", "provider": "openai"}
    upper = chat(2, 1, FIVE, cost=Cost(7), first_token_nano=3, **told)
    (call,) = selected(ROOT, upper, chat(3, 2)).calls
    assert call == Call(
        position=2, parent_id=ROOT.span_id, usage=FIVE, cost=Cost(7), first_token_unix_nano=T0 + 3, failed=False, **told
    )


def test_an_upper_span_fills_no_gap_of_a_call_below_a_tool():
    tool = fact(3, 2, operation="tool")
    found = selected(ROOT, chat(2, request_model="upper"), tool, chat(4, 3), chat(5, 2))
    assert [(call.position, call.request_model) for call in found.calls] == [(3, None), (4, "upper")]


def test_a_bill_over_attempts_of_which_one_reports_is_no_other_attempts():
    assert counted(ROOT, chat(2, 1, NINE), chat(3, 2, FIVE), chat(4, 2)) == [(3, FIVE), (4, None)]


def test_a_bill_over_good_attempts_is_the_last_ones():
    assert counted(ROOT, chat(2, 1, NINE), chat(3, 2), chat(4, 2)) == [(3, None), (4, NINE)]


def test_an_attempt_reports_where_a_span_below_it_does():
    assert counted(ROOT, chat(2, 1, NINE), chat(3, 2), chat(4, 2), chat(5, 3, FIVE)) == [(4, None), (5, FIVE)]


def test_a_span_over_attempts_is_told_as_the_one_that_took_its_bill():
    attempts = chat(3, 2), chat(4, 2), chat(5, 2, is_error=True)
    assert selected(ROOT, chat(2, 1, NINE), *attempts).merged == (Merged(1, 3, "restated"),)


def test_a_span_over_attempts_of_which_one_reports_is_told_as_the_first_and_fills_no_usage():
    merged = Merged(1, 2, "restated", fills_usage=False)
    assert selected(ROOT, chat(2, 1, NINE), chat(3, 2, is_error=True), chat(4, 2, FIVE)).merged == (merged,)


def test_what_stands_above_a_span_over_attempts_fills_no_usage_either():
    spans = chat(2, 1, NINE), chat(3, 2, NINE), chat(4, 3, is_error=True), chat(5, 3, FIVE)
    assert selected(ROOT, *spans).merged == (
        Merged(2, 3, "restated", fills_usage=False),
        Merged(1, 3, "restated", fills_usage=False),
    )


def test_of_several_above_each_other_the_nearest_is_told_first():
    assert [one.position for one in selected(ROOT, chat(2), chat(3, 2), chat(4, 3)).merged] == [2, 1]


def test_what_stands_above_a_twin_is_told_as_the_one_that_counts():
    twins = chat(2, 1, FIVE, response_id="r"), chat(4, 3, FIVE, response_id="r")
    assert selected(ROOT, *twins, chat(3, 1)).merged == (Merged(2, 1, "restated"), Merged(3, 1, "twin"))


def test_one_call_told_by_two_below_takes_the_bill_of_the_span_above():
    upper = chat(2, 1, NINE, cost=Cost(7), first_token_nano=3)
    for twins in (
        (chat(3, 2, FIVE, response_id="r"), chat(4, 2, FIVE, response_id="r")),
        (chat(3, 2, FIVE, scope="a"), chat(4, 2, FIVE, scope="b")),
        (chat(3, 2, response_id="r"), chat(4, 2, FIVE, response_id="r")),
    ):
        (call,) = selected(ROOT, upper, *twins).calls
        assert (call.usage, call.cost, call.first_token_unix_nano) == (FIVE, Cost(7), T0 + 3)


def test_calls_under_different_spans_that_never_came_are_not_one():
    ways = {"scope": "a"}, {"scope": "b"}
    assert counted(*(chat(id, id + 70, FIVE, **way) for id, way in enumerate(ways))) == [(0, FIVE), (1, FIVE)]  # noqa: A001
    assert counted(*(chat(id, 70, FIVE, **way) for id, way in enumerate(ways))) == [(0, FIVE)]  # noqa: A001


def test_a_cost_of_nothing_without_tokens_is_not_known_beside_those_of_another_span():
    zero, tokens = Cost(0, None, None), chat(3, 2, FIVE)
    (call,) = selected(ROOT, chat(2, cost=zero), tokens).calls
    assert (call.usage, call.cost) == (FIVE, None)
    (call,) = selected(ROOT, chat(2, 1, FIVE), chat(3, 2, cost=zero)).calls
    assert (call.usage, call.cost) == (FIVE, None)
    (call,) = selected(ROOT, chat(2, cost=Cost(7)), chat(3, 2, FIVE, cost=zero)).calls
    assert call.cost == Cost(0), "beside its own tokens the application's owner said so"


def test_a_cost_of_nothing_where_nobody_tells_tokens_is_none():
    (call,) = selected(ROOT, chat(2, cost=Cost(0)), chat(3, 2)).calls
    assert call.cost == Cost(0)


def test_a_cost_is_filled_by_its_parts():
    (call,) = selected(ROOT, chat(2, cost=Cost(7, 4, 3)), chat(3, 2, FIVE, cost=Cost(None, 5, None))).calls
    assert call.cost == Cost(7, 5, 3)
    (call,) = selected(ROOT, chat(2, cost=Cost(None, None, 3)), chat(3, 2, FIVE, cost=Cost(None, 5, None))).calls
    assert call.cost == Cost(8, 5, 3), "both sides are the total"


def test_what_costs_nothing_silences_no_reporter():
    agent = fact(2, 1, operation="agent", usage=FIVE)
    assert selected(ROOT, agent, fact(3, 2, operation="tool", cost=Cost(0))).reporters == (1,)
    assert selected(ROOT, agent, chat(3, 2, cost=Cost(0))).reporters == (1,)
    assert selected(ROOT, agent, chat(3, 2, cost=Cost(1))).reporters == ()


def test_a_first_token_that_came_after_the_call_by_true_times_is_none():
    (call,) = selected(ROOT, chat(2, end_ms=10, first_token_nano=10 * MS)).calls
    assert call.first_token_unix_nano == T0 + 10 * MS
    (call,) = selected(ROOT, chat(2, start_ms=7_300_000, end_ms=7_310_000, first_token_nano=10 * MS)).calls
    assert call.first_token_unix_nano is None


def test_a_span_beside_another_of_the_same_call_is_its_twin():
    assert selected(ROOT, chat(2, response_id="r"), chat(3, response_id="r")).merged == (Merged(2, 1, "twin"),)


def test_siblings_of_different_response_ids_are_two_calls_beside_one_without():
    spans = [chat(2, 1, FIVE, scope="a", response_id="r"), chat(3, 1, FIVE, scope="b", response_id="s"), chat(4, 1, NINE)]
    assert counted(ROOT, *spans) == [(2, FIVE), (3, FIVE), (4, NINE)]


def test_a_twin_may_lie_around_the_earlier_where_both_start_at_once():
    inner, outer = chat(2, 1, FIVE, scope="a", end_ms=20), chat(3, 1, FIVE, scope="b", end_ms=30)
    assert counted(ROOT, inner, outer) == [(2, FIVE)]


def test_twins_may_leave_out_different_parts_of_their_bill():
    told, left_out = Usage(10, 2, 0, 0), Usage(10, 2)
    found = selected(
        ROOT, chat(2, usage=told, scope="a", end_unix_nano=T0 + 50), chat(3, usage=left_out, scope="b", end_unix_nano=T0 + 40)
    )
    assert [call.usage for call in found.calls] == [told]


def test_spans_beside_each_other_that_another_model_answered_are_two_calls():
    usage = Usage(10, 2)
    one = chat(2, usage=usage, scope="a", response_model="m", end_unix_nano=T0 + 50)
    other = chat(3, usage=usage, scope="b", response_model="n", end_unix_nano=T0 + 40)
    assert len(selected(ROOT, one, other).calls) == 2
    assert len(selected(ROOT, one, other._replace(response_model=None)).calls) == 1


def test_a_cost_alone_is_a_report():
    found = selected(ROOT, fact(2, 1, operation="agent", cost=Cost(7)), fact(3, 2))
    assert found.reporters == (1,)
