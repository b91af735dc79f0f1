"""Spans as OTLP's JSON: what goes out comes in again, and what is none is told in words."""

import json
from contextlib import suppress

import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span, TracesData

from builders import attributes, request, span
from sessiond.files.otlp_json import ARRIVALS, batch_of, line_of
from sessiond.wire._pb.v1.transfer_service_pb2 import SpanBatch

VALUES = st.recursive(
    st.text(max_size=5) | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


NAMES = st.sampled_from(["scopeSpans", "spans", "traceId", "links", "resource", "attributes", "key", "value", "kind"])


def nested(inner: st.SearchStrategy) -> st.SearchStrategy:
    return st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=3)


def batch(*spans: Span, arrivals: list[int] | None = None) -> SpanBatch:
    found = SpanBatch.FromString(request(*spans).SerializeToString())
    found.received_unix_nanos.extend(arrivals or ())
    return found


@given(values=st.dictionaries(st.text(min_size=1, max_size=5), VALUES, max_size=4), arrival=st.integers(0, 2**64 - 1))
def test_a_batch_comes_back_from_its_line(values: dict, arrival: int) -> None:
    one = span(trace=1, id=2, parent=1)
    one.attributes.extend(attributes(values))
    one.links.add(trace_id=b"\xab" * 16, span_id=b"\xcd" * 8)
    sent = batch(one, arrivals=[arrival])
    assert batch_of(json.loads(line_of(sent))) == sent


def test_ids_are_hex_and_enums_numbers_as_otlp_wants_them() -> None:
    one = span(trace=1, id=2, parent=1)
    one.links.add(trace_id=b"\xab" * 16, span_id=b"\xcd" * 8)
    line = json.loads(line_of(batch(one, arrivals=[7])))
    written = line["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    assert (written["traceId"], written["spanId"], written["parentSpanId"]) == (
        one.trace_id.hex(),
        one.span_id.hex(),
        one.parent_span_id.hex(),
    )
    assert written["links"][0]["traceId"] == "ab" * 16
    assert written["kind"] == one.kind
    assert line[ARRIVALS] == ["7"]


def test_a_line_as_the_specification_shows_it_is_read() -> None:
    line = (
        b'{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeSpans":'
        b'[{"scope":{"name":"lib"},"spans":[{"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B174",'
        b'"parentSpanId":"","name":"pay","kind":2,"startTimeUnixNano":"1544712660000000000","endTimeUnixNano":1544712661000000000,'
        b'"attributes":[{"key":"n","value":{"intValue":"3"}}],"status":{},"fromTheFuture":1}]}]}]}'
    )
    found = TracesData.FromString(batch_of(json.loads(line)).SerializeToString())
    one = found.resource_spans[0].scope_spans[0].spans[0]
    assert (one.trace_id.hex(), one.name, one.kind, one.attributes[0].value.int_value) == (
        "5b8efff798038103d269b633813fc60c",
        "pay",
        2,
        3,
    )
    assert (one.start_time_unix_nano, one.end_time_unix_nano) == (1544712660 * 10**9, 1544712661 * 10**9)


def test_text_that_is_no_utf8_is_written_with_a_mark() -> None:
    sent = batch(span(name="cafe"))
    broken = SpanBatch(resource_spans=[sent.resource_spans[0].replace(b"cafe", b"caf\xff")])
    line = json.loads(line_of(broken))
    assert line["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["name"] == "caf\ufffd"


def test_otlps_own_parser_passes_over_arrivals() -> None:
    sent = request(span(trace=1), span(trace=2))
    with_arrivals = SpanBatch.FromString(sent.SerializeToString())
    with_arrivals.received_unix_nanos.extend([1, 2])
    read = TracesData.FromString(with_arrivals.SerializeToString())
    assert MessageToDict(read) == MessageToDict(sent)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b'{"resourceMetrics":[]}', "has no resourceSpans"),
        (b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"xyz"}]}]}]}', "'xyz' is no id in hexadecimal digits"),
        (b'{"resourceSpans":[1]}', "are lists of objects"),
        (b'{"resourceSpans":7}', "is no OTLP trace data"),
        (b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"startTimeUnixNano":"x"}]}]}]}', "is no OTLP trace data"),
        (b'{"resourceSpans":[],"receivedUnixNanos":["x"]}', "is no OTLP trace data"),
        (b'{"resourceSpans":[],"receivedUnixNanos":[-1]}', "is no OTLP trace data"),
    ],
)
def test_what_is_no_trace_data_is_told_in_words(line: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        batch_of(json.loads(line))


@given(inner=st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), nested, max_leaves=8))
def test_no_object_makes_reading_fail_otherwise(inner: object) -> None:
    with suppress(ValueError):
        batch_of({"resourceSpans": inner})
