"""What the pieces of a file hold, whichever way they are written: spans, scores, annotations."""

import json
import zlib
from collections.abc import Iterator
from typing import Final, NamedTuple

from google.protobuf.message import DecodeError
from zstandard import ZstdError

from sessiond.files import feedback_json, otlp_json
from sessiond.files.feedback_json import AnyFeedback
from sessiond.files.frames import Broken
from sessiond.files.opened import Piece, Source
from sessiond.wire._pb.v1.transfer_service_pb2 import SpanBatch
from sessiond.wire.span_batches import divided

BATCH_BYTES: Final = 128 << 10
"""Of spans in one batch, as an export writes them. A Collector's message may have megabytes, of which some are under way at once,
and a daemon with tighter limits would refuse it as a whole."""
_BROKEN: Final = (Broken, ZstdError, zlib.error)


class Read(NamedTuple):
    """What a piece of a file held, or in words why it could not be read."""

    place: str
    content: SpanBatch | AnyFeedback | None
    problem: str = ""
    breaks_off: bool = False
    """Nothing behind this place can be found, for which there is the problem; without a place nothing at all."""


def contents(source: Source) -> Iterator[Read]:
    """Every piece of a file, one of many spans in several parts.

    A piece that can't be read costs only itself, unless what follows can't be found without it.
    """
    place = ""
    try:
        for piece in source.pieces:
            place = piece.place
            read = _read(piece)
            if isinstance(read.content, SpanBatch):
                yield from (Read(read.place, part) for part in divided(read.content, BATCH_BYTES))
            else:
                yield read
    except _BROKEN as error:
        yield Read(place, None, str(error), breaks_off=True)


def _read(piece: Piece) -> Read:
    if piece.problem:
        return Read(piece.place, None, piece.problem)
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
