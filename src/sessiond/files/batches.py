"""Batches of spans out of the pieces of a file, whichever way they are written."""

from collections.abc import Iterator
from typing import NamedTuple

from google.protobuf.message import DecodeError
from zstandard import ZstdError

from sessiond.files.frames import Broken
from sessiond.files.opened import Piece, Source
from sessiond.files.otlp_json import batch_of
from sessiond.wire._pb.v1.transfer_service_pb2 import SpanBatch


class Read(NamedTuple):
    """What a piece of a file held: spans, or in words why it could not be read."""

    place: str
    batch: SpanBatch | None
    problem: str = ""


def batches(source: Source) -> Iterator[Read]:
    """Every piece of a file. One that can't be read costs only itself, unless what follows can't be found without it."""
    try:
        for piece in source.pieces:
            yield _read(piece)
    except (Broken, ZstdError, EOFError) as error:
        yield Read("", None, f"can't be read on: {error}")


def _read(piece: Piece) -> Read:
    try:
        batch = batch_of(piece.payload) if piece.is_json else SpanBatch.FromString(piece.payload)
    except (ValueError, DecodeError) as error:
        return Read(piece.place, None, str(error))
    return Read(piece.place, batch)
