"""What both clients ask of feedback: keyword arguments made into requests. Sends nothing."""

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Any, Final, Literal, NamedTuple, TypeAlias, TypedDict, TypeVar

from google.protobuf.field_mask_pb2 import FieldMask

from sessiond.wire._pb.v1 import feedback_service_pb2 as pb

PAGE_SIZE_MAX: Final = 1000
"""A daemon gives no more rows at once."""
IMPORT_MAX: Final = 1000
"""A daemon takes no more items at once."""
IMPORT_BYTES: Final = 1 << 20
"""A message of an import ends here: a daemon takes 4 MiB, and an item has at most a tenth of that."""

ScoreSource: TypeAlias = Literal["human", "evaluator", "api"]
ScoreValue: TypeAlias = float | bool | str
"""A number, a yes or no, or a category."""
Place = Mapping[str, str | int]
"""Fields of an Anchor: trace_id, span_id, message_index, begin, end."""
Item = TypeVar("Item", pb.Score, pb.Annotation)


class Of(TypedDict, total=False):
    """What it is of: a session_id and perhaps a project, or a trace_id and perhaps a span_id."""

    project: str
    session_id: str
    trace_id: str
    span_id: str


class ScoreChanges(TypedDict, total=False):
    """What may be changed of a score."""

    value: ScoreValue
    source: ScoreSource
    comment: str
    metadata: Mapping[str, str]
    author: str


class NewScore(Of, total=False):
    """What a score may have besides its name and value. Without a score_id it is given one, so that no retry makes a second."""

    score_id: str
    source: ScoreSource
    comment: str
    metadata: Mapping[str, str]
    author: str


class AnnotationChanges(TypedDict, total=False):
    """What may be changed of an annotation."""

    text: str
    author: str
    tags: Iterable[str]
    anchor: Place | None


class NewAnnotation(Of, total=False):
    """What an annotation may have besides its text; as NewScore."""

    annotation_id: str
    author: str
    tags: Iterable[str]
    anchor: Place


class ScoreConditions(Of, total=False):
    """Which scores. What is left out does not restrict; of a session and a trace those of their parts too."""

    own_only: bool
    """Leave out those of parts."""
    name: str
    source: ScoreSource
    author: str


class AnnotationConditions(Of, total=False):
    """Which annotations; as ScoreConditions."""

    own_only: bool
    tag: str
    author: str


class Failure(NamedTuple):
    """Something of an import that was not stored."""

    place: int
    """Among all that was given, from 0."""
    field: str
    message: str


class Imported(NamedTuple):
    """What became of the next part of an import."""

    sent: int
    created: int
    unchanged: int
    """Stored already, with the same content."""
    failures: tuple[Failure, ...]


def create_score(name: str, value: ScoreValue, fields: NewScore) -> pb.CreateScoreRequest:
    known = _fields(fields, NewScore)
    known["score_id"] = known.get("score_id") or new_id()
    return pb.CreateScoreRequest(score=pb.Score(name=name, **known | _valued(value)))


def update_score(score_id: str, changes: ScoreChanges) -> pb.UpdateScoreRequest:
    known = _fields(changes, ScoreChanges)
    if "value" in known:
        known |= _valued(known.pop("value"))
    return pb.UpdateScoreRequest(score=pb.Score(score_id=score_id, **known), update_mask=FieldMask(paths=list(known)))


def scores(conditions: ScoreConditions, limit: int | None) -> pb.ListScoresRequest:
    """The first page, no longer than `limit`."""
    return pb.ListScoresRequest(**_fields(conditions, ScoreConditions), page_size=_page_size(limit))


def create_annotation(text: str, fields: NewAnnotation) -> pb.CreateAnnotationRequest:
    known = _fields(fields, NewAnnotation)
    known["annotation_id"] = known.get("annotation_id") or new_id()
    return pb.CreateAnnotationRequest(annotation=pb.Annotation(text=text, **known))


def update_annotation(annotation_id: str, changes: AnnotationChanges) -> pb.UpdateAnnotationRequest:
    known = _fields(changes, AnnotationChanges)
    annotation = pb.Annotation(annotation_id=annotation_id, **known)
    return pb.UpdateAnnotationRequest(annotation=annotation, update_mask=FieldMask(paths=list(known)))


def annotations(conditions: AnnotationConditions, limit: int | None) -> pb.ListAnnotationsRequest:
    """The first page, no longer than `limit`."""
    return pb.ListAnnotationsRequest(**_fields(conditions, AnnotationConditions), page_size=_page_size(limit))


def parts(items: Iterable[Item], id_field: str) -> Iterator[list[Item]]:
    """Items in parts that one message takes, each with an id of its content where it has none.

    So importing the same again changes nothing. Items alike in one import are told apart by how many came before.
    """
    part: list[Item] = []
    size = 0
    seen: dict[str, int] = {}
    for item in items:
        if not getattr(item, id_field):
            item = _named(item, id_field, seen)  # noqa: PLW2901  (the one that is sent)
        more = item.ByteSize()
        if part and (len(part) == IMPORT_MAX or size + more > IMPORT_BYTES):
            yield part
            part, size = [], 0
        part.append(item)
        size += more
    if part:
        yield part


def imported(answer: pb.ImportScoresResponse | pb.ImportAnnotationsResponse, before: int, sent: int) -> Imported:
    """What an answer tells of a part that begins at the place `before`."""
    failures = tuple(Failure(before + one.index, one.field, one.message) for one in answer.failures)
    return Imported(sent, answer.created_count, answer.unchanged_count, failures)


def new_id() -> str:
    """An id that none has. Ids made later sort later, which keeps a store's rows together."""
    return f"{time.time_ns():016x}-{os.urandom(8).hex()}"


def _named(item: Item, id_field: str, seen: dict[str, int]) -> Item:
    digest = blake2b(item.SerializeToString(deterministic=True), digest_size=16).hexdigest()
    seen[digest] = seen.get(digest, 0) + 1
    named = type(item)()
    named.CopyFrom(item)
    setattr(named, id_field, f"{digest}-{seen[digest]}")
    return named


def _valued(value: ScoreValue) -> dict[str, ScoreValue]:
    return {"boolean" if isinstance(value, bool) else "category" if isinstance(value, str) else "number": value}


def _page_size(limit: int | None) -> int:
    return PAGE_SIZE_MAX if limit is None else min(limit, PAGE_SIZE_MAX)


def _fields(given: Mapping[str, Any], allowed: type) -> dict[str, Any]:
    """The arguments as a message takes them. Raises TypeError for a name that is none of them."""
    unknown = given.keys() - allowed.__annotations__.keys()
    if unknown:
        raise TypeError(f"unexpected arguments: {', '.join(sorted(unknown))}")
    return {name: _source(value) if name == "source" else value for name, value in given.items()}


def _source(source: str) -> str:
    return f"SCORE_SOURCE_{source.upper()}"
