"""One span's bytes -> a `core.model.SpanView`, decoded no further than asked: by the trimmed view of proto/sessiond/wire/."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from google.protobuf.message import DecodeError

from sessiond.core.model import Event, SpanView
from sessiond.wire._pb.wire import view_pb2 as view
from sessiond.wire.values import Attributes, attributes_of, text

EVENTS_READ_MAX: Final = 1000
"""Events of a span that figures look at: an emitter that writes one per streamed chunk has its first among them."""

_NO_STATUS: Final = view.Status()


def read_span(data: bytes) -> SpanView | None:
    """The span, or None where the bytes are no span."""
    try:
        return Span(view.Span.FromString(data))
    except DecodeError:
        return None


class Span(Attributes):
    """A span as the view has it; what every reader asks for stands ready."""

    __slots__ = (
        "_span",
        "_status",
        "end_unix_nano",
        "has_events",
        "kind",
        "parent_id",
        "span_id",
        "start_unix_nano",
        "status_code",
        "trace_id",
    )

    def __init__(self, span: view.Span) -> None:
        self._span = span
        self.encoded = span.attributes[:]
        self.trace_id = span.trace_id
        self.span_id = span.span_id
        self.parent_id = span.parent_span_id
        self.kind = span.kind
        self.start_unix_nano = span.start_time_unix_nano
        self.end_unix_nano = span.end_time_unix_nano
        self.has_events = bool(span.events)
        status = span.status
        self._status = _read_status(status) if status else _NO_STATUS
        self.status_code = self._status.code if status else 0

    @property
    def name(self) -> str:
        return self._span.name.decode("utf-8", "replace")

    @property
    def status_message(self) -> str:
        return text(self._status.message)

    def events(self) -> Iterator[Event]:
        for event in self._read_events():
            yield Event(text(event.name), event.time_unix_nano, attributes_of(event.attributes))

    def event_times(self) -> list[tuple[str, int]]:
        return [(text(event.name), event.time_unix_nano) for event in self._read_events()]

    def _read_events(self) -> Iterator[view.Event]:
        for raw in islice(self._span.events, EVENTS_READ_MAX):
            try:
                yield view.Event.FromString(raw)
            except DecodeError:
                continue


def _read_status(raw: bytes) -> view.Status:
    """An unreadable status costs itself, not its span."""
    try:
        return view.Status.FromString(raw)
    except DecodeError:
        return _NO_STATUS
