"""FeedbackService: messages into scores and annotations, and back."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import grpc
from google.protobuf.empty_pb2 import Empty

from sessiond.core.errors import Invalid
from sessiond.core.feedback.annotation import Annotation
from sessiond.core.feedback.score import Score
from sessiond.server.sessions import bounded
from sessiond.server.status import translated
from sessiond.service.feedback.asked import Asked
from sessiond.service.feedback.items import Imported, Items, Staleness
from sessiond.wire import feedback as wire
from sessiond.wire._pb.v1 import feedback_service_pb2 as pb
from sessiond.wire._pb.v1.feedback_service_pb2_grpc import FeedbackServiceServicer

Message = TypeVar("Message")
Item = TypeVar("Item", Score, Annotation)


class FeedbackService(FeedbackServiceServicer):
    """The servicer over `service.feedback`."""

    def __init__(self, scores: Items[Score], annotations: Items[Annotation], staleness: Staleness) -> None:
        self._scores = scores
        self._annotations = annotations
        self._staleness = staleness

    def CreateScore(self, request: pb.CreateScoreRequest, context: grpc.ServicerContext) -> pb.Score:  # noqa: N802
        with translated(context):
            return self._score(self._scores.create(wire.score_of(request.score)))

    def GetScore(self, request: pb.GetScoreRequest, context: grpc.ServicerContext) -> pb.Score:  # noqa: N802
        with translated(context):
            return self._score(self._scores.get(_named("score_id", request.score_id)))

    def UpdateScore(self, request: pb.UpdateScoreRequest, context: grpc.ServicerContext) -> pb.Score:  # noqa: N802
        with translated(context):
            changes = wire.score_changes(request.score, request.update_mask)
            return self._score(self._scores.update(_named("score.score_id", request.score.score_id), changes))

    def DeleteScore(self, request: pb.DeleteScoreRequest, context: grpc.ServicerContext) -> Empty:  # noqa: N802
        with translated(context):
            self._scores.delete(_named("score_id", request.score_id), allow_missing=request.allow_missing)
            return Empty()

    def ListScores(self, request: pb.ListScoresRequest, context: grpc.ServicerContext) -> pb.ListScoresResponse:  # noqa: N802
        with translated(context):
            source = wire.source_of(request.source) or ""
            asked = Asked(wire.target_of(request), request.own_only, author=request.author, name=request.name, source=source)

            def page(size: int) -> pb.ListScoresResponse:
                found, token = self._scores.page(asked, size, request.page_token, context.is_active)
                return pb.ListScoresResponse(scores=self._shown(found), next_page_token=token)

            return bounded(page, request.page_size, lambda response: len(response.scores))

    def ImportScores(self, request: pb.ImportScoresRequest, context: grpc.ServicerContext) -> pb.ImportScoresResponse:  # noqa: N802
        with translated(context):
            imported = self._scores.import_all([_read(wire.score_of, message) for message in request.scores])
            return pb.ImportScoresResponse(**_told(imported))

    def CreateAnnotation(self, request: pb.CreateAnnotationRequest, context: grpc.ServicerContext) -> pb.Annotation:  # noqa: N802
        with translated(context):
            return wire.annotation_message(self._annotations.create(wire.annotation_of(request.annotation)))

    def GetAnnotation(self, request: pb.GetAnnotationRequest, context: grpc.ServicerContext) -> pb.Annotation:  # noqa: N802
        with translated(context):
            return wire.annotation_message(self._annotations.get(_named("annotation_id", request.annotation_id)))

    def UpdateAnnotation(self, request: pb.UpdateAnnotationRequest, context: grpc.ServicerContext) -> pb.Annotation:  # noqa: N802
        with translated(context):
            changes = wire.annotation_changes(request.annotation, request.update_mask)
            annotation_id = _named("annotation.annotation_id", request.annotation.annotation_id)
            return wire.annotation_message(self._annotations.update(annotation_id, changes))

    def DeleteAnnotation(self, request: pb.DeleteAnnotationRequest, context: grpc.ServicerContext) -> Empty:  # noqa: N802
        with translated(context):
            self._annotations.delete(_named("annotation_id", request.annotation_id), allow_missing=request.allow_missing)
            return Empty()

    def ListAnnotations(  # noqa: N802
        self, request: pb.ListAnnotationsRequest, context: grpc.ServicerContext
    ) -> pb.ListAnnotationsResponse:
        with translated(context):
            asked = Asked(wire.target_of(request), request.own_only, author=request.author, tag=request.tag)

            def page(size: int) -> pb.ListAnnotationsResponse:
                found, token = self._annotations.page(asked, size, request.page_token, context.is_active)
                return pb.ListAnnotationsResponse(annotations=map(wire.annotation_message, found), next_page_token=token)

            return bounded(page, request.page_size, lambda response: len(response.annotations))

    def ImportAnnotations(  # noqa: N802
        self, request: pb.ImportAnnotationsRequest, context: grpc.ServicerContext
    ) -> pb.ImportAnnotationsResponse:
        with translated(context):
            imported = self._annotations.import_all([_read(wire.annotation_of, message) for message in request.annotations])
            return pb.ImportAnnotationsResponse(**_told(imported))

    def _score(self, score: Score) -> pb.Score:
        return next(iter(self._shown([score])))

    def _shown(self, scores: list[Score]) -> Iterable[pb.Score]:
        stale = self._staleness.of(scores)
        return (wire.score_message(score, stale=is_stale) for score, is_stale in zip(scores, stale, strict=True))


def _named(field: str, item_id: str) -> str:
    if not item_id:
        raise Invalid(field, "", "must not be empty")
    return item_id


def _read(read: Callable[[Message], Item], message: Message) -> Item | Invalid:
    """An item of an import, or why it is none."""
    try:
        return read(message)
    except Invalid as error:
        return error


def _told(imported: Imported) -> dict[str, Any]:
    """The fields of an answer to an import."""
    failures = [
        pb.ImportFailure(index=place, field=error.field if isinstance(error, Invalid) else "", message=str(error))
        for place, error in imported.failures
    ]
    return {"created_count": imported.created, "unchanged_count": imported.unchanged, "failures": failures}
