"""The arithmetic of cost, and under which names a price is looked for."""

from dataclasses import replace
from typing import NamedTuple

import pytest

from sessiond.core.figures.pricing import (
    YOCTO_PER_USD_PER_MILLION,
    PriceRow,
    TokenPrice,
    UnitPrices,
    attempts,
    estimate,
    price_row,
)
from sessiond.core.fold import SUM_MAX
from sessiond.core.model import Cost, Usage

USD = YOCTO_PER_USD_PER_MILLION


def usd(per_million: int, *tiers: tuple[int, int]) -> TokenPrice:
    return TokenPrice(per_million * USD, tuple((threshold, price * USD) for threshold, price in tiers))


PLAIN = UnitPrices(input=usd(2), output=usd(8))
CACHED = UnitPrices(input=usd(10), output=usd(50), cache_read=usd(1), cache_write=usd(20))


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        (Usage(1000, 100), Cost(2_800_000, 2_000_000, 800_000)),
        (Usage(1000, None), Cost(2_000_000, 2_000_000, None)),
        (Usage(None, 100), Cost(800_000, None, 800_000)),
        (Usage(0, 0), Cost(0, 0, 0)),
        (Usage(), Cost()),
        (Usage(cache_read_tokens=5, reasoning_tokens=5), Cost()),
    ],
)
def test_a_side_that_is_not_known_is_absent_and_the_total_is_what_is_known(usage: Usage, cost: Cost):
    assert estimate(usage, PLAIN) == cost


@pytest.mark.parametrize(
    ("read", "write", "input_micro"),
    [
        (None, None, 1000),
        (40, None, 640),
        (None, 10, 1100),
        (40, 10, 740),
        (100, 0, 100),
        (150, 0, 100),
        (80, 90, 480),
        (200, 200, 100),
    ],
)
def test_cached_tokens_are_a_part_of_input_and_never_more(read: int | None, write: int | None, input_micro: int):
    assert estimate(Usage(100, 0, read, write), CACHED).input_nano == 1000 * input_micro


def test_cached_tokens_without_a_price_cost_what_input_does():
    assert estimate(Usage(100, 0, 40, 40), PLAIN) == estimate(Usage(100, 0), PLAIN)


def test_cached_tokens_without_input_are_not_billed():
    assert estimate(Usage(None, 1, 40, 40), CACHED) == Cost(50_000, None, 50_000)


def test_reasoning_is_a_part_of_output_and_may_have_its_own_price():
    prices = replace(PLAIN, reasoning=usd(3))
    assert [estimate(Usage(0, 100, None, None, tokens), prices).output_nano for tokens in (None, 60, 500)] == [
        800_000,
        500_000,
        300_000,
    ]
    assert estimate(Usage(0, 100, None, None, 60), PLAIN).output_nano == 800_000


@pytest.mark.parametrize(("tokens", "input_nano"), [(200, 400_000), (201, 804_000), (1000, 4_000_000), (1001, 6_006_000)])
def test_above_a_threshold_all_tokens_cost_the_price_of_its_tier(tokens: int, input_nano: int):
    assert estimate(Usage(tokens, 0), UnitPrices(input=usd(2, (200, 4), (1000, 6)))).input_nano == input_nano


def test_the_tier_of_every_part_is_that_of_the_whole_input():
    prices = UnitPrices(input=usd(1), cache_read=usd(2, (200, 3)), output=usd(8, (200, 9)))
    assert estimate(Usage(201, 10, 10), prices) == Cost(191_000 + 30_000 + 90_000, 221_000, 90_000)
    assert estimate(Usage(200, 10, 10), prices) == Cost(190_000 + 20_000 + 80_000, 210_000, 80_000)
    assert estimate(Usage(None, 10, 300), prices).output_nano == 80_000


def test_what_a_request_costs_is_in_the_total_and_on_no_side():
    assert estimate(Usage(1, 1), replace(PLAIN, request_yocto=12 * 10**21)) == Cost(12_010_000, 2_000, 8_000)


def test_output_without_a_price_is_not_billed():
    assert estimate(Usage(100, 100), UnitPrices(input=usd(2))) == Cost(200_000, 200_000, 0)


def test_each_side_and_the_total_are_rounded_once_half_to_even():
    """A side of 0.5 nano-dollars is 0, one of 1.5 is 2, and two halves are 1 in the total."""
    half = TokenPrice(5 * 10**14)
    prices = UnitPrices(input=half, output=half)
    assert estimate(Usage(1, 1), prices) == Cost(1, 0, 0)
    assert estimate(Usage(3, 5), prices) == Cost(4, 2, 2)
    assert estimate(Usage(1, 0), UnitPrices(input=TokenPrice(5 * 10**14 + 1))) == Cost(1, 1, None)._replace(output_nano=0)


def test_a_cost_fits_into_64_bits_whatever_number_a_sender_wrote():
    assert estimate(Usage(SUM_MAX, SUM_MAX), PLAIN) == Cost(SUM_MAX, SUM_MAX, SUM_MAX)


@pytest.mark.parametrize(
    ("provider", "response_model", "request_model", "asked"),
    [
        ("openai", "gpt-5", None, [("openai", "gpt-5"), (None, "gpt-5")]),
        (None, "gpt-5", "gpt-5", [(None, "gpt-5")]),
        ("azure", None, "gpt-5", [("azure", "gpt-5"), (None, "gpt-5")]),
        ("azure", "gpt-5", "ours", [("azure", "gpt-5"), (None, "gpt-5"), ("azure", "ours"), (None, "ours")]),
        ("azure", None, None, []),
        ("azure", "", "", []),
        (
            "openai",
            "anthropic/claude-x",
            None,
            [
                ("openai", "anthropic/claude-x"),
                (None, "anthropic/claude-x"),
                ("anthropic", "claude-x"),
                ("openai", "claude-x"),
                (None, "claude-x"),
            ],
        ),
        (None, "gpt-9-2031-01-02", None, [(None, "gpt-9-2031-01-02"), (None, "gpt-9")]),
        (None, "x@20310102", None, [(None, "x@20310102"), (None, "x")]),
        (None, "x-20310102-v1:0", None, [(None, "x-20310102-v1:0"), (None, "x-v1:0")]),
        (None, "text-embedding-3-small", None, [("openai", "text-embedding-3-small"), (None, "text-embedding-3-small")]),
        (
            "anthropic",
            "us.anthropic.claude-x-v1:0",
            None,
            [
                ("anthropic", "us.anthropic.claude-x-v1:0"),
                ("aws", "us.anthropic.claude-x-v1:0"),
                (None, "us.anthropic.claude-x-v1:0"),
            ],
        ),
    ],
)
def test_names_are_tried_from_the_most_exact_on(
    provider: str | None, response_model: str | None, request_model: str | None, asked: list[tuple[str | None, str]]
):
    assert list(attempts(provider, response_model, request_model)) == asked


@pytest.mark.parametrize(
    ("model", "routed"),
    [
        ("openai/gpt-5", ("openai", "gpt-5")),
        ("azure/gpt-5", ("azure", "gpt-5")),
        ("OpenAI/gpt-5", ("openai", "gpt-5")),
        ("litellm_proxy/openai/gpt-5", ("openai", "gpt-5")),
        ("openrouter/openai/gpt-5", ("openrouter", "openai/gpt-5")),
        ("bedrock/amazon.nova", ("aws", "amazon.nova")),
        ("bedrock/converse/us.amazon.nova", ("aws", "us.amazon.nova")),
        ("bedrock/us-east-1/amazon.nova", ("aws", "amazon.nova")),
        ("arn:aws:bedrock:us-east-1:1:inference-profile/us.amazon.nova", ("aws", "us.amazon.nova")),
        ("models/gemini-x", ("google", "gemini-x")),
        ("publishers/google/models/gemini-x", ("google", "gemini-x")),
        ("projects/p/locations/l/publishers/anthropic/models/claude-x", ("google", "claude-x")),
        ("vertex_ai/claude-x", ("google", "claude-x")),
        ("xai/grok-x", ("x-ai", "grok-x")),
    ],
)
def test_what_routes_a_call_is_taken_off_and_names_the_provider(model: str, routed: tuple[str, str]):
    assert routed in attempts(None, None, model)


@pytest.mark.parametrize("model", ["accounts/fireworks/models/llama", "meta-llama/llama-4", "openai/", "/x", "a/b/c"])
def test_a_name_with_slashes_that_no_router_wrote_stays_whole(model: str):
    assert attempts("together", None, model) == (("together", model), (None, model))


def test_routes_without_end_are_not_followed():
    assert len(attempts(None, None, "openai/" * 1000 + "gpt-5")) < 20


@pytest.mark.parametrize(
    ("provider", "model", "asked"),
    [
        ("ollama", "deepseek-r1", [("ollama", "deepseek-r1")]),
        ("vLLM", "mistral-large", [("vLLM", "mistral-large")]),
        ("openai", "deepseek-r1:8b", [("openai", "deepseek-r1:8b")]),
        ("openai", "ollama/deepseek-r1", [("ollama", "ollama/deepseek-r1"), ("ollama", "deepseek-r1")]),
    ],
)
def test_what_runs_locally_does_not_cost_what_its_maker_asks(provider: str, model: str, asked: list[tuple[str | None, str]]):
    assert list(attempts(provider, None, model)) == asked


def row(name: str) -> PriceRow:
    return PriceRow(None, name, name, PLAIN)


class Book(NamedTuple):
    """A price book of two dictionaries; every price holds from 100 on."""

    overrides: dict[tuple[str | None, str], PriceRow] = {}  # noqa: RUF012  (never changed)
    listed: dict[tuple[str | None, str], PriceRow] = {}  # noqa: RUF012  (as above)
    fingerprint: str = "of the test"

    @property
    def has_overrides(self) -> bool:
        return bool(self.overrides)

    def override(self, provider: str | None, model: str, at_unix_nano: int) -> PriceRow | None:
        return self.overrides.get((provider, model)) if at_unix_nano >= 100 else None

    def row(self, provider: str | None, model: str, at_unix_nano: int) -> PriceRow | None:
        return self.listed.get((provider, model)) if at_unix_nano >= 100 else None


def test_the_response_model_goes_before_the_request_model():
    book = Book(listed={(None, "answered"): row("answered"), ("openai", "asked"): row("asked")})
    assert price_row(book, "openai", "answered", "asked", 100) == row("answered")
    assert price_row(book, "openai", "other", "asked", 100) == row("asked")


def test_an_override_of_any_name_goes_over_a_list_price_of_a_better_one():
    book = Book({(None, "asked"): row("override")}, {("openai", "answered"): row("list")})
    assert price_row(book, "openai", "answered", "asked", 100) == row("override")
    assert price_row(book, "openai", "answered", None, 100) == row("list")


def test_a_price_is_that_of_the_time_of_the_call():
    book = Book(listed={("openai", "gpt-5"): row("gpt-5")})
    assert [price_row(book, "openai", "gpt-5", None, at) for at in (99, 100)] == [None, row("gpt-5")]


def test_no_model_has_no_price():
    assert price_row(Book(), "openai", None, None, 100) is None
