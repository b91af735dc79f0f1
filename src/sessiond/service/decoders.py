"""Decoding large requests in processes of their own, beside the interpreter that stores and settles.

Decoding takes a third of the time that a span costs, and Python runs one thread at a time: a second core is of use only to a second
process (docs/benchmarks.md). Small requests are decoded in place, and no process is started until a large one comes, so that a
sidecar under a light load stays as small as it was; one that had nothing to do for a while is ended.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, Final, cast

import structlog

from sessiond.service.decode import FINGERPRINT, Decoded, decode, read_frame, unpack_decoded, write_frame
from sessiond.service.decoder_process import END, FAILED, HEAD
from sessiond.storage.packing import Packer

log = structlog.get_logger()

APART_BYTES: Final = 64 * 1024
"""Requests from this size on are worth the way to another process and back."""
PROCESSES_MAX: Final = 2
"""And one core less than there are: two beside the writer on two cores took 0.41 of the bare pipeline's rate, one took 0.50."""
IDLE_SECONDS: Final = 60.0
END_SECONDS: Final = 5.0
PIPE_BYTES: Final = 1 << 20
"""A request of the usual size and its answer fit whole, so that neither side waits for the other's turn in the interpreter."""


class DecoderDied(Exception):
    """The process ended before it answered: killed, out of memory, or brought down by the request."""


class _Process:
    """One decoder process, used by one thread at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sessiond.service.decoder_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pipesize=PIPE_BYTES,
        )
        self.idle_since = time.monotonic()

    def is_of_our_kind(self) -> bool:
        """Whether it speaks of the shapes that this process knows; asked once, right after the start."""
        return self._answer() == FINGERPRINT

    def decode(self, body: bytes, received_unix_nano: int, spans_max: int) -> Iterator[Decoded] | None:
        """The spans of a request; None where it is to be decoded in place. Raises DecoderDied, the iterator too."""
        requests = cast("IO[bytes]", self._process.stdin)
        try:
            write_frame(requests, HEAD.pack(received_unix_nano, spans_max))
            write_frame(requests, body)
        except OSError as error:
            raise DecoderDied from error
        first = self._answer()
        return None if first == FAILED else self._parts(first)

    def _parts(self, frame: bytes) -> Iterator[Decoded]:
        while frame != END:
            yield unpack_decoded(frame)
            frame = self._answer()

    def _answer(self) -> bytes:
        frame = read_frame(cast("IO[bytes]", self._process.stdout))
        if frame is None:
            raise DecoderDied(f"the decoder process ended with exit code {self._process.wait()}")
        return frame

    def end(self) -> None:
        """Close its pipes and see it end."""
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # it is gone already
                cast("IO[bytes]", pipe).close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Decoders:
    """The decoder processes. `decode` may be called from any number of threads; whoever opens them calls `stop`."""

    def __init__(self, processes_max: int | None = None) -> None:
        count = min(PROCESSES_MAX, (os.cpu_count() or 1) - 1) if processes_max is None else processes_max
        self._left = threading.Semaphore(count)
        self._apart = count > 0
        self._lock = threading.Lock()
        self._idle: list[_Process] = []
        self._of_thread = threading.local()

    def decode(self, body: bytes, *, received_unix_nano: int, spans_max: int) -> Iterator[Decoded]:
        """As `service.decode.decode`, large bodies in a process of their own. Raises DecoderDied where that one did not survive."""
        if len(body) < APART_BYTES or not self._apart:
            yield from decode(body, self._packer(), received_unix_nano=received_unix_nano, spans_max=spans_max)
            return
        parts = None
        with self._left:
            process = self._taken()
            if process is not None:
                try:
                    parts = process.decode(body, received_unix_nano, spans_max)
                    yield from parts or ()
                except BaseException:
                    process.end()  # what is left in its pipe belongs to this request
                    raise
                self._give_back(process)
        if parts is None:
            yield from decode(body, self._packer(), received_unix_nano=received_unix_nano, spans_max=spans_max)

    def end_idle(self) -> None:
        """End the processes that had nothing to do for a while."""
        latest = time.monotonic() - IDLE_SECONDS
        with self._lock:
            idle = [process for process in self._idle if process.idle_since < latest]
            self._idle = [process for process in self._idle if process.idle_since >= latest]
        for process in idle:
            process.end()

    def stop(self) -> None:
        """End every process; nothing is being decoded any more."""
        with self._lock:
            idle, self._idle = self._idle, []
        for process in idle:
            process.end()

    def _packer(self) -> Packer:
        """This thread's own: a packer must not be shared."""
        packer: Packer | None = getattr(self._of_thread, "packer", None)
        if packer is None:
            packer = self._of_thread.packer = Packer()
        return packer

    def _taken(self) -> _Process | None:
        """A process to use; None where a new one turns out to be of another version of sessiond than this one."""
        with self._lock:
            if self._idle:
                return self._idle.pop()
        process = _Process()
        try:
            if process.is_of_our_kind():
                return process
        except DecoderDied as error:
            log.warning("no decoder process could be started", reason=str(error))
        else:
            log.warning("the installed sessiond is another than the one that runs; restart it")
        process.end()
        self._apart = False
        return None

    def _give_back(self, process: _Process) -> None:
        process.idle_since = time.monotonic()
        with self._lock:
            self._idle.append(process)
