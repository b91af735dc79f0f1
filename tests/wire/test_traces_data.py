"""Stored spans -> OTLP that a standard client can parse."""

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span, TracesData

from builders import DATA, any_value, field, nested_array, received, request, span, span_id, stored, varint
from sessiond.core.model import Origin, ReceivedSpan, StoredSpan
from sessiond.wire import otlp
from sessiond.wire._pb.v1.session_service_pb2 import GetTraceResponse
from sessiond.wire.traces_data import Passed, traces_data

GOOD = span(id=1, name="good", session="s", events=[("e", 1, {"a": [1, "b"]})], error="no")
BARE = span(id=2).SerializeToString()


def at_client(passed: Passed) -> TracesData:
    """What a client with default settings reads. Raises DecodeError where it can't."""
    sent = GetTraceResponse(traces_data=passed.traces_data).SerializeToString()
    return GetTraceResponse.FromString(sent).traces_data


def spans_of(data: TracesData) -> list[Span]:
    return [one for resources in data.resource_spans for scopes in resources.scope_spans for one in scopes.spans]


def one_at_client(one: StoredSpan) -> tuple[Span, list[bytes]]:
    passed = traces_data([one])
    (read,) = spans_of(at_client(passed))
    return read, passed.repaired_span_ids


def attribute(key: bytes, value: bytes) -> bytes:
    return field(9, field(1, key) + field(2, value))


def test_no_spans_are_no_data():
    assert traces_data([]) == Passed(TracesData(), [])


def test_good_spans_pass_as_they_came():
    unknown = varint(99 << 3) + b"\1"
    data = [GOOD.SerializeToString(), BARE, BARE + unknown, span(id=3, kind=77).SerializeToString()]
    passed = traces_data(stored(each) for each in data)
    assert [one.SerializeToString() for one in spans_of(at_client(passed))] == data
    assert passed.repaired_span_ids == []


def test_spans_are_grouped_by_resource_and_scope_with_their_schema_urls():
    built = request(span(id=1), service="a", scope="x")
    built.resource_spans[0].schema_url = "resource/1"
    built.resource_spans[0].scope_spans[0].schema_url = "scope/1"
    other = request(span(id=2), service="b", scope="y")
    first, second = (one for batch in (built, other) for one in decoded(batch.SerializeToString()))
    passed = traces_data([first, second, first])
    built.resource_spans[0].scope_spans[0].spans.add().CopyFrom(built.resource_spans[0].scope_spans[0].spans[0])
    assert (
        at_client(passed).SerializeToString()
        == TracesData(resource_spans=[*built.resource_spans, *other.resource_spans]).SerializeToString()
    )


def decoded(body: bytes) -> list[StoredSpan]:
    spans = [one for batch in otlp.decode(body, received_unix_nano=1, spans_max=10**6) for one in batch.spans]
    return [stored(one.data, one.origin) for one in spans]


@pytest.mark.parametrize("path", sorted((DATA / "captures").rglob("*.binpb")), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_real_exports_pass_as_they_came(path):
    spans = decoded(path.read_bytes())
    passed = traces_data(spans)
    sent = sorted(Span.FromString(one.data).SerializeToString() for one in spans)
    assert sorted(one.SerializeToString() for one in spans_of(at_client(passed))) == sent
    assert passed.repaired_span_ids == []


BAD_TEXT = {
    "in the name": (field(5, b"a\xffb"), Span(name="a\N{REPLACEMENT CHARACTER}b")),
    "in the trace state": (field(3, b"\xff"), Span(trace_state="\N{REPLACEMENT CHARACTER}")),
    "in the status": (field(15, field(2, b"\xff") + b"\x18\x02"), Span(status={"message": "\N{REPLACEMENT CHARACTER}", "code": 2})),
    "in a key": (
        attribute(b"k\xff", field(1, b"v")),
        Span(attributes=[{"key": "k\N{REPLACEMENT CHARACTER}", "value": any_value("v")}]),
    ),
    "in a value": (
        attribute(b"k", field(1, b"v\xff")),
        Span(attributes=[{"key": "k", "value": any_value("v\N{REPLACEMENT CHARACTER}")}]),
    ),
    "in an array": (
        attribute(b"k", field(5, field(1, field(1, b"\xff")))),
        Span(attributes=[{"key": "k", "value": any_value(["\N{REPLACEMENT CHARACTER}"])}]),
    ),
    "in an event": (field(11, field(2, b"e\xff")), Span(events=[{"name": "e\N{REPLACEMENT CHARACTER}"}])),
    "in a link": (field(13, field(3, b"\xff")), Span(links=[{"trace_state": "\N{REPLACEMENT CHARACTER}"}])),
}


@pytest.mark.parametrize(("more", "expected"), BAD_TEXT.values(), ids=BAD_TEXT)
def test_bad_text_is_repaired_and_nothing_else_and_the_span_is_named(more: bytes, expected: Span):
    whole = Span.FromString(BARE)
    whole.MergeFrom(expected)
    assert one_at_client(stored(BARE + more)) == (whole, [span_id(2)])


def test_bytes_that_are_not_text_are_left_alone():
    read, repaired = one_at_client(stored(BARE + attribute(b"k", field(7, b"\xff\xfe"))))
    assert (read.attributes[0].value.bytes_value, repaired) == (b"\xff\xfe", [])


@pytest.mark.parametrize("depth", [1, 20, *range(40, 56), 100, 2000])
def test_any_depth_of_a_span_reaches_a_client_and_what_was_too_deep_is_named(depth: int):
    data = (
        BARE + attribute(b"before", field(1, b"x")) + attribute(b"deep", nested_array(depth)) + attribute(b"after", field(1, b"y"))
    )
    read, repaired = one_at_client(stored(data))
    assert [each.key for each in read.attributes] == ["before", "deep", "after"]
    assert (read.attributes[0].value, read.attributes[2].value) == (any_value("x"), any_value("y"))
    assert repaired == ([] if read.SerializeToString() == data else [span_id(2)])
    assert read.SerializeToString() == data or depth > 40


@pytest.mark.parametrize("depth", [1, 20, *range(40, 56), 100, 2000])
@pytest.mark.parametrize("place", ["resource", "scope"])
def test_any_depth_of_a_resource_or_scope_reaches_a_client_and_its_spans_are_named(depth: int, place: str):
    number = 1 if place == "resource" else 3
    raw = field(number, field(1, b"deep") + field(2, nested_array(depth)))
    passed = traces_data([stored(BARE, Origin(**{place: raw}))])
    (resource_spans,) = at_client(passed).resource_spans
    read = resource_spans.resource if place == "resource" else resource_spans.scope_spans[0].scope
    assert [each.key for each in read.attributes] == ["deep"]
    assert passed.repaired_span_ids == ([] if read.SerializeToString() == raw else [span_id(2)])


@pytest.mark.parametrize(
    "origin",
    [
        Origin(resource=field(1, field(1, b"k\xff"))),
        Origin(scope=field(1, b"s\xff")),
        Origin(resource_schema_url=b"r\xff"),
        Origin(scope_schema_url=b"s\xff"),
        Origin(resource=b"\xff\xff"),
    ],
    ids=["resource", "scope", "resource schema url", "scope schema url", "no message"],
)
def test_a_repaired_origin_names_all_of_its_spans_and_no_others(origin: Origin):
    passed = traces_data([stored(BARE, origin), stored(GOOD.SerializeToString()), stored(BARE, origin)])
    assert [one.name for one in spans_of(at_client(passed))] == ["work", "work", "good"]
    assert passed.repaired_span_ids == [span_id(2), span_id(2)]


BROKEN_INSIDE = {
    "garbage": b"\xff\xff",
    "cut short": field(2, b"name")[:-1],
    "a field number that is too large": varint(2**40 << 3) + b"\0",
    "bytes under a field number that is too large": varint(2**40 << 3 | 2) + b"\1x",
    "field number 0": b"\0\0",
    "an open group": varint(99 << 3 | 3),
    "a closed group": varint(99 << 3 | 4),
    "groups that do not match": varint(99 << 3 | 3) + varint(98 << 3 | 4),
    "a varint of eleven bytes": b"\x08" + b"\x80" * 10 + b"\1",
    "a varint that overflows": varint(99 << 3) + b"\xff" * 9 + b"\x7f",
    "deep groups": varint(99 << 3 | 3) * 200 + varint(99 << 3 | 4) * 200,
}


@pytest.mark.parametrize("number", [11, 13], ids=["an event", "a link"])
@pytest.mark.parametrize("broken", BROKEN_INSIDE.values(), ids=BROKEN_INSIDE)
def test_a_part_that_is_no_protobuf_is_taken_in_and_given_out(number: int, broken: bytes):
    data = BARE + field(number, broken)
    assert isinstance(otlp.decode_span(data, Origin(), received_unix_nano=1), ReceivedSpan)
    read, repaired = one_at_client(stored(data))
    assert read.span_id == span_id(2)
    assert repaired == ([] if read.SerializeToString() == data else [span_id(2)])


@settings(deadline=None)
@given(st.binary(max_size=80) | st.sampled_from(list(BROKEN_INSIDE.values())))
def test_whatever_was_taken_in_can_be_given_out(more: bytes):
    for data in (BARE + more, BARE + field(11, more), BARE + field(9, more), BARE + attribute(b"k", more)):
        for origin in (Origin(), Origin(more, more, more, more)):
            taken = otlp.decode_span(data, origin, received_unix_nano=1)
            if isinstance(taken, ReceivedSpan):
                read, _ = one_at_client(stored(data, origin))
                assert read.span_id == taken.facts.span_id


def test_repair_is_needed_where_these_tests_say_so():
    with pytest.raises(DecodeError):
        Span.FromString(BARE + field(5, b"\xff"))
    with pytest.raises(DecodeError):
        Span.FromString(BARE + attribute(b"deep", nested_array(100)))


def test_one_broken_span_leaves_its_neighbours_as_they_came():
    good, broken = received(GOOD)[0], BARE + field(5, b"\xff")
    passed = traces_data([stored(good.data, good.origin), stored(broken, good.origin)])
    first, second = spans_of(at_client(passed))
    assert (first, second.span_id, passed.repaired_span_ids) == (GOOD, span_id(2), [span_id(2)])
