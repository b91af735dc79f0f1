"""Which spans of a trace tell of a call, each call once (docs/metrics.md).

Let G be the spans of a generation kind, W all others:

1. Two G spans with the same response id are one call. Without ids: the same parent, different instrumentation scopes, one
   interval inside the other, equal usage; twins that both failed merge without the usage test.
2. A G span above a G span of its family, with no tool, agent or workflow span between them, is the same call: the lower one
   counts and the upper only fills its gaps.
3. A W span's usage and cost count only if no span below it carries any: agents that alone report count, those that restate don't.

Children arrive before their parents and in other batches, so this is always applied to a whole trace.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, Literal, NamedTuple

from sessiond.core.conventions import BARRIER_KINDS, GENERATION_KINDS
from sessiond.core.identity import parents, parents_first
from sessiond.core.model import NO_USAGE, Cost, OperationKind, SpanFacts, Usage
from sessiond.core.spans.reported_cost import beside, completed

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
    parent_id: bytes
    """Of what made the call: the parent of the topmost span that tells of it, which need not have come. Empty: a root."""
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
    """`restated`: it stands above that span, or above its twin. `twin`: it stands beside it."""
    fills_usage: bool = True
    """Whether it fills gaps in usage, cost and first token too: what stands above several attempts does so in one or none."""


class Selection(NamedTuple):
    """What counts in a trace: its calls in order of start, and spans of other kinds that alone report usage or cost.

    Of what is merged into one call, what fills its gaps first comes first.
    """

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
    told = {i: _call(spans[i], i, *intervals[i]) for i in generations}
    restated = _told_again(spans, intervals, told, links) if len(generations) > 1 else ()
    for merged in restated:
        del told[merged.position]
    calls, twins = _merge_twins(spans, intervals, list(told.values()))
    if restated and twins:
        counted = {twin.position: twin.into for twin in twins}
        restated = tuple(one._replace(into=counted.get(one.into, one.into)) for one in restated)
    return Selection(tuple(calls), _reporters(spans, links) if reporting else (), (*restated, *twins))


def reports(span: SpanFacts) -> bool:
    """Whether a span says what was used or that it cost something."""
    return span.usage is not None or (span.cost is not None and any(span.cost))


def _call(span: SpanFacts, position: int, start_unix_nano: int, end_unix_nano: int) -> Call:
    first_token_nano = span.first_token_nano
    if first_token_nano is not None and first_token_nano > end_unix_nano - start_unix_nano:
        first_token_nano = None  # it was confirmed by times that can't be true
    return Call(
        position,
        span.parent_id,
        span.response_id,
        span.request_model,
        span.response_model,
        span.provider,
        span.usage,
        span.cost,
        None if first_token_nano is None else start_unix_nano + first_token_nano,
        span.is_error,
    )


def _told_again(
    spans: Sequence[SpanFacts], intervals: Sequence[tuple[int, int]], told: dict[int, Call], links: list[int]
) -> tuple[Merged, ...]:
    """The generations that one below them tells again, which has its gaps filled in `told`."""
    if told.keys().isdisjoint(links):  # nothing stands below a call, so none is told again
        return ()
    order = parents_first(links)
    below = _below(spans, told, links, order)
    takers = _fill_from_above(spans, intervals, told, below, order)
    merged: dict[int, Merged] = {}
    for i in reversed(order):  # what is nearest fills first
        if i in below:
            next_below = takers.get(i, below[i][0])
            under = merged.get(next_below)
            merged[i] = Merged(
                i,
                under.into if under else next_below,
                "restated",
                fills_usage=i in takers and (under is None or under.fills_usage),
            )
    return tuple(merged.values())


def _below(spans: Sequence[SpanFacts], told: Collection[int], links: list[int], order: Sequence[int]) -> dict[int, list[int]]:
    """Upper generation -> the generations right below it that tell of the same call, in order."""
    restaters = _restaters(spans, told, links, order)
    below: dict[int, list[int]] = {}
    for i in sorted(told):
        if i in restaters:
            below.setdefault(restaters[i], []).append(i)
    return below


def _fill_from_above(
    spans: Sequence[SpanFacts],
    intervals: Sequence[tuple[int, int]],
    told: dict[int, Call],
    below: dict[int, list[int]],
    order: Sequence[int],
) -> dict[int, int]:
    """Each upper generation fills the gaps of the ones right below it, from the top down; which of those took its usage.

    Usage is filled only into the one call below, or, where several are and none reports any, into the last that did not fail:
    an upper span over three attempts reports one bill, not three.
    """
    reporting: set[int] = set()
    for i in reversed(order):
        if i in told and (told[i].usage is not None or any(lower in reporting for lower in below.get(i, ()))):
            reporting.add(i)
    takers: dict[int, int] = {}
    for i in order:
        lower = below.get(i, ())
        if not lower:
            continue
        attempts, _ = _merge_twins(spans, intervals, [told[each] for each in lower])
        for each in lower:
            told[each] = _with_gaps_filled(told[each], told[i], usage=False)._replace(parent_id=told[i].parent_id)
        if len(attempts) == 1:
            takers[i] = lower[0]
            told[lower[0]] = _with_gaps_filled(attempts[0], told[i], usage=True)._replace(parent_id=told[i].parent_id)
        elif not any(each in reporting for each in lower):
            takers[i] = last = max((each for each in lower if not told[each].failed), default=lower[-1])
            told[last] = _with_gaps_filled(told[last], told[i], usage=True)
    return takers


def _restaters(spans: Sequence[SpanFacts], told: Collection[int], links: list[int], order: Sequence[int]) -> dict[int, int]:
    """Generation -> the nearest generation of its family above it that tells of the same call."""
    nothing: dict[int, int] = {}
    above = [nothing] * len(spans)  # family -> nearest generation above
    nearest: dict[int, int] = {}
    for i in order:
        parent = links[i]
        if parent < 0 or spans[i].operation in BARRIER_KINDS:
            continue
        above[i] = above[parent]
        if parent in told:
            above[i] = {**above[i], _FAMILIES[spans[parent].operation]: parent}
        restater = above[i].get(_FAMILIES.get(spans[i].operation, 0))
        if restater is not None:
            nearest[i] = restater
    return nearest


def _with_gaps_filled(call: Call, source: Call, *, usage: bool) -> Call:
    filled = call._replace(
        response_id=call.response_id or source.response_id,
        request_model=call.request_model or source.request_model,
        response_model=call.response_model or source.response_model,
        provider=call.provider or source.provider,
    )
    if not usage:
        return filled
    used = _filled_usage(call.usage, source.usage)
    return filled._replace(
        usage=used,
        cost=_filled_cost(call, source, used),
        first_token_unix_nano=call.first_token_unix_nano or source.first_token_unix_nano,
    )


def _filled_usage(usage: Usage | None, source: Usage | None) -> Usage | None:
    if usage is None or source is None:
        return usage or source
    return Usage(*_filled(usage, source))


def _filled_cost(call: Call, source: Call, used: Usage | None) -> Cost | None:
    mine, theirs = (beside(one.cost, one.usage or NO_USAGE, used or NO_USAGE) for one in (call, source))
    if mine is None or theirs is None:
        return mine or theirs
    return completed(Cost(*_filled(mine, theirs)))


def _filled(parts: Iterable[int | None], source: Iterable[int | None]) -> Iterator[int | None]:
    return (mine if mine is not None else theirs for mine, theirs in zip(parts, source, strict=True))


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
    siblings: dict[bytes, list[int]] = {}  # parent -> places in `kept` that may still have a twin
    for call in calls:
        twin = by_response.get(call.response_id) if call.response_id is not None else None
        if twin is None:
            start = intervals[call.position][0]
            near = [k for k in siblings.get(call.parent_id, ()) if intervals[kept[k].position][1] >= start]
            siblings[call.parent_id] = near[-TWIN_CANDIDATES_MAX:]
            twin = next((k for k in siblings[call.parent_id] if _are_twins(spans, intervals, kept[k], call)), None)
        if twin is None:
            twin = len(kept)
            kept.append(call)
            siblings[call.parent_id].append(twin)
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
