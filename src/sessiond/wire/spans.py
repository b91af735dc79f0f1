"""One span's bytes -> a `core.model.SpanView`, decoded no further than asked.

Attributes stay bytes in the trimmed view of proto/sessiond/wire/view.proto, each for itself: a bad one costs only itself, and what
was learned of one is known when the same bytes come again. A protobuf map of them took twice as long to read (measured).
"""

from collections.abc import Collection, Container, Iterator
from itertools import islice
from typing import Final

from google.protobuf.message import DecodeError

from sessiond.core.model import NESTED_BYTES_MAX, AttributeReader, Event, F, SpanView, Value
from sessiond.wire._pb.wire import view_pb2 as view
from sessiond.wire.values import attributes_of, read_attribute, text, value_of

EVENTS_READ_MAX: Final = 1000
"""Events of a span that figures look at: an emitter that writes one per streamed chunk has its first among them."""


def read_span(data: bytes) -> SpanView | None:
    """The span, or None where the bytes are no span."""
    try:
        return _Span(view.Span.FromString(data))
    except DecodeError:
        return None


class _Span:
    """A span whose attributes and events are read when they are asked for."""

    __slots__ = (
        "_attributes",
        "_span",
        "end_unix_nano",
        "kind",
        "name",
        "parent_id",
        "span_id",
        "start_unix_nano",
        "status_code",
        "status_message",
        "trace_id",
    )

    def __init__(self, span: view.Span) -> None:
        self._span = span
        self._attributes: dict[str, view.KeyValue] | None = None
        self.trace_id = span.trace_id
        self.span_id = span.span_id
        self.parent_id = span.parent_span_id
        self.name = text(span.name)
        self.kind = span.kind
        self.start_unix_nano = span.start_time_unix_nano
        self.end_unix_nano = span.end_time_unix_nano
        self.status_code, self.status_message = _status(span.status)

    def events(self) -> Iterator[Event]:
        for event in self._events():
            yield Event(text(event.name), event.time_unix_nano, attributes_of(event.attributes))

    def event_times(self) -> list[tuple[str, int]]:
        if not self._span.events:  # as in nearly every span
            return []
        return [(text(event.name), event.time_unix_nano) for event in self._events()]

    def read(self, reader: AttributeReader[F]) -> Collection[F]:
        known = reader.known
        found: dict[str, F] = {}
        for raw in self._span.attributes[:]:
            attribute = known.get(raw) or _learned(raw, reader)
            if attribute is not None:
                found[attribute[0]] = attribute[1]
        return found.values()

    def items(self, wanted: Container[str]) -> list[tuple[str, Value]]:
        if self._attributes is None:
            self._attributes = {text(one.key): one for one in map(read_attribute, self._span.attributes[:]) if one is not None}
        return [(key, value_of(one.value)) for key, one in self._attributes.items() if key in wanted]

    def _events(self) -> Iterator[view.Event]:
        for raw in islice(self._span.events, EVENTS_READ_MAX):
            try:
                yield view.Event.FromString(raw)
            except DecodeError:
                continue


def _status(raw: bytes) -> tuple[int, str]:
    """(code, message); nearly all spans have none."""
    if not raw:
        return 0, ""
    try:
        status = view.Status.FromString(raw)
    except DecodeError:
        return 0, ""
    return status.code, text(status.message)


def _learned(raw: bytes, reader: AttributeReader[F]) -> tuple[str, F] | None:
    """An attribute that is met for the first time; None where it can't be read."""
    attribute = read_attribute(raw)
    if attribute is None:
        return None
    key = text(attribute.key)
    if not reader.wants(key):
        return reader.learn(raw, key, None)
    return reader.learn(raw, key, value_of(attribute.value, 0, NESTED_BYTES_MAX))
