"""How good a find is: BM25, as the index ranks what it holds, for turns that it does not hold yet.

Of words that many documents have a find says little, of a long document less than of a short one. A sequence counts as its tokens
together. One that goes on (`weath*`) counts the same wherever it is found.
"""

import math
from collections.abc import Callable
from typing import Final, NamedTuple

from sessiond.core.search.analysis import Sequence
from sessiond.core.search.language import Node, Not, Or
from sessiond.core.search.matching import Words, places

_K1: Final = 1.2
_B: Final = 0.75
PREFIX_SCORE: Final = 1.0


class Statistics(NamedTuple):
    """What is known of the documents that a find is ranked among."""

    document_count: int
    length_mean: float
    """Tokens of a document."""
    documents_with: Callable[[str], int]
    """How many documents hold a token."""


def score(node: Node, words: Words, of: Statistics) -> float | None:
    """How good a find a document is: larger is better, 0 where the query only says what is not sought. None: it is no find."""
    if isinstance(node, Sequence):
        count = sum(len(places(node, piece)) for piece in words)
        return _score(node, count, sum(map(len, words)), of) if count else None
    if isinstance(node, Not):
        return None if score(node.inner, words, of) is not None else 0.0
    scores = [score(part, words, of) for part in node.parts]
    found = [one for one in scores if one is not None]
    needed = 1 if isinstance(node, Or) else len(scores)
    return sum(found) if len(found) >= needed else None


def _score(sought: Sequence, count: int, length: int, of: Statistics) -> float:
    if sought.is_prefix:
        return PREFIX_SCORE
    weight = sum(_rarity(of.document_count, of.documents_with(token)) for token in sought.tokens)
    return weight * count * (_K1 + 1) / (count + _K1 * (1 - _B + _B * length / max(of.length_mean, 1.0)))


def _rarity(document_count: int, held: int) -> float:
    return math.log(1 + (max(document_count - held, 0) + 0.5) / (held + 0.5))
