"""Scores and annotations <-> their messages of sessiond.v1, and what is asked of them."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from sessiond.core.errors import Invalid
from sessiond.core.feedback.annotation import Anchor, Annotation
from sessiond.core.feedback.score import SOURCES, Score, ScoreSource, ScoreValue
from sessiond.core.feedback.target import Target, TraceTarget
from sessiond.core.figures.trace import DEFAULT_PROJECT
from sessiond.core.model import SessionKey
from sessiond.wire import api
from sessiond.wire._pb.v1 import feedback_service_pb2 as pb

SPAN_ID: Final = re.compile("[0-9A-Fa-f]{16}")
Named = pb.Score | pb.Annotation | pb.ListScoresRequest | pb.ListAnnotationsRequest
"""What names a target."""

Changes = Mapping[str, Any]
"""Field of a score or annotation -> its new value."""


def score_message(score: Score, *, stale: bool) -> pb.Score:
    """A score with every field that is known; whether it is stale, as the reader found it."""
    message = pb.Score(
        score_id=score.id,
        name=score.name,
        source=_SOURCE_NUMBERS[score.source],
        comment=score.comment,
        metadata=dict(score.metadata),
        author=score.author,
        create_time=api.timestamp(score.create_unix_nano),
        update_time=api.timestamp(score.update_unix_nano),
        stale=stale,
        **_target_fields(score.target),
    )
    setattr(message, _VALUE_FIELDS[type(score.value)], score.value)
    return message


def annotation_message(annotation: Annotation) -> pb.Annotation:
    """An annotation with every field that is known."""
    anchor = annotation.anchor
    return pb.Annotation(
        annotation_id=annotation.id,
        text=annotation.text,
        author=annotation.author,
        tags=annotation.tags,
        anchor=None
        if anchor is None
        else pb.Anchor(
            trace_id=anchor.trace_id.hex(),
            span_id=anchor.span_id.hex(),
            message_index=anchor.message_index,
            begin=anchor.begin,
            end=anchor.end,
        ),
        create_time=api.timestamp(annotation.create_unix_nano),
        update_time=api.timestamp(annotation.update_unix_nano),
        **_target_fields(annotation.target),
    )


def score_of(message: pb.Score) -> Score:
    """A request's score; without an id or times where it has none. Its bounds are not looked at. Raises Invalid."""
    return Score(
        id=message.score_id,
        target=_needed(target_of(message)),
        name=message.name,
        value=_value(message),
        source=_source(message),
        comment=message.comment,
        metadata=_metadata(message),
        author=message.author,
        create_unix_nano=_time(message, "create_time"),
        update_unix_nano=_time(message, "update_time"),
    )


def annotation_of(message: pb.Annotation) -> Annotation:
    """A request's annotation, as `score_of`. Raises Invalid."""
    return Annotation(
        id=message.annotation_id,
        target=_needed(target_of(message)),
        text=message.text,
        author=message.author,
        tags=tuple(message.tags),
        anchor=_anchor(message),
        create_unix_nano=_time(message, "create_time"),
        update_unix_nano=_time(message, "update_time"),
    )


def target_of(message: Named) -> Target | None:
    """The target that a message names; None where it names none. Raises Invalid."""
    if message.trace_id and message.session_id:
        raise Invalid("session_id", message.session_id[:80], "can't stand beside trace_id", hint="give one of them")
    if message.span_id and not message.trace_id:
        raise Invalid("span_id", message.span_id[:80], "is of no trace", hint="give trace_id too")
    if message.project and not message.session_id:
        raise Invalid("project", message.project[:80], "goes with session_id", hint="leave it empty")
    if message.session_id:
        return SessionKey(message.project or DEFAULT_PROJECT, message.session_id)
    if not message.trace_id:
        return None
    return TraceTarget(api.trace_id(message.trace_id), _span_id("span_id", message.span_id))


def score_changes(message: pb.Score, mask: FieldMask) -> Changes:
    """What a request changes of a score. Raises Invalid."""
    return _changes(message, mask, _SCORE_READERS)


def annotation_changes(message: pb.Annotation, mask: FieldMask) -> Changes:
    """What a request changes of an annotation. Raises Invalid."""
    return _changes(message, mask, _ANNOTATION_READERS)


def source_of(number: int) -> ScoreSource | None:
    """The source that a number of the enum stands for; None for that of none. Raises Invalid."""
    if number and number not in _SOURCES:
        raise Invalid("source", number, "is no source", hint=f"give one of {', '.join(SOURCES)}")
    return _SOURCES.get(number)


def _changes(message: pb.Score | pb.Annotation, mask: FieldMask, readers: Mapping[str, "_Reader"]) -> Changes:
    """By the mask; an empty one stands for the fields that are set, of those that can be changed."""
    paths: Sequence[str] = mask.paths or [path for path in readers if _is_set(message, path)]
    if list(paths) == ["*"]:
        paths = list(readers)
    for path in paths:
        if path not in readers:
            raise Invalid("update_mask", path[:80], "can't be changed", hint=f"what can: {', '.join(readers)}")
    if not paths:
        raise Invalid("update_mask", "", "names nothing to change", hint=f"what can be: {', '.join(readers)}")
    return {name: read(message) for name, read in (readers[path] for path in paths)}


def _is_set(message: pb.Score | pb.Annotation, path: str) -> bool:
    field = message.DESCRIPTOR.fields_by_name[path]
    return message.HasField(path) if field.has_presence else bool(getattr(message, path))


def _needed(target: Target | None) -> Target:
    if target is None:
        raise Invalid("session_id", "", "must not be empty", hint="give a session_id, or a trace_id and perhaps a span_id")
    return target


def _target_fields(target: Target) -> dict[str, Any]:
    if isinstance(target, SessionKey):
        return target._asdict()
    return {"trace_id": target.trace_id.hex(), "span_id": target.span_id.hex()}


def _span_id(field: str, text: str) -> bytes:
    if text and not SPAN_ID.fullmatch(text):
        raise Invalid(field, text[:80], "must be 16 hexadecimal digits")
    return bytes.fromhex(text)


def _value(message: pb.Score) -> ScoreValue:
    given = message.WhichOneof("value")
    if given is None:
        raise Invalid("number", "", "is not given, and no boolean and no category", hint="give one of them")
    value: ScoreValue = getattr(message, given)
    return value


def _source(message: pb.Score) -> ScoreSource:
    return source_of(message.source) or "api"


def _metadata(message: pb.Score) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(message.metadata.items()))


def _anchor(message: pb.Annotation) -> Anchor | None:
    if not message.HasField("anchor"):
        return None
    anchor = message.anchor
    message_index, begin, end = (
        getattr(anchor, name) if anchor.HasField(name) else None for name in ("message_index", "begin", "end")
    )
    try:
        trace_id = api.trace_id(anchor.trace_id) if anchor.trace_id else b""
    except Invalid as error:
        raise Invalid("anchor.trace_id", anchor.trace_id[:80], "must be 32 hexadecimal digits") from error
    return Anchor(trace_id, _span_id("anchor.span_id", anchor.span_id), message_index, begin, end)


def _time(message: Message, field: str) -> int:
    return api.unix_nano(getattr(message, field), field) if message.HasField(field) else 0


_SOURCES: Final[Mapping[int, ScoreSource]] = dict(enumerate(SOURCES, 1))
_SOURCE_NUMBERS: Final = {source: pb.ScoreSource.Name(number) for number, source in _SOURCES.items()}
"""The enum's numbers stand in the order of SOURCES."""
_VALUE_FIELDS: Final = {float: "number", bool: "boolean", str: "category"}

_Reader = tuple[str, Callable[[Any], Any]]
"""What a path of a mask changes, and how its new value is read."""
_SCORE_READERS: Final[Mapping[str, _Reader]] = {
    **dict.fromkeys(_VALUE_FIELDS.values(), ("value", _value)),
    "source": ("source", _source),
    "comment": ("comment", lambda message: message.comment),
    "metadata": ("metadata", _metadata),
    "author": ("author", lambda message: message.author),
}
_ANNOTATION_READERS: Final[Mapping[str, _Reader]] = {
    "text": ("text", lambda message: message.text),
    "author": ("author", lambda message: message.author),
    "tags": ("tags", lambda message: tuple(message.tags)),
    "anchor": ("anchor", _anchor),
}
