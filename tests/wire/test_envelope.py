"""Requests taken apart: by hand, and by protobuf where that is safe."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from builders import field, request, span, varint
from sessiond.core.errors import TooLarge
from sessiond.core.model import Origin
from sessiond.wire.envelope import Envelope, Malformed, Part, read_varint, unfold

MANY = 10**6


def whole() -> ExportTraceServiceRequest:
    """Two resources, three scopes, four spans."""
    built = request(span(id=1), span(id=2), service="a", scope="x")
    other = request(span(id=3), service="b", scope="y")
    other.resource_spans[0].schema_url = "resource/1"
    second = other.resource_spans[0].scope_spans.add(schema_url="scope/2")
    second.scope.name = "z"
    second.spans.append(span(id=4))
    built.resource_spans.extend(other.resource_spans)
    return built


def parts_of(built: ExportTraceServiceRequest) -> list[Part]:
    """What protobuf itself finds."""
    return [
        Part(
            Origin(
                resource_spans.resource.SerializeToString(),
                resource_spans.schema_url.encode(),
                scope_spans.scope.SerializeToString(),
                scope_spans.schema_url.encode(),
            ),
            [one.SerializeToString() for one in scope_spans.spans],
        )
        for resource_spans in built.resource_spans
        for scope_spans in resource_spans.scope_spans
        if scope_spans.spans
    ]


def test_a_request_unfolds_into_what_protobuf_finds_in_it():
    assert unfold(whole().SerializeToString(), spans_max=MANY) == Envelope(parts_of(whole()), 0, True)


def test_an_empty_request_holds_nothing():
    assert unfold(b"", spans_max=MANY) == Envelope([], 0, False)


def test_a_resource_without_spans_is_a_part_of_nothing():
    built = request()
    assert unfold(built.SerializeToString(), spans_max=MANY) == Envelope([], 0, True)


def test_parts_without_a_resource_or_scope_have_an_empty_origin():
    data = span(id=1).SerializeToString()
    assert unfold(field(1, field(2, field(2, data))), spans_max=MANY).parts == [Part(Origin(), [data])]


def test_the_head_may_come_after_the_parts_and_the_last_one_counts():
    data = span(id=1).SerializeToString()
    scope = field(2, data) + field(3, b"s1") + field(1, b"first") + field(1, b"last") + field(3, b"s2")
    resource = field(2, scope) + field(1, b"") + field(3, b"r")
    assert unfold(field(1, resource), spans_max=MANY).parts == [Part(Origin(b"", b"r", b"last", b"s2"), [data])]


UNKNOWN = {
    "varint": varint(99 << 3) + varint(2**60),
    "fixed64": varint(99 << 3 | 1) + bytes(8),
    "bytes": field(99, b"\xff" * 300),
    "fixed32": varint(99 << 3 | 5) + bytes(4),
    "a known number of another type": varint(3 << 3) + varint(7),
}


@pytest.mark.parametrize("unknown", UNKNOWN.values(), ids=UNKNOWN)
def test_unknown_fields_are_skipped_on_every_level(unknown: bytes):
    data = span(id=1).SerializeToString()
    scope = unknown + field(2, data) + unknown
    body = unknown + field(1, unknown + field(2, scope) + unknown) + unknown
    assert unfold(body, spans_max=MANY) == Envelope([Part(Origin(), [data])], 0, True)


@pytest.mark.parametrize(
    "broken",
    [b"\0", b"\x07", b"\x0b", b"\xff" * 11, varint(99 << 3 | 2) + varint(2**62) + b"x", varint(99 << 3 | 1) + b"1234567", b"\x12"],
    ids=["number 0", "wire type 7", "group", "endless varint", "longer than it is", "half a number", "no length"],
)
def test_what_stands_before_a_broken_field_is_kept_on_every_level(broken: bytes):
    data = span(id=1).SerializeToString()
    part = Part(Origin(), [data])
    for body in (
        field(1, field(2, field(2, data))) + broken,
        field(1, field(2, field(2, data)) + broken),
        field(1, field(2, field(2, data) + broken)),
    ):
        assert unfold(body, spans_max=MANY) == Envelope([part], 1, True)


def test_a_broken_part_costs_no_other():
    good, broken = field(1, field(2, field(2, span(id=1).SerializeToString()))), field(1, field(2, b"\xff\xff"))
    found = unfold(broken + good + broken + good, spans_max=MANY)
    assert (len(found.parts), found.malformed_parts) == (2, 2)


def test_cut_anywhere_every_whole_resource_is_kept():
    body = whole().SerializeToString()
    first = len(request(*whole().resource_spans[0].scope_spans[0].spans, service="a", scope="x").SerializeToString())
    parts = parts_of(whole())
    for length in range(len(body) + 1):
        found = unfold(body[:length], spans_max=MANY)
        assert found.parts[: len(parts)] == (parts if length == len(body) else parts[:1] if length >= first else [])
        assert found.malformed_parts == (length not in {0, first, len(body)})


@pytest.mark.parametrize("count", [2, 5, 1000])
def test_as_many_spans_as_allowed_pass_and_one_more_does_not(count: int):
    spans = field(1, field(2, field(2, b"") * count))
    assert len(unfold(spans, spans_max=count).parts[0].spans) == count
    with pytest.raises(TooLarge):
        unfold(spans, spans_max=count - 1)


@pytest.mark.parametrize(
    "body",
    [
        field(1, b"") * 101,
        field(1, field(2, b"") * 101),
        field(1, field(2, b"") * 50) * 2,
        field(1, field(2, field(2, b"") * 30) * 3) * 2,
    ],
    ids=["resources", "scopes", "scopes of two resources", "spans of six scopes"],
)
def test_messages_of_every_level_are_counted(body: bytes):
    with pytest.raises(TooLarge):
        unfold(body, spans_max=100)


def test_a_refusal_names_the_limit_that_was_set():
    with pytest.raises(TooLarge, match="more than 100 spans;"):
        unfold(field(1, field(2, field(2, b"") * 101)), spans_max=100)


def test_tags_written_with_more_bytes_than_needed_are_counted_too():
    spans = field(1, field(2, b"\x92\x00\x00" * 101))
    with pytest.raises(TooLarge):
        unfold(spans, spans_max=100)


@pytest.mark.parametrize(
    ("data", "value", "end"),
    [(b"\0", 0, 1), (b"\x7f", 127, 1), (b"\x80\x01", 128, 2), (b"\xff" * 9 + b"\x01", 2**64 - 1, 10), (b"\x80\x00", 0, 2)],
)
def test_varints(data: bytes, value: int, end: int):
    assert read_varint(data + b"rest", 0) == (value, end)


def test_a_varint_is_at_most_ten_bytes_and_ends_with_the_message():
    with pytest.raises(Malformed):
        read_varint(b"\x80" * 11, 0)
    with pytest.raises(IndexError):
        read_varint(b"\x80", 0)


def mutated(random: Any, body: bytes) -> bytes:
    changed = bytearray(body)
    for _ in range(random.randint(1, 4)):
        changed[random.randrange(len(changed))] = random.randrange(256)
    return bytes(changed)


@settings(deadline=None)
@given(st.binary(max_size=300) | st.randoms().map(lambda random: mutated(random, whole().SerializeToString())))
def test_any_bytes_give_an_envelope(body: bytes):
    found = unfold(body, spans_max=MANY)
    assert 0 <= found.malformed_parts <= len(body)
    assert sum(len(one) for part in found.parts for one in part.spans) <= len(body)


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_what_protobuf_reads_is_read_alike(body: bytes):
    try:
        built = ExportTraceServiceRequest.FromString(body)
    except Exception:  # noqa: BLE001  (bytes that are no request)
        return
    found = unfold(body, spans_max=MANY)
    assert (
        sum(len(part.spans) for part in found.parts)
        == sum(len(scope_spans.spans) for resource_spans in built.resource_spans for scope_spans in resource_spans.scope_spans)
        or found.malformed_parts
    )


FIELDS = st.builds(field, st.sampled_from([1, 2, 2, 3, 99]), st.binary(max_size=200))
ENDS = st.sampled_from([b"", b"\0", b"\x07", b"\xff", b"\x12", b"\x12\x05x", b"\x0d12", varint(99 << 3) + b"\1"])


@settings(deadline=None)
@given(st.lists(FIELDS, max_size=12), ENDS)
def test_protobuf_and_the_walk_that_counts_find_the_same_in_a_scope(fields: list[bytes], end: bytes):
    body = field(1, field(2, b"".join(fields) + end))
    # With room for many spans protobuf is asked, with room for no more than there may be they are counted one by one.
    assert unfold(body, spans_max=MANY) == unfold(body, spans_max=len(fields) + 2)
