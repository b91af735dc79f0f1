"""Scores as lines of JSON: what the command line shows of one, and what it imports. Each line it shows can be imported."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from google.protobuf.timestamp_pb2 import Timestamp

from sessiond.client.feedback.requests import ScoreValue
from sessiond.client.rows import Row, enum_name, rfc3339, row
from sessiond.wire._pb.v1.feedback_service_pb2 import Annotation, Score, ScoreSource

LINE_CHARACTERS_MAX: Final = 1 << 20
"""Of a line that is imported: ten times the longest score there can be."""


def score_row(score: Score) -> Row:
    """A score with every field; its value stands under `value`, and what does not name its target is None."""
    return {
        "score_id": score.score_id,
        **_target(score),
        "name": score.name,
        "value": value_of(score),
        "source": enum_name(ScoreSource.DESCRIPTOR, score.source),
        "comment": score.comment,
        "metadata": dict(sorted(score.metadata.items())),
        "author": score.author,
        "create_time": rfc3339(score.create_time),
        "update_time": rfc3339(score.update_time),
        "stale": score.stale,
    }


def annotation_row(annotation: Annotation) -> Row:
    """An annotation with every field; what does not name its target is None."""
    return {**row(annotation), **_target(annotation)}


def value_of(score: Score) -> ScoreValue | None:
    """A number, a yes or no, or a category."""
    given = score.WhichOneof("value")
    value: ScoreValue | None = getattr(score, given) if given else None
    return value


def score_of_line(line: str) -> Score:
    """The score that a line of JSON tells of. Raises ValueError with what is wrong with it, and where a field is, its name."""
    if len(line) > LINE_CHARACTERS_MAX:
        raise ValueError(f"is longer than {LINE_CHARACTERS_MAX:,} characters")
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is no JSON: {error}") from error
    if not isinstance(fields, dict):
        raise ValueError("is no JSON object")  # noqa: TRY004  (it is the line that is wrong, not its type)
    score = Score()
    for name, value in fields.items():
        read = _READERS.get(name)
        if read is None:
            raise ValueError(f"{name[:80]!r} is no field of a score; they are {', '.join(_READERS)}")
        if value is not None:
            read(score, name, value)
    return score


def _target(message: Score | Annotation) -> Row:
    return {name: getattr(message, name) or None for name in ("project", "session_id", "trace_id", "span_id")}


def _text(score: Score, name: str, value: object) -> None:
    if not isinstance(value, str):
        raise ValueError(f"{name}: {value!r} is no text")  # noqa: TRY004  (as in score_of_line)
    setattr(score, name, _encodable(name, value))


def _value(score: Score, name: str, value: object) -> None:
    field = {bool: "boolean", int: "number", float: "number", str: "category"}.get(type(value))
    if field is None:
        raise ValueError(f"{name}: {value!r} is no number, no true or false, and no text")
    try:
        setattr(score, field, _encodable(name, value) if isinstance(value, str) else value)
    except (OverflowError, TypeError) as error:  # an integer of hundreds of digits
        raise ValueError(f"{name}: the number is too large") from error


def _source(score: Score, name: str, value: object) -> None:
    names = {enum_name(ScoreSource.DESCRIPTOR, number): number for number in ScoreSource.values() if number}
    found = names.get(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"{name}: {value!r} is none of {', '.join(map(str, names))}")
    setattr(score, name, found)


def _metadata(score: Score, name: str, value: object) -> None:
    if not isinstance(value, Mapping) or not all(isinstance(one, str) for one in value.values()):
        raise ValueError(f"{name}: is no object of texts")
    score.metadata.update({_encodable(name, key): _encodable(name, one) for key, one in value.items()})


def _time(score: Score, name: str, value: object) -> None:
    time: Timestamp = getattr(score, name)
    try:
        time.FromJsonString(value)  # type: ignore[arg-type]
    except (ValueError, AttributeError, TypeError) as error:
        raise ValueError(f"{name}: {value!r} is no time such as 2026-01-31T09:30:00Z") from error


def _nothing(score: Score, name: str, value: object) -> None:
    """For what the daemon finds out itself."""


def _encodable(name: str, text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{name}: holds half a character (a lone surrogate)") from error
    return text


_READERS: Final[Mapping[str, Callable[[Score, str, Any], None]]] = {
    **dict.fromkeys(("score_id", "project", "session_id", "trace_id", "span_id", "name"), _text),
    "value": _value,
    "source": _source,
    "comment": _text,
    "metadata": _metadata,
    "author": _text,
    "create_time": _time,
    "update_time": _time,
    "stale": _nothing,
}
