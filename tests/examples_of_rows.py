"""Every example that the list of names gives: each row alone, before its neighbour, without its condition, with each of its values."""

from collections.abc import Callable, Iterator
from typing import Any

from carrying import COSTS, OPERATIONS, Example, Load, base_of, carry, label, value_of
from listed import LIST, LISTED
from sessiond.core.conventions import Meaning, Row
from sessiond.core.model import Cost, Usage

BINDINGS = {"session": "sessions", "user": "users", "project": "projects"}
NAMES = {"request_model", "response_model", "response_id", "agent"}
TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
MODEL = {"gen_ai.request.model": "m"}


def expected(meaning: Meaning, rank: int, row: Row, value: Any) -> dict[str, Any]:
    """The facts of a span that carries only the row with the value of `value_of`."""
    said = row.value or (row.values[value] if row.values else value)
    if meaning in BINDINGS:
        return {BINDINGS[meaning]: ((2 * rank, value),)}
    if meaning in NAMES:
        return {meaning: value}
    if meaning in COSTS:
        return {"cost": Cost()._replace(**{meaning.replace("cost", "nano"): 250_000_000})}
    if meaning in ("input_tokens", "output_tokens"):
        return {"usage": Usage()._replace(**{meaning: 12})}
    if meaning in TOKENS:
        return {"usage": Usage(100, 50)._replace(**{meaning: 12})}
    match meaning:
        case "operation":
            return {"operation": said}
        case "provider":
            return {"provider": "anthropic" if row.place == "meaning" else said}
        case "first_token":
            return {"first_token_nano": 4_000_000}
        case "tool":
            return {"tool": value}
        case "tags":
            return {"tags": ("x:x1" if row.place == "prefix" else "t",)}
        case "metadata":
            return {"metadata": (("x", "v"),)}
        case "input" | "output":
            return {f"has_{meaning}": True}
        case "service":
            return {"service": value}
        case "error_mark":
            return {"is_error": True}
        case "error_type" | "error_message":
            return {meaning: str(value)}
        case "span_type":
            return {"usage": Usage(12)}
        case "total_tokens":
            return {"usage": Usage(107, 50, 7)}
        case "cache_share":
            return {"usage": Usage(100, None, 7)}
        case "cost_by_user":
            return {"cost": Cost(0)}
    return {}


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
            facts = expected(meaning, rank, row, value_of(meaning, row))
            yield Example(meaning, f"{row.label} alone", _carried(meaning, row), facts, _winner(meaning, row))


def neighbours() -> Iterator[Example]:
    """A span that carries two rows that follow each other: the earlier wins."""
    for meaning, rows in LISTED.items():
        for row, later in zip(rows, rows[1:], strict=False):
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
