"""A decoder process as its parent has it: `decoder_process` is what runs there."""

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, Final, cast

from sessiond.core.spans.normalize import ExtraKeys
from sessiond.service.receiving.decode import FINGERPRINT, Decoded, read_frame, unpack_decoded, write_frame
from sessiond.service.receiving.decoder_process import END, FAILED, HEAD, arguments

END_SECONDS: Final = 5.0
PIPE_BYTES: Final = 1 << 20
"""A request of the usual size and its answer fit whole, so that neither side waits for the other's turn in the interpreter."""

HUGE_PAGES: Final = "glibc.malloc.hugetlb=1"
"""Ask for huge pages where the system gives them to who asks: what comes and goes with each request is touched in a twentieth less
time (measured). Other C libraries than glibc don't look at it."""


class DecoderDied(Exception):
    """The process ended before it answered: killed, out of memory, or brought down by a request; by this one if it `was_alone`."""

    was_alone = False


class DecoderChild:
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
        self.users = 1
        self.is_shared = False
        """Whether other requests may be given to it."""
        self.idle_since = time.monotonic()
        self._worked_seconds = 0.0
        """For the present request, but for the answer that is waited for since `_awaited_since`."""
        self._awaited_since: float | None = None

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
            self._worked_seconds = 0.0
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
        except OSError as error:  # it ends, or is of no use
            self._process.kill()
            raise DecoderDied(f"the decoder process ended with exit code {self._process.wait()}") from error

    def _answer(self) -> bytes:
        self._awaited_since = began = time.monotonic()
        frame = read_frame(cast("IO[bytes]", self._process.stdout))
        self._awaited_since = None
        self._worked_seconds += time.monotonic() - began
        if frame is None:
            raise DecoderDied(f"the decoder process ended with exit code {self._process.wait()}")
        return frame

    def seconds_at_work(self) -> float:
        """How long it has kept its present request waiting, or its start; not while the request itself waits for the disk."""
        since = self._awaited_since
        return 0.0 if since is None else self._worked_seconds + time.monotonic() - since

    def kill(self) -> None:
        """End it while it is used: its pipes are for their readers to close, whom closing them here would wait for."""
        self._process.kill()

    def end(self) -> None:
        """See it end, and close its pipes. Nobody uses it any more."""
        requests, answers = cast("IO[bytes]", self._process.stdin), cast("IO[bytes]", self._process.stdout)
        with suppress(OSError):  # it is gone already
            requests.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        answers.close()
