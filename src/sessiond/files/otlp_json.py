"""Spans as OTLP's JSON: what the Collector's file exporter writes and its otlpjsonfile receiver reads, a TracesData a line.

OTLP differs from protobuf's own JSON in two things: ids are hex, enums are numbers (OTLP 1.0, "JSON Protobuf Encoding"). First
arrivals stand beside the spans under ARRIVALS: OTLP has its readers pass over names that they don't know.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from typing import Any, Final

from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from google.protobuf.message import DecodeError
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from sessiond.core.errors import shown
from sessiond.wire._pb.v1.transfer_service_pb2 import SpanBatch
from sessiond.wire.repair import repaired

ARRIVALS: Final = "receivedUnixNanos"
"""Unix nanoseconds in decimal, a text for each span in their order, as OTLP's JSON writes 64 bits."""
_IDS: Final = ("traceId", "spanId", "parentSpanId")
_DEPTH_MAX: Final = 64
"""Levels that are left of a span that protobuf refuses; its own limit is 100."""


def line_of(batch: SpanBatch) -> str:
    """A batch as one line of ASCII, without its end. What no JSON can hold, text that is not UTF-8, is written as U+FFFD."""
    data = SpanBatch(resource_spans=batch.resource_spans).SerializeToString()
    try:
        traces = TracesData.FromString(data)
    except DecodeError:
        traces = TracesData.FromString(repaired(data, TracesData.DESCRIPTOR, _DEPTH_MAX))
    found = MessageToDict(traces, use_integers_for_enums=True)
    _recode_ids(found, _hex_of_base64)
    if batch.received_unix_nanos:
        found[ARRIVALS] = list(map(str, batch.received_unix_nanos))
    return json.dumps(found, separators=(",", ":"))


def batch_of(found: dict[str, Any]) -> SpanBatch:
    """The batch in a line's object. Raises ValueError, in words for whoever wrote it, where it is none."""
    if "resourceSpans" not in found:
        raise ValueError("is no OTLP trace data: it has no resourceSpans")
    try:
        arrivals = [int(arrival) for arrival in found.pop(ARRIVALS, ())]
        _recode_ids(found, _base64_of_hex)
        data = ParseDict(found, TracesData(), ignore_unknown_fields=True).SerializeToString()
        batch = SpanBatch.FromString(data)
        batch.received_unix_nanos.extend(arrivals)
    except (TypeError, AttributeError) as error:
        raise ValueError("is no OTLP trace data: resourceSpans, scopeSpans, spans and links are lists of objects") from error
    except (ParseError, ValueError, RecursionError) as error:
        raise ValueError(f"is no OTLP trace data: {error}") from error
    return batch


def _recode_ids(traces: dict[str, Any], recode: Callable[[str], str]) -> None:
    for item in _with_ids(traces):
        for key in _IDS:
            if key in item:
                item[key] = recode(item[key])


def _with_ids(traces: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The spans and their links."""
    for resource_spans in traces.get("resourceSpans") or ():
        for scope_spans in resource_spans.get("scopeSpans") or ():
            for span in scope_spans.get("spans") or ():
                yield span
                yield from span.get("links") or ()


def _hex_of_base64(text: str) -> str:
    return b64decode(text).hex()


def _base64_of_hex(text: str) -> str:
    try:
        return b64encode(bytes.fromhex(text)).decode()
    except ValueError as error:
        raise ValueError(f"{shown(text)} is no id in hexadecimal digits") from error
