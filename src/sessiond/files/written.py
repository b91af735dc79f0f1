"""Writing a file that is there whole or not at all."""

import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import IO, Final, cast

import zstandard

STDOUT: Final = "-"
COMPRESSED: Final = ".zst"
"""What a name ends in whose file is compressed as a whole."""
FEEDBACK: Final = ".feedback.jsonl"
_ZSTD_LEVEL: Final = 3
_NEW: Final = 0o666
"""The mode of a new file, before the umask."""


def feedback_beside(path: str) -> str:
    """The name of the file for scores and annotations beside one for spans. It begins with all of that: no two files share one."""
    return path + FEEDBACK


def is_stream(path: str) -> bool:
    """Whether what is written to it goes on at once, and nothing can stand beside it: `-`, a device, a pipe. Raises OSError."""
    return path == STDOUT or ((mode := _mode(path)) is not None and not stat.S_ISREG(mode))


@contextmanager
def written(path: str) -> Iterator[IO[bytes]]:
    """A stream to a file, or for `-` to standard output.

    The file, or the one that a link leads to, gets its name when all of it is on disk; until then, and after a failure, what stood
    there stays, and whoever might read that may read the new one. Only what is no file is written to as it is. Raises OSError.
    """
    if path == STDOUT:
        if sys.__stdout__ is None:  # whatever stands in for it
            raise OSError(errno.EBADF, "is closed", "standard output")
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with Path(path).open("wb") if is_stream(path) else _replacing(path) as raw, _packed(path, raw) as stream:
        yield stream


@contextmanager
def _replacing(path: str) -> Iterator[IO[bytes]]:
    mode = _mode(path)
    target = os.path.realpath(path)
    unfinished = Path(f"{target}.{os.getpid()}.part")  # of its own, since two commands may write to one name
    with _told_of(path):
        number = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _NEW if mode is None else stat.S_IMODE(mode))
    try:
        with os.fdopen(number, "wb") as raw:
            if mode is not None:
                os.fchmod(raw.fileno(), stat.S_IMODE(mode))  # what the umask took away
            yield raw
            raw.flush()
            os.fsync(raw.fileno())
        with _told_of(path):
            unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _packed(path: str, raw: IO[bytes]) -> AbstractContextManager[IO[bytes]]:
    """What compresses on the way to a stream, where the name says so."""
    if not path.endswith(COMPRESSED):
        return nullcontext(raw)
    return cast("AbstractContextManager[IO[bytes]]", zstandard.ZstdCompressor(_ZSTD_LEVEL).stream_writer(raw, closefd=False))


def _mode(path: str) -> int | None:
    """What stands there, behind a link too, and who may use it; None where nothing does."""
    try:
        return Path(path).stat().st_mode
    except FileNotFoundError:
        return None


@contextmanager
def _told_of(path: str) -> Iterator[None]:
    """Errors name what was asked for, not the unfinished file."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from error
