"""Rows -> statistics, in one pass and exactly.

A tally keeps the few figures it needs of every row, 8 bytes each, and makes all of the answer of them at the end. What would take
too much memory is refused: no figure is an estimate, and none depends on the order in which rows come.
"""

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final, TypeAlias

from sessiond.core.errors import Invalid
from sessiond.core.fold import total
from sessiond.core.rows.fields import AnySummary, Kind
from sessiond.core.rows.numbers import ABSENT, NUMBERS
from sessiond.core.rows.seen import Seen
from sessiond.core.statistics.answer import Bucket, Distribution, Group, Statistics, Stats
from sessiond.core.statistics.breakdown import Breakdown
from sessiond.core.statistics.buckets import Buckets
from sessiond.core.statistics.label_sets import LabelSets, Members

ROWS_MAX: Final = 2_000_000
"""At some 80 bytes each, and twice that again while an answer with groups and buckets is made: 450 MB (measured)."""
WAITING_MAX: Final = 250
"""Rows whose figures go into the columns together: many, and still few enough for the processor's cache (measured)."""

Rows: TypeAlias = Sequence[int]
"""Some rows, by their numbers in the order in which they came."""
Cell: TypeAlias = tuple[int | None, int | None]
"""What one statistic is over: (start of a bucket, place of a group); None: all of them."""
Fold: TypeAlias = Callable[[Sequence[int]], Any]


def _sum(values: Sequence[int]) -> int | None:
    return total(values) if values else None


def _count_but_0(values: Sequence[int]) -> int:
    return len(values) - values.count(0)


TIMES: Final[Mapping[Kind, str]] = {"trace": "start_time", "session": "start_time", "user": "first_seen_time"}
"""The field by which a row falls into a bucket."""
_FOLDS: Final[Sequence[tuple[str, str, Fold]]] = (
    ("status", "failed_count", _count_but_0),
    ("failed_trace_count", "failed_count", _count_but_0),
    ("input_tokens", "input_tokens", _sum),
    ("output_tokens", "output_tokens", _sum),
    ("trace_count", "trace_count", total),
    ("unpriced_call_count", "unpriced_call_count", total),
    ("duration_ms", "duration_nano", Distribution.of),
    ("ttft_ms", "ttft_nano", Distribution.of),
    ("cost_usd", "cost_nano", Distribution.of),
    ("total_tokens", "total_tokens", Distribution.of),
)
"""(field of a row, field of Statistics, what becomes of the values of the rows that have it). A session has both of the first two,
and they say the same."""


class _Column:
    """One figure of every row."""

    def __init__(self, place: int) -> None:
        self._get = itemgetter(place)
        self.values: array[int] = array("q")

    def extend(self, rows: Sequence[Sequence[int]]) -> None:
        """Take the figure of the next rows, given as their numbers."""
        self.values.fromlist(list(map(self._get, rows)))


class Tally:
    """Takes rows one by one, in any order, and tells their statistics. Keeps their numbers and labels, never a summary."""

    def __init__(self, breakdown: Breakdown) -> None:
        places = {field.name: place for place, field in enumerate(NUMBERS[breakdown.kind])}
        self._breakdown = breakdown
        self._count = 0
        self._waiting: list[Sequence[int]] = []
        self._time_of = itemgetter(places[TIMES[breakdown.kind]])
        self._buckets = Buckets(breakdown.bucket_nano) if breakdown.bucket_nano is not None else None
        self._folds = {name: (_Column(places[field]), fold) for field, name, fold in _FOLDS if field in places}
        self._labels_of = breakdown.labels_of() if breakdown.group_by else None
        self._label_sets = LabelSets(breakdown.group_by)

    def add(self, row: Seen[AnySummary]) -> None:
        """Count a row. Raises Invalid where rows or labels get too many, or would make too many buckets."""
        self._waiting.append(row.numbers)
        if self._labels_of is not None:
            self._label_sets.add(self._labels_of(row))
        if len(self._waiting) == WAITING_MAX:
            self._take_in()

    def result(self) -> Stats:
        """The statistics of all rows so far. Raises Invalid as `add` does."""
        self._take_in()
        groups = list(self._label_sets.groups(self._breakdown.group_limit))
        found = {cell: self._statistics(rows) for cell, rows in self._cells(groups).items()}

        def groups_at(start: int | None) -> Iterator[Group]:
            for place, group in enumerate(groups):
                if (start, place) in found:
                    yield Group(group.label, group.rest, found[start, place])

        starts = self._buckets.starts if self._buckets else ()
        return Stats(
            found[None, None],
            tuple(groups_at(None)),
            tuple(Bucket(start, found[start, None], tuple(groups_at(start))) for start in starts),
            self._label_sets.group_count,
        )

    def _take_in(self) -> None:
        self._count += len(self._waiting)
        if self._count > ROWS_MAX:
            problem = "rows are the most that statistics are made of, and more match"
            raise Invalid("filter", ROWS_MAX, problem, hint="narrow the filter or the time")
        for column, _ in self._folds.values():
            column.extend(self._waiting)
        if self._buckets is not None:
            self._buckets.extend(list(map(self._time_of, self._waiting)))
        self._waiting.clear()

    def _cells(self, groups: Sequence[Members]) -> dict[Cell, Rows]:
        """The rows of each statistic of the answer. A group has no cell where it has no rows, a bucket always has."""
        whole: dict[Cell, Rows] = {(None, None): range(self._count)}
        whole.update(((None, place), group.rows) for place, group in enumerate(groups))
        if self._buckets is None:
            return whole
        cells: dict[Cell, Rows] = {(start, None): () for start in self._buckets.starts}
        for (_, place), rows in whole.items():
            cells.update(((start, place), part) for start, part in self._buckets.split(rows))
        self._buckets.check(len(cells))
        return whole | cells

    def _statistics(self, rows: Rows) -> Statistics:
        figures = {name: fold(_known(column.values, rows)) for name, (column, fold) in self._folds.items()}
        return Statistics(**{"count": len(rows), "trace_count": len(rows)} | figures)


def _known(values: Sequence[int], rows: Rows) -> list[int]:
    """The figures of those rows that have it. Where that is of all rows, there is nothing to look up: half the time."""
    if len(rows) == len(values):
        return [value for value in values if value != ABSENT]
    return [value for row in rows if (value := values[row]) != ABSENT]
