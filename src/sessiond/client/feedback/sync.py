"""Feedback: scores and annotations as methods of a client."""

from collections.abc import Callable, Generator, Iterable
from itertools import chain, islice
from operator import attrgetter
from typing import Any, Unpack

import grpc

from sessiond.client.feedback import requests
from sessiond.client.feedback.requests import Imported
from sessiond.wire._pb.v1 import feedback_service_pb2 as pb
from sessiond.wire._pb.v1.feedback_service_pb2 import Annotation, Score
from sessiond.wire._pb.v1.feedback_service_pb2_grpc import FeedbackServiceStub

Request = pb.ListScoresRequest | pb.ListAnnotationsRequest
Answer = Callable[[Callable[..., Any], object, float | None], Any]
"""Asks one question and gives its answer."""


class Feedback:
    """What a Client says and asks of scores and annotations. Methods raise RequestFailed, and take a `timeout` as the client's do.

    What was written is on disk, and every query asked after sees it.
    """

    def __init__(self, channel: grpc.Channel, answer: Answer) -> None:
        self._stub = FeedbackServiceStub(channel)
        self._answer = answer

    def create_score(
        self,
        name: str,
        value: requests.ScoreValue,
        *,
        timeout: float | None = None,
        **fields: Unpack[requests.NewScore],
    ) -> Score:
        """Store a score. Under a score_id of your own the same again changes nothing; other content is ALREADY_EXISTS."""
        score: Score = self._answer(self._stub.CreateScore, requests.create_score(name, value, fields), timeout)
        return score

    def score(self, score_id: str, *, timeout: float | None = None) -> Score:
        """One score."""
        score: Score = self._answer(self._stub.GetScore, pb.GetScoreRequest(score_id=score_id), timeout)
        return score

    def update_score(self, score_id: str, *, timeout: float | None = None, **changes: Unpack[requests.ScoreChanges]) -> Score:
        """Change what is given of a score, and nothing else; a stale one is fresh again."""
        score: Score = self._answer(self._stub.UpdateScore, requests.update_score(score_id, changes), timeout)
        return score

    def delete_score(self, score_id: str, *, allow_missing: bool = False, timeout: float | None = None) -> None:
        """Remove a score."""
        self._answer(self._stub.DeleteScore, pb.DeleteScoreRequest(score_id=score_id, allow_missing=allow_missing), timeout)

    def scores(
        self, *, limit: int | None = None, timeout: float | None = None, **conditions: Unpack[requests.ScoreConditions]
    ) -> Generator[Score]:
        """Scores that match, the latest first, of a session first its own; at most `limit`. Asks for a page at a time."""
        return self._rows(self._stub.ListScores, requests.scores(conditions, limit), "scores", limit, timeout)

    def import_scores(self, scores: Iterable[Score], *, timeout: float | None = None) -> Generator[Imported]:
        """Store many scores, and tell of each part what became of it. Nothing is sent before the first is wanted.

        A score without an id is given one of its content, so that importing the same again changes nothing. Its times are kept.
        """
        before = 0
        for part in requests.parts(scores, "score_id"):
            answer = self._answer(self._stub.ImportScores, pb.ImportScoresRequest(scores=part), timeout)
            yield requests.imported(answer, before, len(part))
            before += len(part)

    def create_annotation(self, text: str, *, timeout: float | None = None, **fields: Unpack[requests.NewAnnotation]) -> Annotation:
        """Store an annotation; as `create_score`."""
        request = requests.create_annotation(text, fields)
        annotation: Annotation = self._answer(self._stub.CreateAnnotation, request, timeout)
        return annotation

    def annotation(self, annotation_id: str, *, timeout: float | None = None) -> Annotation:
        """One annotation."""
        request = pb.GetAnnotationRequest(annotation_id=annotation_id)
        annotation: Annotation = self._answer(self._stub.GetAnnotation, request, timeout)
        return annotation

    def update_annotation(
        self, annotation_id: str, *, timeout: float | None = None, **changes: Unpack[requests.AnnotationChanges]
    ) -> Annotation:
        """Change what is given of an annotation, and nothing else."""
        request = requests.update_annotation(annotation_id, changes)
        annotation: Annotation = self._answer(self._stub.UpdateAnnotation, request, timeout)
        return annotation

    def delete_annotation(self, annotation_id: str, *, allow_missing: bool = False, timeout: float | None = None) -> None:
        """Remove an annotation."""
        request = pb.DeleteAnnotationRequest(annotation_id=annotation_id, allow_missing=allow_missing)
        self._answer(self._stub.DeleteAnnotation, request, timeout)

    def annotations(
        self, *, limit: int | None = None, timeout: float | None = None, **conditions: Unpack[requests.AnnotationConditions]
    ) -> Generator[Annotation]:
        """Annotations that match, in the order of `scores`."""
        return self._rows(self._stub.ListAnnotations, requests.annotations(conditions, limit), "annotations", limit, timeout)

    def import_annotations(self, annotations: Iterable[Annotation], *, timeout: float | None = None) -> Generator[Imported]:
        """Store many annotations; as `import_scores`."""
        before = 0
        for part in requests.parts(annotations, "annotation_id"):
            answer = self._answer(self._stub.ImportAnnotations, pb.ImportAnnotationsRequest(annotations=part), timeout)
            yield requests.imported(answer, before, len(part))
            before += len(part)

    def _rows(
        self,
        method: Callable[..., Any],
        request: Request,
        rows: str,
        limit: int | None,
        timeout: float | None,
    ) -> Generator[Any]:
        pages = map(attrgetter(rows), self._pages(method, request, timeout))
        yield from islice(chain.from_iterable(pages), limit)

    def _pages(self, method: Callable[..., Any], request: Request, timeout: float | None) -> Generator[Any]:
        while True:
            page = self._answer(method, request, timeout)
            yield page
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token
