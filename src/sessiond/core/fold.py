"""The small folds that every summary is made of: unions in order, lengths of unions of intervals, percentiles."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import chain
from typing import Any, Final, cast

from sessiond.core.model import Metadata

SUM_MAX: Final = 2**62
"""Two sums together still fit a signed 64-bit integer, which is what rows and messages hold."""
METADATA_KEYS_MAX: Final = 64
LIST_MAX: Final = 100
"""Entries of a list in a row: more is no list that a person reads, and a row must stay small."""


def columns(rows: Sequence[Any]) -> Any:  # noqa: ANN401  (each field is a tuple of what it is in a row, which no type says)
    """A row of the kind of `rows`, at least one, whose every field holds a column: that field of each of them, in order."""
    return type(rows[0])._make(zip(*rows, strict=True))


def distinct(entries: Iterable[str | None]) -> tuple[str, ...]:
    """The entries that are not None, each once, in order of first appearance."""
    found = dict.fromkeys(entries)
    found.pop(None, None)
    return tuple(cast("Iterable[str]", found))


def union(lists: Iterable[Iterable[str]]) -> tuple[str, ...]:
    """The entries of all lists, each once, in order of first appearance."""
    return tuple(dict.fromkeys(chain.from_iterable(lists)))


def shortened(lists: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """The lists as a row holds them: their first LIST_MAX entries."""
    return {name: entries if len(entries) <= LIST_MAX else entries[:LIST_MAX] for name, entries in lists.items()}


def cut(lists: Mapping[str, Sequence[str]], known_counts: Iterable[tuple[str, int]] = ()) -> tuple[tuple[str, int], ...]:
    """(name, true length) of the lists longer than LIST_MAX.

    `known_counts` are those of the parts that the lists were united from: a part's list may have been cut before, so a union
    is at least as long as its longest part.
    """
    counts = {name: len(entries) for name, entries in lists.items() if len(entries) > LIST_MAX}
    for name, count in known_counts:
        if name in lists:
            counts[name] = max(counts.get(name, 0), count)
    return tuple(sorted(counts.items()))


def total(values: Iterable[int]) -> int:
    """The sum, held below SUM_MAX."""
    return min(sum(values), SUM_MAX)


def sum_present(values: Iterable[int | None]) -> int | None:
    """The sum of what is present; None where nothing is."""
    present = [value for value in values if value is not None]
    return total(present) if present else None


def latest(metadata: Iterable[Metadata]) -> Metadata:
    """The value of each key where it comes last, by key; the first METADATA_KEYS_MAX keys that came."""
    found: dict[str, str] = {}
    for pairs in metadata:
        for key, value in pairs:
            if key in found or len(found) < METADATA_KEYS_MAX:
                found[key] = value
    return tuple(sorted(found.items()))


def covered_nano(intervals: Iterable[tuple[int, int]]) -> int:
    """Length of the union of (start, end) intervals: overlaps count once, gaps not at all."""
    covered = 0
    reached = 0
    for start, end in sorted(intervals):
        if end > reached:
            covered += end - max(start, reached)
            reached = end
    return covered


def exact_percentile(ordered: Sequence[int], share: Decimal) -> int | Decimal:
    """As `percentile`, and not rounded: a Decimal where it is not whole. A value and a share have too few digits to lose any."""
    place = share * (len(ordered) - 1)
    lower = int(place)
    upper = min(lower + 1, len(ordered) - 1)
    found = ordered[lower] + (ordered[upper] - ordered[lower]) * (place - lower)
    return int(found) if found == int(found) else found


def percentile(ordered: Sequence[int], share: float) -> int:
    """The value at `share` (0 to 1) of ascending values, linear between neighbours and rounded; 0.5 is the median.

    Not for none at all.
    """
    place = share * (len(ordered) - 1)
    lower = int(place)
    upper = min(lower + 1, len(ordered) - 1)
    return ordered[lower] + round((ordered[upper] - ordered[lower]) * (place - lower))
