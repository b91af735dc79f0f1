"""Each turn of a session against the middle of all its turns."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from sessiond.core.fold import percentile
from sessiond.core.model import Texts, TraceSummary
from sessiond.core.turns.asked_again import asks_again

TURNS_MIN: Final = 3
"""Turns with a figure, from which on it has a middle: of two each would be as far from it as the other."""


class TurnFigures(NamedTuple):
    """How one turn stands to the others. A ratio is the turn's figure over the median of the turns that have it."""

    trace_id: bytes
    cost_ratio: float | None = None
    tokens_ratio: float | None = None
    duration_ratio: float | None = None
    ttft_ratio: float | None = None
    prompt_tokens: int | None = None
    """The largest input of its calls."""
    prompt_growth_tokens: int | None = None
    """How many more than in the turn before that tells of them; less than 0: fewer."""
    asked_again: bool = False
    """Whether the user asks the same again in the next turn."""
    is_cut: bool = False
    """Whether some of what it says was left out."""


def figures_of(
    traces: Sequence[TraceSummary], texts: Sequence[Texts], prompt_tokens: Sequence[int | None], asking: Sequence[bool]
) -> list[TurnFigures]:
    """The turns of a session, in their order; all four tell of the same ones. `asking`: whether one has words of its user's own."""
    costs = _ratios([trace.costs.total_nano for trace in traces])
    tokens = _ratios([_tokens(trace) for trace in traces])
    durations = _ratios([trace.end_unix_nano - trace.start_unix_nano for trace in traces])
    waits = _ratios([trace.ttft_nano for trace in traces])
    again = [*(asks and _is_asked_again(*pair) for asks, pair in zip(asking[1:], pairwise(texts), strict=True)), False]
    growths = _growths(prompt_tokens)
    ids = [trace.trace_id for trace in traces]
    return list(map(TurnFigures, ids, costs, tokens, durations, waits, prompt_tokens, growths, again))


def _tokens(trace: TraceSummary) -> int | None:
    known = [tokens for tokens in trace.usage[:2] if tokens is not None]
    return sum(known) if known else None


def _ratios(values: Sequence[int | None]) -> list[float | None]:
    known = sorted(value for value in values if value is not None)
    median = percentile(known, 0.5) if len(known) >= TURNS_MIN else 0
    return [None if value is None or median <= 0 else value / median for value in values]


def _growths(prompts: Iterable[int | None]) -> list[int | None]:
    found: list[int | None] = []
    before: int | None = None
    for prompt in prompts:
        found.append(None if prompt is None or before is None else prompt - before)
        before = before if prompt is None else prompt
    return found


def _is_asked_again(one: Texts, other: Texts) -> bool:
    """Of texts of which only the beginning is at hand nothing is known: long ones begin alike."""
    before, after = one.input, other.input
    if before is None or after is None or any(text.length > len(text.beginning) for text in (before, after)):
        return False
    return asks_again(before.beginning, after.beginning)
