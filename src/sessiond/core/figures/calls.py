"""Which spans of a trace tell of a call, each call once (docs/metrics.md).

Let G be the spans of a generation kind, W all others:

1. Two G spans with the same response id are one call. Without ids: the same parent, different instrumentation scopes, one
   interval inside the other, equal usage; twins that both failed merge without the usage test.
2. A G span above a G span of its family, with no tool, agent or workflow span between them, is the same call: the lower one
   counts and the upper only fills its gaps.
3. A W span's usage and cost count only if no span below it carries any: agents that alone report count, those that restate don't.

Children arrive before their parents and in other batches, so this is always applied to a whole trace.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple

from sessiond.core.conventions import BARRIER_KINDS, GENERATION_KINDS
from sessiond.core.identity import parents, parents_first
from sessiond.core.model import Cost, OperationKind, SpanFacts, Usage

_FAMILIES: Final[dict[OperationKind, int]] = {
    "chat": 1,
    "text_completion": 1,
    "embeddings": 2,
    "rerank": 4,
    "image": 8,
    "speech": 16,
}
"""One bit a family; chat and text completion are one."""

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
    cost: Cost | None
    """As an emitter reports it."""
    first_token_unix_nano: int | None
    failed: bool


class Merged(NamedTuple):
    """A generation that tells again of a call."""

    position: int
    into: int
    """Position of the span that counts."""
    rule: Literal["restated", "twin"]
    """`restated`: it stands above that span. `twin`: it stands beside it."""


class Selection(NamedTuple):
    """What counts in a trace: its calls in order of start, and spans of other kinds that alone report usage or cost."""

    calls: tuple[Call, ...] = ()
    reporters: tuple[int, ...] = ()
    merged: tuple[Merged, ...] = ()


def select(spans: Sequence[SpanFacts], intervals: Sequence[tuple[int, int]]) -> Selection:
    """Apply the rule to a whole trace, given as `core.identity.chronological` gives it."""
    generations = [i for i, span in enumerate(spans) if span.operation in GENERATION_KINDS]
    reporting = any(span.operation not in GENERATION_KINDS and reports(span) for span in spans)
    if not generations and not reporting:
        return Selection()
    links = parents(spans)
    told = {i: _call(spans[i], i, links[i], intervals[i][0]) for i in generations}
    restated = _told_again(spans, told, links) if len(generations) > 1 else ()
    for merged in restated:
        del told[merged.position]
    calls, twins = _merge_twins(spans, intervals, list(told.values()))
    return Selection(tuple(calls), _reporters(spans, links) if reporting else (), (*restated, *twins))


def reports(span: SpanFacts) -> bool:
    """Whether a span says what was used or what it cost."""
    return span.usage is not None or span.cost is not None


def _call(span: SpanFacts, position: int, parent: int, start_unix_nano: int) -> Call:
    return Call(
        position,
        parent,
        span.response_id,
        span.request_model,
        span.response_model,
        span.provider,
        span.usage,
        span.cost,
        None if span.first_token_nano is None else start_unix_nano + span.first_token_nano,
        span.is_error,
    )


def _told_again(spans: Sequence[SpanFacts], told: dict[int, Call], links: list[int]) -> tuple[Merged, ...]:
    """The generations that one below them tells again; these have their gaps filled in `told`."""
    if told.keys().isdisjoint(links):  # nothing stands below a call, so none is told again
        return ()
    order = parents_first(links)
    upper = _restated(spans, links, order)
    if not upper:
        return ()
    below = _below(spans, told, upper, links, order)
    _fill_from_above(told, below, order)
    lowest = _lowest(below, order)
    return tuple(Merged(i, lowest[i], "restated") for i in sorted(upper))


def _lowest(below: dict[int, list[int]], order: Sequence[int]) -> dict[int, int]:
    """Upper generation -> the first generation at the bottom under it, which counts."""
    lowest: dict[int, int] = {}
    for i in reversed(order):
        if i in below:
            first = below[i][0]
            lowest[i] = lowest.get(first, first)
    return lowest


def _below(
    spans: Sequence[SpanFacts], told: Iterable[int], upper: frozenset[int], links: list[int], order: Sequence[int]
) -> dict[int, list[int]]:
    """Upper generation -> the generations right below it that tell of the same call, in order."""
    restaters = _restaters(spans, upper, links, order)
    below: dict[int, list[int]] = {}
    for i in sorted(told):
        if i in restaters:
            below.setdefault(restaters[i], []).append(i)
    return below


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


def _fill_from_above(told: dict[int, Call], below: dict[int, list[int]], order: Sequence[int]) -> None:
    """Each upper generation fills the gaps of the ones right below it, from the top down.

    Usage is filled only into the one below, or, where several are and none reports any, into the last that did not fail: an
    upper span over three attempts reports one bill, not three.
    """
    reporting: set[int] = set()
    for i in reversed(order):
        if i in told and (told[i].usage is not None or any(lower in reporting for lower in below.get(i, ()))):
            reporting.add(i)
    for i in order:
        lower = below.get(i, [])
        for each in lower:
            told[each] = _with_gaps_filled(told[each], told[i], usage=len(lower) == 1)._replace(parent=told[i].parent)
        if len(lower) > 1 and not any(each in reporting for each in lower):
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
        cost=call.cost or source.cost if usage else call.cost,
        first_token_unix_nano=call.first_token_unix_nano or source.first_token_unix_nano if usage else call.first_token_unix_nano,
    )


def _filled_usage(usage: Usage | None, source: Usage | None) -> Usage | None:
    if usage is None or source is None:
        return usage or source
    return Usage(*(mine if mine is not None else theirs for mine, theirs in zip(usage, source, strict=True)))


def _merge_twins(
    spans: Sequence[SpanFacts], intervals: Sequence[tuple[int, int]], calls: Sequence[Call]
) -> tuple[Sequence[Call], Sequence[Merged]]:
    """Merge calls told of twice; the earlier one stays and is filled from the later."""
    ids = {call.response_id for call in calls}
    if len(ids) == len(calls) and (None not in ids or len(calls) == 1):
        return calls, ()
    kept: list[Call] = []
    merged: list[Merged] = []
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
            merged.append(Merged(call.position, both.position, "twin"))
        if call.response_id is not None:
            by_response.setdefault(call.response_id, twin)
    return kept, merged


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
    return _is_same_usage(one.usage, other.usage) and (
        one.response_model == other.response_model or None in (one.response_model, other.response_model)
    )


def _is_same_usage(one: Usage | None, other: Usage | None) -> bool:
    """Whether two bills may be one: of its parts an instrumentation may leave out any, and often does."""
    return one is not None and other is not None and one[:2] == other[:2]


def _reporters(spans: Sequence[SpanFacts], links: list[int]) -> tuple[int, ...]:
    """Spans of other kinds that report, with none below them that does."""
    told_below = [False] * len(spans)
    for i in reversed(parents_first(links)):
        if links[i] >= 0 and (told_below[i] or reports(spans[i])):
            told_below[links[i]] = True
    return tuple(
        i for i, span in enumerate(spans) if reports(span) and span.operation not in GENERATION_KINDS and not told_below[i]
    )
