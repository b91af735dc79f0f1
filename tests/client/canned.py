"""A gRPC server on a free port that answers with canned rows, and builders of such rows."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

import grpc
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from sessiond.wire._pb.v1 import admin_service_pb2 as admin_pb
from sessiond.wire._pb.v1 import session_service_pb2 as pb
from sessiond.wire._pb.v1.admin_service_pb2_grpc import AdminServiceServicer, add_AdminServiceServicer_to_server
from sessiond.wire._pb.v1.resources_pb2 import STATE_IDLE, STATUS_OK, Session, Span, Trace
from sessiond.wire._pb.v1.session_service_pb2_grpc import SessionServiceServicer, add_SessionServiceServicer_to_server

MOMENT = Timestamp(seconds=1_767_225_600, nanos=123_456_789)
"""2026-01-01T00:00:00.123456789Z"""
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"


def session(session_id: str = "s1", **fields: object) -> Session:
    defaults = {
        "project": "default",
        "name": "ask",
        "start_time": MOMENT,
        "end_time": MOMENT,
        "last_activity_time": MOMENT,
        "status": STATUS_OK,
        "state": STATE_IDLE,
        "trace_count": 1,
    }
    return Session(session_id=session_id, **defaults | fields)


def trace(trace_id: str = TRACE_ID, **fields: object) -> Trace:
    defaults = {
        "project": "default",
        "name": "ask",
        "root_span_id": "b7ad6b7169203331",
        "start_time": MOMENT,
        "end_time": MOMENT,
        "received_time": MOMENT,
        "updated_time": MOMENT,
        "status": STATUS_OK,
        "span_count": 1,
    }
    return Trace(trace_id=trace_id, **defaults | fields)


def span(number: int, parent: int = 0, **fields: object) -> Span:
    """The span of a number from 1 on; parent 0 makes a root."""
    defaults = {
        "parent_span_id": f"{parent:016x}" if parent else "",
        "kind": 1,
        "name": f"span {number}",
        "operation": "other",
        "status": STATUS_OK,
    }
    return Span(span_id=f"{number:016x}", **defaults | fields)


@dataclass
class Canned:
    """What the server answers, and what it was asked."""

    sessions: Sequence[Session] = ()
    traces: Sequence[Trace] = ()
    spans: Sequence[Span] = ()
    raw_spans: Sequence[pb.RawSpan] = ()
    status: admin_pb.GetStatusResponse = field(default_factory=admin_pb.GetStatusResponse)
    checks: Sequence[admin_pb.CheckResponse] = ()
    endless: bool = False
    """Lists go on for ever."""
    failure: tuple[grpc.StatusCode, str] | None = None
    """Every call fails with it."""
    asked: list[Message] = field(default_factory=list)
    begun: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    """Set when a call is over, by whichever side."""


class CannedSessions(SessionServiceServicer):
    def __init__(self, canned: Canned) -> None:
        self._canned = canned

    def StreamSessions(self, request, context):  # noqa: N802
        _begin(self._canned, request, context)
        for row in self._rows(self._canned.sessions):
            yield pb.StreamSessionsResponse(sessions=[row])

    def StreamTraces(self, request, context):  # noqa: N802
        _begin(self._canned, request, context)
        for row in self._rows(self._canned.traces):
            yield pb.StreamTracesResponse(traces=[row])

    def GetSession(self, request, context):  # noqa: N802
        _begin(self._canned, request, context)
        yield pb.GetSessionResponse(session=_found(self._canned.sessions, "session", context))
        for row in self._canned.traces:
            yield pb.GetSessionResponse(traces=[row])

    def GetTrace(self, request, context):  # noqa: N802
        _begin(self._canned, request, context)
        yield pb.GetTraceResponse(trace=_found(self._canned.traces, "trace", context))
        yield pb.GetTraceResponse(spans=self._canned.spans)
        if request.raw:
            yield pb.GetTraceResponse(raw_spans=self._canned.raw_spans)
            return
        for _ in count() if self._canned.endless else (0,):
            yield pb.GetTraceResponse(traces_data=TracesData())

    def _rows(self, rows: Sequence[Message]) -> Iterator[Message]:
        while True:
            yield from rows
            if not self._canned.endless:
                return


class CannedAdmin(AdminServiceServicer):
    def __init__(self, canned: Canned) -> None:
        self._canned = canned

    def GetStatus(self, request, context):  # noqa: N802
        _begin(self._canned, request, context)
        return self._canned.status

    def Check(self, request, context):  # noqa: N802
        _begin(self._canned, request, context)
        yield from self._canned.checks


@contextmanager
def serving(canned: Canned) -> Iterator[str]:
    """Serve the canned answers; gives HOST:PORT."""
    server = grpc.server(ThreadPoolExecutor(4))
    add_SessionServiceServicer_to_server(CannedSessions(canned), server)
    add_AdminServiceServicer_to_server(CannedAdmin(canned), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


@contextmanager
def another_service() -> Iterator[str]:
    """A gRPC server that is not sessiond's query service; gives HOST:PORT."""
    server = grpc.server(ThreadPoolExecutor(1))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


def _begin(canned: Canned, request: Message, context: grpc.ServicerContext) -> None:
    canned.asked.append(request)
    canned.begun.set()
    context.add_callback(canned.ended.set)
    if canned.failure:
        context.abort(*canned.failure)


def _found(rows: Sequence[Message], noun: str, context: grpc.ServicerContext) -> Message:
    if not rows:
        context.abort(grpc.StatusCode.NOT_FOUND, f"there is no such {noun}")
    return rows[0]
