"""Reading what an export or a Collector's file exporter wrote, by what its bytes are and not by its name.

JSON lines; protobuf messages behind their lengths; either compressed as a whole (zstd, gzip), or message by message (zstd), as the
Collector does by default. Memory is bounded by the largest line or message.
"""

import gzip
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, NamedTuple, cast

import zstandard

from sessiond.files.frames import FRAME_BYTES_MAX, Broken, frames

STDIN: Final = "-"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_GZIP: Final = b"\x1f\x8b"
_BUFFER_BYTES: Final = 1 << 20
_PACKED_BYTES: Final = 4096
"""Uncompressed at once: at worst they are 128 MiB, at 128 KiB for each four bytes."""
_JSON_BEGINS: Final = frozenset(b"{[ \t\r\n\xef")
"""An object, blanks or a byte order mark. A length that begins so would be of half a gigabyte and more, or of 150 MiB."""


class Piece(NamedTuple):
    """A line or a message of a file."""

    place: str
    """Where it stands, such as `line 12`."""
    payload: bytes
    is_json: bool


class Meter(io.RawIOBase):
    """A stream that counts what is read of it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.byte_count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - a writable buffer, which has no name before Python 3.12
        into = memoryview(buffer)
        found = self._stream.read(len(into))
        into[: len(found)] = found
        self.byte_count += len(found)
        return len(found)


class _Zstd(io.RawIOBase):
    """A stream's zstd frames, uncompressed. The library's own reader takes an end within a frame for the end (0.25, tried)."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._packed = self._plain = b""
        self._is_within = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - as above
        into = memoryview(buffer)
        while not self._plain:
            self._packed = self._packed or self._stream.read(_PACKED_BYTES)
            if not self._packed:
                if self._is_within:
                    raise Broken("it ends within what is compressed")
                return 0
            if self._frame.eof:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            self._plain = self._frame.decompress(self._packed)
            self._packed = self._frame.unused_data
            self._is_within = not self._frame.eof
        found, self._plain = self._plain[: len(into)], self._plain[len(into) :]
        into[: len(found)] = found
        return len(found)


class Source(NamedTuple):
    """A file that is read."""

    name: str
    pieces: Iterator[Piece]
    """Raises `frames.Broken`, zstandard.ZstdError, EOFError or OSError where it can't be read on."""
    meter: Meter
    """How far it is."""
    size: int | None
    """How many bytes it has; None where nobody knows."""


@contextmanager
def opened(path: str) -> Iterator[Source]:
    """A file, or `-` for standard input. Raises OSError."""
    if path == STDIN:
        meter = Meter(sys.stdin.buffer)
        yield Source("standard input", _pieces(_unpacked(meter)), meter, None)
        return
    with Path(path).open("rb") as stream:
        meter = Meter(stream)
        yield Source(path, _pieces(_unpacked(meter)), meter, Path(path).stat().st_size)


def _unpacked(raw: io.RawIOBase) -> io.BufferedReader:
    """The bytes, uncompressed where the file as a whole is compressed."""
    buffered = _buffered(raw)
    begins = buffered.peek(len(_ZSTD))
    if begins.startswith(_ZSTD):
        return _buffered(_Zstd(buffered))
    return _buffered(gzip.GzipFile(fileobj=buffered)) if begins.startswith(_GZIP) else buffered


def _buffered(stream: object) -> io.BufferedReader:
    """Any of them has `readinto`, which is all that is used."""
    return io.BufferedReader(cast("io.RawIOBase", stream), _BUFFER_BYTES)


def _pieces(stream: io.BufferedReader) -> Iterator[Piece]:
    if stream.peek(1)[:1] and stream.peek(1)[0] in _JSON_BEGINS:
        yield from _lines(stream)
        return
    for number, frame in enumerate(frames(stream), 1):
        payload = frame
        if frame.startswith(_ZSTD):
            payload = zstandard.ZstdDecompressor().decompress(frame, max_output_size=FRAME_BYTES_MAX)
        yield Piece(f"message {number:,}", payload, payload[:1] == b"{")


def _lines(stream: io.BufferedReader) -> Iterator[Piece]:
    number = 0
    while line := stream.readline(FRAME_BYTES_MAX):
        number += 1
        line = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
        if line.strip():
            yield Piece(f"line {number:,}", line, is_json=True)
