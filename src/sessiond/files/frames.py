"""Messages one after the other, each behind its length.

So the Collector's file exporter writes protobuf, and whatever it compresses message by message.
"""

from collections.abc import Iterator
from typing import IO, Final

LENGTH_BYTES: Final = 4
"""Big-endian, unsigned."""
FRAME_BYTES_MAX: Final = 64 << 20
"""As much as a daemon takes in one request; a larger number is no length, but the file something else."""


class Broken(ValueError):
    """The file can't be read on from here, in words for whoever gave it."""


def framed(payload: bytes) -> bytes:
    """A message behind its length."""
    return len(payload).to_bytes(LENGTH_BYTES, "big") + payload


def frames(stream: IO[bytes]) -> Iterator[bytes]:
    """The messages. Raises Broken where the file ends within one, or a length can't be one."""
    while head := stream.read(LENGTH_BYTES):
        length = int.from_bytes(head, "big")
        if length > FRAME_BYTES_MAX:
            raise Broken(f"{length:,} bytes can't be a message; is it a file of another kind?")
        payload = stream.read(length)
        if len(head) < LENGTH_BYTES or len(payload) < length:
            raise Broken("the file ends within a message")
        yield payload
