"""Decoding large requests in processes of their own, beside the interpreter that stores and settles.

Decoding takes half of the time that a span costs, and Python runs one thread at a time: a second core is of use only to a second
process (docs/benchmarks.md). Small requests are decoded in place, and no process is started until a large one comes, so that a
sidecar under a light load stays as small as it was; one that had nothing to do for a while is ended.
"""

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Final, cast

import structlog

from sessiond.core.spans.normalize import ExtraKeys
from sessiond.service.receiving.decode import FINGERPRINT, Decoded, Decoder, read_frame, unpack_decoded, write_frame
from sessiond.service.receiving.decoder_process import END, FAILED, HEAD, arguments

log = structlog.get_logger()

APART_BYTES: Final = 64 * 1024
"""Requests from this size on are worth the way to another process and back."""
PROCESSES_MAX: Final = 2
"""And one core less than there are: two beside the writer on two cores took 0.41 of the bare pipeline's rate, one took 0.50."""
REQUESTS_PER_PROCESS: Final = 2
"""One that is decoded, and one on its way."""
IDLE_SECONDS: Final = 60.0
END_SECONDS: Final = 5.0
PIPE_BYTES: Final = 1 << 20
"""A request of the usual size and its answer fit whole, so that neither side waits for the other's turn in the interpreter."""

HUGE_PAGES: Final = "glibc.malloc.hugetlb=1"
"""Ask for huge pages where the system gives them to who asks: what comes and goes with each request is touched in a twentieth less
time (measured). Other C libraries than glibc don't look at it."""


class DecoderDied(Exception):
    """The process ended before it answered: killed, out of memory, or brought down by the request."""


class _Process:
    """One decoder process. Its requests are decoded in the order sent, so that one can be on its way while another is decoded.

    Without a request on its way the process waited for this one's interpreter after each, a seventh of its time (measured).
    """

    def __init__(self, keys: ExtraKeys) -> None:
        self._process = subprocess.Popen(  # noqa: S603  (this program's own module)
            arguments(keys),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pipesize=PIPE_BYTES,
            env={"GLIBC_TUNABLES": HUGE_PAGES, **os.environ},
        )
        self._sending = threading.Lock()
        self._answered = threading.Event()
        """Set when every answer to what was sent until now is read."""
        self._answered.set()
        self.users = 0
        self.idle_since = time.monotonic()

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def is_of_our_kind(self) -> bool:
        """Whether it speaks of the shapes that this process knows; asked once, right after the start."""
        return self._answer() == FINGERPRINT

    def decode(self, body: bytes, received_unix_nano: int, spans_max: int) -> Iterator[Decoded | None]:
        """The spans of a request; None alone where it is to be decoded in place. Raises DecoderDied."""
        answered = threading.Event()
        try:
            with self._sending:
                before, self._answered = self._answered, answered
                self._send(body, received_unix_nano, spans_max)
            before.wait()
            frame = self._answer()
            if frame == FAILED:
                yield None
                return
            try:
                while frame != END:
                    yield unpack_decoded(frame)
                    frame = self._answer()
            finally:
                while frame != END:  # given up halfway: the rest belongs to this request, and the next answer to another
                    frame = self._answer()
        finally:
            answered.set()

    def _send(self, body: bytes, received_unix_nano: int, spans_max: int) -> None:
        requests = cast("IO[bytes]", self._process.stdin)
        try:
            write_frame(requests, HEAD.pack(received_unix_nano, spans_max))
            write_frame(requests, body)
        except OSError as error:
            raise DecoderDied from error

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

    def __init__(self, keys: ExtraKeys, processes_max: int | None = None) -> None:
        self._keys = keys
        self._processes_max = min(PROCESSES_MAX, (os.cpu_count() or 1) - 1) if processes_max is None else processes_max
        self._left = threading.Semaphore(self._processes_max * REQUESTS_PER_PROCESS)
        self._apart = self._processes_max > 0
        self._lock = threading.Lock()
        self._processes: list[_Process] = []
        self._of_thread = threading.local()

    def decode(self, body: bytes, *, received_unix_nano: int, spans_max: int, arrivals: Sequence[int] = ()) -> Iterator[Decoded]:
        """As `Decoder.decode`, large bodies without arrivals in a process of their own.

        Raises DecoderDied where that one did not survive.
        """
        if len(body) >= APART_BYTES and self._apart and not arrivals:
            with self._left, self._used() as process:
                if process is not None:
                    for decoded in process.decode(body, received_unix_nano, spans_max):
                        if decoded is None:
                            break
                        yield decoded
                    else:
                        return
        decoder = self._decoder()
        yield from decoder.decode(body, received_unix_nano=received_unix_nano, spans_max=spans_max, arrivals=arrivals)

    def end_idle(self) -> None:
        """End the processes that had nothing to do for a while."""
        latest = time.monotonic() - IDLE_SECONDS
        self._end(lambda process: not process.users and process.idle_since < latest)

    def stop(self) -> None:
        """End every process; nothing is being decoded any more."""
        self._end(lambda _: True)

    def _end(self, which: Callable[[_Process], bool]) -> None:
        with self._lock:
            ending = list(filter(which, self._processes))
            self._processes = [process for process in self._processes if process not in ending]
        for process in ending:
            process.end()

    def _decoder(self) -> Decoder:
        """This thread's own."""
        decoder: Decoder | None = getattr(self._of_thread, "decoder", None)
        if decoder is None:
            decoder = self._of_thread.decoder = Decoder(self._keys.normalizer())
        return decoder

    @contextmanager
    def _used(self) -> Iterator[_Process | None]:
        """A process to use; None where a new one turns out to be of another version of sessiond than this one."""
        with self._lock:
            process = self._taken()
            if process is not None:
                process.users += 1
        try:
            yield process
        finally:
            if process is not None:
                self._give_back(process)

    def _give_back(self, process: _Process) -> None:
        """Its last user lets go of one that died, which nobody is given any more."""
        process.idle_since = time.monotonic()
        with self._lock:
            process.users -= 1
            if process.has_ended and process in self._processes:
                self._processes.remove(process)
            is_left = not process.users and process not in self._processes
        if is_left:
            process.end()

    def _taken(self) -> _Process | None:
        """The least used process, or a new one where all are at work and there may be more."""
        free = min(self._processes, key=lambda process: process.users, default=None)
        if free is not None and (not free.users or len(self._processes) == self._processes_max):
            return free
        process = _Process(self._keys)
        try:
            if process.is_of_our_kind():
                self._processes.append(process)
                return process
        except DecoderDied as error:
            log.warning("no decoder process could be started", reason=str(error))
        else:
            log.warning("the installed sessiond is another than the one that runs; restart it")
        process.end()
        self._apart = False
        return None
