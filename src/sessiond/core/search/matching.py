"""Whether a query finds a document, and where: the meaning of queries, which an index must agree with.

A document is pieces of text, and a sequence is found within one of them. AND, OR and NOT are about the document as a whole.
"""

from collections.abc import Sequence as AnySequence
from typing import TypeAlias

from sessiond.core.search.analysis import Sequence
from sessiond.core.search.language import And, Node, Not

Words: TypeAlias = AnySequence[AnySequence[str]]
"""The tokens of each piece of a document."""


def matches(node: Node, document: Words) -> bool:
    """Whether a query finds a document."""
    if isinstance(node, Sequence):
        return any(places(node, piece) for piece in document)
    if isinstance(node, Not):
        return not matches(node.inner, document)
    join = all if isinstance(node, And) else any
    return join(matches(part, document) for part in node.parts)


def places(sought: Sequence, piece: AnySequence[str]) -> list[int]:
    """Where in a piece's tokens a sequence begins."""
    *before, last = sought.tokens
    count = len(before)
    found = []
    for end, token in enumerate(piece[count:], count):
        is_there = token == last or (sought.is_prefix and token.startswith(last))
        if is_there and (not count or list(piece[end - count : end]) == before):
            found.append(end - count)
    return found
