"""Costs: what each call cost, as an emitter reports it or else by the price table, and sums of it (docs/metrics.md).

A failed call that tells of no tokens was not billed, so it is neither priced nor unpriced.
"""

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

from sessiond.core.figures.calls import Call
from sessiond.core.figures.pricing import NO_COST, PriceBook, PriceRow, estimate, price_row
from sessiond.core.fold import SUM_MAX, sum_present, total
from sessiond.core.model import NO_USAGE, Cost, Costs, SpanFacts, TraceSummary, Usage

NO_CALLS: Final = Costs(0, 0, 0, 0, 0, 0)
"""A trace without a call cost nothing, and that is known."""


class Priced(NamedTuple):
    """What one call cost, and whence that is known."""

    cost: Cost | None
    row: PriceRow | None = None
    """The prices it is estimated by; None: it is reported, or not known."""
    is_billed: bool = True


NOT_BILLED: Final = Priced(None, is_billed=False)


def price(call: Call | SpanFacts, at_unix_nano: int, prices: PriceBook, *, failed: bool) -> Priced:
    """What a call cost, or a span of another kind that alone reports; `at_unix_nano` is its span's start."""
    reported, usage = call.cost, call.usage
    if reported is not None and reported.total_nano is not None:
        return Priced(reported)
    if usage is None and reported is None:
        return NOT_BILLED if failed else Priced(None)
    row = price_row(prices, call.provider, call.response_model, call.request_model, at_unix_nano) if usage is not None else None
    estimated = estimate(usage, row.prices) if usage is not None and row is not None else NO_COST
    if reported is not None:
        return _of_one_side(reported, usage or NO_USAGE, estimated, row)
    return Priced(None if estimated.total_nano is None else estimated, row)


def _of_one_side(reported: Cost, usage: Usage, estimated: Cost, row: PriceRow | None) -> Priced:
    """What a call cost of which an emitter reports one side alone.

    That is the total where the other side has no tokens or no price; else the total and the other side are estimated.
    """
    other_tokens = usage.output_tokens if reported.output_nano is None else usage.input_tokens
    if other_tokens and estimated.total_nano is not None:
        sides = (mine if mine is not None else theirs for mine, theirs in zip(reported[1:], estimated[1:], strict=True))
        return Priced(Cost(estimated.total_nano, *sides), row)
    side = reported.input_nano if reported.output_nano is None else reported.output_nano
    return Priced(reported._replace(total_nano=side) if side or not other_tokens else None)


def sum_of(priced: Collection[Priced]) -> Costs:
    """The costs of a trace's calls together; absent where there are calls and none has a price."""
    if not priced:
        return NO_CALLS
    reported = estimated = unpriced = 0
    inputs: list[int | None] = []
    outputs: list[int | None] = []
    for cost, row, is_billed in priced:
        if cost is None:
            unpriced += is_billed
            continue
        nano, input_nano, output_nano = cost
        if row is None:
            reported += nano or 0
        else:
            estimated += nano or 0
        inputs.append(input_nano)
        outputs.append(output_nano)
    if not inputs:
        return Costs(unpriced_call_count=unpriced)
    total_nano, reported, estimated = (min(nano, SUM_MAX) for nano in (reported + estimated, reported, estimated))
    return Costs(total_nano, sum_present(inputs), sum_present(outputs), reported, estimated, unpriced)


def total_over_traces(traces: Iterable[TraceSummary]) -> Costs:
    """Sums over traces. A trace without calls says nothing about a part that the calls of the others leave absent."""
    told = [trace.costs for trace in traces if trace.llm_call_count or trace.costs != NO_CALLS]
    if len(told) == 1:
        return told[0]
    if not told:
        return NO_CALLS
    totals, inputs, outputs, reported, estimated, unpriced = zip(*told, strict=True)
    return Costs(
        sum_present(totals),
        sum_present(inputs),
        sum_present(outputs),
        sum_present(reported),
        sum_present(estimated),
        total(unpriced),
    )
