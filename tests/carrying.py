"""Spans that carry rows of the table, and what must be read of them: made from the list of names, never from the table itself.

An example says which value and which key must win. So a row that is gone, renamed, out of its place, or of another condition,
unit or map makes at least one example fail; tests/mutations.py tries that for every row.
"""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from builders import ARRIVAL, attributes, encoded, span
from listed import LISTED
from sessiond.core.conventions import Meaning, Row
from sessiond.core.model import Rejection
from sessiond.core.spans.normalize import Normalizer
from sessiond.wire.spans import read_span

OPERATIONS = {"agent": "invoke_agent", "tool": "execute_tool", "embeddings": "embeddings", "chat": "chat"}
COSTS: tuple[Meaning, ...] = ("total_cost", "input_cost", "output_cost")
TOKENS: tuple[Meaning, ...] = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
FIRST_TOKEN = {"s": 0.004, "ms": 4, "iso8601": '"2026-09-21T14:13:20.004Z"', "magnitude": 4}
"""Each is 4 ms after the start of a span of 10 ms, at T0."""


class Load(NamedTuple):
    """What a span has to have."""

    attributes: Mapping[str, Any] = MappingProxyType({})
    events: tuple[tuple[str, float, Mapping[str, Any]], ...] = ()
    name: str = "work"
    scope: str = "scope"
    error: str | None = None
    resource: Mapping[str, Any] = MappingProxyType({})

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
        resource = encoded(load.resource)
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
    if row.place == "event":
        return Load(events=((row.key, 4, {row.path: value} if row.path else {}),))
    if row.place == "span":
        return Load(name=value) if row.key == "name" else Load(error="" if row.key == "status.code" else value)
    if row.place == "meaning":
        model = LISTED[row.key][0].key  # type: ignore[index]
        return Load({model: "claude-x", "gen_ai.provider.name": "langchain", "gen_ai.operation.name": "chat"})
    for name in reversed(row.path.split(".") if row.path else []):
        value = {name: value}
    key = f"{row.key}x" if row.place == "prefix" else row.key
    return Load({key: Python(value) if row.place == "python" else value})


NAMED = {  # what a pattern for the span's name is to match
    r"^raw_gen_ai_request$": "raw_gen_ai_request",
    r"^claude_code\.interaction": "claude_code.interaction",
    r"^claude_code\.tool(\.execution)?$": "claude_code.tool",
    r"^claude_code\.llm_request": "claude_code.llm_request",
    "": "claude_code.llm_request",
    r"^(?!execute_tool *$)(?:execute_tool )?(.+)$": "search",
}
VALUES: dict[Meaning, Any] = {**dict.fromkeys(COSTS, 0.25), **dict.fromkeys(TOKENS, 12), "total_tokens": 157}


def value_of(meaning: Meaning, row: Row) -> Any:
    """A value that the row takes."""
    if row.key == "name" and row.place == "span":
        return NAMED[row.pattern]
    if row.values or row.at_least:
        return row.at_least or next(iter(row.values or ()))
    if meaning in ("tags", "metadata") and row.place != "prefix":
        return ["t"] if meaning == "tags" else {"x": "v"}
    if meaning == "metadata":
        return "v"
    if row.value is not None and row.place == "object":
        return {"x": 1}
    return FIRST_TOKEN[row.unit] if row.unit else VALUES.get(meaning, "x1")


_BOTH = {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 50}
_IN_ERROR = {"gen_ai.tool.status": "error"}
BASES: dict[Meaning, dict[str, Any]] = {
    "first_token": {"gen_ai.operation.name": "chat"},
    "tool": {"gen_ai.operation.name": "execute_tool"},
    "error_type": _IN_ERROR,
    "error_message": _IN_ERROR,
    "cache_read_tokens": _BOTH,
    "cache_write_tokens": _BOTH,
    "reasoning_tokens": _BOTH,
    "cache_share": {"langfuse.observation.usage_details": {"prompt_tokens": 100, "cache_read_input_tokens": 7}},
    "span_type": {"input_tokens": 12},
    "total_tokens": {**_BOTH, "gen_ai.usage.cached_tokens": 7},
    "cost_by_user": {"gen_ai.usage.total_cost": 0.0, "gen_ai.usage.input_tokens": 1},
}
"""What a span must have for a meaning to be looked for at all."""


def base_of(meaning: Meaning) -> Load:
    return Load(BASES.get(meaning, {}))


def label(row: Row, name: str) -> str:
    if row.place == "prefix":
        return f"{row.key}{name}"
    return f"{row.key}#{name}" if row.place == "object" and not row.path else row.label
