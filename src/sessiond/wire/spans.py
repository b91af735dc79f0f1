"""One span's bytes -> a `core.model.SpanView`, decoded no further than asked.

The trimmed view of proto/sessiond/wire/view.proto holds attributes as a map. A span that the map can't hold (a key that is not
UTF-8, a KeyValue with a field from the future) is read again as a plain list, which takes 1.7 times as long (measured).
"""

from collections.abc import Container, Iterator, Mapping
from itertools import islice
from typing import Final

from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet

from sessiond.core.model import NESTED_BYTES_MAX, Event, SpanView, Value, W
from sessiond.wire._pb.wire import view_pb2 as view
from sessiond.wire.values import Attributes, attributes_of, text, value_of

EVENTS_READ_MAX: Final = 1000
"""Events of a span that figures look at: an emitter that writes one per streamed chunk has its first among them."""

_ATTRIBUTES: Final = view.Span.ATTRIBUTES_FIELD_NUMBER


def read_span(data: bytes) -> SpanView | None:
    """The span, or None where the bytes are no span."""
    try:
        span = view.Span.FromString(data)
    except DecodeError:
        return _read_as_list(data)
    unknown = UnknownFieldSet(span)
    if len(unknown) and any(unknown[i].field_number == _ATTRIBUTES for i in range(len(unknown))):
        return _read_as_list(data)
    return MapSpan(span)


def _read_as_list(data: bytes) -> SpanView | None:
    try:
        return ListSpan(view.SpanList.FromString(data))
    except DecodeError:
        return None


class _Span:
    """What both readings share."""

    __slots__ = ("_span", "_status")

    def __init__(self, span: view.Span | view.SpanList, status: view.Status) -> None:
        self._span = span
        self._status = status

    @property
    def trace_id(self) -> bytes:
        return self._span.trace_id

    @property
    def span_id(self) -> bytes:
        return self._span.span_id

    @property
    def parent_id(self) -> bytes:
        return self._span.parent_span_id

    @property
    def name(self) -> str:
        return text(self._span.name)

    @property
    def kind(self) -> int:
        return self._span.kind

    @property
    def start_unix_nano(self) -> int:
        return self._span.start_time_unix_nano

    @property
    def end_unix_nano(self) -> int:
        return self._span.end_time_unix_nano

    @property
    def status_code(self) -> int:
        return self._status.code

    @property
    def status_message(self) -> str:
        return text(self._status.message)

    def events(self) -> Iterator[Event]:
        for raw in islice(self._span.events, EVENTS_READ_MAX):
            try:
                event = view.Event.FromString(raw)
            except DecodeError:
                continue
            yield Event(text(event.name), event.time_unix_nano, attributes_of(event.attributes))

    def event_times(self) -> list[tuple[str, int]]:
        found: list[tuple[str, int]] = []
        if not self._span.events:  # nearly always
            return found
        for raw in islice(self._span.events, EVENTS_READ_MAX):
            try:
                event = view.Event.FromString(raw)
            except DecodeError:
                continue
            found.append((text(event.name), event.time_unix_nano))
        return found


class MapSpan(_Span):
    """A span whose attributes are a protobuf map: a value is decoded when it is asked for."""

    __slots__ = ("_attributes",)

    def __init__(self, span: view.Span) -> None:
        super().__init__(span, span.status)
        self._attributes = span.attributes

    def matched(self, plans: Mapping[str, W | None]) -> list[tuple[W, Value]]:
        attributes = self._attributes
        found: list[tuple[W, Value]] = []
        for key in attributes:
            plan = plans[key]
            if plan is None:
                continue
            if plan.needs_value:
                value = attributes[key]
                # Nearly every value asked for is a string: what `value_of` would do, without its calls.
                raw = value.string_value
                found.append((plan, raw.decode("utf-8", "replace") if raw else value_of(value, 0, NESTED_BYTES_MAX)))
            else:
                found.append((plan, None))
        return found

    def items(self, wanted: Container[str]) -> list[tuple[str, Value]]:
        attributes = self._attributes
        found: list[tuple[str, Value]] = []
        for key in attributes:
            if key in wanted:
                value = attributes[key]
                raw = value.string_value  # as in `matched`
                found.append((key, raw.decode("utf-8", "replace") if raw else value_of(value)))
        return found


class ListSpan(_Span):
    """A span whose attributes were read one by one."""

    __slots__ = ("_attributes",)

    def __init__(self, span: view.SpanList) -> None:
        try:
            status = view.Status.FromString(span.status)
        except DecodeError:
            status = view.Status()
        super().__init__(span, status)
        self._attributes = Attributes(attributes_of(span.attributes))

    def matched(self, plans: Mapping[str, W | None]) -> list[tuple[W, Value]]:
        return self._attributes.matched(plans)

    def items(self, wanted: Container[str]) -> list[tuple[str, Value]]:
        return self._attributes.items(wanted)
