"""Spans that carry rows of the table, and what must be read of them: made from the list of names, never from the table itself.

An example says which value and which key must win. So a row that is gone, renamed, out of its place, or of another condition,
unit or map makes at least one example fail; tests/mutations.py tries that for every row.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from builders import ARRIVAL, attributes, span
from listed import LISTED
from sessiond.core.conventions import Meaning, Row
from sessiond.core.model import Rejection
from sessiond.core.normalize import Normalizer
from sessiond.wire.spans import read_span
from sessiond.wire.values import Attributes

OPERATIONS = {"agent": "invoke_agent", "tool": "execute_tool", "embeddings": "embeddings", "chat": "chat"}
COSTS = ("total_cost", "input_cost", "output_cost")
FIRST_TOKEN = {"s": 0.004, "ms": 4, "iso8601": '"2026-09-21T14:13:20.004Z"', "magnitude": 4}
"""Each is 4 ms after the start of a span of 10 ms, at T0."""


class Load(NamedTuple):
    """What a span has to have."""

    attributes: dict[str, Any] = {}
    events: tuple[tuple[str, float, Mapping[str, Any]], ...] = ()
    name: str = "work"
    scope: str = "scope"
    error: str | None = None
    resource: Mapping[str, Any] = {}

    def __add__(self, other: "Load") -> "Load":  # type: ignore[override]
        return Load(
            _merged(self.attributes, other.attributes),
            self.events + other.events,
            other.name if self.name == "work" else self.name,
            other.scope if self.scope == "scope" else self.scope,
            other.error if self.error is None else self.error,
            {**self.resource, **other.resource},
        )


class Python(dict[str, Any]):
    """A dict that is sent as its repr()."""


class Example(NamedTuple):
    """A span and what is read of it: facts by name, and by meaning the label of the key that wins."""

    meaning: Meaning
    name: str
    load: Load
    facts: Mapping[str, Any] = {}
    winner: str | None = None
    loser: str | None = None

    def holds(self, normalizer: Normalizer) -> None:
        """Raise AssertionError where the span is read otherwise."""
        found, sources = self.read(normalizer)
        assert {name: found[name] for name in self.facts} == self.facts
        keys = [key for meaning, key in sources if meaning.partition(".")[0] == self.meaning]
        if self.winner is not None:
            assert keys[:1] == [self.winner]
        assert self.loser not in keys

    def read(self, normalizer: Normalizer) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        load = self.load
        built = span(id=1, name=load.name, events=load.events, error=load.error)
        built.attributes.extend(attributes(sent(load.attributes)))
        view = read_span(built.SerializeToString())
        assert view is not None
        resource = Attributes(dict(load.resource))
        facts = normalizer.span(view, normalizer.resource(resource), load.scope, ARRIVAL)
        assert not isinstance(facts, Rejection)
        return facts._asdict(), [(one.meaning, one.key) for one in normalizer.sources(view, resource, load.scope)]


def sent(values: Mapping[str, Any]) -> dict[str, Any]:
    """Objects as the JSON that emitters write."""
    return {
        key: repr(dict(v)) if isinstance(v, Python) else json.dumps(v) if isinstance(v, dict) else v for key, v in values.items()
    }


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    both = {**other, **one}
    for key in one.keys() & other.keys():
        if isinstance(one[key], dict) and isinstance(other[key], dict):
            both[key] = type(one[key])(_merged(one[key], other[key]))
    return both


def carry(row: Row, value: Any, *, unconditionally: bool = False) -> Load:
    """What makes a span carry the row with the value; `unconditionally`: without what the row asks for."""
    load = _carried(row, value)
    when = row.when
    if when is None or unconditionally:
        return load
    asked = {"span.type": when.span_type, "gen_ai.operation.name": OPERATIONS.get(when.operation or "")}
    if when.usage:
        asked["gen_ai.usage.input_tokens"] = 1
    scope = f"{when.scope_prefix}.more" if when.scope_prefix else "scope"
    return load + Load({key: given for key, given in asked.items() if given is not None}, scope=scope)


def _carried(row: Row, value: Any) -> Load:
    match row.place:
        case "attribute" | "present":
            return Load({row.key: value})
        case "prefix":
            return Load({f"{row.key}x": value})
        case "object" | "python":
            inner = value
            for name in reversed(row.path.split(".") if row.path else []):
                inner = {name: inner}
            return Load({row.key: Python(inner) if row.place == "python" else inner})
        case "event":
            return Load(events=((row.key, 4, {row.path: value} if row.path else {}),))
        case "meaning":
            model = LISTED[row.key][0]  # type: ignore[index]
            return Load({model.key: "claude-x", "gen_ai.provider.name": "langchain", "gen_ai.operation.name": "chat"})
    if row.key == "name":
        return Load(name=value)
    return Load(error="" if row.key == "status.code" else value)


def value_of(meaning: Meaning, row: Row) -> Any:
    """A value that the row takes."""
    if row.key == "name" and row.place == "span":
        return {
            "raw_gen_ai_request": "raw_gen_ai_request",
            "interaction": "claude_code.interaction",
            "tool": "claude_code.tool",
        }.get(
            next((word for word in ("raw_gen_ai_request", "interaction", "execute_tool", "tool") if word in row.pattern), ""),
            "claude_code.llm_request",
        )
    if row.values is not None:
        return next(iter(row.values))
    if row.at_least:
        return row.at_least
    if row.value is not None:
        return {"x": 1} if row.place == "object" else "x"
    if meaning == "first_token":
        return FIRST_TOKEN.get(row.unit or "")
    if meaning in COSTS:
        return 0.25
    if meaning == "metadata":
        return "v" if row.place == "prefix" else {"x": "v"}
    if meaning.endswith("_tokens"):
        return 157 if meaning == "total_tokens" else 12
    return ["t"] if meaning == "tags" and row.place != "prefix" else "x1"


def base_of(meaning: Meaning) -> Load:
    """What a span must have for the meaning to be looked for at all."""
    match meaning:
        case "first_token":
            return Load({"gen_ai.operation.name": "chat"})
        case "tool":
            return Load({"gen_ai.operation.name": "execute_tool"})
        case "error_type" | "error_message":
            return Load({"gen_ai.tool.status": "error"})
        case "cache_read_tokens" | "cache_write_tokens" | "reasoning_tokens":
            return Load({"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 50})
        case "cache_share":
            inner = {"prompt_tokens": 100, "cache_read_input_tokens": 7}
            return Load({"langfuse.observation.usage_details": inner})
        case "span_type":
            return Load({"input_tokens": 12})
        case "total_tokens":
            return Load({"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 50, "gen_ai.usage.cached_tokens": 7})
        case "cost_by_user":
            return Load({"gen_ai.usage.total_cost": 0.0, "gen_ai.usage.input_tokens": 1})
    return Load()


def label(row: Row, name: str) -> str:
    if row.place == "prefix":
        return f"{row.key}{name}"
    return f"{row.key}#{name}" if row.place == "object" and not row.path else row.label
