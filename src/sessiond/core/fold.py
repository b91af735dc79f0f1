"""The small folds that every summary is made of: unions in order, lengths of unions of intervals, percentiles."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

LIST_MAX: Final = 100
"""Entries of a list in a row: more is no list that a person reads, and a row must stay small."""


def union(lists: Iterable[Iterable[str]]) -> tuple[str, ...]:
    """Distinct entries in order of first appearance."""
    return tuple(dict.fromkeys(entry for entries in lists for entry in entries))


def cut(lists: Mapping[str, Sequence[str]], known_counts: Iterable[tuple[str, int]] = ()) -> tuple[tuple[str, int], ...]:
    """(name, true length) of the lists longer than LIST_MAX.

    `known_counts` are those of the parts that the lists were united from: a part's list may have been cut before, so a union
    is at least as long as its longest part.
    """
    counts = {name: len(entries) for name, entries in lists.items()}
    for name, count in known_counts:
        if name in counts:
            counts[name] = max(counts[name], count)
    return tuple((name, count) for name, count in sorted(counts.items()) if count > LIST_MAX)


def covered_nano(intervals: Iterable[tuple[int, int]]) -> int:
    """Length of the union of (start, end) intervals: overlaps count once, gaps not at all."""
    covered = 0
    reached = -1
    for start, end in sorted(intervals):
        if end > reached:
            covered += end - max(start, reached)
            reached = end
    return covered


def percentile(ordered: Sequence[int], share: float) -> int:
    """The value at `share` (0 to 1) of ascending values, linear between neighbours; 0.5 is the median. Not for none at all."""
    place = share * (len(ordered) - 1)
    lower = int(place)
    upper = min(lower + 1, len(ordered) - 1)
    return ordered[lower] + round((ordered[upper] - ordered[lower]) * (place - lower))
