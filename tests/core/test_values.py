"""What counts as an id, a count and a text."""

import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sessiond.core.values import (
    ID_LENGTH_MAX,
    TEXT_LENGTH_MAX,
    as_count,
    as_id,
    as_model,
    as_nano_usd,
    as_number,
    as_text,
    as_text_or_code,
    parsed,
)

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("sess-1", "sess-1"),
        ("  sess-1 ", "sess-1"),
        ('"sess-1"', "sess-1"),
        (r'"a\"b"', 'a"b'),
        ('"', '"'),
        ('"half', '"half'),
        ('"two" "strings"', '"two" "strings"'),
        ("{}", "{}"),
        (42, "42"),
        (-7, "-7"),
        (0, "0"),
        (42.0, "42"),
        (2.0**70, str(2**70)),
        ("42.0", "42.0"),
        ("x" * ID_LENGTH_MAX, "x" * ID_LENGTH_MAX),
        ("Scrubbed [Scrubbed due to 'session']", "Scrubbed [Scrubbed due to 'session']"),
        ("a*", "a*"),
        ("nullable", "nullable"),
    ],
)
def test_an_id_is_text_or_a_whole_number(value: Any, expected: str):
    assert as_id(value) == expected


@pytest.mark.parametrize(
    "value", [None, True, False, 1.5, math.nan, math.inf, -math.inf, b"sess-1", [], ["sess-1"], {"id": "sess-1"}]
)
def test_other_types_are_no_id(value: Any):
    assert as_id(value) is None


@pytest.mark.parametrize("value", ["", " ", '""', '" "', "null", "None", "NULL", '"null"', "undefined", "unknown", "<nil>", "NaN"])
def test_junk_is_no_id(value: str):
    assert as_id(value) is None


@pytest.mark.parametrize(
    "value",
    ["[Scrubbed due to 'session']", "\"[Scrubbed due to 'session']\"", "[REDACTED]", "<REDACTED>", "*", "*****", " *** "],
)
def test_a_redacted_id_is_none_so_that_strangers_do_not_merge(value: str):
    assert as_id(value) is None


def test_an_overlong_id_is_none_rather_than_cut_to_what_another_may_share():
    assert as_id("x" * (ID_LENGTH_MAX + 1)) is None


@pytest.mark.parametrize("value", [r'"a\ud800"', r'"\udfff"', r'"\ud800\ud800 b"'])
def test_half_a_character_in_quoted_json_is_replaced_by_what_can_be_stored(value: str):
    for read in (as_id(value), as_text(value)):
        assert read is not None
        assert read.encode().decode() == read


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, 0),
        (12, 12),
        (12.0, 12),
        (-0.0, 0),
        ("12", 12),
        ("0", 0),
        ("012", 12),
        ("12.0", 12),
        (" 12 ", 12),
        ('"12"', 12),
        (2**39, 2**39),
    ],
)
def test_a_count_may_come_as_an_int_a_double_or_a_decimal_string(value: Any, expected: int):
    assert as_count(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        -1,
        -0.5,
        math.nan,
        math.inf,
        -math.inf,
        2**63,
        2.0**63,
        1e300,
        "",
        " ",
        "-3",
        "nan",
        "inf",
        "-inf",
        "Infinity",
        "1e400",
        "twelve",
        "0x10",
        "²",
        "9" * 20,
        "9" * 4_000,
        "9" * 100_000,
        b"12",
        [12],
        {"n": 12},
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_no_count_is_none(value: Any):
    assert as_count(value) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("gpt-4o", "gpt-4o"),
        (" gpt-4o\n", "gpt-4o"),
        ('"gpt-4o"', "gpt-4o"),
        ("", None),
        (" ", None),
        ('""', None),
        ("null", "null"),
    ],
)
def test_a_text_is_unquoted_and_stripped_and_empty_is_none(value: str, expected: str | None):
    assert as_text(value) == expected


@pytest.mark.parametrize("value", [None, 1, 1.0, True, b"x", [], {}])
def test_other_types_are_no_text(value: Any):
    assert as_text(value) is None


def test_a_long_text_is_cut():
    assert as_text("x" * 10**6) == "x" * TEXT_LENGTH_MAX


@settings(deadline=None)
@given(JSON_VALUES)
def test_any_value_gives_an_id_that_can_be_stored_or_none(value: Any):
    found = as_id(value)
    assert found is None or (found.strip() == found != "" and found.encode().decode() == found)


@settings(deadline=None)
@given(JSON_VALUES)
def test_any_value_gives_a_count_in_range_or_none(value: Any):
    found = as_count(value)
    assert found is None or (type(found) is int and 0 <= found < 2**63)


@settings(deadline=None)
@given(JSON_VALUES)
def test_any_value_gives_a_short_text_or_none(value: Any):
    found = as_text(value)
    assert found is None or 0 < len(found) <= TEXT_LENGTH_MAX


@pytest.mark.parametrize(("value", "expected"), [(429, "429"), ("429", "429"), (True, None), (4.5, None), ("", None)])
def test_a_code_is_a_text_or_a_whole_number(value: Any, expected: str | None):
    assert as_text_or_code(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.000238, 238_000),
        ("0.000238", 238_000),
        ('"1.5"', 1_500_000_000),
        (2, 2_000_000_000),
        (0, 0),
        (1e-10, 0),
        (-0.1, None),
        (math.nan, None),
        (math.inf, None),
        ("free", None),
        (True, None),
        (1e12, None),
        (b"1", None),
        ("1" * 100, None),
    ],
)
def test_dollars_become_nano_dollars_by_the_digits_that_were_written(value: Any, expected: int | None):
    assert as_nano_usd(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("0.25", 0.25), (" 7 ", 7), ('"3"', 3), (0.5, 0.5), (-1, None), (math.nan, None), ("x", None), (False, None), (None, None)],
)
def test_a_number_keeps_its_type_which_may_tell_its_unit(value: Any, expected: float | None):
    found = as_number(value)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("value", "expected"),
    [("\x1b[1mopus\x1b[22m", "opus"), ("\x1b[0m", None), ('"gpt-4o"', "gpt-4o"), ("openai/gpt-4o", "openai/gpt-4o"), (4, None)],
)
def test_a_model_is_kept_as_written_but_for_colours(value: Any, expected: str | None):
    assert as_model(value) == expected


@settings(deadline=None)
@given(JSON_VALUES)
def test_any_value_gives_nano_dollars_that_fit_64_bits_or_none(value: Any):
    found = as_nano_usd(value)
    assert found is None or (type(found) is int and 0 <= found < 2**63)


def told_by(read: Callable[[str], object], text: str) -> str:
    """What a reader of JSON makes of a text, told apart by type and sign too."""
    try:
        return repr(read(text))
    except ValueError:
        return "no JSON"


def whole(text: str) -> object:
    """What Python's reader makes of a text, once more by way of what can be encoded."""
    return json.loads(json.dumps(json.loads(text), ensure_ascii=False).encode("utf-8", "replace"))


HALF_CHARACTERS = st.text(st.characters(exclude_categories=()), max_size=5)


@example(math.nan, True, "", 0)
@example([-math.inf], True, "", 0)
@example("\ud83d", True, "", 0)
@example("\ud83d", False, "", 0)
@example(2**64, True, "", 0)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | HALF_CHARACTERS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(HALF_CHARACTERS, inner, max_size=3),
        max_leaves=5,
    ),
    st.booleans(),
    st.text(',:[]{}"\\ \t\n-+.eE01Na\ud83d', max_size=3),
    st.integers(0, 40),
)
def test_json_is_read_as_pythons_own_reader_reads_it_but_for_halves_of_characters(
    value: object, ensure_ascii: bool, typo: str, at: int
):
    text = json.dumps(value, ensure_ascii=ensure_ascii)
    for written in (text, text[:at] + typo + text[at:]):
        assert told_by(parsed, written) == told_by(whole, written)
