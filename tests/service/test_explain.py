"""Explaining a trace: each figure with the spans and attributes it comes from, each call with its price, each span not counted."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from builders import received, span, span_id, trace_id
from daemon import DEADLINE_SECONDS, Parts, parts
from sessiond.core.errors import NotFound
from sessiond.core.explain import EVIDENCE_MAX, Explanation
from sessiond.core.fields import TRACE_FIELDS

NOT_FIGURES = {"trace_id", "scores", "annotations", "list_counts", "input_length", "output_length"}
"""The id that was asked for, what is not served, and lengths of what has an entry itself."""

MODEL = {
    "gen_ai__provider__name": "openai",
    "gen_ai__request__model": "gpt-4o-mini",
    "gen_ai__response__model": "gpt-4o-mini-2024-07-18",
}


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Parts]:
    with parts(tmp_path / "data") as found:
        yield found


def explained(running: Parts, *spans: Span, **resource: Any) -> Explanation:
    running.append(received(*spans, **resource)).result(DEADLINE_SECONDS)
    return running.queries.explain(trace_id(1))


def evidence(explanation: Explanation, field: str) -> list[tuple[int, str, str]]:
    """(number of the span, where in it, what it said there) of a figure."""
    (figure,) = [figure for figure in explanation.figures if figure.field == field]
    assert len(figure.evidence) == min(figure.evidence_count, EVIDENCE_MAX)
    return [(int.from_bytes(one.span_id, "big"), one.key, one.value) for one in figure.evidence]


def test_every_figure_of_a_trace_is_explained_in_the_order_of_its_fields(running: Parts) -> None:
    explanation = explained(running, span(id=1))
    assert [figure.field for figure in explanation.figures] == [one.name for one in TRACE_FIELDS if one.name not in NOT_FIGURES]


def test_tokens_come_from_the_calls_and_the_attributes_that_told_them(running: Parts) -> None:
    explanation = explained(
        running,
        span(id=1, name="turn"),
        span(id=2, parent=1, operation="chat", tokens_in=5, tokens_out=7),
        span(id=3, parent=1, start_ms=1, openinference__span__kind="LLM", llm__token_count__prompt="3"),
    )
    assert evidence(explanation, "input_tokens") == [(2, "gen_ai.usage.input_tokens", "5"), (3, "llm.token_count.prompt", "3")]
    assert evidence(explanation, "output_tokens") == [(2, "gen_ai.usage.output_tokens", "7")]
    assert explanation.trace.usage[:2] == (8, 7)


def test_the_session_that_binds_comes_first_and_a_resource_says_that_it_is_one(running: Parts) -> None:
    explanation = explained(
        running,
        span(id=1, gen_ai__conversation__id="weak"),
        span(id=2, parent=1, start_ms=1, session="strong"),
        session__id="resource",
    )
    assert evidence(explanation, "session_id") == [
        (2, "session.id", "strong"),
        (1, "resource session.id", "resource"),
        (2, "resource session.id", "resource"),
        (1, "gen_ai.conversation.id", "weak"),
    ]
    assert [value for _, _, value in evidence(explanation, "other_session_ids")] == ["resource", "resource", "weak"]


def test_an_estimated_call_names_its_price_and_a_reported_one_its_attribute(running: Parts) -> None:
    explanation = explained(
        running,
        span(id=1, operation="chat", tokens_in=10, tokens_out=1, **MODEL),
        span(id=2, start_ms=1, operation="chat", tokens_in=10, gen_ai__usage__total_cost=0.25, **MODEL),
        span(id=3, start_ms=2, operation="chat", tokens_in=10, model="nobody-sells-this"),
    )
    ((one, table, row),) = evidence(explanation, "cost_estimated_usd")
    assert (one, table, row.startswith("openai gpt-4o-mini")) == (1, "price table", True)
    assert evidence(explanation, "cost_reported_usd") == [(2, "gen_ai.usage.total_cost", "250000000")]
    assert evidence(explanation, "unpriced_call_count") == [(3, "", "nobody-sells-this")]
    assert [(call.priced.cost is None, call.priced.row is None) for call in explanation.calls] == [
        (False, False),
        (False, True),
        (True, True),
    ]


def test_spans_that_tell_of_a_call_again_are_named_with_the_reason(running: Parts) -> None:
    explanation = explained(
        running,
        span(id=1, name="run", operation="invoke_agent", tokens_in=99, end_ms=50),
        span(id=2, parent=1, operation="chat", tokens_in=5, end_ms=40, gen_ai__response__id="r"),
        span(id=3, parent=2, start_ms=1, end_ms=30, operation="chat", tokens_in=5),
        span(id=4, parent=1, start_ms=2, end_ms=3, operation="chat", tokens_in=5, gen_ai__response__id="r"),
    )
    told = [(int.from_bytes(one.span_id, "big"), one.rule, one.counted_span_id) for one in explanation.uncounted]
    assert told == [(1, "aggregate", b""), (2, "restated", span_id(3)), (4, "twin", span_id(3))]
    (call,) = explanation.calls
    assert (call.span_id, sorted(call.merged_span_ids)) == (span_id(3), [span_id(2), span_id(4)])


def test_an_agent_that_alone_reports_is_told_as_a_reporter(running: Parts) -> None:
    explanation = explained(running, span(id=1, operation="invoke_agent", tokens_in=9, **MODEL))
    (call,) = explanation.calls
    assert (call.is_reporter, call.usage and call.usage.input_tokens, call.priced.row is not None) == (True, 9, True)


def test_the_first_token_comes_from_the_call_whose_token_came_first(running: Parts) -> None:
    explanation = explained(
        running,
        span(id=1, operation="chat", end_ms=100, gen_ai__response__time_to_first_chunk=0.09),
        span(id=2, operation="chat", end_ms=100, gen_ai__response__time_to_first_chunk=0.02),
    )
    assert [number for number, _, _ in evidence(explanation, "ttft_ms")] == [2, 1]
    assert explanation.trace.ttft_nano == 20_000_000


def test_texts_are_traced_to_the_span_that_they_were_read_from(running: Parts) -> None:
    said = {"input.value": "Where?", "output.value": "Here."}
    explanation = explained(running, span(id=1, name="turn"), span(id=2, parent=1, operation="chat", **said))
    assert evidence(explanation, "input") == [(2, "input.value", "Where?")]
    assert evidence(explanation, "output") == [(2, "output.value", "Here.")]


def test_long_evidence_is_cut_and_counted(running: Parts) -> None:
    explanation = explained(running, *(span(id=number, start_ms=number) for number in range(1, 2 * EVIDENCE_MAX)))
    (spans,) = [figure for figure in explanation.figures if figure.field == "span_count"]
    assert (len(spans.evidence), spans.evidence_count) == (EVIDENCE_MAX, 2 * EVIDENCE_MAX - 1)


def test_an_unknown_trace_can_not_be_explained(running: Parts) -> None:
    with pytest.raises(NotFound):
        running.queries.explain(trace_id(9))
