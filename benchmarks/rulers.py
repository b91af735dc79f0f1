"""One measurement of each ruler: a fresh process, a fresh directory, the load, and proof that all of it was taken."""

import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import grpc

from benchmarks import bare
from benchmarks.load import Load
from benchmarks.processes import Ended, Process, free_address, serve_arguments, without_index
from benchmarks.send import Sent
from sessiond.wire._pb.v1.admin_service_pb2 import GetStatusRequest, GetStatusResponse
from sessiond.wire._pb.v1.admin_service_pb2_grpc import AdminServiceStub

SEND_SECONDS_MAX = 600
SETTLE_SECONDS_MAX = 300
SETTLE_POLL_SECONDS = 0.05
"""A poll takes 0.4 ms."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One run. `seconds` is from the first request sent until all is acknowledged and, where anything settles, settled."""

    span_count: int
    seconds: float
    acknowledged_seconds: float
    request_seconds: list[float]
    server: Ended
    sender: Ended
    disk_bytes: int

    @property
    def spans_per_second(self) -> float:
        return self.span_count / self.seconds


def echo(load: Load, directory: Path) -> Measured:
    """grpcio alone."""
    address = free_address()
    with Process(directory, "benchmarks.echo", address) as server:
        server.wait_listening(address)
        sent, sender = _send(load, address, directory)
        return _measured(load, sent, sent.last_acknowledgement, server=server.stop(), sender=sender, data_dir=directory)


def bare_pipeline(load: Load, directory: Path) -> Measured:
    """The least that a durable store must do."""
    address, data_dir = free_address(), directory / "data"
    data_dir.mkdir()
    with Process(directory, "benchmarks.bare", address, str(data_dir)) as server:
        server.wait_listening(address)
        sent, sender = _send(load, address, directory)
        ended = server.stop()
    _expect("bare", bare.stored(data_dir), (load.span_count, load.trace_count))
    return _measured(load, sent, sent.last_acknowledgement, server=ended, sender=sender, data_dir=data_dir)


def sessiond(load: Load, directory: Path) -> Measured:
    """The daemon without its search index, until every trace, session and user is settled."""
    otlp, query, data_dir = free_address(), free_address(), directory / "data"
    with Process(directory, "sessiond", *serve_arguments(data_dir, otlp, query), *without_index(directory)) as server:
        server.wait_serving(query)
        sent, sender = _send(load, otlp, directory)
        status = _settled(query)
        settled = time.monotonic()
        ended = server.stop()
    held = (status.span_count, status.trace_count, status.session_count)
    _expect("sessiond", held, (load.span_count, load.trace_count, load.session_count))
    return _measured(load, sent, settled, server=ended, sender=sender, data_dir=data_dir)


RULERS: dict[str, Callable[[Load, Path], Measured]] = {"echo": echo, "bare": bare_pipeline, "sessiond": sessiond}


def measure(ruler: str, load: Load, base: Path) -> Measured:
    """Run one ruler in a directory of its own below `base`."""
    with tempfile.TemporaryDirectory(prefix=f"{ruler}-", dir=base) as directory:
        return RULERS[ruler](load, Path(directory))


def _send(load: Load, address: str, directory: Path) -> tuple[Sent, Ended]:
    with Process(directory, "benchmarks.send", str(load.path), address) as sender:
        ended = sender.wait(SEND_SECONDS_MAX)
        return Sent(**json.loads(sender.out.read_text())), ended


def _settled(query: str) -> GetStatusResponse:
    """Wait until nothing is left to settle; the daemon's state then."""
    deadline = time.monotonic() + SETTLE_SECONDS_MAX
    with grpc.insecure_channel(query) as channel:
        admin = AdminServiceStub(channel)
        while time.monotonic() < deadline:
            status: GetStatusResponse = admin.GetStatus(GetStatusRequest(), timeout=SETTLE_SECONDS_MAX)
            if not (status.dirty_trace_count or status.dirty_session_count or status.dirty_user_count):
                return status
            time.sleep(SETTLE_POLL_SECONDS)
    raise RuntimeError(f"sessiond has not settled after {SETTLE_SECONDS_MAX} s")


def _expect(ruler: str, held: tuple[int, ...], sent: tuple[int, ...]) -> None:
    if held != sent:
        raise RuntimeError(f"{ruler} holds {held} spans, traces, sessions; sent were {sent}")


def _measured(load: Load, sent: Sent, done: float, *, server: Ended, sender: Ended, data_dir: Path) -> Measured:
    return Measured(
        span_count=load.span_count,
        seconds=done - sent.first_send,
        acknowledged_seconds=sent.last_acknowledgement - sent.first_send,
        request_seconds=sorted(sent.request_seconds),
        server=server,
        sender=sender,
        disk_bytes=sum(file.stat().st_blocks * 512 for file in data_dir.glob("data.mdb")),
    )
