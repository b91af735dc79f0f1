"""The table of conventions against the list of names that it was made from, and against spans that carry its rows."""

import re
from typing import get_args

import pytest

from examples_of_rows import EXAMPLES, Example
from listed import DOCUMENT, LIST, LISTED
from sessiond.core.conventions import (
    FRAMEWORKS,
    GENERATION_KINDS,
    MODEL_PATTERNS,
    PROVIDER_ALIASES,
    PROVIDER_SUFFIX,
    TABLE,
    Meaning,
)
from sessiond.core.model import OperationKind
from sessiond.core.spans.normalize import DEFAULT
from sessiond.core.spans.provider import provider_of_model
from sessiond.core.values import as_id, as_model


def test_every_meaning_of_the_table_is_listed():
    assert list(LISTED) == list(TABLE) == list(get_args(Meaning))


@pytest.mark.parametrize("meaning", TABLE)
def test_a_meaning_has_the_listed_rows_in_the_listed_order(meaning: Meaning):
    assert list(TABLE[meaning]) == LISTED[meaning]


def test_every_kind_of_operation_is_listed():
    assert list(get_args(OperationKind)) == LIST["operation_kind"]["values"]


def test_generation_kinds_are_the_listed_ones():
    assert frozenset(LIST["operation_kind"]["generation_kinds"]) == GENERATION_KINDS


def test_every_listed_spelling_of_a_provider_is_known_and_no_other():
    assert {spelling.lower(): name for spelling, name in LIST["provider"]["aliases"].items()} == PROVIDER_ALIASES


def test_frameworks_are_the_listed_ones():
    assert frozenset(LIST["provider"]["not_a_provider"]) == FRAMEWORKS


def test_the_api_behind_a_provider_is_cut_off_as_listed():
    assert LIST["provider"]["strip_suffix"] == PROVIDER_SUFFIX


@pytest.mark.parametrize(
    "key",
    [
        *LIST["session_id"]["never"],
        *(re.split(r"[ *]", said)[0].rstrip(".") for said in LIST["tokens"]["never_read_as_usage"]),
        *re.findall(r"gen_ai\.choice|gen_ai\.content\.completion", LIST["ttft"]["never"][0]),
    ],
)
def test_what_is_never_to_be_read_is_in_no_row_of_its_meaning(key: str):
    meanings: list[Meaning] = ["session", "first_token", *(meaning for meaning in TABLE if meaning.endswith("_tokens"))]
    allowed = {
        "gen_ai.usage.details.cache_read_tokens",
        "gen_ai.usage.details.cache_write_tokens",
        "gen_ai.usage.details.reasoning_tokens",
    }
    read = {row.key for meaning in meanings for row in TABLE[meaning]}
    assert not {each for each in read - allowed if each == key or each.startswith(f"{key}.")} - {"gen_ai.content.completion.chunk"}


RULES = DOCUMENT["value_rules"]


@pytest.mark.parametrize("junk", [*RULES["junk_ids"], "[Scrubbed due to 'session']", "[REDACTED]", "<REDACTED>", "*", "***"])
def test_listed_junk_is_no_id(junk: str):
    assert as_id(junk) is None


def test_the_junk_above_is_what_the_listed_patterns_are_for():
    shown = ["[Scrubbed due to 'session']", "[REDACTED]", "<REDACTED>", "***"]
    assert [bool(re.search(pattern, text)) for pattern, text in zip(RULES["junk_id_patterns"], shown, strict=True)] == [True] * 4


def test_a_models_name_loses_the_colours_of_a_terminal():
    assert as_model("\x1b[1mclaude-opus-4\x1b[0m") == "claude-opus-4"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: f"{one.meaning}: {one.name}")
def test_a_span_that_carries_rows_is_read_by_the_best_of_them(example: Example):
    example.holds(DEFAULT)


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("gpt-4o", "openai"),
        ("o3", "openai"),
        ("o4-mini", "openai"),
        ("omni", None),
        ("text-embedding-3-small", "openai"),
        ("claude-sonnet-4-5", "anthropic"),
        ("Claude-3-Opus", "anthropic"),
        ("gemini-2.5-pro", "google"),
        ("mistral-large", "mistral"),
        ("command-r", "cohere"),
        ("deepseek-chat", "deepseek"),
        ("grok-4", "x-ai"),
        ("us.anthropic.claude-sonnet-4", "aws"),
        ("amazon.nova-lite", "aws"),
        ("sonar-pro", "perplexity"),
        ("kimi-k2", "moonshotai"),
        ("glm-4.6", "zai"),
        ("minimax-m1", "minimax"),
        ("llama-3.3-70b", "meta"),
        ("azure/gpt-4o", "azure"),
        ("openrouter/anthropic/claude-sonnet-4", "openrouter"),
        ("somewhere/gpt-4o", "openai"),
        ("our-own", None),
    ],
)
def test_a_model_tells_its_provider_by_its_router_or_by_its_name(model: str, provider: str | None):
    assert provider_of_model(model) == provider


def test_every_provider_that_a_models_name_tells_is_one_of_the_aliases():
    assert set(MODEL_PATTERNS.values()) <= set(PROVIDER_ALIASES.values())
