"""tests/data/conventions.yaml as rows: what the table of conventions has to be, made from the list of names alone.

The list is written for people, so a few of its entries are sentences; each reading of one stands here, beside its words.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from builders import DATA
from sessiond.core.conventions import Meaning, Row, When

DOCUMENT = yaml.safe_load((DATA / "conventions.yaml").read_text())
LIST = DOCUMENT["fields"]

_CLAUDE_CODE = When(span_type="claude_code.llm_request")
_CONDITIONS = {
    "span_type": lambda value: When(span_type=value),
    "scope_prefix": lambda value: When(scope_prefix=value),
}
_UNITS = {"s": "s", "ms": "ms", "AMBIGUOUS": "magnitude", "iso8601, JSON-quoted (C)": "iso8601"}


def rows_of(entries: Iterable[Any]) -> list[Row]:
    """The rows of a list, in its order. What is computed or a default is none."""
    return [row for entry in entries for row in _rows_of(entry)]


def _rows_of(entry: Mapping[str, Any]) -> list[Row]:
    if "json_in" in entry or "python_repr_in" in entry:
        place = "object" if "json_in" in entry else "python"
        key = entry.get("json_in") or entry["python_repr_in"]
        return [Row(key, place, path, cache=_cache(entry, path)) for path in entry["paths"]]
    if "event" in entry or "events" in entry:
        names = entry.get("events") or entry["event"]
        return [Row(name, "event") for name in ([names] if isinstance(names, str) else names)]
    if "span_name" in entry:
        told = zip(entry["span_name"], entry["map_to"], strict=True)
        return [Row("name", "span", pattern=pattern, value=kind) for pattern, kind in told]
    if "key_present" in entry:
        keys = entry["key_present"]
        when = When(usage=True) if entry.get("and_usage_present") else None
        return [Row(key, "present", value=entry["map_to"], when=when) for key in ([keys] if isinstance(keys, str) else keys)]
    if "span_type" in entry:
        return [Row("name", "span", value=entry["value"], when=When(span_type=entry["span_type"]))]
    return [_plain(key, entry) for key in (entry["key"], *entry.get("also", ()))] if "key" in entry else []


def _plain(key: str, entry: Mapping[str, Any]) -> Row:
    kind = entry.get("type", "")
    return Row(
        key.removesuffix("*"),
        "prefix" if key.endswith("*") else "attribute",
        values=entry.get("map"),
        upper=entry.get("case") == "upper",
        when=_when(entry),
        cache=_cache(entry, key),
        unit=_UNITS.get(entry.get("unit", "")),  # type: ignore[arg-type]
        commas="comma" in kind,
    )


def _when(entry: Mapping[str, Any]) -> When | None:
    for name, value in entry.get("only_if", {}).items():
        return _CONDITIONS[name](value)
    if entry.get("note") == "agent span only":
        return When(operation="agent")
    return When(operation=entry["only_kind"]) if "only_kind" in entry else None


def _cache(entry: Mapping[str, Any], name: str) -> Any:
    said = entry.get("inclusive_of_cache")
    if said is None:  # "3. ... with key prompt_tokens/promptTokens ...; all others inclusive"
        return "by_provider" if name.endswith("usage.prompt_tokens") else "inside"
    if isinstance(said, bool):  # YAML's yes and no
        return "inside" if said else "outside"
    return {"by_provider": "by_provider", "yes": "inside"}.get(said.split()[0], "outside")


def _texts(entries: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Keys of texts need only be present; those with a number stand for the first message."""
    return [row for entry in entries for row in (_numbered(entry["key"], entry) if "key" in entry else _rows_of(entry))]


def _numbered(key: str, entry: Mapping[str, Any]) -> list[Row]:
    said = f"{key} {entry.get('type', '')}"
    keys = [key] if "{n}" not in key else []
    for flat in re.findall(r"[\w.]+\{n\}[^ ]*", said):
        stem, _, names = flat.partition("{n}.")
        if stem.startswith("llm."):
            names = "message.role|content|contents.0.message_content.text|tool_calls.0.tool_call.function.name"
        head, dot, first = names.partition("message.") if names.startswith("message.") else ("", "", names)
        wanted = [name for name in first.split("|") if name in _MARKS or name.startswith(("contents.", "tool_calls.0"))]
        keys += [f"{stem}0.{head}{dot}{name}" for name in wanted]
    return [Row(each, "present") for each in keys]


_MARKS = {"role", "content", "document.content"}


def _named(said: str) -> Row:
    """An entry of a list of names: a key, `key (kind x)`, or words about the span's name."""
    key, _, kind = said.partition(" (kind ")
    return Row(key, when=When(operation=kind.rstrip(")")) if kind else None)  # type: ignore[arg-type]


def _error(said: str | Mapping[str, str]) -> Row:
    if isinstance(said, Mapping):  # "event exception: exception.type" is a pair to YAML
        ((event, attribute),) = said.items()
        return Row(event.removeprefix("event "), "event", attribute)
    key, _, value = said.partition(" == ")
    if value:
        return Row(key, "span", pattern=f"^{value}$") if key == "status.code" else Row(key, values={value: value})
    key, _, at_least = said.partition(">=")
    if at_least:
        return Row(key, at_least=int(at_least))
    return Row(key, "span") if key == "status.message" else Row(key.removesuffix(" present"))


def _special(entry: Mapping[str, Any]) -> Row:
    when, name = entry["when"], entry["when"].get("span_name")
    return Row(
        "name", "span", pattern=f"^{name}$" if name else "", value=entry["kind"], when=When(scope_prefix=when["scope_prefix"])
    )


def _claude_code_types() -> list[Row]:
    """What `only_if: {span_type: claude_code.llm_request}` asks for: the key or name that the list gives such a span."""
    types = next(row for row in OPERATION if row.key == "span.type").values or {}
    names = next(row for row in OPERATION if row.key == "name" and row.value == "chat" and row.pattern)
    request = str(_CLAUDE_CODE.span_type)
    return [
        Row("span.type", values={value: request for value, kind in types.items() if kind == "chat"}),
        Row("name", "span", pattern=names.pattern, value=request),
    ]


def _operation() -> list[Row]:
    kinds = LIST["operation_kind"]
    listed = rows_of(kinds["list"])
    openinference = next(row for row in listed if row.key == "openinference.span.kind")
    # Weave documents no values: it is read as OpenInference's.
    listed = [openinference._replace(key=row.key) if row.key == "weave.span.kind" else row for row in listed]
    return [*map(_special, kinds["special"]), *listed]


OPERATION = _operation()
_TOKENS, _COST, _ERROR = LIST["tokens"], LIST["cost"], LIST["error"]
_MARKER = _COST["user_supplied_marker"]
_NAMES = LIST["tool"]["name"]
_METADATA = LIST["metadata"]["list"]

LISTED: dict[Meaning, list[Row]] = {
    "session": rows_of(LIST["session_id"]["list"]),
    "user": rows_of(LIST["user_id"]["list"]),
    "project": rows_of(LIST["project"]["list"]),
    "service": [Row("service.name")],  # OpenTelemetry's own; the list takes it for granted
    "operation": OPERATION,
    "span_type": _claude_code_types(),
    # "ignore and infer from the model name"
    "provider": [*rows_of(LIST["provider"]["list"]), Row("request_model", "meaning"), Row("response_model", "meaning")],
    "request_model": rows_of(LIST["request_model"]["list"]),
    "response_model": rows_of(LIST["response_model"]["list"]),
    "response_id": [Row(key) for key in DOCUMENT["usage_selection"]["response_id_keys"]],
    "input_tokens": rows_of(_TOKENS["input"]),
    "output_tokens": rows_of(_TOKENS["output"]),
    "total_tokens": rows_of(_TOKENS["total"]),
    "cache_read_tokens": rows_of(_TOKENS["cache_read"]),
    "cache_write_tokens": rows_of(_TOKENS["cache_write"]),
    "reasoning_tokens": rows_of(_TOKENS["reasoning"]),
    # The list's words: an object is shaped as OpenAI's where it has one of these.
    "cache_share": [
        Row("langfuse.observation.usage_details", "object", path, value="inside")
        for entry in _TOKENS["input"]
        for path in re.findall(r"\w+_tokens_details", str(entry.get("inclusive_of_cache")))
    ],
    "total_cost": rows_of(_COST["total"]),
    "input_cost": rows_of(_COST["input"]),
    "output_cost": rows_of(_COST["output"]),
    "cost_by_user": [Row(_MARKER["key"], values={_MARKER["value"]: _MARKER["value"]})],
    "first_token": rows_of(LIST["ttft"]["list"]),
    "tool": [
        *(_named(name) for name in _NAMES if not name.startswith("span name")),
        Row("name", "span", pattern=r"^(?!execute_tool *$)(?:execute_tool )?(.+)$"),  # "span name", "span name after execute_tool"
    ],
    "agent": [_named(name) for name in LIST["agent_name"]],
    "tags": rows_of(LIST["tags"]["list"]),
    "metadata": [row if row.place == "prefix" else row._replace(place="object") for row in rows_of(_METADATA)],
    "input": _texts(LIST["input"]["list"]),
    "output": _texts(LIST["output"]["list"]),
    "error_mark": [_error(said) for said in _ERROR["span_is_error"]],
    "error_type": [_error(said) for said in _ERROR["type"]],
    "error_message": [_error(said) for said in _ERROR["message"]],
}
