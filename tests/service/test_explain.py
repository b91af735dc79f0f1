"""Explaining a trace: what each figure, call and uncounted span is told to come from."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from builders import OTHER_RULES, T0, received, request, span, trace_id
from daemon import DEADLINE_SECONDS, Parts, parts
from sessiond.core.errors import NotFound
from sessiond.core.figures.explain import EVIDENCE_MAX, ExplainedCall, Explanation
from sessiond.core.rows.fields import TRACE_FIELDS

UNEXPLAINED = {
    "trace_id": "what was asked for",
    "input_length": "of the input, which is explained",
    "output_length": "of the output, which is explained",
    "list_counts": "of lists that are explained one by one",
    "scores": "of no span: they are listed one by one",
    "annotations": "of no span",
}
"""Fields of a trace that are no figures of their own, and why."""

CHAT = {"operation": "chat", "parent": 1}


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Parts]:
    with parts(tmp_path / "data") as found:
        yield found


def explained(running: Parts, *spans: Any, **resource: Any) -> Explanation:
    running.append(received(span(id=1, end_ms=1000), *spans, **resource)).result(DEADLINE_SECONDS)
    return running.queries.explain(trace_id(1))


def evidence(explanation: Explanation, field: str) -> list[tuple[int, str, str]]:
    figure = next(figure for figure in explanation.figures if figure.field == field)
    return [(int.from_bytes(one.span_id), one.key, one.value) for one in figure.evidence]


def call(explanation: Explanation) -> ExplainedCall:
    (only,) = explanation.calls
    return only


def test_every_figure_of_a_trace_is_explained_in_the_order_of_its_fields(running: Parts) -> None:
    figures = [figure.field for figure in explained(running).figures]
    assert set(figures) == {field.name for field in TRACE_FIELDS} - UNEXPLAINED.keys()
    assert len(figures) == len(set(figures))


def test_a_trace_that_is_not_there_is_not_found(running: Parts) -> None:
    with pytest.raises(NotFound):
        running.queries.explain(trace_id(9))


def test_tokens_come_from_the_attributes_of_the_calls(running: Parts) -> None:
    found = explained(
        running, span(id=2, tokens_in=5, tokens_out=7, **CHAT), span(id=3, tokens_in=1, start_ms=20, llm__usage__x=1, **CHAT)
    )
    assert evidence(found, "input_tokens") == [(2, "gen_ai.usage.input_tokens", "5"), (3, "gen_ai.usage.input_tokens", "1")]
    assert evidence(found, "output_tokens") == [(2, "gen_ai.usage.output_tokens", "7")]
    assert evidence(found, "cache_read_tokens") == []


def test_a_reported_cost_is_told_with_its_key(running: Parts) -> None:
    found = explained(running, span(id=2, model="gpt-4o", tokens_in=5, tokens_out=7, gen_ai__usage__cost=0.5, **CHAT))
    assert evidence(found, "cost_usd") == [(2, "gen_ai.usage.cost", "500000000")]
    assert evidence(found, "cost_reported_usd") == [(2, "gen_ai.usage.cost", "500000000")]
    assert evidence(found, "cost_estimated_usd") == []
    assert (call(found).priced.cost.total_nano, call(found).priced.row) == (500_000_000, None)


def test_an_estimated_cost_is_told_with_the_row_of_the_table(running: Parts) -> None:
    provider = {"gen_ai__provider__name": "openai"}
    found = explained(running, span(id=2, model="gpt-4o", tokens_in=5, tokens_out=7, **provider, **CHAT))
    assert evidence(found, "cost_usd") == [(2, "price table", "openai gpt-4o")]
    assert evidence(found, "cost_estimated_usd") == [(2, "price table", "openai gpt-4o")]
    assert evidence(found, "cost_reported_usd") == []
    assert call(found).priced.row.description == "openai gpt-4o"


def test_an_unpriced_call_is_told_with_its_model(running: Parts) -> None:
    found = explained(
        running, span(id=2, model="house", tokens_in=5, tokens_out=7, **CHAT), span(id=3, start_ms=20, tokens_in=1, **CHAT)
    )
    assert evidence(found, "unpriced_call_count") == [(2, "", "house"), (3, "", "no model is told")]
    assert evidence(found, "cost_usd") == []


def test_a_failed_call_without_tokens_is_not_billed(running: Parts) -> None:
    found = explained(running, span(id=2, error="no", **CHAT))
    assert call(found).priced.is_billed is False
    assert evidence(found, "unpriced_call_count") == []
    assert [one[0] for one in evidence(found, "failed_call_count")] == [2]


def test_time_to_first_token_comes_from_the_call_whose_token_came_first(running: Parts) -> None:
    first = "gen_ai.response.time_to_first_chunk"
    found = explained(
        running,
        span(id=2, end_ms=900, gen_ai__response__time_to_first_chunk=0.5, **CHAT),
        span(id=3, start_ms=100, end_ms=900, gen_ai__response__time_to_first_chunk=0.1, **CHAT),
    )
    assert evidence(found, "ttft_ms") == [(3, first, "100000000"), (2, first, "500000000")]


def test_session_ids_are_told_in_the_order_in_which_they_bind(running: Parts) -> None:
    found = explained(running, span(id=2, gen_ai__conversation__id="thread", **CHAT), span(id=3, session="s", parent=1))
    assert evidence(found, "session_id") == [(3, "session.id", "s"), (2, "gen_ai.conversation.id", "thread")]


def test_an_id_of_a_resource_is_told_as_such(running: Parts) -> None:
    found = explained(running, session__id="s")
    assert evidence(found, "session_id") == [(1, "resource session.id", "s")]


def test_an_id_under_an_operators_key_is_told_with_it(tmp_path: Path) -> None:
    with parts(tmp_path / "data", rules=OTHER_RULES) as running:
        running.ingest.export(request(span(id=1, chat__key="k", session="s")).SerializeToString())
        found = running.queries.explain(trace_id(1))
        assert evidence(found, "session_id") == [(1, "chat.key", "k"), (1, "session.id", "s")]


def test_a_twin_is_merged_and_not_counted(running: Parts) -> None:
    found = explained(
        running,
        span(id=2, tokens_in=5, tokens_out=7, response_id="r", **CHAT),
        span(id=3, tokens_in=5, tokens_out=7, response_id="r", start_ms=1, **CHAT),
    )
    assert [int.from_bytes(one) for one in call(found).merged_span_ids] == [3]
    assert [(int.from_bytes(one.span_id), one.rule, int.from_bytes(one.counted_span_id)) for one in found.uncounted] == [
        (3, "twin", 2)
    ]


def test_a_restating_generation_above_is_merged_into_the_one_below(running: Parts) -> None:
    found = explained(
        running,
        span(id=2, tokens_in=5, end_ms=50, **CHAT),
        span(id=3, parent=2, operation="chat", tokens_in=5, tokens_out=7, start_ms=1),
    )
    assert [(int.from_bytes(one.span_id), one.rule, int.from_bytes(one.counted_span_id)) for one in found.uncounted] == [
        (2, "restated", 3)
    ]


def test_an_agent_that_sums_up_its_calls_is_an_aggregate(running: Parts) -> None:
    found = explained(
        running,
        span(id=2, parent=1, operation="invoke_agent", tokens_in=5, end_ms=50),
        span(id=3, parent=2, operation="chat", tokens_in=5),
    )
    assert [(int.from_bytes(one.span_id), one.rule, one.counted_span_id) for one in found.uncounted] == [(2, "aggregate", b"")]


def test_an_agent_that_alone_reports_is_told_as_a_reporter(running: Parts) -> None:
    found = explained(running, span(id=2, parent=1, operation="invoke_agent", tokens_in=5))
    assert (call(found).is_reporter, call(found).usage.input_tokens, found.uncounted) == (True, 5, ())


def test_texts_come_from_the_spans_that_they_were_read_from(running: Parts) -> None:
    found = explained(running, span(id=2, input__value="hello", output__value="hi", **CHAT))
    assert evidence(found, "input") == [(2, "input.value", "hello")]
    assert evidence(found, "output") == [(2, "output.value", "hi")]


def test_the_span_itself_says_when_it_was_and_how_it_is_called(running: Parts) -> None:
    found = explained(running, span(id=2, start_ms=5, end_ms=2000, parent=1))
    assert evidence(found, "name") == [(1, "", "work")]
    assert evidence(found, "duration_ms") == [(1, "", str(T0)), (2, "", str(T0 + 2000 * 10**6))]


def test_evidence_is_cut_and_counted_whole(running: Parts) -> None:
    found = explained(running, *(span(id=10 + number, parent=1) for number in range(EVIDENCE_MAX)))
    figure = next(figure for figure in found.figures if figure.field == "span_count")
    assert (len(figure.evidence), figure.evidence_count) == (EVIDENCE_MAX, EVIDENCE_MAX + 1)


# -- what a figure does not come from is no evidence -----------------------------------------------------------------------------


def test_the_id_that_binds_is_no_evidence_of_the_others(running: Parts) -> None:
    found = explained(running, span(id=2, session="s", parent=1), span(id=3, gen_ai__conversation__id="thread", parent=1))
    assert evidence(found, "other_session_ids") == [(3, "gen_ai.conversation.id", "thread")]


def test_a_twin_that_fills_no_gap_is_no_evidence_of_tokens(running: Parts) -> None:
    twins = (span(id=number, tokens_in=5, response_id="r", start_ms=number, **CHAT) for number in (2, 3))
    assert [one[0] for one in evidence(explained(running, *twins), "input_tokens")] == [2]


def test_a_cost_that_a_twin_reported_is_told(running: Parts) -> None:
    found = explained(
        running,
        span(id=2, tokens_in=5, response_id="r", **CHAT),
        span(id=3, tokens_in=5, response_id="r", start_ms=1, gen_ai__usage__cost=0.5, **CHAT),
    )
    assert found.trace.costs.reported_nano == 500_000_000
    assert evidence(found, "cost_reported_usd") == [(3, "gen_ai.usage.cost", "500000000")]


def test_a_first_token_that_a_twin_told_is_told(running: Parts) -> None:
    found = explained(
        running,
        span(id=2, tokens_in=5, response_id="r", end_ms=900, **CHAT),
        span(id=3, tokens_in=5, response_id="r", end_ms=900, gen_ai__response__time_to_first_chunk=0.5, **CHAT),
    )
    assert found.trace.ttft_nano == 500_000_000
    assert [one[0] for one in evidence(found, "ttft_ms")] == [3]


def test_a_total_cost_is_no_evidence_of_the_inputs_part(running: Parts) -> None:
    found = explained(running, span(id=2, tokens_in=5, gen_ai__usage__cost=0.5, **CHAT))
    assert found.trace.costs.input_nano is None
    assert evidence(found, "input_cost_usd") == []


def test_a_model_that_never_answered_is_no_evidence_of_models(running: Parts) -> None:
    found = explained(running, span(id=2, error="no", model="house", **CHAT))
    assert found.trace.models == ()
    assert evidence(found, "models") == []


def test_a_bill_over_attempts_of_which_one_reports_is_no_evidence(running: Parts) -> None:
    upper = span(id=2, end_ms=90, tokens_in=300, gen_ai__response__time_to_first_chunk=0.05, **CHAT)
    attempts = (
        span(id=3, operation="chat", parent=2, error="429"),
        span(id=4, operation="chat", parent=2, start_ms=30, tokens_in=100),
    )
    found = explained(running, upper, *attempts)
    assert evidence(found, "input_tokens") == [(4, "gen_ai.usage.input_tokens", "100")]
    assert evidence(found, "ttft_ms") == []


def test_what_stands_above_a_twin_is_told_with_the_call_that_counts(running: Parts) -> None:
    twins = (
        span(id=2, end_ms=99, tokens_in=5, response_id="r", **CHAT),
        span(id=4, operation="chat", parent=3, start_ms=3, end_ms=97, tokens_in=5, response_id="r"),
    )
    upper = span(id=3, start_ms=2, end_ms=98, gen_ai__usage__total_cost=0.5, **CHAT)
    found = explained(running, *twins, upper)
    assert evidence(found, "cost_usd") == [(3, "gen_ai.usage.total_cost", "500000000")]
    assert {int.from_bytes(one) for one in call(found).merged_span_ids} == {3, 4}
    assert {int.from_bytes(one.counted_span_id) for one in found.uncounted} == {2}


def test_a_call_that_failed_by_its_twins_word_is_told_with_the_twin(running: Parts) -> None:
    found = explained(running, span(id=2, response_id="r", **CHAT), span(id=3, start_ms=1, response_id="r", error="late", **CHAT))
    assert found.trace.failed_call_count == 1
    assert [place for place, *_ in evidence(found, "failed_call_count")] == [3]


def test_an_unpriced_call_is_told_with_the_model_that_another_span_gave(running: Parts) -> None:
    found = explained(running, span(id=2, model="nobodys", end_ms=90, **CHAT), span(id=3, operation="chat", parent=2, tokens_in=5))
    assert evidence(found, "unpriced_call_count") == [(3, "", "nobodys")]


def test_a_cost_of_nothing_that_another_span_knew_better_is_no_evidence(running: Parts) -> None:
    upper = span(id=2, end_ms=90, tokens_in=5, gen_ai__usage__cost=0.5, **CHAT)
    found = explained(running, upper, span(id=3, operation="chat", parent=2, gen_ai__usage__cost=0.0))
    assert evidence(found, "cost_usd") == [(2, "gen_ai.usage.cost", "500000000")]
