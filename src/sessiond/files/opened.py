"""Reading what an export or a Collector's file exporter wrote, by what its bytes are and not by its name.

JSON lines; protobuf messages behind their lengths; either compressed as a whole (zstd, gzip), or message by message (zstd), as the
Collector does by default. Memory is bounded by the largest line or message, and these by LINE_BYTES_MAX and FRAME_BYTES_MAX.
"""

import errno
import io
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, NamedTuple, Protocol, cast

import zstandard

from sessiond.files.frames import FRAME_BYTES_MAX, Broken, frames

STDIN: Final = "-"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_BUFFER_BYTES: Final = 1 << 20
LINE_BYTES_MAX: Final = 6 * FRAME_BYTES_MAX
"""A message of the largest, each byte of which is written as an escape of six. A longer line is told, and passed over."""
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
    problem: str = ""
    """In words why there is no payload, if there is none; what follows can be read."""


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


class _Unpacking(Protocol):
    """What uncompresses one stream of a format; zlib's objects and zstandard's have it."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


_FORMATS: Final[Mapping[bytes, Callable[[], _Unpacking]]] = {
    _ZSTD: lambda: zstandard.ZstdDecompressor().decompressobj(),
    b"\x1f\x8b": lambda: zlib.decompressobj(zlib.MAX_WBITS | 16),
}
"""What files that are compressed as a whole begin with: zstd, gzip."""


class _Unpacked(io.RawIOBase):
    """A stream uncompressed, of one part of a format or several one behind the other; all there is, where it breaks off.

    The readers of zstandard and gzip are not used: the one takes an end within a frame for the end (0.25, tried), the other
    gives nothing of what comes up to a megabyte before it.
    """

    def __init__(self, stream: IO[bytes], begin: Callable[[], _Unpacking]) -> None:
        self._stream = stream
        self._begin = begin
        self._part = begin()
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
            if self._part.eof:
                self._part = self._begin()
            self._plain = self._part.decompress(self._packed)
            self._packed = self._part.unused_data
            self._is_within = not self._part.eof
        found, self._plain = self._plain[: len(into)], self._plain[len(into) :]
        into[: len(found)] = found
        return len(found)


class Source(NamedTuple):
    """A file that is read."""

    name: str
    pieces: Iterator[Piece]
    """Raises `frames.Broken`, zstandard.ZstdError, zlib.error or OSError where it can't be read on."""
    meter: Meter
    """How far it is."""
    size: int | None
    """How many bytes it has; None where nobody knows, as of a pipe."""


@contextmanager
def opened(path: str) -> Iterator[Source]:
    """A file, or `-` for standard input. Raises OSError."""
    if path == STDIN:
        if sys.__stdin__ is None:  # whatever stands in for it
            raise OSError(errno.EBADF, "is closed", "standard input")
        meter = Meter(sys.stdin.buffer)
        yield Source("standard input", _pieces(_unpacked(meter)), meter, None)
        return
    with Path(path).open("rb") as stream:
        meter = Meter(stream)
        yield Source(path, _pieces(_unpacked(meter)), meter, Path(path).stat().st_size or None)


def _unpacked(raw: io.RawIOBase) -> io.BufferedReader:
    """The bytes, uncompressed where the file as a whole is compressed."""
    buffered = _buffered(raw)
    begins = buffered.peek(max(map(len, _FORMATS)))
    begin = next((begin for magic, begin in _FORMATS.items() if begins.startswith(magic)), None)
    return _buffered(_Unpacked(buffered, begin)) if begin else buffered


def _buffered(stream: object) -> io.BufferedReader:
    """Any of them has `readinto`, which is all that is used."""
    return io.BufferedReader(cast("io.RawIOBase", stream), _BUFFER_BYTES)


def _pieces(stream: io.BufferedReader) -> Iterator[Piece]:
    if stream.peek(1)[:1] and stream.peek(1)[0] in _JSON_BEGINS:
        yield from _lines(stream)
        return
    for number, frame in enumerate(frames(stream), 1):
        yield _message(f"message {number:,}", frame)


def _message(place: str, frame: bytes) -> Piece:
    """One message, uncompressed. Where it ends is known from its length, so what is broken in it costs nothing behind it."""
    payload = frame
    if frame.startswith(_ZSTD):
        try:
            # The bound given to `decompress` is for frames that don't tell their size; one that does is believed.
            if zstandard.frame_content_size(frame) > FRAME_BYTES_MAX:
                return Piece(place, b"", is_json=False, problem=f"holds more than {FRAME_BYTES_MAX:,} bytes, uncompressed")
            payload = zstandard.ZstdDecompressor().decompress(frame, max_output_size=FRAME_BYTES_MAX, allow_extra_data=False)
        except zstandard.ZstdError as error:
            return Piece(place, b"", is_json=False, problem=f"can't be uncompressed: {error}")
    return Piece(place, payload, payload[:1] == b"{")


def _lines(stream: io.BufferedReader) -> Iterator[Piece]:
    number = 0
    while line := stream.readline(LINE_BYTES_MAX):
        number += 1
        line = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
        if len(line) >= LINE_BYTES_MAX and not line.endswith(b"\n"):
            _pass_over_rest(stream)
            yield Piece(f"line {number:,}", b"", is_json=True, problem=f"is longer than {LINE_BYTES_MAX:,} bytes")
        elif line.strip():
            yield Piece(f"line {number:,}", line, is_json=True)


def _pass_over_rest(stream: io.BufferedReader) -> None:
    """Read to the end of a line, and keep nothing of it."""
    while (rest := stream.readline(_BUFFER_BYTES)) and not rest.endswith(b"\n"):
        pass
