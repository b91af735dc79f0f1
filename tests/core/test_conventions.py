"""The table of conventions against the list of names it was made from, and against spans that carry one name each."""

from typing import Any

import pytest
import yaml

from builders import DATA, facts, span
from sessiond.core.conventions import (
    FRAMEWORKS,
    GENERATION_KINDS,
    PROVIDER_ALIASES,
    PROVIDER_SUFFIX,
    TABLE,
    Meaning,
    Row,
)
from sessiond.core.model import Usage

DOCUMENT = yaml.safe_load((DATA / "conventions.yaml").read_text())
LIST = DOCUMENT["fields"]
CONDITIONS = {"only_if", "only_kind", "conditions", "json_in", "event", "span_name"}


def listed(rows: list[dict[str, Any]]) -> list[str]:
    """The plain keys of a list, in order."""
    plain = [row for row in rows if "key" in row and not CONDITIONS & row.keys()]
    return [key for row in plain for key in (row["key"], *row.get("also", ()))]


def keys(meaning: Meaning) -> list[str]:
    return [row.key for row in TABLE[meaning]]


@pytest.mark.parametrize(("meaning", "name"), [("session", "session_id"), ("user", "user_id"), ("project", "project")])
def test_ids_are_looked_for_under_every_listed_key_in_the_listed_order(meaning: Meaning, name: str):
    assert keys(meaning) == listed(LIST[name]["list"])


TOKENS = LIST["tokens"]
SOME_OF_THE_LISTED = {
    "operation": LIST["operation_kind"]["list"],
    "provider": LIST["provider"]["list"],
    "request_model": LIST["request_model"]["list"],
    "response_model": LIST["response_model"]["list"],
    "input_tokens": TOKENS["input"],
    "output_tokens": TOKENS["output"],
    "total_tokens": TOKENS["total"],
    "cache_read_tokens": TOKENS["cache_read"],
    "cache_write_tokens": TOKENS["cache_write"],
    "reasoning_tokens": TOKENS["reasoning"],
    "response_id": [{"key": key} for key in DOCUMENT["usage_selection"]["response_id_keys"]],
    "tool": [{"key": key} for key in LIST["tool"]["name"]],
    "agent": [{"key": key} for key in LIST["agent_name"]],
}


@pytest.mark.parametrize("meaning", SOME_OF_THE_LISTED)
def test_the_keys_that_are_read_stand_in_the_listed_order(meaning: Meaning):
    read = keys(meaning)
    assert read == [key for key in listed(SOME_OF_THE_LISTED[meaning]) if key in read]


def test_operation_values_mean_what_the_list_says():
    told = {row["key"]: row["map"] for row in LIST["operation_kind"]["list"] if "key" in row and "map" in row}
    assert {row.key: row.kinds for row in TABLE["operation"]} == {key: told[key] for key in keys("operation")}


def test_operation_values_are_compared_in_upper_case_where_the_list_says():
    told = {row["key"] for row in LIST["operation_kind"]["list"] if row.get("case") == "upper"}
    assert {row.key for row in TABLE["operation"] if row.upper} == told & set(keys("operation"))


def test_input_tokens_hold_their_cache_where_the_list_says():
    told = {row["key"]: row["inclusive_of_cache"] for row in TOKENS["input"] if "key" in row and "inclusive_of_cache" in row}
    read = {row.key: row.cache for row in TABLE["input_tokens"] if row.key in told}
    assert read == {key: "by_provider" if told[key] == "by_provider" else "inside" for key in read}


def test_generation_kinds_are_the_listed_ones():
    assert frozenset(LIST["operation_kind"]["generation_kinds"]) == GENERATION_KINDS


def test_every_listed_spelling_of_a_provider_is_known():
    assert {spelling.lower(): name for spelling, name in LIST["provider"]["aliases"].items()} == PROVIDER_ALIASES


def test_frameworks_are_no_providers():
    assert frozenset(LIST["provider"]["not_a_provider"]) == FRAMEWORKS


def test_the_api_behind_a_provider_is_cut_off_as_listed():
    assert LIST["provider"]["strip_suffix"] == PROVIDER_SUFFIX


def test_names_of_other_things_are_never_read_as_a_session():
    assert not set(LIST["session_id"]["never"]) & {row.key for rows in TABLE.values() for row in rows}


def test_no_key_stands_twice_under_one_meaning():
    assert {meaning: len(rows) for meaning, rows in TABLE.items()} == {
        meaning: len({row.key for row in rows}) for meaning, rows in TABLE.items()
    }


BINDINGS: dict[Meaning, str] = {"session": "sessions", "user": "users", "project": "projects"}
TEXTS = {"request_model", "response_model", "response_id", "agent"}
PARTS = {"cache_read_tokens", "cache_write_tokens", "reasoning_tokens"}


def row_names(row: Row | str) -> str:
    return row if isinstance(row, str) else row.key


@pytest.mark.parametrize(("meaning", "rank"), [(m, rank) for m in BINDINGS for rank in range(len(TABLE[m]))])
def test_each_key_of_an_id_binds_by_its_rank_and_on_a_resource_right_after(meaning: Meaning, rank: int):
    key = TABLE[meaning][rank].key
    (on_span,) = facts(span(**{key: "an-id"}))
    (on_resource,) = facts(span(), **{key: "an-id"})
    assert getattr(on_span, BINDINGS[meaning]) == ((2 * rank, "an-id"),)
    assert getattr(on_resource, BINDINGS[meaning]) == ((2 * rank + 1, "an-id"),)


@pytest.mark.parametrize(
    ("row", "value", "kind"),
    [(row, value, kind) for row in TABLE["operation"] for value, kind in (row.kinds or {}).items()],
    ids=row_names,
)
def test_each_operation_value_alone_gives_its_kind(row: Row, value: str, kind: str):
    (found,) = facts(span(**{row.key: value}))
    assert found.operation == kind


@pytest.mark.parametrize("row", TABLE["provider"], ids=row_names)
def test_each_key_of_a_provider_alone_gives_it(row: Row):
    (found,) = facts(span(**{row.key: "amazon-bedrock"}))
    assert found.provider == "aws"


@pytest.mark.parametrize(("meaning", "row"), [(m, row) for m in sorted(TEXTS) for row in TABLE[m]], ids=row_names)
def test_each_key_of_a_name_alone_gives_it(meaning: Meaning, row: Row):
    (found,) = facts(span(**{row.key: "a-name"}))
    assert getattr(found, meaning) == "a-name"


@pytest.mark.parametrize("row", TABLE["tool"], ids=row_names)
def test_each_key_of_a_tool_alone_makes_the_span_a_tool_of_that_name(row: Row):
    (found,) = facts(span(**{row.key: "search"}))
    assert (found.operation, found.tool) == ("tool", "search")


@pytest.mark.parametrize("row", TABLE["service"], ids=row_names)
def test_the_service_is_read_from_the_resource(row: Row):
    (found,) = facts(span(), service="", **{row.key: "checkout"})
    assert found.service == "checkout"


@pytest.mark.parametrize("row", TABLE["entity"], ids=row_names)
def test_an_entity_is_the_tool_or_the_agent_by_the_kind_of_its_span(row: Row):
    as_tool, as_agent, as_task = facts(
        *(span(**{row.key: "weather", "traceloop.span.kind": kind}) for kind in ("tool", "agent", "task"))
    )
    assert [(one.tool, one.agent) for one in (as_tool, as_agent, as_task)] == [("weather", None), (None, "weather"), (None, None)]


@pytest.mark.parametrize(
    ("meaning", "row"), [(m, row) for m in ("input_tokens", "output_tokens") for row in TABLE[m]], ids=row_names
)
def test_each_key_of_tokens_alone_gives_usage(meaning: Meaning, row: Row):
    (found,) = facts(span(**{row.key: 12}))
    assert found.usage == Usage()._replace(**{meaning: 12})


@pytest.mark.parametrize(("meaning", "row"), [(m, row) for m in sorted(PARTS) for row in TABLE[m]], ids=row_names)
def test_each_key_of_a_part_of_the_tokens_gives_it_beside_input_and_output(meaning: Meaning, row: Row):
    (found,) = facts(span(tokens_in=100, tokens_out=50, **{row.key: 12}))
    assert found.usage == Usage(100, 50)._replace(**{meaning: 12})


@pytest.mark.parametrize("row", TABLE["total_tokens"], ids=row_names)
def test_each_key_of_the_total_proves_where_the_cache_is(row: Row):
    (found,) = facts(span(tokens_in=100, tokens_out=50, **{"gen_ai.usage.cache_read.input_tokens": 7, row.key: 157}))
    assert found.usage == Usage(107, 50, 7)


@pytest.mark.parametrize("row", TABLE["error_type"], ids=row_names)
def test_an_error_type_alone_puts_a_span_in_error(row: Row):
    (found,) = facts(span(**{row.key: "Timeout"}))
    assert (found.is_error, found.error_type) == (True, "Timeout")


@pytest.mark.parametrize("row", TABLE["error_mark"], ids=row_names)
def test_an_emitters_own_mark_alone_puts_a_span_in_error_and_its_other_values_do_not(row: Row):
    marked, other = facts(span(**{row.key: row.only}), span(**{row.key: "fine"}))
    assert (marked.is_error, other.is_error) == (True, False)


@pytest.mark.parametrize("row", TABLE["error_message"], ids=row_names)
def test_an_emitters_own_message_is_told_of_a_span_in_error(row: Row):
    failed, fine = facts(span(error="", **{row.key: "no quota"}), span(**{row.key: "no quota"}))
    assert (failed.error_message, fine.error_message) == ("no quota", None)


def test_every_meaning_has_a_test_above():
    tested = {"operation", "provider", "tool", "service", "entity", "total_tokens", "error_type", "error_mark", "error_message"}
    assert {*tested, *BINDINGS, *TEXTS, *PARTS, "input_tokens", "output_tokens"} == set(TABLE)
