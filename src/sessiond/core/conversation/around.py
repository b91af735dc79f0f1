"""What stands around each span of a trace, as far as it tells whose conversation it is part of."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from sessiond.core.identity import parents, parents_first
from sessiond.core.model import OperationKind, SpanFacts

BEHIND_KINDS: Final[frozenset[OperationKind]] = frozenset({"tool", "guardrail", "evaluator", "memory", "retrieval", "rerank"})
"""A model that one of these asks speaks with it, not with the user."""


class Around(NamedTuple):
    """Of each span, by its place in the trace."""

    scopes: Sequence[int]
    """The place of the nearest span of BEHIND_KINDS around it; -1: none."""
    depths: Sequence[int]
    """How many of them there are."""
    agents: Sequence[int]
    """The place of the nearest agent's span around it; -1: none."""


def around(spans: Sequence[SpanFacts]) -> Around:
    """What stands around each of the spans, which are in chronological order."""
    links = parents(spans)
    scopes, depths, agents = [-1] * len(spans), [0] * len(spans), [-1] * len(spans)
    for place in parents_first(links):
        parent = links[place]
        if parent >= 0:
            is_behind = spans[parent].operation in BEHIND_KINDS
            scopes[place] = parent if is_behind else scopes[parent]
            depths[place] = depths[parent] + is_behind
            agents[place] = parent if spans[parent].operation == "agent" else agents[parent]
    return Around(scopes, depths, agents)
