"""How a row sums up its feedback: a pure function of the set of scores and annotations, whatever their order."""

from collections.abc import Iterable, Sequence
from math import fsum
from typing import Final, NamedTuple

from sessiond.core.feedback.score import Score, is_stale
from sessiond.core.fold import LIST_MAX
from sessiond.core.model import ScoreSum

CATEGORIES_MAX: Final = 16
"""Categories told of one name in a row: a scale has fewer, and a row of LIST_MAX names stays below a message."""


class Feedback(NamedTuple):
    """What was said of a trace or session itself."""

    scores: Sequence[Score] = ()
    annotation_count: int = 0


NO_FEEDBACK: Final = Feedback()


def summed(scores: Iterable[Score], turns_received_unix_nano: int | None = None) -> tuple[ScoreSum, ...]:
    """The scores by name, in order of names. Of a session's own: with what makes them stale (`is_stale`)."""
    by_name: dict[str, list[Score]] = {}
    for score in scores:
        by_name.setdefault(score.name, []).append(score)
    return tuple(_summed(name, by_name[name], turns_received_unix_nano) for name in sorted(by_name))


def _summed(name: str, scores: Sequence[Score], turns_received_unix_nano: int | None) -> ScoreSum:
    numbers = [float(score.value) for score in scores if not isinstance(score.value, str)]
    categories: dict[str, int] = {}
    for score in scores:
        if isinstance(score.value, str):
            categories[score.value] = categories.get(score.value, 0) + 1
    stale_count = sum(is_stale(score, turns_received_unix_nano) for score in scores)
    return ScoreSum(name, len(scores), len(numbers), fsum(numbers), _first(categories), stale_count)


def merged(sums: Iterable[Sequence[ScoreSum]]) -> tuple[ScoreSum, ...]:
    """The sums of several sets together, in order of names."""
    by_name: dict[str, list[ScoreSum]] = {}
    for some in sums:
        for one in some:
            by_name.setdefault(one.name, []).append(one)
    return tuple(_merged(name, by_name[name]) for name in sorted(by_name))


def _merged(name: str, parts: Sequence[ScoreSum]) -> ScoreSum:
    if len(parts) == 1:
        return parts[0]
    categories: dict[str, int] = {}
    for part in parts:
        for category, count in part.categories:
            categories[category] = categories.get(category, 0) + count
    return ScoreSum(
        name,
        sum(part.score_count for part in parts),
        sum(part.number_count for part in parts),
        fsum(part.total for part in parts),  # exactly rounded, so that no order of them gives another sum
        _first(categories),
        sum(part.stale_count for part in parts),
    )


def shown(sums: Sequence[ScoreSum]) -> tuple[ScoreSum, ...]:
    """As many as a row holds: the first LIST_MAX names. Those are the same whether traces were cut before or not."""
    return tuple(sums[:LIST_MAX])


def _first(categories: dict[str, int]) -> tuple[tuple[str, int], ...]:
    """The first CATEGORIES_MAX of them by their text: so a cut before a merge changes nothing, where one by frequency would."""
    return tuple(sorted(categories.items())[:CATEGORIES_MAX])
