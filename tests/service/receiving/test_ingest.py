"""Ingest: what is acknowledged when, the budget of bytes, and payloads that fail again and again."""

import os
import random
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from builders import RULES, request, span, trace_id
from daemon import DEADLINE_SECONDS, Parts, parts, until
from sessiond.core.errors import Busy, Invalid, StoreFull, TooLarge
from sessiond.service.receiving import ingest as ingest_module
from sessiond.service.receiving.decoder_child import DecoderDied
from sessiond.service.receiving.decoders import Decoders
from sessiond.service.receiving.ingest import PARTS_AHEAD, Answer
from sessiond.wire.otlp import BATCH_BYTES_MAX, BATCH_SPANS_MAX


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Parts]:
    with parts(tmp_path / "data") as found:
        yield found


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as found:
        yield found


def body(number: int = 1, padding: int = 0) -> bytes:
    return request(span(trace=number, id=number, padding="x" * padding)).SerializeToString()


def test_a_request_is_answered_when_its_spans_are_stored(running: Parts, pool: ThreadPoolExecutor) -> None:
    running.store.close_gate()
    answer = pool.submit(running.ingest.export, body())
    until(lambda: running.store.begun)
    assert not answer.done()
    running.store.open_gate()
    assert answer.result(DEADLINE_SECONDS) == Answer(0, "")
    assert running.store.trace_ids() == [trace_id(1)]


def test_a_large_request_is_answered_after_the_last_of_its_transactions(running: Parts, pool: ThreadPoolExecutor) -> None:
    count = 3 * BATCH_SPANS_MAX + 1
    sent = request(*(span(trace=1, id=number) for number in range(1, count + 1))).SerializeToString()
    running.store.failing = lambda _: running.store.close_gate()
    answer = pool.submit(running.ingest.export, sent)
    until(lambda: len(running.store.begun) == 2)
    stored = len(running.store.facts(trace_id(1)))
    assert (answer.done(), stored) == (False, len(running.store.begun[0]))
    assert 0 < stored < count
    running.store.failing = lambda _: None
    running.store.open_gate()
    assert answer.result(DEADLINE_SECONDS) == Answer(0, "")
    assert len(running.store.facts(trace_id(1))) == count


def test_a_large_request_whose_last_part_fails_is_not_acknowledged(running: Parts) -> None:
    count = 3 * BATCH_SPANS_MAX + 1
    sent = request(*(span(trace=1, id=number) for number in range(1, count + 1))).SerializeToString()
    running.store.failing = lambda spans: StoreFull("no room") if len(spans) % BATCH_SPANS_MAX else None
    with pytest.raises(StoreFull):
        running.ingest.export(sent)
    running.store.failing = lambda _: None
    assert running.ingest.export(sent) == Answer(0, "")
    assert len(running.store.facts(trace_id(1))) == count


def test_bytes_under_way_are_bounded_and_given_back(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    with parts(tmp_path / "data", requests_bytes_max=2 * len(body())) as running:
        running.store.close_gate()
        under_way = [pool.submit(running.ingest.export, body(number)) for number in (1, 2)]
        until(lambda: running.ingest._bytes._held == 2 * len(body()))
        with pytest.raises(Busy, match="too many bytes of requests are under way; send the request again"):
            running.ingest.export(body(3))
        running.store.open_gate()
        assert [answer.result(DEADLINE_SECONDS) for answer in under_way] == [Answer(0, "")] * 2
        assert running.ingest.export(body(3)) == Answer(0, "")
        assert running.telemetry.counts().refused_requests == {"busy": 1}


def test_one_request_larger_than_the_budget_is_taken_when_it_is_alone(tmp_path: Path) -> None:
    with parts(tmp_path / "data", requests_bytes_max=1) as running:
        assert running.ingest.export(body()) == Answer(0, "")


def test_failed_requests_give_their_bytes_back(tmp_path: Path) -> None:
    with parts(tmp_path / "data", requests_bytes_max=1) as running:
        running.store.fail_with(StoreFull("no room"), ValueError("bad"))
        for error in (StoreFull, ValueError):
            with pytest.raises(error):
                running.ingest.export(body())
        assert running.ingest.export(body()) == Answer(0, "")


def test_a_payload_that_failed_unexpectedly_three_times_is_refused_and_no_other_is(running: Parts) -> None:
    running.store.failing = lambda spans: ValueError("bad") if spans[0].trace_id == trace_id(1) else None
    for _ in range(3):
        with pytest.raises(ValueError, match="bad"):
            running.ingest.export(body(1))
    running.store.failing = lambda _: None
    with pytest.raises(Invalid) as caught:
        running.ingest.export(body(1))
    assert str(caught.value) == f"request: '{len(body(1))} bytes' failed 3 times here; see the log of sessiond; it is refused"
    assert running.ingest.export(body(2)) == Answer(0, "")
    assert running.telemetry.counts().refused_requests == {"unexpected": 3, "invalid": 1}


def test_a_payload_that_failed_less_often_is_taken(running: Parts) -> None:
    running.store.fail_with(*[ValueError("bad")] * 2)
    for _ in range(2):
        with pytest.raises(ValueError, match="bad"):
            running.ingest.export(body(1))
    assert running.ingest.export(body(1)) == Answer(0, "")


@pytest.mark.parametrize("error", [BlockingIOError(11, "no process"), MemoryError()], ids=["OSError", "MemoryError"])
def test_a_machine_without_room_does_not_count_against_a_payload(running: Parts, error: Exception) -> None:
    running.store.fail_with(*[error] * 4)
    for _ in range(4):
        with pytest.raises(type(error)):
            running.ingest.export(body(1))
    assert running.ingest.export(body(1)) == Answer(0, "")


def test_a_payload_that_was_refused_is_taken_again_after_a_while(running: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    running.store.fail_with(*[ValueError("bad")] * 3)
    for _ in range(3):
        with pytest.raises(ValueError, match="bad"):
            running.ingest.export(body(1))
    with pytest.raises(Invalid):
        running.ingest.export(body(1))
    monkeypatch.setattr(ingest_module, "FAILURES_SECONDS", -1.0)
    assert running.ingest.export(body(1)) == Answer(0, "")
    assert not running.ingest._failures._failed


def test_what_was_in_a_process_that_died_is_decoded_alone_and_only_then_counted(running: Parts, pool: ThreadPoolExecutor) -> None:
    decoders = running.ingest._decoders = Decoders(RULES.keys, processes_max=1)
    blobs = (random.Random(number).randbytes(BATCH_BYTES_MAX) for number in range(1, PARTS_AHEAD + 4))
    sent = request(*(span(trace=1, id=number, blob=blob) for number, blob in enumerate(blobs, 1))).SerializeToString()

    def killed() -> bool:
        """Whether other requests might have been in the process that was killed while it decoded this one."""
        running.writer.append([]).result(DEADLINE_SECONDS)  # what the one before left in the queue is stored
        running.store.close_gate()
        begun = len(running.store.begun)
        answer = pool.submit(running.ingest.export, sent)
        until(lambda: len(running.store.begun) > begun)
        (process,) = decoders._processes
        os.kill(process._process.pid, signal.SIGKILL)
        running.store.open_gate()
        with pytest.raises(DecoderDied):
            answer.result(DEADLINE_SECONDS)
        return process.is_shared

    try:
        assert [killed() for _ in range(4)] == [True, False, False, False]
        with pytest.raises(Invalid, match="failed 3 times here"):
            running.ingest.export(sent)
    finally:
        decoders.stop()


def test_one_that_was_decoded_alone_with_success_is_as_good_as_any(running: Parts) -> None:
    sent = body(1, 100_000)
    running.ingest._failures.remember(sent, counts=False)
    assert running.ingest.export(sent) == Answer(0, "")
    assert not running.ingest._failures._failed


def test_a_full_store_does_not_count_against_a_payload(running: Parts) -> None:
    running.store.failing = lambda _: StoreFull("no room")
    for _ in range(4):
        with pytest.raises(StoreFull):
            running.ingest.export(body(1))
    running.store.failing = lambda _: None
    assert running.ingest.export(body(1)) == Answer(0, "")


def test_too_many_spans_are_refused_and_none_is_stored(tmp_path: Path) -> None:
    with parts(tmp_path / "data", spans_max=3) as running:
        with pytest.raises(TooLarge) as caught:
            running.ingest.export(request(*(span(trace=number) for number in range(1, 5))).SerializeToString())
        assert str(caught.value) == ("the request holds more than 3 spans; export smaller batches, or raise receiver.spans_max")
        assert running.store.trace_ids() == []


def test_as_many_spans_as_the_limit_are_taken(tmp_path: Path) -> None:
    with parts(tmp_path / "data", spans_max=3) as running:
        sent = request(*(span(trace=number) for number in range(1, 4)))
        assert running.ingest.export(sent.SerializeToString()) == Answer(0, "")


def test_more_reasons_than_a_sender_wants_to_read_are_counted(running: Parts) -> None:
    spans = [span(trace=1, id=1) for _ in range(6)]
    for length, one in enumerate(spans, 1):
        one.trace_id = b"x" * length
    spans[0].trace_id = b"x" * 6
    answer = running.ingest.export(request(*spans).SerializeToString())
    assert answer == Answer(
        6,
        "2 x trace_id must be 16 bytes and not all zero, got 6 bytes; 1 x trace_id must be 16 bytes and not all zero, got 2 bytes; "
        "1 x trace_id must be 16 bytes and not all zero, got 3 bytes; and 2 more reasons",
    )


def test_bad_spans_are_refused_with_reasons_and_the_others_kept(running: Parts) -> None:
    good, no_trace, no_span, short = (span(trace=number, id=number) for number in range(1, 5))
    no_trace.trace_id = bytes(16)
    no_span.span_id = bytes(8)
    short.trace_id = b"short"
    answer = running.ingest.export(request(good, no_trace, no_span, short).SerializeToString())
    assert answer.rejected_spans == 3
    assert answer.message == (
        "1 x trace_id must be 16 bytes and not all zero, got 16 zero bytes; "
        "1 x span_id must be 8 bytes and not all zero, got 8 zero bytes; "
        "1 x trace_id must be 16 bytes and not all zero, got 5 bytes"
    )
    assert running.store.trace_ids() == [trace_id(1)]


def test_everything_is_counted(running: Parts) -> None:
    good, bad = span(trace=1, id=1), span(trace=2, id=2)
    bad.span_id = b""
    running.ingest.export(request(good, bad).SerializeToString())
    running.ingest.export(request(good).SerializeToString())
    good.name = "changed"
    running.ingest.export(request(good).SerializeToString())
    running.ingest.export(b"")
    counts = running.telemetry.counts()
    assert counts._replace(last_commit_seconds=None) == (1, 1, 1, {"span_id": 1}, 4, {}, 3, None, None)
