"""Tokens: what one span reports, made to count alike, and sums of it (docs/metrics.md)."""

from collections.abc import Iterable, Sequence
from typing import Final

from sessiond.core.conventions import CacheShare
from sessiond.core.fold import sum_present
from sessiond.core.model import NO_USAGE, TraceSummary, Usage

_CACHE_OUTSIDE_PROVIDERS: Final = frozenset({"anthropic", "aws"})
"""Whose APIs report input without what was read from or written to a cache."""


def inclusive_usage(reported: Usage, *, total_tokens: int | None, cache_share: CacheShare, provider: str | None) -> Usage:
    """The usage with input including its cache and output including its reasoning, whichever way the emitter counts.

    Decided in this order: arithmetic with the emitter's own total proves it; else the key says so; else the provider; and a
    cache larger than its input can't be inside it.
    """
    input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens = reported
    if not (cache_read_tokens or cache_write_tokens or reasoning_tokens):
        return reported
    cache = (cache_read_tokens or 0) + (cache_write_tokens or 0) if input_tokens is not None else 0
    reasoning = reasoning_tokens or 0 if output_tokens is not None else 0
    proved = None
    if total_tokens is not None:
        both = (input_tokens or 0) + (output_tokens or 0)
        outside = {
            both: (0, 0),
            both + reasoning: (0, reasoning),
            both + cache: (cache, 0),
            both + cache + reasoning: (cache, reasoning),
        }
        proved = outside.get(total_tokens)
    if proved is None:
        by_key = cache_share == "outside" or (cache_share == "by_provider" and provider in _CACHE_OUTSIDE_PROVIDERS)
        proved = (cache if by_key or cache > (input_tokens or 0) else 0, 0)
    return Usage(
        None if input_tokens is None else input_tokens + proved[0],
        None if output_tokens is None else output_tokens + proved[1],
        cache_read_tokens,
        cache_write_tokens,
        reasoning_tokens,
    )


NO_CALLS: Final = Usage(0, 0, 0, 0, 0)
"""A trace without a call used no tokens, and that is known; of a call that reports none it is not known."""


def total(usages: Sequence[Usage]) -> Usage:
    """Sums over what is present; a part that nobody reports is absent."""
    if len(usages) == 1:
        return usages[0]
    return Usage._make(map(sum_present, zip(*usages, strict=True))) if usages else NO_USAGE


def total_over_traces(traces: Iterable[TraceSummary]) -> Usage:
    """Sums over traces. A trace without calls says nothing about a part that the calls of the others leave absent."""
    told = [trace.usage for trace in traces if trace.llm_call_count or trace.usage != NO_CALLS]
    return total(told) if told else NO_CALLS
