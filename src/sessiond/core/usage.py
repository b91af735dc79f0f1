"""Tokens: what one span reports, and which spans of a trace count, each call once (docs/metrics.md).

Let G be the spans of a generation kind, W all others:

1. Two G spans with the same response id are one call. Without ids: the same parent, different instrumentation scopes, one
   interval inside the other, equal usage; twins that both failed merge without the usage test.
2. A G span above a G span of its family, with no tool, agent or workflow span between them, is the same call: the lower one
   counts and the upper only fills its gaps.
3. A W span's usage counts only if no span below it carries usage: agents that alone report count, those that restate do not.

Children arrive before their parents and in other batches, so this is always applied to a whole trace.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from sessiond.core import fold
from sessiond.core.conventions import BARRIER_KINDS, GENERATION_KINDS, CacheShare
from sessiond.core.identity import parents, parents_first
from sessiond.core.model import NO_USAGE, OperationKind, SpanFacts, TraceSummary, Usage

_CACHE_OUTSIDE_PROVIDERS: Final = frozenset({"anthropic", "aws"})
"""Whose APIs report input without what was read from or written to a cache."""

_FAMILIES: Final[dict[OperationKind, int]] = {
    "chat": 1,
    "text_completion": 1,
    "embeddings": 2,
    "rerank": 4,
    "image": 8,
    "speech": 16,
}
"""One bit a family; chat and text completion are one."""


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
    both = (input_tokens or 0) + (output_tokens or 0)
    outside = {
        both: (0, 0),
        both + reasoning: (0, reasoning),
        both + cache: (cache, 0),
        both + cache + reasoning: (cache, reasoning),
    }
    proved = outside.get(-1 if total_tokens is None else total_tokens)
    if proved is None:
        by_key = cache_share == "outside" or (cache_share == "by_provider" and provider in _CACHE_OUTSIDE_PROVIDERS)
        proved = (cache if by_key or cache > (input_tokens or 0) else 0, 0)
    return reported._replace(
        input_tokens=None if input_tokens is None else input_tokens + proved[0],
        output_tokens=None if output_tokens is None else output_tokens + proved[1],
    )


TWIN_CANDIDATES_MAX: Final = 64
"""Calls of one parent under way at once that a twin is looked for among; keeps 30,000 parallel siblings linear."""


class Call(NamedTuple):
    """One call to a model, its gaps filled from the other spans that told of it."""

    position: int
    """Of the span that counts, in chronological order."""
    parent: int
    """Position of what made the call: the parent of the topmost span that tells of it."""
    response_id: str | None
    request_model: str | None
    response_model: str | None
    provider: str | None
    usage: Usage | None
    failed: bool


NO_CALLS: Final = Usage(0, 0, 0, 0, 0)
"""A trace without a call used no tokens, and that is known; of a call that reports none it is not known."""


class Selection(NamedTuple):
    """What counts in a trace: its calls in order of start, and spans of other kinds that alone report usage."""

    calls: tuple[Call, ...]
    reporters: tuple[int, ...]


def select(spans: Sequence[SpanFacts], intervals: Sequence[tuple[int, int]]) -> Selection:
    """Apply the rule to a whole trace, given as `core.identity.chronological` gives it."""
    generations = [i for i, span in enumerate(spans) if span.operation in GENERATION_KINDS]
    reporting = any(span.usage is not None and span.operation not in GENERATION_KINDS for span in spans)
    if not generations and not reporting:
        return Selection((), ())
    links = parents(spans)
    order = parents_first(links)
    calls = _merge_twins(spans, intervals, _told_once(spans, generations, links, order))
    return Selection(tuple(calls), _reporters(spans, links, order) if reporting else ())


def total(usages: Sequence[Usage]) -> Usage:
    """Sums over what is present; a part that nobody reports is absent."""
    if len(usages) == 1:
        return usages[0]
    return Usage(*(_sum(column) for column in zip(*usages, strict=True))) if usages else NO_USAGE


def total_over_traces(traces: Iterable[TraceSummary]) -> Usage:
    """Sums over traces. A trace without calls says nothing about a part that the calls of the others leave absent."""
    told = [trace.usage for trace in traces if trace.llm_call_count or trace.usage != NO_CALLS]
    return total(told) if told else NO_CALLS


def _sum(column: Iterable[int | None]) -> int | None:
    present = [count for count in column if count is not None]
    return fold.total(present) if present else None


def _told_once(spans: Sequence[SpanFacts], generations: list[int], links: list[int], order: Sequence[int]) -> list[Call]:
    """The generations that no generation below them tells again, in chronological order."""
    told = {i: _call(spans[i], i, links[i]) for i in generations}
    upper = _restated(spans, links, order) if len(generations) > 1 else frozenset()
    if upper:
        _fill_from_above(spans, told, upper, links, order)
    return [call for i, call in told.items() if i not in upper]


def _call(span: SpanFacts, position: int, parent: int) -> Call:
    return Call(
        position, parent, span.response_id, span.request_model, span.response_model, span.provider, span.usage, span.is_error
    )


def _restated(spans: Sequence[SpanFacts], links: list[int], order: Sequence[int]) -> frozenset[int]:
    """Generations with a generation of their family below them: `below` is the set of families reachable from each span."""
    below = [0] * len(spans)
    upper: set[int] = set()
    for i in reversed(order):
        family = _FAMILIES.get(spans[i].operation, 0)
        if family & below[i]:
            upper.add(i)
        if links[i] >= 0 and spans[i].operation not in BARRIER_KINDS:
            below[links[i]] |= below[i] | family
    return frozenset(upper)


def _fill_from_above(
    spans: Sequence[SpanFacts], told: dict[int, Call], upper: frozenset[int], links: list[int], order: Sequence[int]
) -> None:
    """Each upper generation fills the gaps of the ones right below it, from the top down.

    Usage is filled only into the one below, or, where several are and none reports any, into the last that did not fail: an
    upper span over three attempts reports one bill, not three.
    """
    restaters = _restaters(spans, upper, links, order)
    below: dict[int, list[int]] = {}
    for i in sorted(told):
        if i in restaters:
            below.setdefault(restaters[i], []).append(i)
    reports: set[int] = set()
    for i in reversed(order):
        if i in told and (told[i].usage is not None or any(lower in reports for lower in below.get(i, ()))):
            reports.add(i)
    for i in order:
        lower = below.get(i, [])
        for each in lower:
            told[each] = _with_gaps_filled(told[each], told[i], usage=len(lower) == 1)._replace(parent=told[i].parent)
        if len(lower) > 1 and not any(each in reports for each in lower):
            last = max((each for each in lower if not told[each].failed), default=lower[-1])
            told[last] = _with_gaps_filled(told[last], told[i], usage=True)


def _restaters(spans: Sequence[SpanFacts], upper: frozenset[int], links: list[int], order: Sequence[int]) -> dict[int, int]:
    """Generation -> the nearest generation of its family above it that tells of the same call."""
    nothing: dict[int, int] = {}
    above = [nothing] * len(spans)  # family -> nearest upper generation
    nearest: dict[int, int] = {}
    for i in order:
        parent = links[i]
        if parent < 0 or spans[i].operation in BARRIER_KINDS:
            continue
        above[i] = above[parent]
        if parent in upper:
            above[i] = {**above[i], _FAMILIES[spans[parent].operation]: parent}
        restater = above[i].get(_FAMILIES.get(spans[i].operation, 0))
        if restater is not None:
            nearest[i] = restater
    return nearest


def _with_gaps_filled(call: Call, source: Call, *, usage: bool) -> Call:
    return call._replace(
        response_id=call.response_id or source.response_id,
        request_model=call.request_model or source.request_model,
        response_model=call.response_model or source.response_model,
        provider=call.provider or source.provider,
        usage=_filled_usage(call.usage, source.usage) if usage else call.usage,
    )


def _filled_usage(usage: Usage | None, source: Usage | None) -> Usage | None:
    if usage is None or source is None:
        return usage or source
    return Usage(*(mine if mine is not None else theirs for mine, theirs in zip(usage, source, strict=True)))


def _merge_twins(spans: Sequence[SpanFacts], intervals: Sequence[tuple[int, int]], calls: Sequence[Call]) -> list[Call]:
    """Merge calls told of twice; the earlier one stays and is filled from the later."""
    ids = {call.response_id for call in calls}
    if len(ids) == len(calls) and (None not in ids or len(calls) == 1):
        return list(calls)
    kept: list[Call] = []
    by_response: dict[str, int] = {}
    siblings: dict[int, list[int]] = {}  # parent -> places in `kept` that may still have a twin
    for call in calls:
        twin = by_response.get(call.response_id) if call.response_id is not None else None
        if twin is None:
            start = intervals[call.position][0]
            near = [k for k in siblings.get(call.parent, ()) if intervals[kept[k].position][1] >= start]
            siblings[call.parent] = near[-TWIN_CANDIDATES_MAX:]
            twin = next((k for k in siblings[call.parent] if _are_twins(spans, intervals, kept[k], call)), None)
        if twin is None:
            twin = len(kept)
            kept.append(call)
            siblings[call.parent].append(twin)
        else:
            both = _with_gaps_filled(kept[twin], call, usage=True)
            kept[twin] = both._replace(failed=both.failed or call.failed)
        if call.response_id is not None:
            by_response.setdefault(call.response_id, twin)
    return kept


def _are_twins(spans: Sequence[SpanFacts], intervals: Sequence[tuple[int, int]], one: Call, other: Call) -> bool:
    first, second = spans[one.position], spans[other.position]
    if one.response_id is not None and other.response_id is not None:
        return False
    if first.scope == second.scope or _FAMILIES[first.operation] != _FAMILIES[second.operation]:
        return False
    (start, end), (other_start, other_end) = intervals[one.position], intervals[other.position]
    nested = (start <= other_start and other_end <= end) or (other_start <= start and end <= other_end)
    if not nested:
        return False
    if first.is_error and second.is_error:
        return True
    return one.usage is not None and one.usage == other.usage


def _reporters(spans: Sequence[SpanFacts], links: list[int], order: Sequence[int]) -> tuple[int, ...]:
    """Spans of other kinds that carry usage, with none below them that does."""
    usage_below = [False] * len(spans)
    for i in reversed(order):
        if links[i] >= 0 and (usage_below[i] or spans[i].usage is not None):
            usage_below[links[i]] = True
    return tuple(
        i
        for i, span in enumerate(spans)
        if span.usage is not None and span.operation not in GENERATION_KINDS and not usage_below[i]
    )
