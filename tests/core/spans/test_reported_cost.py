"""What an emitter says a call cost."""

import math
from typing import Any

import pytest

from builders import facts, span
from sessiond.core.model import Cost
from sessiond.core.values import as_nano_usd


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.000238, 238_000),
        (0.0001124, 112_400),
        (0.1 + 0.2, 300_000_000),
        ("0.000238", 238_000),
        ('"0.000238"', 238_000),
        (" 2.38e-4 ", 238_000),
        (1, 10**9),
        (0, 0),
        (0.0, 0),
        (-0.0, 0),
        (4e-10, 0),
        (2.5e-9, 2),
        (3.5e-9, 4),
        ("999999999.999999999", 10**18 - 1),
    ],
)
def test_dollars_are_rounded_from_the_digits_that_were_written(value: Any, expected: int):
    assert as_nano_usd(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        -1,
        "-0.5",
        math.nan,
        math.inf,
        "nan",
        "sNaN",
        "inf",
        "",
        "free",
        "$1",
        10**9,
        1e300,
        10**400,
        "1e999999999",
        b"1",
        [1],
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_no_sum_of_money_is_none(value: Any):
    assert as_nano_usd(value) is None


TOTAL, INPUT, OUTPUT = "gen_ai.usage.total_cost", "gen_ai.usage.input_cost", "gen_ai.usage.output_cost"
OTHER_TOTAL = "operation.cost"
BY_USER = {"latitude.cost.source": "user"}


@pytest.mark.parametrize(
    ("tokens", "attributes", "expected"),
    [
        ((5, 5), {TOTAL: 0.5}, Cost(500_000_000)),
        ((5, 5), {TOTAL: 0.5, INPUT: 0.2, OUTPUT: 0.3}, Cost(500_000_000, 200_000_000, 300_000_000)),
        ((5, 5), {INPUT: 0.2, OUTPUT: 0.3}, Cost(500_000_000, 200_000_000, 300_000_000)),
        ((5, 5), {INPUT: 0.2}, Cost(None, 200_000_000)),
        ((5, 5), {TOTAL: 0, OTHER_TOTAL: 0.5}, Cost(500_000_000)),
        ((5, 5), {TOTAL: 0}, None),
        ((5, None), {TOTAL: 0, INPUT: 0, OUTPUT: 0}, Cost(None, None, 0)),
        ((5, 5), {TOTAL: 0.5, INPUT: 0, OUTPUT: 0}, Cost(500_000_000)),
        ((None, None), {TOTAL: 0}, Cost(0)),
        ((0, 0), {TOTAL: 0, INPUT: 0, OUTPUT: 0}, Cost(0, 0, 0)),
        ((5, 5), {TOTAL: 0, **BY_USER}, Cost(0)),
        ((5, 5), {TOTAL: 0, "latitude.cost.source": "estimated"}, None),
        ((5, 5), {TOTAL: -1}, None),
        ((5, 5), {}, None),
    ],
)
def test_a_figure_above_zero_wins_and_zero_beside_tokens_is_unknown(
    tokens: tuple[int | None, int | None], attributes: dict[str, Any], expected: Cost | None
):
    (found,) = facts(span(operation="chat", tokens_in=tokens[0], tokens_out=tokens[1], **attributes))
    assert found.cost == expected
