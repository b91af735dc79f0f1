"""Spans between daemons by both clients: a batch that is refused costs only itself, and a busy daemon is waited for."""

import threading
from pathlib import Path
from typing import Any

import pytest

from builders import ARRIVAL, request, span
from daemon import parts, until
from sessiond.client import ImportSpansResponse, RequestFailed, SpanBatch


def batch(number: int, *, arrivals: int = 0, name: str = "span") -> SpanBatch:
    found = SpanBatch.FromString(request(span(trace=number, name=name)).SerializeToString())
    found.received_unix_nanos.extend([ARRIVAL] * arrivals)
    return found


def test_a_batch_that_is_refused_as_a_whole_costs_only_itself(client_of: Any, tmp_path: Path) -> None:
    with parts(tmp_path) as running, client_of(running.query.address) as client:
        batches = [batch(1, arrivals=1), batch(2, arrivals=2), batch(3, name="x" * (5 << 20)), *map(batch, range(4, 10))]
        answers = list(client.import_spans(batches))
        assert sorted(trace.trace_id[-2:] for trace in client.traces()) == ["01", "04", "05", "06", "07", "08", "09"]
    kept = ImportSpansResponse(accepted_span_count=1)
    assert answers[:1] + answers[3:] == [kept] * 7
    assert [(answer.accepted_span_count, answer.rejected_span_count) for answer in answers[1:3]] == [(0, 1), (0, 1)]
    assert "are not as many as the 1 spans" in answers[1].error_message
    assert "larger than max" in answers[2].error_message


@pytest.mark.parametrize("size", [10, 1_000_000])
def test_a_daemon_that_is_busy_is_waited_for(client_of: Any, tmp_path: Path, size: int) -> None:
    with parts(tmp_path, queue_bytes_max=1) as running, client_of(running.query.address) as client:
        running.store.close_gate()
        opener = threading.Thread(target=open_when_busy, args=[running])
        opener.start()
        answers = list(client.import_spans(batch(number, name="x" * size) for number in range(1, 4)))
        opener.join()
    assert answers == [ImportSpansResponse(accepted_span_count=1)] * 3


def open_when_busy(running: Any) -> None:
    try:
        until(lambda: running.telemetry.counts().refused_requests.get("busy"), "a refusal")
    finally:
        running.store.open_gate()


def test_a_failure_that_is_not_about_a_batch_ends_the_import(client_of: Any, tmp_path: Path) -> None:
    with parts(tmp_path) as running, client_of(running.query.address) as client:
        running.store.close_gate()
        with pytest.raises(RequestFailed) as failed:
            list(client.import_spans([batch(1)], timeout=0.1))
        running.store.open_gate()
    assert failed.value.code == "DEADLINE_EXCEEDED"


def test_spans_go_from_daemon_to_daemon_with_their_arrivals(client_of: Any, tmp_path: Path) -> None:
    sent = [batch(number, arrivals=1) for number in (1, 2, 3)]
    with (
        parts(tmp_path / "here") as here,
        parts(tmp_path / "there") as there,
        client_of(here.query.address) as giving,
        client_of(there.query.address) as taking,
    ):
        list(giving.import_spans(sent))
        answers = list(taking.import_spans(list(giving.export_spans(filter="name = span"))))
        traces = list(taking.traces())
        assert traces == list(giving.traces())
    assert sum(answer.accepted_span_count for answer in answers) == 3
    assert {trace.received_time.ToNanoseconds() for trace in traces} == {ARRIVAL}
