"""Every example that the list of names gives: each row alone, before its neighbour, without its condition, with each value."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from carrying import OPERATIONS, Example, Load, base_of, carry, label, value_of
from listed import LIST, LISTED
from sessiond.core.conventions import Meaning, Row
from sessiond.core.model import Cost, Usage

MODEL = {"gen_ai.request.model": "m"}


Facts = Callable[[int, Row, Any], dict[str, Any]]
"""(rank of the row, the row, what its value says) -> the facts of a span that carries only that."""


def _called(field: str) -> Facts:
    return lambda _, __, said: {field: said}


def _always(**facts: Any) -> Facts:
    return lambda _, __, ___: facts


def _bound(field: str) -> Facts:
    return lambda rank, _, said: {field: ((2 * rank, said),)}


def _cost(part: str) -> Facts:
    return lambda _, __, ___: {"cost": Cost()._replace(**{part: 250_000_000})}


def _usage(part: str, beside: Usage) -> Facts:
    return lambda _, __, said: {"usage": beside._replace(**{part: said})}


def _text(field: str) -> Facts:
    return lambda _, __, said: {field: str(said)}


EXPECTED: dict[Meaning, Facts] = {
    "session": _bound("sessions"),
    "user": _bound("users"),
    "project": _bound("projects"),
    "service": _called("service"),
    "operation": _called("operation"),
    "span_type": _always(usage=Usage(12)),
    "provider": lambda _, row, said: {"provider": "anthropic" if row.place == "meaning" else said},
    "request_model": _called("request_model"),
    "response_model": _called("response_model"),
    "response_id": _called("response_id"),
    "input_tokens": _usage("input_tokens", Usage()),
    "output_tokens": _usage("output_tokens", Usage()),
    "total_tokens": _always(usage=Usage(107, 50, 7)),
    "cache_read_tokens": _usage("cache_read_tokens", Usage(100, 50)),
    "cache_write_tokens": _usage("cache_write_tokens", Usage(100, 50)),
    "reasoning_tokens": _usage("reasoning_tokens", Usage(100, 50)),
    "cache_share": _always(usage=Usage(100, None, 7)),
    "total_cost": _cost("total_nano"),
    "input_cost": _cost("input_nano"),
    "output_cost": _cost("output_nano"),
    "cost_by_user": _always(cost=Cost(0)),
    "first_token": _always(first_token_nano=4_000_000),
    "tool": _called("tool"),
    "agent": _called("agent"),
    "tags": lambda _, row, __: {"tags": ("x:x1" if row.place == "prefix" else "t",)},
    "metadata": _always(metadata=(("x", "v"),)),
    "input": _always(has_input=True),
    "output": _always(has_output=True),
    "error_mark": _always(is_error=True),
    "error_type": _text("error_type"),
    "error_message": _text("error_message"),
}


def _carried(meaning: Meaning, row: Row) -> Load:
    value = value_of(meaning, row)
    return Load(resource={row.key: value}) if meaning == "service" else carry(row, value) + base_of(meaning)


def _winner(meaning: Meaning, row: Row) -> str:
    if row.place == "meaning":
        return LISTED[row.key][0].key  # type: ignore[index]
    return f"resource {row.label}" if meaning == "service" else label(row, "x")


def alone() -> Iterator[Example]:
    """A span that carries only one row, and the fact that it gives."""
    for meaning, rows in LISTED.items():
        for rank, row in enumerate(rows):
            value = value_of(meaning, row)
            said = row.value or (row.values[value] if row.values else value)
            facts = EXPECTED[meaning](rank, row, said)
            yield Example(meaning, f"{row.label} alone", _carried(meaning, row), facts, _winner(meaning, row))


def neighbours() -> Iterator[Example]:
    """A span that carries two rows that follow each other: the earlier wins."""
    for meaning, rows in LISTED.items():
        for row, later in pairwise(rows):
            if row.key == later.key == "name":
                continue  # a span has one name, and one scope
            load = _carried(meaning, row) + _carried(meaning, later)
            yield Example(meaning, f"{row.label} before {later.label}", load, winner=_winner(meaning, row))


def without_condition() -> Iterator[Example]:
    """A span that carries a row without what the row asks for: the row says nothing."""
    for meaning, rows in LISTED.items():
        for row in rows:
            if row.when is None or (meaning == "tool" and row.when.operation == "tool"):
                continue
            value = "x" if row.key == "name" and not row.pattern else value_of(meaning, row)
            load = carry(row, value, unconditionally=True)
            if row.when.operation:
                load += Load({"gen_ai.operation.name": OPERATIONS["chat"]})
            if meaning == "total_tokens":
                load += base_of(meaning)
            yield Example(meaning, f"{row.label} without its condition", load, loser=row.label)


def values() -> Iterator[Example]:
    """Each value of a row's map means what is listed; in other letters only where case does not matter; any other, nothing."""
    for meaning in ("operation", "error_mark", "cost_by_user", "span_type"):
        for row in LISTED[meaning]:
            for value, said in (row.values or {}).items():
                load = carry(row, value) + base_of(meaning)
                facts = {"operation": said} if meaning == "operation" else {}
                yield Example(meaning, f"{row.label} = {value}", load, facts, row.label)
                swapped = carry(row, value.swapcase()) + base_of(meaning)
                told = {"winner" if row.upper else "loser": row.label}
                yield Example(meaning, f"{row.label} = {value.swapcase()}", swapped, **told)
            if row.values:
                yield Example(meaning, f"{row.label} = another", carry(row, "another") + base_of(meaning), loser=row.label)


def cache_shares() -> Iterator[Example]:
    """Input of 100 beside 7 from a cache holds them or does not: by its key or by its provider."""
    for row in LISTED["input_tokens"]:
        for provider in ("openai", "anthropic", "aws"):
            outside = row.cache == "outside" or (row.cache == "by_provider" and provider != "openai")
            load = carry(row, 100) + Load({"gen_ai.usage.cache_read.input_tokens": 7, "gen_ai.provider.name": provider})
            yield Example("input_tokens", f"{row.label} of {provider}", load, {"usage": Usage(107 if outside else 100, None, 7)})


def units() -> Iterator[Example]:
    """Numbers that are another time, or none, in another unit."""
    for row in LISTED["first_token"]:
        for value, by_unit in (
            (4, {"ms": 4_000_000, "magnitude": 4_000_000}),
            (0.004, {"s": 4_000_000, "ms": 4_000, "magnitude": 4_000_000}),
        ):
            if row.unit is not None:
                load, nano = carry(row, value) + base_of("first_token"), by_unit.get(row.unit)
                yield Example("first_token", f"{row.label} = {value!r}", load, {"first_token_nano": nano})


def shapes() -> Iterator[Example]:
    """Commas in tags, statuses below the smallest that is an error, names that only begin like one."""
    for row in LISTED["tags"]:
        if row.place != "prefix":
            yield Example("tags", f"{row.label} = 'a, b'", carry(row, "a, b"), {"tags": ("a", "b") if row.commas else ("a, b",)})
    for row in LISTED["error_type"]:
        if row.at_least:
            load = carry(row, row.at_least - 1) + base_of("error_type")
            yield Example("error_type", f"{row.label} below", load, {"error_type": None})
    named = {
        "claude_code.llm_request.more": "chat",
        "claude_code.interaction (1)": "agent",
        "claude_code.tool.execution": "tool",
        "claude_code.tool.blocked": "other",
        "my claude_code.llm_request": "other",
        "my claude_code.interaction": "other",
        "my claude_code.tool": "other",
    }
    for name, kind in named.items():
        yield Example("operation", f"a span called {name}", Load(name=name), {"operation": kind})
    for name in ("my raw_gen_ai_request", "raw_gen_ai_request 2"):
        yield Example("operation", f"LiteLLM's {name}", Load(name=name, scope="litellm"), {"operation": "other"}, None, "span name")
    yield Example(
        "tool",
        "a tool called by its operation alone",
        Load({"gen_ai.operation.name": "tool"}, name="execute_tool "),
        {"tool": None},
    )
    yield Example(
        "tool",
        "a tool behind its operation",
        Load({"gen_ai.operation.name": "tool"}, name="execute_tool find it"),
        {"tool": "find it"},
    )


def providers() -> Iterator[Example]:
    """Every spelling, every framework, and the API behind a provider."""
    listed = LIST["provider"]
    for spelling, name in listed["aliases"].items():
        for written in (spelling, spelling.upper()):
            yield Example("provider", f"provider {written}", Load({"gen_ai.system": written}), {"provider": name})
    for framework in listed["not_a_provider"]:
        load = Load({"gen_ai.system": framework, **MODEL})
        yield Example("provider", f"framework {framework}", load, {"provider": None})
    for api in listed["strip_suffix"].removeprefix(r"\.(").removesuffix(")$").split("|"):
        yield Example("provider", f"API {api}", Load({"gen_ai.system": f"some-host.{api}"}), {"provider": "some-host"})


GROUPS: tuple[Callable[[], Iterator[Example]], ...] = (
    alone,
    neighbours,
    without_condition,
    values,
    cache_shares,
    units,
    shapes,
    providers,
)
EXAMPLES: list[Example] = [example for group in GROUPS for example in group()]
