"""What statistics look like: exact integers in the units of the core; edges make rates, means, milliseconds and dollars of them."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, Self

from sessiond.core.fold import percentile

Rest = Literal["", "others", "none"]
"""Which rows a group without a label holds: those of all labels that have no group, or those without any label."""


class Distribution(NamedTuple):
    """How a figure is spread over the rows that have it, in its unit. All but the count are None where none has it."""

    count: int = 0  # type: ignore[assignment]  # over tuple's method of that name
    total: int | None = None
    min: int | None = None
    p50: int | None = None
    p95: int | None = None
    p99: int | None = None
    max: int | None = None

    @classmethod
    def of(cls, values: Sequence[int]) -> Self:
        """The distribution of all these values, in any order."""
        if not values:
            return cls()
        ordered = sorted(values)
        return cls(
            count=len(ordered),
            total=sum(ordered),
            min=ordered[0],
            p50=percentile(ordered, 0.5),
            p95=percentile(ordered, 0.95),
            p99=percentile(ordered, 0.99),
            max=ordered[-1],
        )


class Statistics(NamedTuple):
    """Statistics of some rows. A sum is None where none of them has the figure, a distribution where their kind never has it."""

    count: int  # type: ignore[assignment]  # as above
    failed_count: int
    input_tokens: int | None
    output_tokens: int | None
    trace_count: int
    unpriced_call_count: int
    cost_nano: Distribution
    total_tokens: Distribution
    duration_nano: Distribution | None = None
    ttft_nano: Distribution | None = None


class Group(NamedTuple):
    """The rows of one label; with `rest`, those of the others together, each once, or those without a label."""

    label: str
    rest: Rest
    statistics: Statistics


class Bucket(NamedTuple):
    """The rows of some time: from `start_unix_nano` to where the next begins."""

    start_unix_nano: int
    total: Statistics
    groups: tuple[Group, ...]
    """Those that have rows here, in the order of the whole answer."""


class Stats(NamedTuple):
    """Statistics of the rows that match, in all, by label and by time."""

    total: Statistics
    groups: tuple[Group, ...] = ()
    """Most rows first, then by label; at the end the others, then the rows without a label."""
    buckets: tuple[Bucket, ...] = ()
    """Oldest first, from the first that has a row to the last, without a gap."""
    group_count: int = 0
    """Different labels that were found."""
