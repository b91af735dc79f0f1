"""The price book gives what the package gives, to the nano-dollar, at any time, offline; configuration goes over it."""

import importlib.metadata
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Any

import genai_prices
import pytest
from genai_prices.data import providers
from genai_prices.types import ModelInfo, ModelPrice, Provider, StartDateConstraint, TieredPrices, TimeOfDateConstraint
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import DATA, T0
from sessiond.core.conventions import PROVIDER_ALIASES
from sessiond.core.figures.pricing import PriceRow, UnitPrices, attempts, estimate, price_row
from sessiond.core.model import Cost, Usage
from sessiond.prices import NAMES_CACHED, GenaiPriceBook, Override, token_price

LISTED = [(provider, model) for provider in providers for model in provider.models]
BY_CONDITION = [(provider, model) for provider, model in LISTED if isinstance(model.prices, list)]
WITH_TIERS = [
    (provider, model)
    for provider, model in LISTED
    if any(
        isinstance(price, TieredPrices) for each in [model.prices] if isinstance(each, ModelPrice) for price in vars(each).values()
    )
]
BOOK = GenaiPriceBook()
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        pytest.fail("a price was looked for online")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def unix_nano(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1) * 1000


def nano(usd: Decimal) -> int:
    return int((usd * 10**9).to_integral_value(ROUND_HALF_EVEN))


def of_package(usage: Usage, provider: Provider, model: ModelInfo, at: datetime) -> tuple[int, int, int]:
    """(total, input, output) in nano-dollars; the package refuses cached tokens beyond input, so they are not given to it."""
    names = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "output_reasoning_tokens")
    reported = {name: tokens for name, tokens in zip(names, usage, strict=True) if tokens is not None}
    with localcontext(prec=80):
        price = model.calc_price(genai_prices.Usage(**reported), provider, genai_request_timestamp=at)
        return nano(price.total_price), nano(price.input_price), nano(price.output_price)


def has_token_price(model: ModelInfo, at: datetime) -> bool:
    price = model.get_prices(at)
    return price.input_mtok is not None or price.output_mtok is not None or model.id.endswith(":free")


def thresholds(model: ModelInfo) -> list[int]:
    prices = [model.prices] if isinstance(model.prices, ModelPrice) else [each.prices for each in model.prices]
    tiered = [price for each in prices for price in vars(each).values() if isinstance(price, TieredPrices)]
    return sorted({tier.start for price in tiered for tier in price.tiers})


def changes(model: ModelInfo) -> list[datetime]:
    """The moments around which the price of a model changes."""
    days, times = [date(2026, 11, 1)], [datetime.min.time()]
    for each in model.prices if isinstance(model.prices, list) else []:
        if isinstance(each.constraint, StartDateConstraint):
            days.append(each.constraint.start_date)
        if isinstance(each.constraint, TimeOfDateConstraint):
            times += [each.constraint.start_time.replace(tzinfo=None), each.constraint.end_time.replace(tzinfo=None)]
    return [datetime.combine(day, time, UTC) for day in days for time in times]


@st.composite
def usages(draw: st.DrawFn, model: ModelInfo) -> Usage:
    near = [threshold + step for threshold in thresholds(model) for step in (-1, 0, 1)]
    tokens = st.integers(0, 3_000_000) | st.integers(0, 50) | st.sampled_from(near or [0])
    input_tokens, output_tokens = draw(tokens), draw(tokens)
    read = draw(st.integers(0, input_tokens))
    write = draw(st.integers(0, input_tokens - read))
    return Usage(input_tokens, output_tokens, read, write, draw(st.integers(0, output_tokens)))


@st.composite
def calls(draw: st.DrawFn) -> tuple[Provider, ModelInfo, Usage, datetime]:
    provider, model = draw(st.sampled_from(LISTED) | st.sampled_from(BY_CONDITION) | st.sampled_from(WITH_TIERS))
    beside = st.sampled_from([timedelta(0), timedelta(microseconds=-1), timedelta(microseconds=1)]) | st.timedeltas(
        timedelta(days=-3), timedelta(days=3)
    )
    return provider, model, draw(usages(model)), draw(st.sampled_from(changes(model))) + draw(beside)


def found_as(provider: Provider, model: ModelInfo) -> bool:
    """Whether the model's own id leads to it: an earlier model of the provider may match it too."""
    return provider.find_model(model.id, all_providers=providers) is model


@settings(max_examples=600, deadline=None)
@given(calls())
def test_a_cost_is_that_of_the_package(call: tuple[Provider, ModelInfo, Usage, datetime]):
    provider, model, usage, at = call
    meant = provider.find_model(model.id, all_providers=providers)
    row = BOOK.row(provider.id, model.id, unix_nano(at))
    if meant is None or not has_token_price(meant, at):
        assert row is None
        return
    assert row is not None
    assert (row.provider, row.model) == (provider.id, meant.id)
    assert estimate(usage, row.prices) == Cost(*of_package(usage, provider, meant, at))


@pytest.mark.parametrize(
    "usage",
    [
        Usage(150_000, 1_000, 64, 48, 100),
        Usage(5_000_001, 1_000_003, 1_000_001, 99_999, 7),
        Usage(1, 1),
        Usage(0, 3),
    ],
)
def test_every_model_of_every_provider_costs_what_the_package_says(usage: Usage):
    at = datetime(2026, 11, 1, 12, tzinfo=UTC)
    wrong = {}
    for provider, model in LISTED:
        row = BOOK.row(provider.id, model.id, unix_nano(at))
        if found_as(provider, model) and has_token_price(model, at):
            expected = Cost(*of_package(usage, provider, model, at))
            if row is None or estimate(usage, row.prices) != expected:
                wrong[provider.id, model.id] = row
    assert wrong == {}


def test_every_change_of_every_price_falls_on_its_moment():
    wrong = []
    usage = Usage(1_000_000, 1_000_000, 1_000, 1_000, 0)
    moments = 0
    for provider, model in BY_CONDITION:
        for at in changes(model) if found_as(provider, model) else []:
            for moment in (at - timedelta(microseconds=1), at):
                row = BOOK.row(provider.id, model.id, unix_nano(moment))
                expected = Cost(*of_package(usage, provider, model, moment)) if has_token_price(model, moment) else None
                moments += 1
                if (row and estimate(usage, row.prices)) != expected:
                    wrong.append((provider.id, model.id, moment))
    assert wrong == []
    assert moments > 500


def test_the_package_covers_what_these_tests_are_about():
    constraints = {type(each.constraint) for _, model in BY_CONDITION for each in model.prices if not isinstance(each, tuple)}  # type: ignore[union-attr]
    assert constraints == {type(None), StartDateConstraint, TimeOfDateConstraint}
    assert len(WITH_TIERS) > 50
    assert any(len(thresholds(model)) > 1 for _, model in LISTED)
    assert any(model.get_prices(EPOCH).requests_kcount for _, model in LISTED)
    assert any(model.get_prices(EPOCH).output_reasoning_mtok for _, model in LISTED)


def test_a_row_says_where_its_price_comes_from():
    peak, before = datetime(2026, 10, 1, 2, tzinfo=UTC), datetime(2026, 8, 1, 5, tzinfo=UTC)
    told = [BOOK.row("deepseek", "deepseek-v4-flash", unix_nano(at)) for at in (peak, before)]
    assert [row and row.description for row in told] == [
        "deepseek deepseek-v4-flash, since 2026-09-10, 01:00 to 04:00 UTC",
        "deepseek deepseek-v4-flash, 04:00 to 06:00 UTC",
    ]
    plain = BOOK.row("openai", "gpt-4o-mini", T0)
    assert plain == PriceRow(
        "openai", "gpt-4o-mini", "openai gpt-4o-mini", UnitPrices(usd("0.15"), usd("0.6"), cache_read=usd("0.075"))
    )


def usd(per_million: str) -> Any:
    return token_price(Decimal(per_million))


# -- names: case 13 of the definitions -----------------------------------------------------------------------------------------


def model_of(provider: str | None, model: str, book: GenaiPriceBook = BOOK) -> tuple[str | None, str] | None:
    row = price_row(book, provider, None, model, T0)
    return row and (row.provider, row.model)


SONNET = ("aws", "regional.anthropic.claude-sonnet-4-5-20250929-v1:0")


@pytest.mark.parametrize(
    ("provider", "model", "found"),
    [
        ("openai", "gpt-4o-mini", ("openai", "gpt-4o-mini")),
        ("OpenAI", "GPT-4o-mini", ("openai", "gpt-4o-mini")),
        ("openai", "gpt-4o-mini-2024-07-18", ("openai", "gpt-4o-mini")),
        ("openai", "gpt-4o-mini-20240718", ("openai", "gpt-4o-mini")),
        ("openai", "gpt-4o-mini-2031-07-18", ("openai", "gpt-4o-mini")),
        (None, "gpt-4o-mini", ("openai", "gpt-4o-mini")),
        (None, "O3-mini", ("openai", "o3-mini")),
        ("somebody", "gpt-4o-mini", ("openai", "gpt-4o-mini")),
        ("azure", "gpt-4o-mini", ("azure", "gpt-4o-mini")),
        ("openai", "openai/gpt-4o-mini", ("openai", "gpt-4o-mini")),
        ("openai", "azure/gpt-4o-mini", ("azure", "gpt-4o-mini")),
        ("openrouter", "openai/gpt-4o-mini", ("openrouter", "openai/gpt-4o-mini")),
        (None, "openrouter/openai/gpt-4o-mini", ("openrouter", "openai/gpt-4o-mini")),
        ("google", "models/gemini-2.5-flash", ("google", "gemini-2.5-flash")),
        ("google", "publishers/google/models/gemini-2.5-flash", ("google", "gemini-2.5-flash")),
        ("google", "claude-sonnet-4-5@20250929", ("google", "claude-sonnet-4-5")),
        ("aws", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", SONNET),
        ("anthropic", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", SONNET),
        (None, "us.anthropic.claude-sonnet-4-5-20250929-v1:0", SONNET),
        (None, "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0", SONNET),
        ("aws", "arn:aws:bedrock:eu-west-1:1:inference-profile/eu.anthropic.claude-sonnet-4-5-20250929-v1:0", SONNET),
        ("aws", "eu.amazon.nova-lite-v1:0", ("aws", "amazon.nova-lite-v1:0")),
        ("openai", "text-embedding-3-small", ("openai", "text-embedding-3-small")),
        ("langchain", "text-embedding-3-small", ("openai", "text-embedding-3-small")),
        ("openai", "no-such-model", None),
        ("openai", "gpt-4o-mini-of-ours", None),
        ("openai", "whisper-1", None),
        ("openai", "deepseek-r1:8b", None),
        ("ollama", "deepseek-r1", None),
        ("openai", "", None),
    ],
)
def test_a_name_finds_the_model_that_it_means(provider: str | None, model: str, found: tuple[str, str] | None):
    assert model_of(provider, model) == found


def test_a_tool_of_embeddings_costs_its_input():
    row = price_row(BOOK, "openai", "text-embedding-3-small", None, T0)
    assert row is not None
    assert estimate(Usage(1_000_000, None), row.prices) == Cost(20_000_000, 20_000_000, None)


NO_LIST = {"watsonx", "ollama", "huggingface", "oracle"}
"""Providers that spans name, of whom the package has no list."""


def test_every_provider_that_we_name_is_known_to_the_package_but_for_some():
    known = {name for name in set(PROVIDER_ALIASES.values()) if any(provider.id == name for provider in providers)}
    assert set(PROVIDER_ALIASES.values()) - known == NO_LIST


def test_a_model_without_a_price_is_not_free_but_for_one_that_says_so():
    assert [BOOK.row("cerebras", "qwen-3-coder-480b", T0), BOOK.row("openai", "tts-1", T0)] == [None, None]
    free = BOOK.row("openrouter", "qwen/qwq-32b:free", T0) or BOOK.row("openrouter", "allenai/molmo-7b-d:free", T0)
    assert free is not None
    assert estimate(Usage(1000, 1000), free.prices) == Cost(0, 0, 0)


# -- the captures --------------------------------------------------------------------------------------------------------------


def turns() -> Iterator[Any]:
    for path in sorted((DATA / "captures").glob("*/manifest.json")):
        for place, turn in enumerate(json.loads(path.read_text())["turns"]):
            yield pytest.param(turn, id=f"{path.parent.name}-{place}")


@pytest.mark.parametrize("turn", list(turns()))
def test_a_captured_turn_costs_its_list_price(turn: Any):
    total = 0
    for call in turn["calls"]:
        if call["status"] != 200:
            continue
        provider = call["api"].split(".")[0]
        row = price_row(BOOK, provider, call["response_model"], call["request_model"], T0)
        assert row is not None
        usage = Usage(call["input_tokens"], call["output_tokens"], call.get("cache_read"), call.get("cache_write"))
        total += estimate(usage, row.prices).total_nano or 0
    assert total == pytest.approx(turn["list_price_usd"] * 10**9, rel=0.02)


# -- resolved once -------------------------------------------------------------------------------------------------------------


def test_a_name_is_resolved_once_whatever_the_time_and_thread_of_the_question():
    book = GenaiPriceBook()
    for second in range(1000):
        price_row(book, "openai", "gpt-4o-mini-2024-07-18", "gpt-4o-mini", T0 + second * 10**9)
    assert book.resolved_count == 1
    for _ in range(1000):
        price_row(book, "openai", "no-such-model", None, T0)
    assert book.resolved_count == 1 + len(attempts("openai", "no-such-model", None))


def test_names_that_senders_make_up_do_not_pile_up():
    book = GenaiPriceBook()
    for number in range(NAMES_CACHED + 100):
        book.row("nobody", f"m{number}", T0)
    assert book._listed.cache_info().currsize == NAMES_CACHED


def test_the_table_is_loaded_at_the_first_question_only():
    code = (
        "import sys; from sessiond.config import Config; from sessiond.prices import GenaiPriceBook; book = GenaiPriceBook(); "
        "book.fingerprint; book.override('openai', 'x', 0); assert 'genai_prices' not in sys.modules; "
        "book.row('openai', 'x', 0); assert 'genai_prices' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# -- overrides -----------------------------------------------------------------------------------------------------------------


def override(model: str, provider: str | None = None, since: date | None = None, input_usd: str = "1") -> Override:
    return Override(model, provider, since, UnitPrices(input=usd(input_usd)))


def told(book: GenaiPriceBook, provider: str | None, model: str, at: datetime = datetime(2026, 11, 1, tzinfo=UTC)) -> str | None:
    row = price_row(book, provider, None, model, unix_nano(at))
    return row and row.description


def test_an_override_goes_over_the_list_and_prices_what_the_list_has_not():
    book = GenaiPriceBook([override("gpt-4o-mini"), override("ours-*", "azure")])
    assert told(book, "openai", "GPT-4o-mini") == "override gpt-4o-mini"
    assert told(book, "openai", "gpt-4o-mini-2024-07-18") == "override gpt-4o-mini"
    assert told(book, "openrouter", "openai/gpt-4o-mini") == "override gpt-4o-mini"
    assert told(book, "azure", "ours-v2") == "override ours-* at azure"
    assert told(book, "openai", "ours-v2") is None
    assert told(book, "openai", "gpt-4o") == "openai gpt-4o"


def test_the_most_exact_override_holds_in_whatever_order_they_stand():
    given_overrides = [override("*"), override("gpt-*"), override("gpt-5*"), override("gpt-5*", "azure"), override("gpt-5")]
    for book in (GenaiPriceBook(given_overrides), GenaiPriceBook(reversed(given_overrides))):
        assert [
            told(book, provider, model) for provider, model in [("azure", "gpt-5"), ("azure", "gpt-5.1"), ("x", "gpt-5.1")]
        ] == [
            "override gpt-5",
            "override gpt-5* at azure",
            "override gpt-5*",
        ]
        assert [told(book, None, model) for model in ("gpt-4", "other")] == ["override gpt-*", "override *"]


def test_an_override_holds_from_the_start_of_its_day_on():
    book = GenaiPriceBook([override("gpt-4o-mini", since=date(2026, 10, 1)), override("gpt-4o-mini", since=date(2026, 11, 1))])
    midnight = datetime(2026, 10, 1, tzinfo=UTC)
    moments = (midnight - timedelta(microseconds=1), midnight, datetime(2026, 11, 1, tzinfo=UTC))
    assert [told(book, "openai", "gpt-4o-mini", at) for at in moments] == [
        "openai gpt-4o-mini",
        "override gpt-4o-mini, since 2026-10-01",
        "override gpt-4o-mini, since 2026-11-01",
    ]


def test_before_its_day_an_override_leaves_the_field_to_a_less_exact_one():
    book = GenaiPriceBook([override("ours", since=date(2026, 11, 1)), override("our*")])
    assert told(book, None, "ours", datetime(2026, 10, 1, tzinfo=UTC)) == "override our*"


def test_a_local_model_is_free_where_configuration_says_so():
    book = GenaiPriceBook([override("llama3*", "ollama", input_usd="0")])
    row = price_row(book, "ollama", None, "llama3.2:3b", T0)
    assert row is not None
    assert estimate(Usage(1000, 10), row.prices) == Cost(0, 0, 0)


def test_the_fingerprint_changes_with_every_price_and_with_nothing_else():
    one, two = override("a"), override("b*", "azure", date(2026, 1, 1))
    same = [GenaiPriceBook(each).fingerprint for each in ([one, two], [two, one], [override("a", input_usd="1.00"), two])]
    assert len(set(same)) == 1
    others = [
        [],
        [one],
        [two],
        [one, override("b", "azure", date(2026, 1, 1))],
        [one, override("b*", None, date(2026, 1, 1))],
        [one, override("b*", "azure", date(2026, 1, 2))],
        [one, override("b*", "azure", date(2026, 1, 1), "1.01")],
    ]
    assert len({same[0], *(GenaiPriceBook(each).fingerprint for each in others)}) == 1 + len(others)


def test_another_list_has_another_fingerprint(monkeypatch: pytest.MonkeyPatch):
    before = GenaiPriceBook().fingerprint
    monkeypatch.setattr(importlib.metadata, "version", lambda name: f"another {name}")
    assert GenaiPriceBook().fingerprint != before
