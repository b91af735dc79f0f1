"""Amounts drawn in a line of text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessiond.cli.bars import ASCII, BLOCKS, bar, glyphs_for, trend


@pytest.mark.parametrize(
    ("value", "blocks", "ascii_"),
    [
        (0, "", ""),
        (1, "▏", "#"),
        (50, "██", "##"),
        (51, "██▏", "###"),
        (62.5, "██▌", "###"),
        (99, "████", "####"),
        (100, "████", "####"),
    ],
)
def test_a_bar_is_as_long_as_there_is_much_and_little_still_shows(value, blocks, ascii_):
    assert (bar(value, 100, 4, BLOCKS), bar(value, 100, 4, ASCII)) == (blocks, ascii_)


def test_a_bar_of_nothing_at_all_is_empty():
    assert bar(0, 0, 4, BLOCKS) == ""


@given(st.integers(1, 10**12), st.integers(0, 10**12), st.integers(1, 80), st.sampled_from([BLOCKS, ASCII]))
def test_no_bar_is_wider_than_its_place(most, value, width, glyphs):
    assert len(bar(min(value, most), most, width, glyphs)) <= width


@pytest.mark.parametrize(
    ("values", "blocks", "ascii_"),
    [
        ([], "", ""),
        ([0, 0], "  ", "  "),
        ([0, 1, 50, 100], " ▁▄█", " .=#"),
        ([1, 1, 1, 3], "▃▃▃█", "---#"),
        ([1, 2, 3, 4, 0, 10], "▃▆█", "-+#"),
    ],
)
def test_a_trend_rises_and_falls_with_its_values(values, blocks, ascii_):
    assert (trend(values, 5, BLOCKS), trend(values, 5, ASCII)) == (blocks, ascii_)


@given(st.lists(st.integers(0, 10**12), max_size=200), st.integers(1, 40), st.sampled_from([BLOCKS, ASCII]))
def test_a_trend_fits_its_place_and_shows_whatever_is_not_0(values, width, glyphs):
    drawn = trend(values, width, glyphs)
    assert len(drawn) <= width
    assert bool(drawn.strip()) == any(values)


@pytest.mark.parametrize(
    ("encoding", "glyphs"), [("utf-8", BLOCKS), (None, BLOCKS), ("ascii", ASCII), ("latin-1", ASCII), ("no such", ASCII)]
)
def test_an_output_that_can_not_take_blocks_gets_ascii(encoding, glyphs):
    assert glyphs_for(encoding) == glyphs
