"""Taking a request in: decode, queue, and answer only when every span of it is on disk."""

import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from hashlib import blake2b
from typing import Final, NamedTuple

import structlog

from sessiond.core.errors import Busy, Invalid, SessiondError
from sessiond.core.model import Rejection
from sessiond.service.receiving.decoder_child import DecoderDied
from sessiond.service.receiving.decoders import Decoders
from sessiond.service.writer import Writer
from sessiond.storage.api import Appended
from sessiond.storage.packing import PackedTrace
from sessiond.telemetry import Telemetry

PARTS_AHEAD: Final = 2
"""Parts of one request that may wait for the disk while the next is decoded."""
FAILURES_MAX: Final = 3
"""Unexpected failures of one payload before it is refused for good, so that its sender goes on to the next."""
FAILURES_REMEMBERED: Final = 1000
FAILURES_SECONDS: Final = 3600.0
"""How long after its last failure: what made it fail may be mended."""
MESSAGES_SHOWN: Final = 3
"""Different reasons told to the sender of refused spans."""

ERASED: Final = Rejection("erased", "a span's trace was erased here, and is not taken in again for some time")
DAMAGED: Final = Rejection("damaged", "what is stored of a span's trace is damaged here: run `sessiond check`")

log = structlog.get_logger()


class Answer(NamedTuple):
    """What a sender is told: how many of its spans were refused, and why in a sentence ("" for none)."""

    rejected_spans: int
    message: str


class Ingest:
    """The receiver's use case. `export` may be called from any number of threads."""

    def __init__(self, writer: Writer, decoders: Decoders, telemetry: Telemetry, *, spans_max: int, bytes_max: int) -> None:
        self._writer = writer
        self._decoders = decoders
        self._telemetry = telemetry
        self._spans_max = spans_max
        self._bytes = _Budget(bytes_max)
        self._failures = _Failures()

    def export(self, body: bytes, arrivals: Sequence[int] = ()) -> Answer:
        """Store the spans of an ExportTraceServiceRequest; returns when they are on disk.

        They arrive now, or each at its one of `arrivals` (unix nanoseconds), which were given to them by a store before.
        Raises Invalid where the bytes are no request, TooLarge where it holds too many spans, and Busy, StoreFull or StoreBroken
        where it may be sent again: what was stored of it by then is known as duplicate the next time.
        """
        try:
            has_failed = self._failures.refuse_known(body)
            with self._bytes.held(len(body)):
                rejections = self._store(body, arrivals, alone=has_failed)
            if has_failed:
                self._failures.forget(body)
        except SessiondError as error:
            self._telemetry.refused(error.code.value)
            raise
        except Exception as error:
            self._telemetry.refused("unexpected")
            self._telemetry.failed(repr(error))
            if not isinstance(error, OSError | MemoryError):  # which tell of the machine, not of the payload
                self._failures.remember(body, counts=not isinstance(error, DecoderDied) or error.was_alone)
            log.exception("a request failed unexpectedly")
            raise
        reasons: Counter[str] = Counter()
        for rejection, count in rejections.items():
            reasons[rejection.reason] += count
        self._telemetry.acknowledged(reasons)
        if rejections:
            log.warning("spans refused", **reasons)
        return Answer(rejections.total(), _told(rejections))

    def _store(self, body: bytes, arrivals: Sequence[int], *, alone: bool) -> Counter[Rejection]:
        """Store the good spans; how often each reason refused one."""
        rejections: Counter[Rejection] = Counter()
        waiting: deque[tuple[Sequence[PackedTrace], Future[Appended]]] = deque()
        now, spans_max = time.time_ns(), self._spans_max
        for decoded in self._decoders.decode(body, received_unix_nano=now, spans_max=spans_max, arrivals=arrivals, alone=alone):
            rejections.update(decoded.rejections)
            if decoded.traces:
                waiting.append((decoded.traces, self._writer.append(decoded.traces)))
            if len(waiting) > PARTS_AHEAD:
                rejections += _refused(*waiting.popleft())
        for traces, done in waiting:
            rejections += _refused(traces, done)
        return +rejections


def _refused(traces: Sequence[PackedTrace], done: Future[Appended]) -> Counter[Rejection]:
    """When these traces are on disk: how many of their spans are not, and why."""
    appended = done.result()  # of all that was committed together
    refused: Counter[Rejection] = Counter()
    for rejection, those in ((ERASED, appended.erased), (DAMAGED, appended.damaged)):
        if those:
            refused[rejection] = sum(packed.span_count for packed in traces if packed.trace_id in those)
    return refused


def _told(rejections: Counter[Rejection]) -> str:
    """One English sentence a reason, the most frequent first."""
    told = "; ".join(f"{count} x {rejection.message}" for rejection, count in rejections.most_common(MESSAGES_SHOWN))
    more = len(rejections) - MESSAGES_SHOWN
    return f"{told}; and {more} more reasons" if more > 0 else told


class _Budget:
    """Bytes of requests being taken in at once."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._held = 0
        self._lock = threading.Lock()

    @contextmanager
    def held(self, size: int) -> Iterator[None]:
        """Hold `size` bytes of the budget. Raises Busy where they are not left; one request alone always fits."""
        with self._lock:
            if self._held and self._held + size > self._bytes_max:
                raise Busy("too many bytes of requests are under way", hint="send the request again")
            self._held += size
        try:
            yield
        finally:
            with self._lock:
                self._held -= size


class _Failed(NamedTuple):
    """How often a payload failed by itself, and when it last did or was with another that may have done it (time.monotonic())."""

    times: int
    last: float


class _Failures:
    """Payloads that failed unexpectedly, by digest: a sender would send one that always fails for ever."""

    def __init__(self) -> None:
        self._failed: OrderedDict[bytes, _Failed] = OrderedDict()
        self._lock = threading.Lock()

    def refuse_known(self, body: bytes) -> bool:
        """Whether a payload failed of late. Raises Invalid where that was too often."""
        if not self._failed:
            return False
        digest, oldest = _digest(body), time.monotonic() - FAILURES_SECONDS
        with self._lock:
            while self._failed and next(iter(self._failed.values())).last < oldest:
                self._failed.popitem(last=False)
            failed = self._failed.get(digest)
        if failed is not None and failed.times >= FAILURES_MAX:
            raise Invalid(
                "request", f"{len(body)} bytes", f"failed {failed.times} times here", hint="see the log of sessiond; it is refused"
            )
        return failed is not None

    def remember(self, body: bytes, *, counts: bool) -> None:
        """Of one that failed, whether that counts against it."""
        digest = _digest(body)
        with self._lock:
            before = self._failed.pop(digest, None)
            self._failed[digest] = _Failed((before.times if before else 0) + counts, time.monotonic())
            if len(self._failed) > FAILURES_REMEMBERED:
                self._failed.popitem(last=False)

    def forget(self, body: bytes) -> None:
        with self._lock:
            self._failed.pop(_digest(body), None)


def _digest(body: bytes) -> bytes:
    return blake2b(body, digest_size=16).digest()
