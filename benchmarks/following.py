"""How long after spans are acknowledged a follower sees their session, in a daemon that has nothing else to do."""

import random
import time
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Final, Self

import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans

from benchmarks.asking import Daemon, Timed
from benchmarks.traces import agent_trace
from sessiond.wire._pb.v1 import session_service_pb2 as pb

ROUNDS_MAX: Final = 20
PAUSE_SECONDS: Final = (0.3, 0.8)
"""Before each export, so that what the one before left behind is done: of differing length, to keep no step with the daemon's."""
SECONDS_MAX: Final = 60

Answer = pb.StreamSessionsResponse


def follow(daemon: Daemon, rounds: int) -> Timed:
    """Export a trace of a new session, again and again, with a follower of all sessions. The store keeps these sessions."""
    request = pb.StreamSessionsRequest(follow=True, changes_only=True)
    with _Follower(daemon.sessions.StreamSessions(request, timeout=SECONDS_MAX)) as follower:
        follower.until(lambda answer: answer.caught_up)
        _export(daemon, follower)
        return Timed(1, [_export(daemon, follower) for _ in range(min(rounds, ROUNDS_MAX))])


def _export(daemon: Daemon, follower: "_Follower") -> float:
    """Seconds from the acknowledgement until the follower has the session; negative where it had it before."""
    chance = random.Random()
    time.sleep(chance.uniform(*PAUSE_SECONDS))
    session_id = f"followed-{chance.getrandbits(64):016x}"
    spans = agent_trace(chance, session_id=session_id, user_id="user-followed", start_unix_nano=time.time_ns())
    body = ExportTraceServiceRequest(resource_spans=[ResourceSpans(scope_spans=[ScopeSpans(spans=spans)])]).SerializeToString()
    daemon.export(body, timeout=SECONDS_MAX)
    acknowledged = time.perf_counter()
    return follower.until(lambda answer: any(session.session_id == session_id for session in answer.sessions)) - acknowledged


class _Follower:
    """Reads a stream in a thread of its own while the block runs."""

    def __init__(self, stream: grpc.Call) -> None:
        self._stream = stream
        self._told: SimpleQueue[tuple[float, Answer | Exception]] = SimpleQueue()
        self._thread = Thread(target=self._run, name="follower")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stream.cancel()
        self._thread.join()

    def until(self, holds: Callable[[Answer], bool]) -> float:
        """When the first of the next messages came of which that holds. Raises as the stream does."""
        while True:
            at, told = self._told.get()
            if isinstance(told, Exception):
                raise told
            if holds(told):
                return at

    def _run(self) -> None:
        try:
            for answer in self._stream:
                self._told.put((time.perf_counter(), answer))
        except grpc.RpcError as error:
            self._told.put((time.perf_counter(), error))
        else:
            self._told.put((time.perf_counter(), RuntimeError("a stream that is followed has ended")))
