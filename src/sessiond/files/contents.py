"""What the pieces of a file hold, whichever way they are written: spans, scores, annotations."""

import json
from collections.abc import Iterator
from typing import NamedTuple

from google.protobuf.message import DecodeError
from zstandard import ZstdError

from sessiond.files import feedback_json, otlp_json
from sessiond.files.feedback_json import AnyFeedback
from sessiond.files.frames import Broken
from sessiond.files.opened import Piece, Source
from sessiond.wire._pb.v1.transfer_service_pb2 import SpanBatch


class Read(NamedTuple):
    """What a piece of a file held, or in words why it could not be read."""

    place: str
    content: SpanBatch | AnyFeedback | None
    problem: str = ""


def contents(source: Source) -> Iterator[Read]:
    """Every piece of a file. One that can't be read costs only itself, unless what follows can't be found without it."""
    try:
        for piece in source.pieces:
            yield _read(piece)
    except (Broken, ZstdError, EOFError) as error:
        yield Read("", None, f"can't be read on: {error}")


def _read(piece: Piece) -> Read:
    try:
        content = _of_json(piece.payload) if piece.is_json else SpanBatch.FromString(piece.payload)
    except (ValueError, DecodeError) as error:
        return Read(piece.place, None, str(error))
    return Read(piece.place, content)


def _of_json(line: bytes) -> SpanBatch | AnyFeedback:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise ValueError("is no JSON object")  # noqa: TRY004 - it is the line that is wrong, not its type
    return feedback_json.item_of(found) or otlp_json.batch_of(found)
