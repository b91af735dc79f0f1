"""Which rows have which labels: each different set of labels is kept once, and of each row which set is its own.

So a row with several labels stands in several groups, and still once among the others.
"""

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from sessiond.core.errors import Invalid
from sessiond.core.statistics.answer import Rest
from sessiond.core.statistics.breakdown import Labels

LABELS_MAX: Final = 100_000
"""Labels of all different sets together: 20 MB of usual names. Cutting would be as cheap, but then groups would depend on which
rows came first, and the largest could be missed."""


class Members(NamedTuple):
    """The rows of a group, by their numbers."""

    label: str
    rest: Rest
    rows: Sequence[int]


class LabelSets:
    """Takes the labels of rows 0, 1, 2, ... and tells which rows stand together."""

    def __init__(self, group_by: str) -> None:
        self._group_by = group_by
        self._sets: dict[Labels, int] = {}
        self._set_of_row: array[int] = array("l")
        self._label_count = 0

    @property
    def group_count(self) -> int:
        """Different labels so far."""
        return len({label for labels in self._sets for label in labels})

    def add(self, labels: Labels) -> None:
        """Take the labels of the next row, each once. Raises Invalid where there are too many different ones."""
        place = self._sets.get(labels)
        if place is None:
            place = self._sets[labels] = len(self._sets)
            self._label_count += len(labels)
            if self._label_count > LABELS_MAX:
                raise Invalid("group_by", self._group_by, "has too many different labels", hint="narrow the filter or the time")
        self._set_of_row.append(place)

    def groups(self, limit: int) -> Iterator[Members]:
        """The labels of most rows, at most `limit`; then the others, then the rows without a label, where there are any."""
        rows_of_set = self._rows_of_sets()
        top = self._top(rows_of_set, limit)
        groups: dict[str, list[int]] = {label: [] for label in top}
        others: list[int] = []
        for labels, rows in zip(self._sets, rows_of_set, strict=True):
            homes = [groups[label] for label in labels if label in groups]
            if len(homes) < len(labels):
                homes.append(others)
            for home in homes:
                home.extend(rows)
        yield from (Members(label, "", rows) for label, rows in groups.items())
        if others:
            yield Members("", "others", others)
        if () in self._sets:
            yield Members("", "none", rows_of_set[self._sets[()]])

    def _rows_of_sets(self) -> list[list[int]]:
        found: list[list[int]] = [[] for _ in self._sets]
        for row, place in enumerate(self._set_of_row):
            found[place].append(row)
        return found

    def _top(self, rows_of_set: Sequence[Sequence[int]], limit: int) -> list[str]:
        counts: Counter[str] = Counter()
        for labels, rows in zip(self._sets, rows_of_set, strict=True):
            counts.update(dict.fromkeys(labels, len(rows)))
        return sorted(counts, key=lambda label: (-counts[label], label))[:limit]
