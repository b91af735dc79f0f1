"""Which spans of a trace to read for what its user said, and for what the user was answered.

A turn's input is what its user said in that turn, its output the last answer the user got (docs/metrics.md, `input` and `output`).
A root that carries text was given it by the application, so it is asked first. Below it agents and generations are asked before
other spans, the earliest for the input, the latest to end for the output: of spans around each other that is the outermost.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from sessiond.core.identity import interval
from sessiond.core.model import OperationKind, SpanFacts

CANDIDATES_MAX: Final = 8
"""Spans read for one text. Mostly the first has it; an agent that only called tools, eight times over, gave no answer to show."""

_ROOT: Final = 0
_SPEAKERS: Final[frozenset[OperationKind]] = frozenset({"agent", "workflow", "chat", "text_completion"})
# Steps around them: their text is often a state that is passed on.
_STEPS: Final[frozenset[OperationKind]] = frozenset({"chain", "other"})
# A query here is what someone asked, perhaps rewritten; what comes out is no answer.
_LOOKUPS: Final[frozenset[OperationKind]] = frozenset({"embeddings", "retrieval", "rerank", "image", "speech"})

# A tool, memory, guardrail or evaluator speaks with the model, not with the user: only as a root is it what was asked.
_INPUT_RANKS: Final[Mapping[OperationKind, int]] = {
    **dict.fromkeys(_SPEAKERS, 1),
    **dict.fromkeys(_STEPS, 2),
    **dict.fromkeys(_LOOKUPS, 3),
}
_OUTPUT_RANKS: Final[Mapping[OperationKind, int]] = {**dict.fromkeys(_SPEAKERS, 1), **dict.fromkeys(_STEPS, 2)}


def input_spans(spans: Sequence[SpanFacts]) -> tuple[int, ...]:
    """Places of the spans to read for the trace's input, best first, at most CANDIDATES_MAX.

    `spans` are in chronological order.
    """
    return _best(
        [
            (_INPUT_RANKS[span.operation] if span.parent_id else _ROOT, place)
            for place, span in enumerate(spans)
            if span.has_input and (span.operation in _INPUT_RANKS or not span.parent_id)
        ]
    )


def output_spans(spans: Sequence[SpanFacts]) -> tuple[int, ...]:
    """Places of the spans to read for the trace's output, best first, at most CANDIDATES_MAX.

    `spans` are in chronological order.
    """
    return _best(
        [
            (_OUTPUT_RANKS[span.operation] if span.parent_id else _ROOT, -interval(span)[1], place)
            for place, span in enumerate(spans)
            if span.has_output and (span.operation in _OUTPUT_RANKS or not span.parent_id)
        ]
    )


def _best(keyed: list[tuple[int, ...]]) -> tuple[int, ...]:
    """The places, which end each key, of the smallest keys."""
    return tuple([key[-1] for key in sorted(keyed)[:CANDIDATES_MAX]])
