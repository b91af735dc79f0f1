"""SpanView -> SpanFacts | Rejection, by the table of conventions.

`core.spans.reading` finds the best value of each meaning among the attributes, `core.spans.elsewhere` adds what stands in other
places, and here it is decided what they say together.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, cast

from sessiond.core.conventions import GENERATION_KINDS, TABLE, CacheShare, Meaning, Row
from sessiond.core.conventions.row import rows
from sessiond.core.model import (
    AttributesView,
    Binding,
    Cost,
    Rejection,
    ResourceFacts,
    SpanFacts,
    SpanView,
    Usage,
)
from sessiond.core.spans.elsewhere import admit, put, read_event_attributes, read_event_times, read_span_rows
from sessiond.core.spans.first_token import first_token_nano
from sessiond.core.spans.labels import joined_metadata, joined_tags
from sessiond.core.spans.provider import is_framework, provider_of_model
from sessiond.core.spans.reading import ABSENT, COSTS, Best, Every, Index, Ranked
from sessiond.core.spans.reported_cost import as_cost, cost_of
from sessiond.core.spans.sources import Source, sources_of
from sessiond.core.spans.usage import inclusive_usage
from sessiond.core.values import TEXT_LENGTH_MAX

TRACE_ID_BYTES: Final = 16
SPAN_ID_BYTES: Final = 8

_ZERO_TRACE_ID: Final = bytes(TRACE_ID_BYTES)
_ZERO_SPAN_ID: Final = bytes(SPAN_ID_BYTES)

_NONE: Final[tuple[Ranked, ...]] = ()
_PROVIDER_KEYS: Final = frozenset(row.key.encode() for row in TABLE["provider"] if row.place == "attribute")
_PROVIDER_BY_MEANING: Final = [
    (rank, cast("Meaning", row.key)) for rank, row in enumerate(TABLE["provider"]) if row.place == "meaning"
]


class Normalizer:
    """The table of conventions at work, with keys of an operator's own before the table's.

    `session_keys` and `user_keys` are attribute keys in order of precedence; an id under one of them wins over any other. What a
    span has under `metadata_keys` becomes metadata by the key's own name. A normalizer never changes, but for what it remembers
    about keys that it has met; threads may share it.
    """

    __slots__ = ("_extra", "_index")

    def __init__(self, session_keys: Sequence[str] = (), user_keys: Sequence[str] = (), metadata_keys: Sequence[str] = ()) -> None:
        self._extra: dict[Meaning, tuple[Row, ...]] = {
            "session": rows(*session_keys),
            "user": rows(*user_keys),
            "metadata": rows(*metadata_keys),
        }
        self._index = Index(self._extra)

    def resource(self, attributes: AttributesView) -> ResourceFacts:
        """What a resource says for its spans. Its ids count after those that any span gives under the same key."""
        best, every, _ = self._index.read(attributes)
        return ResourceFacts(
            service=best["service"][1],
            sessions=_after_spans(every, "session"),
            users=_after_spans(every, "user"),
            projects=_after_spans(every, "project"),
        )

    def span(self, span: SpanView, resource: ResourceFacts, scope: str, received_unix_nano: int) -> SpanFacts | Rejection:
        """The facts of one span, or why it can't be kept.

        `scope` is the name of its instrumentation scope; `received_unix_nano` becomes its first arrival. A span is refused for an
        id that is all zero or of the wrong length (OTLP's own rule) and for nothing else: a value that can't be read is absent.
        """
        trace_id, span_id, parent_id = span.trace_id, span.span_id, span.parent_id
        if len(trace_id) != TRACE_ID_BYTES or trace_id == _ZERO_TRACE_ID:
            return Rejection("trace_id", f"trace_id must be 16 bytes and not all zero, got {_shown(trace_id)}")
        if len(span_id) != SPAN_ID_BYTES or span_id == _ZERO_SPAN_ID:
            return Rejection("span_id", f"span_id must be 8 bytes and not all zero, got {_shown(span_id)}")
        best, every, usage, cost = self._decide(span, scope)
        return SpanFacts(
            span_id,
            b"" if parent_id == _ZERO_SPAN_ID else parent_id[:SPAN_ID_BYTES],
            span.kind,
            span.name[:TEXT_LENGTH_MAX],
            span.start_unix_nano,
            span.end_unix_nano,
            received_unix_nano,
            best["operation"][1] or "other",
            resource.service,
            scope[:TEXT_LENGTH_MAX],
            best["error_mark"] is not ABSENT,
            best["error_type"][1],
            best["error_message"][1],
            _bindings(every["session"], resource.sessions) if "session" in every else resource.sessions,
            _bindings(every["user"], resource.users) if "user" in every else resource.users,
            _bindings(every["project"], resource.projects) if "project" in every else resource.projects,
            best["provider"][1],
            best["request_model"][1],
            best["response_model"][1],
            best["response_id"][1],
            best["tool"][1],
            best["agent"][1],
            best["first_token"][1],
            tuple(joined_tags(every["tags"])) if "tags" in every else (),
            _metadata(every["metadata"]) if "metadata" in every else (),
            best["input"] is not ABSENT,
            best["output"] is not ABSENT,
            usage,
            cost,
        )

    def sources(self, span: SpanView, resource: AttributesView, scope: str) -> tuple[Source, ...]:
        """Where each value of the span's facts comes from, in the order of the table.

        It is the reading that `span` does, told by where instead of what. `scope` is the name of the instrumentation scope.
        """
        best, every, _, _ = self._decide(span, scope)
        resource_best, resource_every, _ = self._index.read(resource)
        return tuple(sources_of(best, every, (resource_best, resource_every), self._extra))

    def _decide(self, span: SpanView, scope: str) -> tuple[Best, Every, Usage | None, Cost | None]:
        """Read the attributes, judge what waits, ask what lies elsewhere, and work out tokens and cost.

        Each value that is left has the order of the row that gave it.
        """
        best, every, waiting = self._index.read(span)
        read_span_rows("operation", best, span, scope)
        if waiting:
            admit(waiting, best, span, scope)
        operation = best["operation"][1]
        is_call = operation in GENERATION_KINDS
        if best["provider"] is ABSENT and (is_call or best["request_model"] is not ABSENT):
            _find_provider(best, span, scope)
        if operation == "tool":
            read_span_rows("tool", best, span, scope)
        else:
            best["tool"] = ABSENT
        usage = _usage(best) if best["input_tokens"] is not ABSENT or best["output_tokens"] is not ABSENT else None
        if is_call and "first_token" in every:
            _find_first_token(best, every["first_token"], span)
        wants_first_token = is_call and best["first_token"] is ABSENT
        if span.has_events and (wants_first_token or best["input"] is ABSENT or best["output"] is ABSENT):
            read_event_times(best, span, first_token=wants_first_token)
        if span.status_code or _tells_failure(best):
            _describe_failure(best, span, scope)
        cost = None if every.keys().isdisjoint(COSTS) else _cost(best, every, usage)
        return best, every, usage, cost


_FAILURE: Final[tuple[Meaning, ...]] = ("error_mark", "error_type", "error_message")
_CACHE_SHARE_KEYS: Final = frozenset(row.key for row in TABLE["cache_share"])


def _find_provider(best: Best, span: SpanView, scope: str) -> None:
    read_span_rows("provider", best, span, scope)
    if best["provider"] is ABSENT and any(is_framework(span.value_of(one)) for one in span.held(_PROVIDER_KEYS).values()):
        for rank, meaning in _PROVIDER_BY_MEANING:
            provider = provider_of_model(best[meaning][1]) if best[meaning] is not ABSENT else None
            if provider is not None:
                put(best, "provider", rank, provider)


def _usage(best: Best) -> Usage:
    rank, input_tokens = best["input_tokens"]
    row = TABLE["input_tokens"][0 if input_tokens is None else rank]
    cache_share: CacheShare = row.cache
    if best["cache_share"] is not ABSENT and row.key in _CACHE_SHARE_KEYS:
        cache_share = best["cache_share"][1]
    return inclusive_usage(
        Usage(
            input_tokens,
            best["output_tokens"][1],
            best["cache_read_tokens"][1],
            best["cache_write_tokens"][1],
            best["reasoning_tokens"][1],
        ),
        total_tokens=best["total_tokens"][1],
        cache_share=cache_share,
        provider=best["provider"][1],
    )


def _find_first_token(best: Best, found: Iterable[Ranked], span: SpanView) -> None:
    """The first source whose unit the span's duration allows. Attributes come before events in the table."""
    for order, value in sorted(found, key=_order):
        unit = TABLE["first_token"][order].unit
        start, end = span.start_unix_nano, span.end_unix_nano
        nano = unit and first_token_nano(value, unit, start_unix_nano=start, end_unix_nano=end)
        if nano is not None:
            best["first_token"] = (order, nano)
            return


def _tells_failure(best: Best) -> bool:
    return best["error_mark"] is not ABSENT or best["error_type"] is not ABSENT or best["error_message"] is not ABSENT


def _describe_failure(best: Best, span: SpanView, scope: str) -> None:
    """Type and message of a span that is in error; those of another are dropped."""
    read_span_rows("error_mark", best, span, scope)
    if best["error_mark"] is not ABSENT:
        read_span_rows("error_message", best, span, scope)
        read_event_attributes(best, span)
        return
    for meaning in _FAILURE:
        best[meaning] = ABSENT


def _cost(best: Best, every: Every, usage: Usage | None) -> Cost | None:
    figures = cost_of(*(every.get(meaning, _NONE) for meaning in COSTS), usage=usage, by_user=best["cost_by_user"] is not ABSENT)
    for meaning, figure in zip(COSTS, figures, strict=True):
        if figure is not None:
            best[meaning] = figure
    return as_cost(*figures)


def _order(ranked: Ranked) -> int:
    return ranked[0]


def _bindings(found: list[Ranked], of_resource: tuple[Binding, ...]) -> tuple[Binding, ...]:
    return tuple(found) if len(found) == 1 and not of_resource else (*sorted(found), *of_resource)


def _after_spans(every: Every, meaning: Meaning) -> tuple[Binding, ...]:
    return tuple((order + 1, value) for order, value in sorted(every.get(meaning, _NONE)))


def _metadata(found: Iterable[Ranked]) -> tuple[tuple[str, str], ...]:
    """In order of name, whatever the order of keys on the wire."""
    return tuple(sorted((name, value) for name, (_, value) in joined_metadata(found).items()))


def _shown(some_id: bytes) -> str:
    return f"{len(some_id)} bytes" if some_id.strip(b"\0") or not some_id else f"{len(some_id)} zero bytes"


class ExtraKeys(NamedTuple):
    """Attribute keys of an operator's own, which go before those of the table."""

    session: tuple[str, ...] = ()
    user: tuple[str, ...] = ()
    metadata: tuple[str, ...] = ()

    def normalizer(self) -> Normalizer:
        """What reads spans by these keys and the table."""
        return Normalizer(*self)


DEFAULT: Final = Normalizer()
"""The table as it is."""
