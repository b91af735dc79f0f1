"""Which version of a span counts, when a span was, and which span is whose parent."""

from collections.abc import Iterable, Mapping, Sequence
from operator import lt
from typing import Final, NamedTuple

from sessiond.core.model import ReceivedSpan, SpanFacts

CLOCK_SKEW_MAX_NANO: Final = 3600 * 10**9
"""A start or end later than this after the span's arrival can't be true: its sender's clock is wrong."""

_SERVER, _CONSUMER = 2, 5
"""OTLP's SpanKind numbers of the receiving sides."""


class Version(NamedTuple):
    """One version of a span, in the order by which versions compete: the largest counts, whatever came first.

    Ended beats unfinished (whose end is 0), then the later end, then the larger digest, so that arrival does not matter.
    """

    end_unix_nano: int
    digest: bytes


def version(facts: SpanFacts, digest: bytes) -> Version:
    """The version that `facts` and the content's digest stand for."""
    return Version(facts.end_unix_nano, digest)


SpanKey = tuple[bytes, int]
"""Span id and kind: what tells a span from the others of its trace."""


class Held(NamedTuple):
    """A version of a span that is there already, and the first arrival of any version."""

    version: Version
    received_unix_nano: int


class Contest(NamedTuple):
    """Of each span the version that counts, in order of first appearance; and how many others there were.

    Each version that is not the first of its span is a duplicate or a conflict, whichever won.
    """

    winners: list[ReceivedSpan]
    duplicates: int
    conflicts: int


def _held(span: ReceivedSpan) -> Held:
    return Held(version(span.facts, span.digest), span.facts.received_unix_nano)


NOBODY: Final[Mapping[SpanKey, Held]] = {}


def winners(spans: Sequence[ReceivedSpan], held: Mapping[SpanKey, Held] = NOBODY) -> Contest:
    """The versions to keep of one trace's spans, where they beat those that are `held`; a winner keeps the first arrival of any."""
    best = {(span.facts.span_id, span.facts.kind): span for span in spans}
    if len(best) == len(spans) and not held:
        return Contest(list(spans), 0, 0)
    best = {}
    duplicates = conflicts = 0
    for span in spans:
        key = (span.facts.span_id, span.facts.kind)
        rival = _held(best[key]) if key in best else held.get(key)
        if rival is None:
            best[key] = span
        elif rival.version.digest == span.digest:
            duplicates += 1
        else:
            conflicts += 1
            if version(span.facts, span.digest) > rival.version:
                best[key] = span._replace(facts=span.facts._replace(received_unix_nano=rival.received_unix_nano))
    return Contest(list(best.values()), duplicates, conflicts)


def interval(span: SpanFacts) -> tuple[int, int]:
    """(start, end) that figures use, in unix nanoseconds, 0 <= start <= end.

    A time more than an hour after the span's arrival counts as that arrival; a start of 0 counts as the end, else the arrival;
    an end before its start makes an instant.
    """
    start, end, received = span.start_unix_nano, span.end_unix_nano, span.received_unix_nano
    latest = received + CLOCK_SKEW_MAX_NANO
    if 0 < start <= end <= latest:
        return start, end
    if start > latest:
        start = received
    if end > latest:
        end = received
    if start == 0:
        start = end or received
    return start, max(start, end)


def moment(span: SpanFacts) -> tuple[int, bytes, int]:
    """By what spans are put in order: start, then span id, then kind, which is the order of every tie."""
    return interval(span)[0], span.span_id, span.kind


def chronological(spans: Iterable[SpanFacts]) -> tuple[list[SpanFacts], list[tuple[int, int]]]:
    """The spans in the order of `moment`, and the interval of each."""
    # The position stands for the span where all else is equal: spans are never compared.
    placed = []
    for at, span in enumerate(spans):
        times = interval(span)
        placed.append((times[0], span.span_id, span.kind, at, times, span))
    placed.sort()
    return [placement[5] for placement in placed], [placement[4] for placement in placed]


def parents(spans: Sequence[SpanFacts]) -> list[int]:
    """For spans in chronological order: the position of each one's parent, or -1 for a root.

    A span whose parent has not come is a root here. Where a client and a server span share an id, the server (or consumer) one
    is the parent of their children, else the one of the smaller kind. Of a cycle the earliest span stands as a root. No
    recursion, and linear in the number of spans: a chain of 30,000 works.
    """
    by_id: dict[bytes, int] = {}
    for position, span in enumerate(spans):
        held = by_id.setdefault(span.span_id, position)
        if held != position and _parent_rank(span) < _parent_rank(spans[held]):
            by_id[span.span_id] = position
    links = [by_id.get(span.parent_id, -1) if span.parent_id else -1 for span in spans]
    if not is_parents_first(links):
        _break_cycles(links)
    return links


def is_parents_first(links: Sequence[int]) -> bool:
    """Whether every parent already comes before its children, as it does where parents start first; then there is no cycle."""
    return all(map(lt, links, range(len(links))))


def parents_first(links: Sequence[int]) -> Sequence[int]:
    """Positions in an order in which every parent comes before its children."""
    if is_parents_first(links):
        return range(len(links))
    children: list[list[int]] = [[] for _ in links]
    order: list[int] = []
    for position, parent in enumerate(links):
        (order if parent < 0 else children[parent]).append(position)
    for position in order:  # grows while it is walked
        order.extend(children[position])
    return order


def _parent_rank(span: SpanFacts) -> tuple[bool, int]:
    return span.kind not in (_SERVER, _CONSUMER), span.kind


def _break_cycles(links: list[int]) -> None:
    """Make the earliest member of each cycle a root. Every walk stops at what an earlier walk has seen, so it is linear."""
    seen_in_walk = [-1] * len(links)
    for first in range(len(links)):
        position = first
        while position >= 0 and seen_in_walk[position] < 0:
            seen_in_walk[position] = first
            position = links[position]
        if position < 0 or seen_in_walk[position] != first:
            continue
        earliest = member = position
        while links[member] != position:
            member = links[member]
            earliest = min(earliest, member)
        links[earliest] = -1
