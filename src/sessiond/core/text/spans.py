"""Which spans of a trace to read for what its user said, and for what the user was answered.

A turn's input is what its user said in that turn, its output the last answer the user got (docs/metrics.md, `input` and `output`).
A root that carries text was given it by the application, so it is asked first. Below it agents and generations are asked before
other spans, the earliest for the input, the latest to end for the output: of spans around each other that is the outermost.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from sessiond.core.identity import interval, moment
from sessiond.core.model import OperationKind, SpanFacts

CANDIDATES_MAX: Final = 8
"""Spans read for one text. Mostly the first has it; an agent that only called tools, eight times over, gave no answer to show."""

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


def input_spans(spans: Sequence[SpanFacts]) -> Iterator[int]:
    """Places of the spans to read for the trace's input, best first, at most CANDIDATES_MAX; whatever order the spans are in."""
    has_input = [place for place, span in enumerate(spans) if span.has_input]
    return islice(_best_first(spans, has_input, _INPUT_RANKS, moment), CANDIDATES_MAX)


def output_spans(spans: Sequence[SpanFacts]) -> Iterator[int]:
    """Places of the spans to read for the trace's output, best first, at most CANDIDATES_MAX; whatever order the spans are in."""
    has_output = [place for place, span in enumerate(spans) if span.has_output]
    return islice(_best_first(spans, has_output, _OUTPUT_RANKS, _latest_first), CANDIDATES_MAX)


def _best_first(
    spans: Sequence[SpanFacts],
    places: Sequence[int],
    ranks: Mapping[OperationKind, int],
    key: Callable[[SpanFacts], tuple[object, ...]],
) -> Iterator[int]:
    """Roots, and then by rank those that have one; put in order no further than they are asked for: mostly the first root tells."""
    roots = [place for place in places if not spans[place].parent_id]
    yield from roots if len(roots) == 1 else [place for _, place in sorted([(key(spans[place]), place) for place in roots])]
    below = [place for place in places if spans[place].parent_id and spans[place].operation in ranks]
    for *_, place in sorted([(ranks[spans[place].operation], key(spans[place]), place) for place in below]):
        yield place


def _latest_first(span: SpanFacts) -> tuple[object, ...]:
    return -interval(span)[1], *moment(span)
