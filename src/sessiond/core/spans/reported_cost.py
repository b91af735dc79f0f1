"""What an emitter says a call cost, out of all the figures that its spans carry."""

from collections.abc import Iterable

from sessiond.core.model import Cost, Usage

Figure = tuple[int, int]
"""(order, nano-dollars) as found under one key; the smaller order is the better key."""


def reported(figures: Iterable[Figure], *, zero_holds: bool) -> Figure | None:
    """The figure that counts: of the best key that says more than 0; else 0, where it was said and can be true."""
    zero = None
    for order, nano in sorted(figures):
        if nano > 0:
            return order, nano
        zero = zero or (order, nano)
    return zero if zero_holds else None


def cost_of(
    total: Iterable[Figure], input_: Iterable[Figure], output: Iterable[Figure], *, usage: Usage | None, by_user: bool
) -> tuple[Figure | None, Figure | None, Figure | None]:
    """(total, input, output) with the keys that gave them.

    Emitters write 0 where they know no price, so 0 beside tokens is "unknown". Where the application's owner supplied the figures
    (`by_user`), 0 is 0.
    """
    tokens = usage or Usage()
    free = by_user or not (tokens.input_tokens or tokens.output_tokens)
    return (
        reported(total, zero_holds=free),
        reported(input_, zero_holds=by_user or not tokens.input_tokens),
        reported(output, zero_holds=by_user or not tokens.output_tokens),
    )


def as_cost(total: Figure | None, input_: Figure | None, output: Figure | None) -> Cost | None:
    """The three as one; both sides without a total are the total."""
    figures = Cost(*(None if figure is None else figure[1] for figure in (total, input_, output)))
    return completed(figures) if figures != Cost() else None


def completed(cost: Cost) -> Cost:
    """The cost, with both sides as its total where it has none."""
    if cost.total_nano is None and cost.input_nano is not None and cost.output_nano is not None:
        return cost._replace(total_nano=cost.input_nano + cost.output_nano)
    return cost


def beside(cost: Cost | None, own: Usage, used: Usage) -> Cost | None:
    """What a span reports of a call, by its `own` usage, when other spans say what the call `used`.

    A 0 that it wrote for want of tokens is as little known as one that stands beside them.
    """
    if cost is None or own == used:
        return cost
    tokens = (
        (used.input_tokens or used.output_tokens, own.input_tokens or own.output_tokens),
        *zip(used[:2], own[:2], strict=True),
    )
    known = Cost(*(None if nano == 0 and other and not mine else nano for nano, (other, mine) in zip(cost, tokens, strict=True)))
    return known if known != Cost() else None
