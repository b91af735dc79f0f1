"""Which spans of a trace are read for its input and output, and in which order."""

from typing import Any

import pytest

from builders import fact
from sessiond.core.model import SpanFacts
from sessiond.core.text.spans import CANDIDATES_MAX, input_spans, output_spans

ROOT: dict[str, Any] = {"parent": None}


def talking(*spans: dict[str, Any]) -> list[SpanFacts]:
    """Facts of spans with input and output under an absent root, in order of start, each 10 ms long unless they say otherwise."""
    return [
        fact(id=n, **{"parent": 99, "start_ms": n, "end_ms": n + 10, "has_input": True, "has_output": True, **one})
        for n, one in enumerate(spans, 1)
    ]


def both(spans: list[SpanFacts]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return tuple(input_spans(spans)), tuple(output_spans(spans))


def test_a_root_with_text_comes_first_whatever_it_is():
    spans = talking({"operation": "chat"}, {**ROOT, "operation": "tool"})
    assert both(spans) == ((1, 0), (1, 0))


def test_a_root_without_text_is_not_read():
    spans = talking({**ROOT, "has_input": False, "has_output": False}, {"operation": "chat"})
    assert both(spans) == ((1,), (1,))


def test_the_earliest_generation_was_asked_and_the_latest_to_end_answered():
    spans = talking({"operation": "chat"}, {"operation": "chat"}, {"operation": "chat", "end_ms": 5})
    assert both(spans) == ((0, 1, 2), (1, 0, 2))


def test_an_agent_around_its_last_call_answers_first():
    spans = talking({"operation": "agent", "end_ms": 50}, {"operation": "chat"}, {"operation": "chat", "end_ms": 49})
    assert tuple(output_spans(spans)) == (0, 2, 1)


def test_steps_come_after_speakers_and_lookups_last():
    spans = talking({"operation": "embeddings"}, {"operation": "chain"}, {"operation": "other"}, {"operation": "chat"})
    assert both(spans) == ((3, 1, 2, 0), (3, 2, 1))


@pytest.mark.parametrize("operation", ["agent", "workflow", "chat", "text_completion"])
def test_each_speaker_comes_before_a_step(operation: str):
    spans = talking({"operation": "chain", "end_ms": 90}, {"operation": operation})
    assert both(spans) == ((1, 0), (1, 0))


@pytest.mark.parametrize("operation", ["embeddings", "retrieval", "rerank", "image", "speech"])
def test_a_lookup_may_be_what_was_asked_but_is_no_answer(operation: str):
    spans = talking({"operation": operation})
    assert both(spans) == ((0,), ())


@pytest.mark.parametrize("operation", ["tool", "memory", "guardrail", "evaluator"])
def test_what_speaks_with_the_model_is_neither(operation: str):
    spans = talking({"operation": operation})
    assert both(spans) == ((), ())


def test_only_spans_with_the_side_in_question_are_read():
    spans = talking({"operation": "chat", "has_output": False}, {"operation": "chat", "has_input": False})
    assert both(spans) == ((0,), (1,))


def test_an_end_in_the_future_does_not_make_an_answer_the_last():
    century_ms = 100 * 365 * 86_400_000
    skewed = {"operation": "chat", "start_ms": 1, "end_ms": century_ms, "received_unix_nano": fact(end_ms=20).end_unix_nano}
    assert both(talking(skewed, {"operation": "chat", "end_ms": 30}))[1] == (1, 0)


def test_candidates_are_bounded():
    spans = talking(*[{"operation": "chat"}] * (CANDIDATES_MAX + 1))
    assert tuple(input_spans(spans)) == tuple(range(CANDIDATES_MAX))
    assert tuple(output_spans(spans)) == tuple(range(CANDIDATES_MAX, 0, -1))


def test_no_spans_give_no_candidates():
    assert both([]) == ((), ())
