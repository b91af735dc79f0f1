"""SpanView -> SpanFacts | Rejection, by the table of conventions.

One pass over the span's own keys against one index (key -> meaning, rank, reader), which takes 4.2 to 4.7 us on the spans of an
agent (measured); asking a span for each of the table's keys took a prototype 12.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, NamedTuple, cast

from sessiond.core import conventions
from sessiond.core.conventions import TABLE, Meaning, Row
from sessiond.core.model import (
    AttributesView,
    Binding,
    OperationKind,
    Rejection,
    ResourceFacts,
    SpanFacts,
    SpanView,
    Usage,
    Value,
)
from sessiond.core.usage import inclusive_usage
from sessiond.core.values import TEXT_LENGTH_MAX, as_count, as_id, as_text

TRACE_ID_BYTES: Final = 16
SPAN_ID_BYTES: Final = 8
PROVIDERS_CACHED: Final = 256
"""Spellings of providers remembered: there are a few in a fleet."""
STATUS_ERROR: Final = 2
"""OTLP's STATUS_CODE_ERROR."""

_ZERO_TRACE_ID: Final = bytes(TRACE_ID_BYTES)
_ZERO_SPAN_ID: Final = bytes(SPAN_ID_BYTES)
_PROVIDER_SUFFIX: Final = re.compile(conventions.PROVIDER_SUFFIX)
_EXECUTE_TOOL: Final = "execute_tool "

_BINDINGS: Final[frozenset[Meaning]] = frozenset({"session", "user", "project"})
_ABSENT: Final = (0, None)
_COUNTS: Final[frozenset[Meaning]] = frozenset(
    {
        "input_tokens",
        "output_tokens",
        "total_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "reasoning_tokens",
    }
)

Reader = Callable[[Value], object]
Best = dict[Meaning, tuple[int, Any]]
"""Meaning -> (order, value) of the best key that carries it."""
Ids = dict[Meaning, list[Binding]]
"""Meaning -> every id that a key carries for it."""


class _Hit(NamedTuple):
    """What a key means: the meaning, its order in it (smaller wins), how to read the value (None: not valid), and if it binds."""

    meaning: Meaning
    order: int
    read: Reader
    binds: bool


def as_provider(value: Value) -> str | None:
    """A provider by its one name; an unknown one as written; a framework posing as provider is none."""
    text = as_text(value)
    return None if text is None else _provider_named(text)


@lru_cache(PROVIDERS_CACHED)
def _provider_named(text: str) -> str | None:
    bare = _PROVIDER_SUFFIX.sub("", text)
    if not bare or {text.lower(), bare.lower()} & conventions.FRAMEWORKS:
        return None
    # The whole spelling first: "google.generative-ai" is one.
    return conventions.PROVIDER_ALIASES.get(text.lower()) or conventions.PROVIDER_ALIASES.get(bare.lower(), bare)


def _reader(meaning: Meaning, row: Row) -> Reader:
    if row.kinds is not None:
        kinds, upper = row.kinds, row.upper

        def read_kind(value: Value) -> object:
            text = as_text(value)
            return None if text is None else kinds.get(text.upper() if upper else text)

        return read_kind
    if row.only is not None:
        return lambda value: True if value == row.only else None
    if meaning in _BINDINGS:
        return as_id
    if meaning in _COUNTS:
        return as_count
    return as_provider if meaning == "provider" else as_text


def _build_index() -> dict[str, tuple[_Hit, ...]]:
    index: dict[str, tuple[_Hit, ...]] = {}
    for meaning, rows in TABLE.items():
        binds = meaning in _BINDINGS
        for rank, row in enumerate(rows):
            # Doubled, so that a resource's value of the same key comes right after a span's.
            order = 2 * rank if binds else rank
            index[row.key] = (*index.get(row.key, ()), _Hit(meaning, order, _reader(meaning, row), binds))
    return index


_INDEX: Final = _build_index()


def _read(attributes: AttributesView) -> tuple[Best, Ids]:
    """The best value of each meaning, and every id."""
    best: Best = {}
    ids: Ids = {}
    for key, value in attributes.items(_INDEX):
        for meaning, order, read, binds in _INDEX[key]:
            found = read(value)
            if found is None:
                continue
            if binds:
                ids.setdefault(meaning, []).append((order, str(found)))
            elif meaning not in best or order < best[meaning][0]:
                best[meaning] = (order, found)
    return best, ids


def _bindings(ids: Ids, meaning: Meaning, of_resource: tuple[Binding, ...] = ()) -> tuple[Binding, ...]:
    found = ids.get(meaning)
    if found is None:
        return of_resource
    found.sort()
    return (*found, *of_resource)


def normalize_resource(attributes: AttributesView) -> ResourceFacts:
    """What a resource says for its spans. Its ids count after those that any span gives under the same key."""
    best, ids = _read(attributes)

    def after_spans(meaning: Meaning) -> tuple[Binding, ...]:
        return tuple((order + 1, value) for order, value in _bindings(ids, meaning))

    return ResourceFacts(
        service=best.get("service", _ABSENT)[1],
        sessions=after_spans("session"),
        users=after_spans("user"),
        projects=after_spans("project"),
    )


def normalize(span: SpanView, resource: ResourceFacts, scope: str, received_unix_nano: int) -> SpanFacts | Rejection:
    """The facts of one span, or why it can't be kept.

    `scope` is the name of its instrumentation scope; `received_unix_nano` becomes its first arrival. A span is refused for an id
    that is all zero or of the wrong length (OTLP's own rule) and for nothing else: a value that can't be read is absent.
    """
    trace_id, span_id, parent_id = span.trace_id, span.span_id, span.parent_id
    if len(trace_id) != TRACE_ID_BYTES or trace_id == _ZERO_TRACE_ID:
        return Rejection("trace_id", f"trace_id must be 16 bytes and not all zero, got {_shown(trace_id)}")
    if len(span_id) != SPAN_ID_BYTES or span_id == _ZERO_SPAN_ID:
        return Rejection("span_id", f"span_id must be 8 bytes and not all zero, got {_shown(span_id)}")
    best, ids = _read(span)
    provider = best.get("provider", _ABSENT)[1]
    usage = _usage(best, provider) if "input_tokens" in best or "output_tokens" in best else None
    operation = _operation(best, usage)
    name = span.name[:TEXT_LENGTH_MAX]
    is_error = span.status_code == STATUS_ERROR or "error_type" in best or "error_mark" in best
    error_type, error_message = _error(span, best) if is_error else (None, None)
    return SpanFacts(
        span_id,
        b"" if parent_id == _ZERO_SPAN_ID else parent_id[:SPAN_ID_BYTES],
        span.kind,
        name,
        span.start_unix_nano,
        span.end_unix_nano,
        received_unix_nano,
        operation,
        resource.service,
        scope[:TEXT_LENGTH_MAX],
        is_error,
        error_type,
        error_message,
        _bindings(ids, "session", resource.sessions),
        _bindings(ids, "user", resource.users),
        _bindings(ids, "project", resource.projects),
        provider,
        best.get("request_model", _ABSENT)[1],
        best.get("response_model", _ABSENT)[1],
        best.get("response_id", _ABSENT)[1],
        _tool(best, name) if operation == "tool" else None,
        best.get("agent", best.get("entity", _ABSENT) if operation == "agent" else _ABSENT)[1],
        usage=usage,
    )


def _usage(best: Best, provider: str | None) -> Usage:
    rank, input_tokens = best.get("input_tokens", _ABSENT)
    return inclusive_usage(
        Usage(
            input_tokens,
            best.get("output_tokens", _ABSENT)[1],
            best.get("cache_read_tokens", _ABSENT)[1],
            best.get("cache_write_tokens", _ABSENT)[1],
            best.get("reasoning_tokens", _ABSENT)[1],
        ),
        total_tokens=best.get("total_tokens", _ABSENT)[1],
        cache_share=TABLE["input_tokens"][rank].cache,
        provider=provider,
    )


def _operation(best: Best, usage: Usage | None) -> OperationKind:
    if "operation" in best:
        return cast("OperationKind", best["operation"][1])
    if "tool" in best:
        return "tool"
    if usage is not None and ("request_model" in best or "response_model" in best):
        return "chat"
    return "other"


def _tool(best: Best, span_name: str) -> str | None:
    named = best.get("tool", best.get("entity"))
    return span_name.removeprefix(_EXECUTE_TOOL) or None if named is None else str(named[1])


def _error(span: SpanView, best: Best) -> tuple[str | None, str | None]:
    """(type, message) of a span that is in error."""
    error_type: str | None = best.get("error_type", _ABSENT)[1]
    message = as_text(span.status_message) or best.get("error_message", _ABSENT)[1]
    if error_type is None or message is None:
        for event in span.events():
            if event.name == "exception":
                error_type = error_type or as_text(event.attributes.get("exception.type"))
                message = message or as_text(event.attributes.get("exception.message"))
    return error_type, message


def _shown(some_id: bytes) -> str:
    return f"{len(some_id)} bytes" if some_id.strip(b"\0") or not some_id else f"{len(some_id)} zero bytes"
