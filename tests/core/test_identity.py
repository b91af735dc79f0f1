"""Which version of a span counts, when it was, and whose child it is."""

from itertools import permutations

import pytest

from builders import ARRIVAL, MS, T0, fact, span_id
from sessiond.core.identity import CLOCK_SKEW_MAX_NANO, chronological, interval, moment, parents, parents_first, version
from sessiond.core.model import SpanFacts

TEN_YEARS = 10 * 365 * 86_400 * 10**9
LATEST = ARRIVAL + CLOCK_SKEW_MAX_NANO
A, B = b"a" * 16, b"b" * 16


def ended(end_ms: int) -> SpanFacts:
    return fact(end_ms=end_ms)


UNFINISHED = fact(end_unix_nano=0)


@pytest.mark.parametrize(
    ("winner", "loser"),
    [
        ((ended(1), A), (UNFINISHED, B)),
        ((ended(2), A), (ended(1), B)),
        ((ended(1), B), (ended(1), A)),
        ((UNFINISHED, B), (UNFINISHED, A)),
    ],
    ids=["ended beats unfinished", "later end", "larger digest", "larger digest of the unfinished"],
)
def test_of_two_versions_one_wins_whatever_came_first(winner: tuple[SpanFacts, bytes], loser: tuple[SpanFacts, bytes]):
    assert version(*winner) > version(*loser)


def test_the_same_content_is_the_same_version_whenever_it_came():
    assert version(ended(1), A) == version(ended(1)._replace(received_unix_nano=1), A)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (T0, T0 + 5, (T0, T0 + 5)),
        (T0, T0, (T0, T0)),
        (0, T0, (T0, T0)),
        (0, 0, (ARRIVAL, ARRIVAL)),
        (T0, 0, (T0, T0)),
        (T0, T0 - 5, (T0, T0)),
        (T0, T0 + TEN_YEARS, (T0, ARRIVAL)),
        (T0 + TEN_YEARS, T0 + TEN_YEARS, (ARRIVAL, ARRIVAL)),
        (T0 + TEN_YEARS, T0, (ARRIVAL, ARRIVAL)),
        (T0 + TEN_YEARS, 0, (ARRIVAL, ARRIVAL)),
        (0, T0 + TEN_YEARS, (ARRIVAL, ARRIVAL)),
        (2**64 - 1, 2**64 - 1, (ARRIVAL, ARRIVAL)),
        (T0, LATEST, (T0, LATEST)),
        (T0, LATEST + 1, (T0, ARRIVAL)),
        (LATEST, LATEST, (LATEST, LATEST)),
        (LATEST + 1, LATEST + 1, (ARRIVAL, ARRIVAL)),
    ],
)
def test_the_interval_that_figures_use(start: int, end: int, expected: tuple[int, int]):
    assert interval(fact(start_unix_nano=start, end_unix_nano=end)) == expected


def test_spans_stand_by_start_then_span_id_then_kind_whatever_order_they_came_in():
    spans = [
        fact(2, start_ms=0),
        fact(1, start_ms=1, kind=2),
        fact(1, start_ms=1, kind=3),
        fact(2, start_ms=1),
        fact(3, start_ms=1),
    ]
    for shuffled in permutations(spans):
        assert chronological(shuffled) == (spans, [interval(one) for one in spans])
        assert sorted(shuffled, key=moment) == spans


def test_the_order_is_by_the_times_that_figures_use():
    late, early = fact(1, start_ms=0, end_ms=1), fact(2, start_unix_nano=0, end_unix_nano=T0 - MS)
    assert chronological([late, early])[0] == [early, late]


def test_a_parent_that_has_not_come_makes_a_root():
    assert parents([fact(1), fact(2, 1), fact(3, 99)]) == [-1, 0, -1]


def test_a_child_may_start_before_its_parent():
    assert parents([fact(2, 1), fact(1)]) == [1, -1]


@pytest.mark.parametrize(
    ("kinds", "parent"),
    [((3, 2), 1), ((2, 3), 0), ((4, 5), 1), ((5, 4), 0), ((1, 3), 0), ((3, 1), 1), ((0, 1), 0), ((5, 2), 1), ((3, 4), 0)],
    ids=str,
)
def test_of_spans_that_share_an_id_the_receiving_one_is_the_parent_else_the_smaller_kind(kinds: tuple[int, int], parent: int):
    sharing = [fact(1, kind=kinds[0]), fact(1, kind=kinds[1])]
    assert parents([*sharing, fact(2, 1)]) == [-1, -1, parent]


def test_a_server_span_under_the_client_span_of_its_own_id_is_no_cycle_of_two():
    assert parents([fact(1, kind=3), fact(1, 1, kind=2), fact(2, 1)])[2] == 1


@pytest.mark.parametrize(
    ("spans", "links"),
    [
        ([fact(1, 1)], [-1]),
        ([fact(1, 2), fact(2, 1)], [-1, 0]),
        ([fact(1, 3), fact(2, 1), fact(3, 2)], [-1, 0, 1]),
        ([fact(4, 1), fact(1, 2), fact(2, 3), fact(3, 1)], [1, -1, 3, 1]),
        ([fact(1, 2), fact(2, 1), fact(3, 4), fact(4, 3)], [-1, 0, -1, 2]),
        ([fact(1, 1), fact(2, 1), fact(3, 2)], [-1, 0, 1]),
    ],
    ids=["itself", "two", "three", "a tail before it", "two cycles", "below itself"],
)
def test_the_earliest_span_of_a_cycle_stands_as_a_root(spans: list[SpanFacts], links: list[int]):
    assert parents(spans) == links


def test_a_chain_of_thirty_thousand_works():
    chain = [fact(1), *(fact(number, number - 1) for number in range(2, 30_001))]
    links = parents(chain)
    assert links == list(range(-1, 29_999))
    assert [*parents_first(links)] == [*range(30_000)]
    assert [*parents_first([*range(1, 30_000), -1])] == [*range(29_999, -1, -1)]


def test_a_chain_that_closes_on_itself_works():
    ring = [fact(number, number - 1 or 30_000) for number in range(1, 30_001)]
    assert parents(ring) == list(range(-1, 29_999))


@pytest.mark.parametrize("links", [[3, 0, -1, 2, 0, -1], [-1, 0, 0, 1, 2, -1], [1, 2, 3, -1], [-1, -1], []], ids=str)
def test_parents_come_before_their_children_and_every_span_comes_once(links: list[int]):
    order = [*parents_first(links)]
    assert sorted(order) == [*range(len(links))]
    assert all(order.index(parent) < order.index(child) for child, parent in enumerate(links) if parent >= 0)


def test_ids_are_compared_whole():
    assert parents([fact(1), fact(2, parent_id=span_id(1)[:7])]) == [-1, -1]
