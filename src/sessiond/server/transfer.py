"""TransferService: spans, scores and annotations from store to store."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import grpc

from sessiond.core.errors import Invalid
from sessiond.core.feedback.score import Score
from sessiond.server.status import translated
from sessiond.server.within import within
from sessiond.service.asking.question import Question, Within, ask_sessions, ask_traces, ask_users
from sessiond.service.receiving.ingest import Ingest
from sessiond.service.transfer import BATCH_BYTES, AnyFeedback, Transfer
from sessiond.wire._pb.v1 import transfer_service_pb2 as pb
from sessiond.wire._pb.v1.transfer_service_pb2_grpc import TransferServiceServicer
from sessiond.wire.feedback import annotation_message, score_message
from sessiond.wire.span_batches import span_batch, span_count

_ASKED: Final[Mapping[int, Callable[[Within, str], Question[Any]]]] = {
    pb.SPANS_OF_UNSPECIFIED: ask_traces,
    pb.SPANS_OF_TRACES: ask_traces,
    pb.SPANS_OF_SESSIONS: ask_sessions,
    pb.SPANS_OF_USERS: ask_users,
}


class TransferService(TransferServiceServicer):
    """The servicer over transfer and ingest."""

    def __init__(self, transfer: Transfer, ingest: Ingest) -> None:
        self._transfer = transfer
        self._ingest = ingest

    def ExportSpans(self, request: pb.ExportSpansRequest, context: grpc.ServicerContext) -> Iterator[pb.SpanBatch]:  # noqa: N802
        with translated(context):
            yield from map(span_batch, self._transfer.spans(_question(request), context.is_active))

    def ExportFeedback(  # noqa: N802
        self, request: pb.ExportSpansRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.FeedbackBatch]:
        with translated(context):
            yield from _feedback_batches(self._transfer.feedback(_question(request), context.is_active))

    def ImportSpans(self, request: pb.SpanBatch, context: grpc.ServicerContext) -> pb.ImportSpansResponse:  # noqa: N802
        with translated(context):
            body = request.SerializeToString()
            answer = self._ingest.export(body, request.received_unix_nanos)
            return pb.ImportSpansResponse(
                accepted_span_count=max(0, span_count(body) - answer.rejected_spans),
                rejected_span_count=answer.rejected_spans,
                error_message=answer.message,
            )


def _question(request: pb.ExportSpansRequest) -> Question[Any]:
    if request.of not in _ASKED:
        raise Invalid("of", request.of, "is not known here", hint="ask for spans of traces, sessions or users")
    return _ASKED[request.of](within(request), request.filter)


def _feedback_batches(found: Iterable[AnyFeedback]) -> Iterator[pb.FeedbackBatch]:
    batch, size = pb.FeedbackBatch(), 0
    for one in map(_feedback_batch, found):
        own = one.ByteSize()
        if size and size + own > BATCH_BYTES:
            yield batch
            batch, size = pb.FeedbackBatch(), 0
        batch.MergeFrom(one)
        size += own
    if size:
        yield batch


def _feedback_batch(item: AnyFeedback) -> pb.FeedbackBatch:
    if isinstance(item, Score):
        return pb.FeedbackBatch(scores=[score_message(item, stale=False)])
    return pb.FeedbackBatch(annotations=[annotation_message(item)])
