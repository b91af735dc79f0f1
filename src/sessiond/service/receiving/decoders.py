"""Decoding large requests in processes of their own, beside the interpreter that stores and settles.

Decoding takes half of the time that a span costs, and Python runs one thread at a time: a second core is of use only to a second
process (docs/benchmarks.md). Small requests are decoded in place, and no process is started until a large one comes, so that a
sidecar under a light load stays as small as it was; one that had nothing to do for a while is ended.

A process that dies takes all of its requests with it, whichever of them did it. Each is decoded alone when it is sent again, in a
process that is started for it: never in the daemon, which it might bring down.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import structlog

from sessiond.core.errors import Busy
from sessiond.core.spans.normalize import ExtraKeys
from sessiond.service.receiving.decode import Decoded, Decoder
from sessiond.service.receiving.decoder_child import DecoderChild, DecoderDied

log = structlog.get_logger()

APART_BYTES: Final = 64 * 1024
"""Requests from this size on are worth the way to another process and back."""
PROCESSES_MAX: Final = 2
"""And one core less than there are: two beside the writer on two cores took 0.41 of the bare pipeline's rate, one took 0.50."""
REQUESTS_PER_PROCESS: Final = 2
"""One that is decoded, and one on its way."""
IDLE_SECONDS: Final = 60.0
WORK_SECONDS_MAX: Final = 60.0
"""For one request, while others wait for its process: 16 MiB of small spans take 1.7 s of processor time (measured), and the
default's 64 MiB four times that."""
START_AGAIN_SECONDS: Final = 60.0
"""After a process could not be started; large requests are decoded in place until then."""


class Decoders:
    """The decoder processes. `decode` may be called from any number of threads; whoever opens them calls `stop`."""

    def __init__(self, keys: ExtraKeys, processes_max: int | None = None) -> None:
        self._keys = keys
        self._processes_max = min(PROCESSES_MAX, (os.cpu_count() or 1) - 1) if processes_max is None else processes_max
        self._turns = threading.Semaphore(self._processes_max * REQUESTS_PER_PROCESS)
        self._turns_alone = threading.Semaphore()
        self._lock = threading.Lock()
        self._starting = threading.Lock()
        """Held while a process starts that others wait for; whoever gives one back needs only `_lock`."""
        self._processes: list[DecoderChild] = []
        self._start_again_at = 0.0
        self._stopping = False
        self._of_thread = threading.local()

    def decode(
        self, body: bytes, *, received_unix_nano: int, spans_max: int, arrivals: Sequence[int] = (), alone: bool = False
    ) -> Iterator[Decoded]:
        """As `Decoder.decode`, large bodies without arrivals in a process beside, which they share with others or have `alone`.

        Raises DecoderDied where that one did not survive, and Busy where none is to be had for a request alone or all are stopped.
        """
        if len(body) >= APART_BYTES and self._processes_max and not arrivals:
            try:
                with self._used(alone=alone) as process:
                    if process is not None:
                        for decoded in process.decode(body, received_unix_nano, spans_max):
                            if decoded is None:
                                break
                            yield decoded
                        else:
                            return
            except DecoderDied as error:
                if self._stopping:
                    raise _stopping() from error
                error.was_alone = alone
                raise
        decoder = self._decoder()
        yield from decoder.decode(body, received_unix_nano=received_unix_nano, spans_max=spans_max, arrivals=arrivals)

    def end_idle(self) -> None:
        """End the processes that had nothing to do for a while."""
        latest = time.monotonic() - IDLE_SECONDS
        self._end(lambda process: not process.users and process.idle_since < latest)

    def kill_stuck(self) -> None:
        """Kill the processes that are at one request for too long, as if it had brought them down."""
        with self._lock:
            for process in self._processes:
                if (seconds := process.seconds_at_work()) > WORK_SECONDS_MAX:
                    log.warning("a decoder process is killed, being at one request for too long", seconds=round(seconds))
                    process.kill()

    def stop(self) -> None:
        """End every process. What is still decoded is given up, and may be sent again."""
        with self._lock:
            self._stopping = True
            for process in self._processes:
                if process.users:
                    process.kill()
        self._end(lambda process: not process.users)

    def _end(self, which: Callable[[DecoderChild], bool]) -> None:
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
    def _used(self, *, alone: bool) -> Iterator[DecoderChild | None]:
        """A process to use; None where none can be started for now, and the request is to be decoded in place."""
        turns = self._turns_alone if alone else self._turns
        if not turns.acquire(blocking=not alone):
            raise Busy("another request is decoded alone, after a process died that decoded it", hint="send the request again")
        try:
            process = self._started() if alone else self._shared()
            if alone and process is None:
                raise Busy("no process can be started to decode the request alone", hint="send the request again")
            try:
                yield process
            finally:
                if process is not None:
                    self._give_back(process)
        finally:
            turns.release()

    def _give_back(self, process: DecoderChild) -> None:
        """Its last user lets go of one that died or was for one request, which nobody is given any more."""
        process.idle_since = time.monotonic()
        with self._lock:
            process.users -= 1
            if process in self._processes and (process.has_ended or not process.is_shared or self._stopping):
                self._processes.remove(process)
            is_left = not process.users and process not in self._processes
        if is_left:
            process.end()

    def _shared(self) -> DecoderChild | None:
        process = self._taken()
        if process is None:
            with self._starting:  # another may have started one meanwhile
                process = self._taken() or self._started()
                if process is None:
                    return self._taken()
                process.is_shared = True
        return process

    def _taken(self) -> DecoderChild | None:
        """The least used process; None where there is none, or all are at work and another may be started."""
        with self._lock:
            if self._stopping:
                raise _stopping()
            shared = [process for process in self._processes if process.is_shared]
            free = min(shared, key=lambda process: process.users, default=None)
            if free is not None and (not free.users or len(shared) == self._processes_max or not self._may_start()):
                free.users += 1
                return free
        return None

    def _may_start(self) -> bool:
        return time.monotonic() >= self._start_again_at

    def _started(self) -> DecoderChild | None:
        """A new process, used by the caller alone; None where it can't be started, or could not be a moment ago."""
        if not self._may_start():
            return None
        try:
            process = DecoderChild(self._keys)
        except OSError as error:  # no memory, or too many processes or files
            self._put_off("no decoder process could be started", str(error))
            return None
        with self._lock:
            self._processes.append(process)
            if self._stopping:
                process.kill()
        try:
            if process.is_of_our_kind():
                return process
            self._put_off("the installed sessiond is another than the one that runs; restart it", "its decoder process differs")
        except DecoderDied as error:
            self._put_off("no decoder process could be started", str(error))
        self._give_back(process)
        if self._stopping:
            raise _stopping()
        return None

    def _put_off(self, event: str, reason: str) -> None:
        self._start_again_at = time.monotonic() + START_AGAIN_SECONDS
        log.warning(event, reason=reason)


def _stopping() -> Busy:
    return Busy("sessiond is stopping", hint="send the request again")
