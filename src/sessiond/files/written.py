"""Writing a file that is there whole or not at all."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, cast

import zstandard

STDOUT: Final = "-"
COMPRESSED: Final = ".zst"
"""What a name ends in whose file is compressed as a whole."""
FEEDBACK: Final = ".feedback.jsonl"
_ZSTD_LEVEL: Final = 3


def feedback_beside(path: str) -> str:
    """The name of the file for scores and annotations beside one for spans. It begins with all of that: no two files share one."""
    return path + FEEDBACK


@contextmanager
def written(path: str) -> Iterator[IO[bytes]]:
    """A stream to a file, or for `-` to standard output.

    The file gets its name when all of it is on disk; until then, and after a failure, what stood there stays. Raises OSError.
    """
    if path == STDOUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    unfinished = Path(f"{path}.{os.getpid()}.part")  # of its own, since two commands may write to one name
    try:
        with unfinished.open("wb") as raw:
            if path.endswith(COMPRESSED):
                with zstandard.ZstdCompressor(_ZSTD_LEVEL).stream_writer(raw, closefd=False) as compressed:
                    yield cast("IO[bytes]", compressed)
            else:
                yield raw
            raw.flush()
            os.fsync(raw.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
