"""TransferService: arrivals come in by it alone, and what is not known is refused."""

import time

import grpc
import pytest

from builders import ARRIVAL, request, span, trace_id
from daemon import DEADLINE_SECONDS, Asker, Parts, Sender
from sessiond.service.transfer import BATCH_BYTES
from sessiond.wire._pb.v1.feedback_service_pb2 import CreateScoreRequest, Score
from sessiond.wire._pb.v1.transfer_service_pb2 import ExportSpansRequest, ImportSpansResponse, SpanBatch
from sessiond.wire._pb.v1.transfer_service_pb2_grpc import TransferServiceStub


def batch(number: int, arrival: int) -> SpanBatch:
    found = SpanBatch.FromString(request(span(trace=number)).SerializeToString())
    found.received_unix_nanos.append(arrival)
    return found


@pytest.fixture
def transfer(running: Parts) -> TransferServiceStub:
    return TransferServiceStub(grpc.insecure_channel(running.query.address))


def received(asker: Asker, number: int) -> int:
    (message,) = [trace for trace in asker.traces() if trace.trace_id == trace_id(number).hex()]
    return message.received_time.ToNanoseconds()


def test_an_import_keeps_the_arrivals_it_is_given(transfer: TransferServiceStub, asker: Asker) -> None:
    assert transfer.ImportSpans(batch(1, ARRIVAL), timeout=DEADLINE_SECONDS) == ImportSpansResponse(accepted_span_count=1)
    assert received(asker, 1) == ARRIVAL


@pytest.mark.parametrize("told", [0, 2**63 - 1, 2**64 - 1])
def test_no_arrival_or_one_in_the_future_is_now(transfer: TransferServiceStub, asker: Asker, told: int) -> None:
    before = time.time_ns()
    transfer.ImportSpans(batch(1, told), timeout=DEADLINE_SECONDS)
    assert before <= received(asker, 1) <= time.time_ns()


def test_arrivals_in_an_otlp_request_are_passed_over(sender: Sender, asker: Asker) -> None:
    before = time.time_ns()
    sender.export(batch(1, ARRIVAL).SerializeToString())
    assert received(asker, 1) >= before


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 1, 3)])
def test_of_several_arrivals_of_a_span_the_earliest_is_its_first_whatever_came_first(
    transfer: TransferServiceStub, asker: Asker, order: tuple[int, ...]
) -> None:
    for later in order:
        transfer.ImportSpans(batch(1, ARRIVAL + later), timeout=DEADLINE_SECONDS)
    assert received(asker, 1) == ARRIVAL + 1


def test_spans_of_something_unknown_are_refused(transfer: TransferServiceStub) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        list(transfer.ExportSpans(ExportSpansRequest(of=9), timeout=DEADLINE_SECONDS))
    assert (refused.value.code().name, refused.value.details()[:3]) == ("INVALID_ARGUMENT", "of:")


def test_an_export_of_long_feedback_is_sent_in_messages_that_any_client_takes(transfer: TransferServiceStub, asker: Asker) -> None:
    for number in range(150):
        score = Score(score_id=f"s{number}", trace_id=trace_id(1).hex(), name="long", number=1, comment="\u732b" * 9_990)
        asker.feedback.CreateScore(CreateScoreRequest(score=score), timeout=DEADLINE_SECONDS)
    batches = list(transfer.ExportFeedback(ExportSpansRequest(), timeout=DEADLINE_SECONDS))
    assert sum(len(batch.scores) for batch in batches) == 150
    assert max(batch.ByteSize() for batch in batches) <= BATCH_BYTES
