"""Asking a daemon while it is watched: how long each answer takes, and what the daemon uses meanwhile.

A question is timed in the client, from the call until its whole answer is there as messages. The client shares the machine with
the daemon, as a person's would.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Final, NamedTuple, Self

import grpc

from benchmarks.processes import Process, cpu_seconds, free_address, memory_bytes, serve_arguments, without_index
from benchmarks.send import METHOD
from sessiond.wire._pb.v1.admin_service_pb2 import GetStatusRequest, GetStatusResponse
from sessiond.wire._pb.v1.admin_service_pb2_grpc import AdminServiceStub
from sessiond.wire._pb.v1.session_service_pb2_grpc import SessionServiceStub

MESSAGE_BYTES_MAX: Final = 64 << 20
CONNECT_SECONDS_MAX: Final = 10
SAMPLE_SECONDS: Final = 0.01
"""Between two looks at the daemon's memory. One takes 0.05 ms."""
ASK_SECONDS: Final = 5.0
"""A question that was asked for so long is not asked again,"""
ROUNDS_MIN: Final = 3
"""unless it was asked less often than that."""


class Daemon(NamedTuple):
    """A running daemon, and ways to call it."""

    pid: int
    channel: grpc.Channel
    sessions: SessionServiceStub
    admin: AdminServiceStub
    export: grpc.UnaryUnaryMultiCallable
    """Takes and gives bytes."""

    def status(self) -> GetStatusResponse:
        """How it is."""
        answer: GetStatusResponse = self.admin.GetStatus(GetStatusRequest(), timeout=CONNECT_SECONDS_MAX)
        return answer


class Timed(NamedTuple):
    """Seconds of each time that a question was asked, but for the first, and what it was answered with."""

    rows: int
    seconds: list[float]


class Measured(NamedTuple):
    """How a question was answered; times in ascending order."""

    rows: int
    """In one answer."""
    seconds: list[float]
    cpu_seconds: float
    """The daemon's, for one answer."""
    before_bytes: int
    peak_bytes: int

    def share_seconds(self, share: float) -> float:
        """The time within which a share of the answers came."""
        return self.seconds[int(share * (len(self.seconds) - 1))]

    @property
    def rows_per_second(self) -> float:
        return self.rows / self.share_seconds(0.5)


Ask = Callable[[Daemon, int], Timed]
"""Asks a daemon once without counting it, and then so many times at most."""


@contextmanager
def running(data_dir: Path, directory: Path, *, has_index: bool = False) -> Iterator[Daemon]:
    """A daemon on a store; what it writes goes to `directory`. With `has_index` it keeps the store's search index."""
    with running_process(data_dir, directory, has_index=has_index) as (process, daemon, _):
        yield daemon
        process.stop()


@contextmanager
def running_process(data_dir: Path, directory: Path, *, has_index: bool) -> Iterator[tuple[Process, Daemon, str]]:
    """The same with its process, which is for the caller to stop, and the address to which spans are sent."""
    otlp, query = free_address(), free_address()
    options = [("grpc.max_receive_message_length", MESSAGE_BYTES_MAX)]
    arguments = serve_arguments(data_dir, otlp, query) + ([] if has_index else without_index(directory))
    with Process(directory, "sessiond", *arguments) as process:
        process.wait_serving(query)
        with grpc.insecure_channel(query, options=options) as channel, grpc.insecure_channel(otlp) as sending:
            for each in (channel, sending):
                grpc.channel_ready_future(each).result(CONNECT_SECONDS_MAX)
            stubs = SessionServiceStub(channel), AdminServiceStub(channel)
            yield process, Daemon(process.pid, channel, *stubs, sending.unary_unary(METHOD)), otlp


class Watch:
    """What a process uses while the block runs. Memory is what it holds itself: a mapped store is the page cache's."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._ended = Event()
        self._thread = Thread(target=self._run, name="watch")

    def __enter__(self) -> Self:
        self.before_bytes = self.peak_bytes = memory_bytes(self._pid, "RssAnon")
        self._cpu_before = cpu_seconds(self._pid)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join()
        self.cpu_seconds = cpu_seconds(self._pid) - self._cpu_before

    def _run(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            self.peak_bytes = max(self.peak_bytes, memory_bytes(self._pid, "RssAnon"))


def measure(ask: Ask, data_dir: Path, directory: Path, *, rounds: int, has_index: bool = False) -> Measured:
    """Ask a daemon of its own, started for it. Raises grpc.RpcError where the call fails."""
    with running(data_dir, directory, has_index=has_index) as daemon:
        with Watch(daemon.pid) as watch:
            timed = ask(daemon, rounds)
        cpu_seconds = watch.cpu_seconds / (len(timed.seconds) + 1)
        return Measured(timed.rows, sorted(timed.seconds), cpu_seconds, watch.before_bytes, watch.peak_bytes)


def repeatedly(ask_once: Callable[[Daemon], int]) -> Ask:
    """Ask as often as wanted, but for no longer than is bearable. `ask_once` gives the number of rows in the answer."""

    def ask(daemon: Daemon, rounds: int) -> Timed:
        rows = ask_once(daemon)
        seconds: list[float] = []
        while len(seconds) < rounds and (len(seconds) < ROUNDS_MIN or sum(seconds) < ASK_SECONDS):
            began = time.perf_counter()
            rows = ask_once(daemon)
            seconds.append(time.perf_counter() - began)
        return Timed(rows, seconds)

    return ask
