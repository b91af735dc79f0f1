"""Scores and annotations as JSON lines, each an object of one name that tells which it is: `{"score": {...}}`."""

import json
from collections.abc import Mapping
from typing import Any, Final

from google.protobuf.json_format import MessageToDict, ParseDict, ParseError

from sessiond.wire._pb.v1.feedback_service_pb2 import Annotation, Score

AnyFeedback = Score | Annotation
KINDS: Final[Mapping[str, type[AnyFeedback]]] = {"score": Score, "annotation": Annotation}


def line_of(item: AnyFeedback) -> str:
    """One line of ASCII, without its end."""
    name = next(name for name, kind in KINDS.items() if isinstance(item, kind))
    return json.dumps({name: MessageToDict(item, preserving_proto_field_name=True)}, separators=(",", ":"))


def item_of(found: Mapping[str, Any]) -> AnyFeedback | None:
    """The score or annotation in a line's object; None where it is neither. Raises ValueError where it is one and can't be read."""
    for name, kind in KINDS.items():
        if name in found:
            try:
                return ParseDict(found[name], kind())
            except (ParseError, TypeError, ValueError, AttributeError, RecursionError) as error:
                raise ValueError(f"is no {name}: {error}") from error
    return None
