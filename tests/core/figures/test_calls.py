"""Which call each span tells of, and what it takes from the others that tell of it."""

from builders import T0, fact
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
    assert call == Call(position=2, parent=0, usage=FIVE, cost=Cost(7), first_token_unix_nano=T0 + 3, failed=False, **told)


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


def test_a_span_that_restates_several_calls_is_told_as_the_first_of_them():
    assert selected(ROOT, chat(2), chat(3, 2), chat(4, 2)).merged == (Merged(1, 2, "restated"),)


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
