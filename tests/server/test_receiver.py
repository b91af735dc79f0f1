"""The receiver's answer to each fault: by it a sender decides whether it drops a batch or sends it again."""

from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse

from builders import request, span, trace_id
from daemon import DEADLINE_SECONDS, Parts, Sender, health_of, parts, until
from sessiond.core.errors import StoreBroken, StoreFull
from sessiond.wire.repair import wrapped

MESSAGE_BYTES_MAX = 1 << 20
OK = ExportTraceServiceResponse()
RETRY = (1, 1)
UNEXPECTED = "sessiond failed unexpectedly; its log says how. Nothing of this request was acknowledged: send it again"


@pytest.mark.parametrize("compression", [None, grpc.Compression.Gzip, grpc.Compression.Deflate])
def test_a_request_of_good_spans_is_ok_without_partial_success(
    running: Parts, sender: Sender, compression: grpc.Compression | None
) -> None:
    assert sender.export(request(span(trace=1, name="x" * 10_000)), compression) == OK
    assert running.store.trace_ids() == [trace_id(1)]


@pytest.mark.parametrize(
    "body",
    [b"", request().SerializeToString(), b"\x0a\x00"],
    ids=["no bytes", "a resource without spans", "an empty resource"],
)
def test_an_empty_request_is_ok_without_partial_success(running: Parts, sender: Sender, body: bytes) -> None:
    assert sender.export(body) == OK
    assert running.store.trace_ids() == []


def test_a_request_sent_again_is_ok_and_changes_nothing(running: Parts, sender: Sender) -> None:
    sent = request(span(trace=1, id=1, session="s"))
    assert [sender.export(sent), sender.export(sent)] == [OK, OK]
    counts = running.telemetry.counts()
    assert (counts.accepted_spans, counts.duplicate_spans, counts.accepted_requests) == (1, 1, 2)


def test_refused_spans_are_counted_and_explained_and_the_others_kept(running: Parts, sender: Sender) -> None:
    good, zero, short, malformed = (span(trace=number, id=number) for number in range(1, 5))
    zero.trace_id = bytes(16)
    short.span_id = b"short"
    sent = request(good, zero, short, malformed).SerializeToString()
    sent = sent.replace(malformed.SerializeToString(), b"\xff" * len(malformed.SerializeToString()))
    answer = sender.export(sent)
    assert answer.partial_success.rejected_spans == 3
    assert answer.partial_success.error_message == (
        "1 x trace_id must be 16 bytes and not all zero, got 16 zero bytes; "
        "1 x span_id must be 8 bytes and not all zero, got 5 bytes; "
        "1 x a span's bytes are not a Span message"
    )
    assert running.store.trace_ids() == [trace_id(1)]
    assert running.telemetry.counts().refused_spans == {"trace_id": 1, "span_id": 1, "malformed": 1}


def test_a_request_cut_short_keeps_the_spans_before_the_cut(running: Parts, sender: Sender) -> None:
    first, second = request(span(trace=1)).SerializeToString(), request(span(trace=2)).SerializeToString()
    answer = sender.export(first + second[:-5])
    assert answer.partial_success.rejected_spans == 1
    assert answer.partial_success.error_message == "1 x part of the request is not protobuf; its spans could not be counted"
    assert running.store.trace_ids() == [trace_id(1)]


@pytest.mark.parametrize("body", [b"\xff\xff\xff", b"hello", b"\x00", b"{}"], ids=repr)
def test_bytes_that_are_no_request_are_invalid(sender: Sender, refusal: Any, body: bytes) -> None:
    with refusal() as said:
        sender.export(body)
    message = f"request: '{len(body)} bytes' are no ExportTraceServiceRequest; send OTLP traces, protobuf-encoded"
    assert said.refusal == ("INVALID_ARGUMENT", message, "INVALID", "", "request", (None, None))


def test_a_message_over_the_limit_is_refused_for_good(tmp_path: Path, refusal: Any) -> None:
    with parts(tmp_path / "data", message_bytes_max=MESSAGE_BYTES_MAX) as running, Sender(running.receiver.address) as sender:
        with refusal() as said:
            sender.export(bytes(MESSAGE_BYTES_MAX + 1))
        assert said.refusal.code == "RESOURCE_EXHAUSTED"
        assert said.refusal.retry_seconds == (None, None)
        assert f"({MESSAGE_BYTES_MAX + 1} vs. {MESSAGE_BYTES_MAX})" in said.refusal.message
        assert sender.export(request(span(trace=1))) == OK


@pytest.mark.parametrize("compression", [grpc.Compression.Gzip, grpc.Compression.Deflate])
def test_a_small_message_that_inflates_over_the_limit_is_refused_for_good(
    tmp_path: Path, refusal: Any, compression: grpc.Compression
) -> None:
    with parts(tmp_path / "data", message_bytes_max=MESSAGE_BYTES_MAX) as running, Sender(running.receiver.address) as sender:
        for size in (MESSAGE_BYTES_MAX + 1, 100 * MESSAGE_BYTES_MAX):
            with refusal() as said:
                sender.export(bytes(size), compression)
            assert (said.refusal.code, said.refusal.retry_seconds) == ("RESOURCE_EXHAUSTED", (None, None))
            assert "larger than max" in said.refusal.message
        assert sender.export(request(span(trace=1))) == OK


def test_a_message_as_large_as_the_limit_is_taken(tmp_path: Path) -> None:
    sent = request(span(trace=1, id=1, padding="x" * 100_000))
    with parts(tmp_path / "data", message_bytes_max=sent.ByteSize()) as running, Sender(running.receiver.address) as sender:
        assert [sender.export(sent), sender.export(sent, grpc.Compression.Gzip)] == [OK, OK]


def test_too_many_spans_in_a_request_are_refused_for_good(tmp_path: Path, refusal: Any) -> None:
    with parts(tmp_path / "data", spans_max=10) as running, Sender(running.receiver.address) as sender:
        with refusal() as said:
            sender.export(request(*(span(trace=1) for _ in range(11))))
        message = "the request holds more than 10 spans; export smaller batches, or raise receiver.spans_max"
        assert said.refusal == ("RESOURCE_EXHAUSTED", message, "TOO_LARGE", "", "", (None, None))
        assert running.store.trace_ids() == []


@pytest.mark.parametrize(
    "part", [b"\x0a\x00", b"\x0a\x02\x12\x00", b"\x0a\x04\x12\x02\x12\x00"], ids=["resources", "scopes", "spans"]
)
def test_a_request_of_nothing_but_empty_messages_is_counted_before_it_is_unfolded(
    tmp_path: Path, refusal: Any, part: bytes
) -> None:
    with parts(tmp_path / "data", spans_max=1000) as running, Sender(running.receiver.address) as sender:
        with refusal() as said:
            sender.export(part * 2000, grpc.Compression.Gzip)
        assert (said.refusal.code, said.refusal.retry_seconds) == ("RESOURCE_EXHAUSTED", (None, None))


def test_a_full_queue_is_to_be_tried_again(tmp_path: Path, refusal: Any) -> None:
    with parts(tmp_path / "data", queue_bytes_max=1) as running, Sender(running.receiver.address) as sender:
        running.store.close_gate()
        under_way = [sender.begin(request(span(trace=1)))]
        until(lambda: running.store.begun)
        under_way.append(sender.begin(request(span(trace=2))))
        until(lambda: running.writer.queue_bytes)
        with refusal() as said:
            sender.export(request(span(trace=3)))
        message = "the queue of spans to be written is full; send the request again"
        assert said.refusal == ("UNAVAILABLE", message, "BUSY", "", "", RETRY)
        running.store.open_gate()
        assert [answer.result(DEADLINE_SECONDS) for answer in under_way] == [b"", b""]
        assert sender.export(request(span(trace=3))) == OK


def test_too_many_bytes_under_way_are_to_be_tried_again(tmp_path: Path, refusal: Any) -> None:
    with parts(tmp_path / "data", requests_bytes_max=1) as running, Sender(running.receiver.address) as sender:
        running.store.close_gate()
        under_way = sender.begin(request(span(trace=1)))
        until(lambda: running.store.begun)
        with refusal() as said:
            sender.export(request(span(trace=2)))
        message = "too many bytes of requests are under way; send the request again"
        assert said.refusal == ("UNAVAILABLE", message, "BUSY", "", "", RETRY)
        running.store.open_gate()
        assert under_way.result(DEADLINE_SECONDS) == b""


def test_a_writer_that_stops_is_to_be_tried_again(running: Parts, sender: Sender, refusal: Any) -> None:
    running.writer.stop()
    with refusal() as said:
        sender.export(request(span(trace=1)))
    assert said.refusal == ("UNAVAILABLE", "sessiond is stopping; send the request again", "BUSY", "", "", RETRY)


def test_a_full_store_is_to_be_tried_again_and_reading_goes_on(running: Parts, sender: Sender, asker: Any, refusal: Any) -> None:
    sender.export(request(span(trace=1, session="s")))
    running.store.fail_with(StoreFull("the disk can't take more", hint="free disk space"))
    with refusal() as said:
        sender.export(request(span(trace=2)))
    assert said.refusal == ("UNAVAILABLE", "the disk can't take more; free disk space", "FULL", "", "", RETRY)
    status = asker.status()
    assert (status.serving, status.last_error) == (False, "the disk can't take more; free disk space")
    assert [session.session_id for session in asker.sessions()] == ["s"]
    assert sender.export(request(span(trace=2))) == OK
    assert asker.status().serving


def test_a_broken_store_is_to_be_tried_again_elsewhere(running: Parts, sender: Sender, refusal: Any) -> None:
    running.store.fail_with(StoreBroken("LMDB failed", hint="restart"))
    with refusal() as said:
        sender.export(request(span(trace=1)))
    assert said.refusal == ("UNAVAILABLE", "LMDB failed; restart", "BROKEN", "", "", RETRY)
    until(lambda: [str(error) for error in running.broken] == ["LMDB failed; restart"])


def test_an_unexpected_exception_is_to_be_tried_again_until_the_payload_is_quarantined(
    running: Parts, sender: Sender, refusal: Any
) -> None:
    sent = request(span(trace=1))
    running.store.failing = lambda _: LookupError("secret detail")
    said = []
    for _ in range(4):
        with refusal() as one:
            sender.export(sent)
        said.append(one.refusal)
    assert said[:3] == [("UNAVAILABLE", UNEXPECTED, "UNEXPECTED", "LookupError", "", RETRY)] * 3
    message = f"request: '{sent.ByteSize()} bytes' failed 3 times here; see the log of sessiond; it is refused"
    assert said[3] == ("INVALID_ARGUMENT", message, "INVALID", "", "request", (None, None))


def test_a_call_without_any_message_is_refused_in_words(sender: Sender, refusal: Any) -> None:
    with refusal() as said:
        sender.say_nothing()
    assert said.refusal.code == "UNIMPLEMENTED"
    assert said.refusal.message.endswith("requires exactly one request message.")
    assert sender.export(b"") == OK


@pytest.mark.parametrize("signal", ["metrics.v1.MetricsService", "logs.v1.LogsService"])
def test_other_signals_are_not_served(running: Parts, refusal: Any, signal: str) -> None:
    with grpc.insecure_channel(running.receiver.address) as channel:
        call = channel.unary_unary(f"/opentelemetry.proto.collector.{signal}/Export")
        with refusal() as said:
            call(b"", timeout=DEADLINE_SECONDS)
    assert said.refusal == ("UNIMPLEMENTED", "Method not found!", "", "", "", (None, None))


def _nested(levels: int) -> bytes:
    """AnyValue: an array in an array in ..., written by hand, since protobuf itself refuses to build one."""
    value = b"\x0a\x06bottom"
    for _ in range(levels):
        value = wrapped(value, 5, 1)
    return value


SPOILT = {
    "a name": request(span(trace=1, name="replaced", session="s")).SerializeToString().replace(b"replaced", b"bad \xff\xfe.."),
    "a resource": request(span(trace=1, session="s"), service="replaced")
    .SerializeToString()
    .replace(b"replaced", b"bad \xff\xfe.."),
    **{
        f"a value nested {levels} deep": wrapped(
            span(trace=1, session="s").SerializeToString() + wrapped(b"\x0a\x04deep" + wrapped(_nested(levels), 2), 9), 1, 2, 2
        )
        for levels in (48, 64, 10_000)
    },
}


@pytest.mark.parametrize("spoilt", SPOILT)
def test_what_a_standard_protobuf_refuses_costs_no_span(sender: Sender, asker: Any, spoilt: str) -> None:
    with pytest.raises(DecodeError):
        ExportTraceServiceRequest.FromString(SPOILT[spoilt])
    assert sender.export(SPOILT[spoilt]) == OK
    assert [(session.session_id, session.span_count) for session in asker.sessions()] == [("s", 1)]
    passed = [message.traces_data for message in asker.trace(trace_id(1)) if message.HasField("traces_data")]
    assert [len(data.resource_spans) for data in passed] == [1]


def test_both_servers_say_that_they_serve_until_they_stop(tmp_path: Path) -> None:
    with parts(tmp_path / "data") as running:
        assert [health_of(running.receiver.address), health_of(running.query.address)] == ["SERVING", "SERVING"]
        running.receiver.set_serving(serving=False)
        assert [health_of(running.receiver.address), health_of(running.query.address)] == ["NOT_SERVING", "SERVING"]
    assert [health_of(running.receiver.address), health_of(running.query.address)] == ["UNREACHABLE", "UNREACHABLE"]


def test_a_stopping_receiver_finishes_what_is_under_way_and_takes_nothing_new(running: Parts, sender: Sender, refusal: Any) -> None:
    running.store.close_gate()
    under_way = sender.begin(request(span(trace=1)))
    until(lambda: running.store.begun)
    running.receiver._health.enter_graceful_shutdown()
    stopped = running.receiver.server.stop(DEADLINE_SECONDS)
    with refusal() as said:
        sender.export(request(span(trace=2)))
    # gRPC refuses with either, and on both a sender tries again (OTLP).
    assert said.refusal.code in {"UNAVAILABLE", "CANCELLED"}
    running.store.open_gate()
    assert under_way.result(DEADLINE_SECONDS) == b""
    assert stopped.wait(DEADLINE_SECONDS)
    assert running.store.trace_ids() == [trace_id(1)]
