"""Unions, lengths of unions of intervals, percentiles."""

from decimal import Decimal
from fractions import Fraction
from statistics import median, quantiles

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessiond.core.fold import LIST_MAX, covered_nano, cut, distinct, exact_percentile, percentile, shortened, union

TIMES = st.integers(0, 60)
INTERVALS = st.lists(st.tuples(TIMES, TIMES).map(lambda pair: (min(pair), max(pair))), max_size=12)
LENGTHS = st.lists(st.integers(0, 10**12), min_size=2, max_size=40).map(sorted)


@settings(deadline=None)
@given(INTERVALS)
def test_covered_length_counts_each_instant_once(intervals: list[tuple[int, int]]):
    assert covered_nano(intervals) == len({instant for start, end in intervals for instant in range(start, end)})


@settings(deadline=None)
@given(INTERVALS, st.randoms())
def test_covered_length_does_not_depend_on_order(intervals: list[tuple[int, int]], random):
    shuffled = intervals[:]
    random.shuffle(shuffled)
    assert covered_nano(shuffled) == covered_nano(intervals)


def test_nothing_covers_nothing():
    assert covered_nano([]) == 0


@settings(deadline=None)
@given(LENGTHS)
def test_percentiles_are_linear_between_neighbours(lengths: list[int]):
    expected = quantiles(lengths, n=100, method="inclusive")
    assert [percentile(lengths, n / 100) for n in range(1, 100)] == [pytest.approx(cut, abs=1, rel=1e-12) for cut in expected]
    assert percentile(lengths, 0.5) == pytest.approx(median(lengths), abs=1)


@settings(deadline=None)
@given(LENGTHS)
def test_the_first_and_last_percentile_are_the_ends(lengths: list[int]):
    assert (percentile(lengths, 0), percentile(lengths, 1)) == (lengths[0], lengths[-1])


def test_a_percentile_that_is_not_whole_can_be_had_exactly():
    shares = [Decimal(text) for text in ("0", "0.5", "0.95", "0.00000001", "0.99999999")]
    assert [exact_percentile([1, 2], share) for share in shares] == [1, *map(Decimal, ("1.5", "1.95", "1.00000001", "1.99999999"))]
    assert [exact_percentile([1, 2, 9], share) for share in shares[:2]] == [1, 2]
    assert exact_percentile([0, 2**63 - 1], Decimal("0.99999999")) == (2**63 - 1) * Fraction(99999999, 10**8)
    assert exact_percentile([7], Decimal("0.95")) == 7


def test_a_single_value_is_each_of_its_percentiles():
    assert [percentile([7], share) for share in (0, 0.5, 0.95, 1)] == [7, 7, 7, 7]


def test_unions_keep_the_order_of_first_appearance():
    assert union([("b", "a"), (), ("c", "a"), ("b",)]) == ("b", "a", "c")
    assert distinct(["b", None, "a", "b"]) == ("b", "a")


def test_a_list_of_exactly_the_maximum_is_whole():
    names = {"tools": tuple(map(str, range(LIST_MAX)))}
    assert (shortened(names), cut(names)) == (names, ())


def test_a_longer_list_is_cut_and_its_length_is_told():
    names = tuple(map(str, range(LIST_MAX + 1)))
    assert shortened({"tools": names, "agents": ("a",)}) == {"tools": names[:LIST_MAX], "agents": ("a",)}
    assert cut({"tools": names, "agents": ("a",)}) == (("tools", LIST_MAX + 1),)


def test_a_union_of_cut_lists_is_at_least_as_long_as_the_longest_part():
    names = tuple(map(str, range(LIST_MAX)))
    assert cut({"tools": names}, [("tools", 250), ("tools", 180), ("other_session_ids", 300)]) == (("tools", 250),)
