"""OTLP bytes -> spans for the store, whatever senders make of them."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from builders import ARRIVAL, field, nested_array, received, request, span, span_id, varint
from sessiond.core.errors import Invalid, TooLarge
from sessiond.core.model import Origin, ReceivedSpan, Rejection, SpanFacts
from sessiond.wire import otlp
from sessiond.wire.otlp import (
    BATCH_BYTES_MAX,
    BATCH_SPANS_MAX,
    MALFORMED_PART,
    MALFORMED_SPAN,
    ORIGIN_BYTES_MAX,
    ORIGIN_TOO_LARGE,
    Batch,
)

MODEL = field(9, field(1, b"gen_ai.request.model") + field(2, field(1, b"gpt")))
"""An attribute, as a field of a span."""


def decode(body: bytes, *, spans_max: int = 10**6) -> list[Batch]:
    return list(otlp.decode(body, received_unix_nano=ARRIVAL, spans_max=spans_max))


def one_span(data: bytes, origin: Origin = Origin()) -> ReceivedSpan:  # noqa: B008  (a value, never changed)
    found = otlp.decode_span(data, origin, received_unix_nano=ARRIVAL)
    assert isinstance(found, ReceivedSpan)
    return found


def plain(**more: Any) -> bytes:
    return span(id=1, **more).SerializeToString()


def facts(data: bytes) -> SpanFacts:
    return one_span(data).facts


def body_of(*spans: bytes) -> bytes:
    return field(1, field(2, b"".join(field(2, each) for each in spans)))


def test_an_empty_request_holds_no_batch():
    assert decode(b"") == []
    assert decode(request().SerializeToString()) == []


@pytest.mark.parametrize(
    "body",
    [b"\0", b"garbage", b"\xff" * 100, b'{"resourceSpans":[]}', b"\x12\x03abc", b"\x0a\x7fshort", b"<html></html>"],
)
def test_what_is_no_request_is_refused_whole(body: bytes):
    with pytest.raises(Invalid):
        decode(body)


def test_too_many_spans_are_refused_before_any_is_decoded():
    with pytest.raises(TooLarge):
        next(otlp.decode(body_of(*[plain()] * 11), received_unix_nano=ARRIVAL, spans_max=10))


def test_a_request_of_exactly_the_allowed_number_of_spans_is_taken():
    (batch,) = decode(body_of(*[plain()] * 10), spans_max=10 + 2)
    assert len(batch.spans) == 10


def test_span_bytes_and_origin_are_kept_as_they_came():
    built = request(span(id=1), service="web", scope="app")
    built.resource_spans[0].schema_url = "resource/1"
    built.resource_spans[0].scope_spans[0].schema_url = "scope/1"
    (batch,) = decode(built.SerializeToString())
    resource_spans = built.resource_spans[0]
    scope_spans = resource_spans.scope_spans[0]
    assert [(one.data, one.origin) for one in batch.spans] == [
        (
            scope_spans.spans[0].SerializeToString(),
            Origin(resource_spans.resource.SerializeToString(), b"resource/1", scope_spans.scope.SerializeToString(), b"scope/1"),
        )
    ]


def test_a_large_request_comes_in_batches_and_in_order():
    spans = [span(id=n) for n in range(1, BATCH_SPANS_MAX + 3)]
    batches = decode(request(*spans).SerializeToString())
    assert [len(batch.spans) for batch in batches] == [BATCH_SPANS_MAX, 2]
    assert [one.facts.span_id for batch in batches for one in batch.spans] == [each.span_id for each in spans]


def test_a_request_of_exactly_one_batch_comes_in_one():
    assert [len(batch.spans) for batch in decode(body_of(*[plain()] * BATCH_SPANS_MAX))] == [BATCH_SPANS_MAX]


def test_refused_spans_come_in_bounded_batches_too():
    batches = decode(body_of(*[b""] * (3 * BATCH_SPANS_MAX)))
    assert max(len(batch.rejections) for batch in batches) <= BATCH_SPANS_MAX
    assert sum(len(batch.rejections) for batch in batches) == 3 * BATCH_SPANS_MAX


def test_a_batch_ends_when_its_bytes_are_many():
    size = BATCH_BYTES_MAX // 4
    batches = decode(body_of(*(plain(text="x" * size) for _ in range(9))))
    assert [len(batch.spans) for batch in batches] == [4, 4, 1]


def test_a_resource_counts_once_for_each_trace_toward_the_bytes_of_a_batch():
    blob = "x" * (ORIGIN_BYTES_MAX - 1000)
    of_one_trace = request(*(span(trace=1, id=n) for n in range(1, 41)), blob=blob)
    in_turns = request(*(span(trace=1 + n % 2, id=n) for n in range(1, 41)), blob=blob)
    of_many = request(*(span(trace=n, id=n) for n in range(1, 41)), blob=blob)
    per_batch = BATCH_BYTES_MAX // ORIGIN_BYTES_MAX + 1
    counts = [[len(batch.spans) for batch in decode(sent.SerializeToString())] for sent in (of_one_trace, in_turns, of_many)]
    assert counts == [[40], [40], [per_batch, per_batch, 40 - 2 * per_batch]]


@pytest.mark.parametrize("over", [0, 1])
def test_spans_of_a_resource_and_scope_over_their_bound_are_refused_and_no_others(over: int):
    scope = field(2, b"1.0")
    resource = field(99, b"x" * (ORIGIN_BYTES_MAX - len(scope) - 5 + over))
    assert len(resource) + len(scope) == ORIGIN_BYTES_MAX + over
    large = field(1, field(1, resource) + field(2, field(1, scope) + 2 * field(2, plain())))
    (batch,) = decode(body_of(plain()) + large + body_of(plain()))
    assert (len(batch.spans), batch.rejections) == [(4, []), (2, [ORIGIN_TOO_LARGE] * 2)][over]


BAD_SPANS: dict[str, tuple[bytes, str]] = {
    "no trace id": (b"\x12\x08" + span_id(1), "trace_id"),
    "zero trace id": (field(1, bytes(16)) + field(2, span_id(1)), "trace_id"),
    "short trace id": (field(1, b"\1" * 15) + field(2, span_id(1)), "trace_id"),
    "no span id": (field(1, b"\1" * 16), "span_id"),
    "zero span id": (field(1, b"\1" * 16) + field(2, bytes(8)), "span_id"),
    "long span id": (field(1, b"\1" * 16) + field(2, b"\1" * 9), "span_id"),
    "empty": (b"", "trace_id"),
    "no protobuf": (b"\xff\xff", "malformed"),
    "cut short": (span(id=1).SerializeToString()[:-1], "malformed"),
}


@pytest.mark.parametrize(("bad", "reason"), BAD_SPANS.values(), ids=BAD_SPANS)
def test_one_bad_span_costs_one_span(bad: bytes, reason: str):
    (batch,) = decode(body_of(plain(), bad, plain()))
    assert ([one.data for one in batch.spans], [one.reason for one in batch.rejections]) == ([plain(), plain()], [reason])


def test_a_request_of_bad_spans_only_is_refused_span_by_span():
    (batch,) = decode(body_of(*(bad for bad, _ in BAD_SPANS.values())))
    assert (batch.spans, [one.reason for one in batch.rejections]) == ([], [reason for _, reason in BAD_SPANS.values()])


def test_bytes_that_are_no_span_are_told_as_such():
    assert otlp.decode_span(b"\xff", Origin(), received_unix_nano=ARRIVAL) == MALFORMED_SPAN


def test_a_broken_part_is_told_once_and_costs_no_other():
    (batch,) = decode(body_of(plain()) + field(1, b"\xff"))
    assert ([one.data for one in batch.spans], batch.rejections) == ([plain()], [MALFORMED_PART])


@pytest.mark.parametrize("cut", range(1, 60))
def test_a_request_cut_short_keeps_its_whole_resources_or_is_refused(cut: int):
    first = body_of(plain())
    body = first + body_of(plain(name="second" * 5))
    (batch,) = decode(body[:-cut])
    assert [one.data for one in batch.spans] == [plain()]


class TestTextThatIsNotUtf8:
    def test_in_a_value_is_read_as_far_as_it_goes(self):
        found = facts(plain() + field(9, field(1, b"gen_ai.request.model") + field(2, field(1, b"gpt\xff"))))
        assert found.request_model == "gpt\N{REPLACEMENT CHARACTER}"

    def test_in_a_key_costs_that_attribute(self):
        found = facts(plain() + field(9, field(1, b"bad\xff") + field(2, field(1, b"x"))) + MODEL)
        assert found.request_model == "gpt"

    def test_in_the_name_is_replaced(self):
        assert facts(plain() + field(5, b"a\xffb")).name == "a\N{REPLACEMENT CHARACTER}b"

    def test_in_the_status_is_replaced(self):
        found = facts(plain() + field(15, field(2, b"no\xff") + b"\x18\x02"))
        assert (found.is_error, found.error_message) == (True, "no\N{REPLACEMENT CHARACTER}")

    def test_in_the_trace_state_costs_nothing(self):
        assert facts(plain() + field(3, b"\xff")) == facts(plain())

    def test_in_an_event_is_replaced(self):
        event = field(2, b"exception") + field(3, field(1, b"exception.message") + field(2, field(1, b"no\xff")))
        assert facts(plain(error="") + field(11, event)).error_message == "no\N{REPLACEMENT CHARACTER}"

    def test_in_the_service_and_the_scope_is_replaced(self):
        origin = Origin(field(1, field(1, b"service.name") + field(2, field(1, b"w\xff"))), b"\xff", field(1, b"s\xff"), b"\xff")
        found = one_span(plain(), origin).facts
        assert (found.service, found.scope) == ("w\N{REPLACEMENT CHARACTER}", "s\N{REPLACEMENT CHARACTER}")


UNKNOWN_FIELD = varint(99 << 3) + b"\1"
STRINDEX = varint(3 << 3) + b"\5"


@pytest.mark.parametrize("more", [UNKNOWN_FIELD, STRINDEX, field(99, b"x")], ids=["unknown", "key_strindex", "unknown bytes"])
def test_an_attribute_with_a_field_from_the_future_is_read(more: bytes):
    data = plain() + field(9, field(1, b"gen_ai.request.model") + field(2, field(1, b"gpt")) + more) + field(9, more)
    assert facts(data).request_model == "gpt"


def test_the_other_attributes_of_such_a_span_are_read_too():
    strange = field(9, field(1, b"strange") + UNKNOWN_FIELD)
    whole = span(id=1, operation="chat", model="m", session="s", user="u", tokens_in=5, tokens_out=1, response_id="r", error="no")
    data = whole.SerializeToString()
    assert facts(strange + data) == facts(data)


def test_unknown_fields_elsewhere_change_nothing():
    status = field(15, b"\x18\x02" + UNKNOWN_FIELD)
    assert facts(plain() + UNKNOWN_FIELD) == facts(plain())
    assert facts(plain() + status).is_error
    assert (
        facts(plain() + field(9, field(1, b"gen_ai.request.model") + field(2, field(1, b"gpt") + UNKNOWN_FIELD))).request_model
        == "gpt"
    )


def test_an_unknown_kind_of_value_is_no_value():
    assert facts(plain() + field(9, field(1, b"gen_ai.request.model") + field(2, field(98, b"?")))).request_model is None


@pytest.mark.parametrize("value", [b"", field(2, b"")], ids=["no value", "an empty one"])
def test_a_missing_value_is_no_value(value: bytes):
    assert facts(plain() + field(9, field(1, b"gen_ai.request.model") + value)).request_model is None


def test_a_kind_that_has_no_name_yet_is_kept():
    assert facts(plain(kind=77)).kind == 77


def test_of_a_key_that_comes_twice_the_last_counts():
    again = field(9, field(1, b"gen_ai.request.model") + field(2, field(1, b"last")))
    assert facts(plain() + MODEL + again).request_model == "last"


def test_an_attribute_whose_value_is_no_protobuf_is_there_and_says_nothing():
    found = facts(
        plain() + field(9, field(1, b"input.value") + field(2, b"\xff")) + field(9, field(1, b"user.id") + field(2, b"\xff"))
    )
    assert (found.has_input, found.users) == (True, ())


def test_a_key_may_come_behind_its_value_and_be_long():
    model = field(9, field(2, field(1, b"gpt")) + field(1, b"gen_ai.request.model"))
    long = "k" * 200
    found = facts(plain() + model + field(9, field(1, f"langsmith.metadata.{long}".encode()) + field(2, field(1, b"x"))))
    assert (found.request_model, found.metadata) == ("gpt", ((long, "x"),))


@pytest.mark.parametrize("depth", [10, 48, 100, 5000])
def test_a_deeply_nested_value_costs_nothing_but_itself(depth: int):
    deep = field(9, field(1, b"deep") + field(2, nested_array(depth)))
    as_id = field(9, field(1, b"session.id") + field(2, nested_array(depth)))
    data = plain(model="m") + deep + as_id
    found = one_span(data)
    assert found.facts == facts(plain(model="m"))
    assert found.data == data


def test_a_deeply_nested_value_of_an_event_costs_nothing_but_itself():
    event = field(2, b"exception") + field(3, field(1, b"exception.type") + field(2, nested_array(200)))
    event += field(3, field(1, b"exception.message") + field(2, field(1, b"no")))
    found = facts(plain(error="") + field(11, event))
    assert (found.error_type, found.error_message) == (None, "no")


def test_an_unreadable_event_costs_itself():
    good = span(events=[("exception", 0, {"exception.type": "T"})]).events[0].SerializeToString()
    assert facts(plain(error="") + field(11, b"\xff") + field(11, good)).error_type == "T"


def test_an_unreadable_resource_costs_its_attributes_and_an_unreadable_scope_its_name():
    origin = Origin(b"\xff\xff", b"", b"\xff\xff", b"")
    found = one_span(plain(session="s"), origin)
    assert found == one_span(plain(session="s"))._replace(origin=origin, digest=found.digest)


def test_an_unreadable_attribute_of_a_resource_costs_itself():
    raw = field(1, b"\xff") + field(1, field(1, b"service.name") + field(2, field(1, b"web")))
    assert one_span(plain(), Origin(raw)).facts.service == "web"


class TestDigest:
    def test_is_the_same_for_the_same_content_whenever_it_comes(self):
        (first,), (again,) = received(span(id=1)), received(span(id=1), arrival=ARRIVAL + 1)
        assert first.digest == again.digest
        assert first.digest.hex() == otlp.decode_span(first.data, first.origin, received_unix_nano=1).digest.hex()

    # A digest is stored beside each span: if it changed, spans sent again after an update would no longer be known.
    def test_is_the_same_in_every_version_of_the_program(self):
        assert (
            one_span(b"\x0a\x10" + b"\1" * 16 + b"\x12\x08" + b"\2" * 8, Origin(b"", b"a", b"", b"b")).digest.hex()
            == "b9dcb103224482c82673cb8afa6c27c6"
        )

    def test_differs_with_each_part_of_the_content(self):
        data = plain()
        origins = [
            Origin(),
            Origin(resource=b"\x10\1"),
            Origin(resource_schema_url=b"\x10\1"),
            Origin(scope=b"\x10\1"),
            Origin(scope_schema_url=b"\x10\1"),
            Origin(resource_schema_url=b"\x10", scope=b"\1"),
            Origin(resource_schema_url=b"\x10\1", scope_schema_url=b"\x10\1"),
        ]
        digests = {one_span(data, origin).digest for origin in origins} | {one_span(plain(name="other")).digest}
        assert len(digests) == len(origins) + 1
        assert {len(digest) for digest in digests} == {16}

    def test_covers_bytes_that_figures_do_not_read(self):
        assert one_span(plain()).digest != one_span(plain() + UNKNOWN_FIELD).digest

    def test_does_not_depend_on_what_was_decoded_before(self):
        big = Origin(resource=field(99, b"x" * 20_000))
        for origin in (Origin(), big):
            assert one_span(plain(), origin).digest == one_span(plain(), origin).digest
        assert one_span(plain(), big).digest != one_span(plain()).digest


def test_an_answer_is_empty_where_nothing_was_refused():
    assert otlp.answer(0, "") == b""


def test_an_answer_tells_what_was_refused():
    answer = ExportTraceServiceResponse.FromString(otlp.answer(3, "bad ids"))
    assert (answer.partial_success.rejected_spans, answer.partial_success.error_message) == (3, "bad ids")


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_as_a_span_give_a_span_or_a_reason(data: bytes):
    assert isinstance(otlp.decode_span(data, Origin(), received_unix_nano=ARRIVAL), (ReceivedSpan, Rejection))


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_after_good_ids_give_a_span_or_a_reason(data: bytes):
    found = otlp.decode_span(plain() + data, Origin(data, data, data, data), received_unix_nano=ARRIVAL)
    assert isinstance(found, (ReceivedSpan, Rejection))


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_as_a_value_cost_nothing_else(value: bytes):
    data = plain(user="u") + field(9, field(1, b"session.id") + field(2, value))
    found = otlp.decode_span(data, Origin(), received_unix_nano=ARRIVAL)
    assert found == MALFORMED_SPAN or found.facts._replace(sessions=()) == facts(plain(user="u"))


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_as_a_request_are_decoded_or_refused(body: bytes):
    with suppress(Invalid):
        decode(body)
