"""A gRPC server on a free port that answers with canned rows, and builders of such rows."""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from types import EllipsisType

import grpc
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from sessiond.core.errors import Busy
from sessiond.server.status import translated
from sessiond.wire._pb.v1 import admin_service_pb2 as admin_pb
from sessiond.wire._pb.v1 import session_service_pb2 as pb
from sessiond.wire._pb.v1.admin_service_pb2_grpc import AdminServiceServicer, add_AdminServiceServicer_to_server
from sessiond.wire._pb.v1.conversation_pb2 import Finding, TranscriptEntry, TurnFigures
from sessiond.wire._pb.v1.resources_pb2 import STATE_IDLE, STATUS_OK, Session, Span, Trace, User
from sessiond.wire._pb.v1.search_pb2 import SearchResponse
from sessiond.wire._pb.v1.session_service_pb2_grpc import SessionServiceServicer, add_SessionServiceServicer_to_server

MOMENT = Timestamp(seconds=1_767_225_600, nanos=123_456_789)
"""2026-01-01T00:00:00.123456789Z"""
USERS_A_PAGE = 2
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"


def ago(seconds: int) -> Timestamp:
    """A whole second, so many before this one: two calls may differ."""
    return Timestamp(seconds=int(time.time()) - seconds)


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


def user(user_id: str = "ada", **fields: object) -> User:
    defaults = {"project": "default", "first_seen_time": MOMENT, "last_seen_time": MOMENT, "session_count": 1, "trace_count": 1}
    return User(user_id=user_id, **defaults | fields)


Line = Message | tuple[grpc.StatusCode, str] | EllipsisType
"""Of what a followed stream says: a message, a failure that ends it, or silence until the client ends it."""


@dataclass
class Canned:
    """What the server answers, and what it was asked."""

    sessions: Sequence[Session] = ()
    traces: Sequence[Trace] = ()
    users: Sequence[User] = ()
    spans: Sequence[Span] = ()
    transcript: Sequence[TranscriptEntry] = ()
    turns: Sequence[TurnFigures] = ()
    findings: Sequence[Finding] = ()
    explained: Sequence[pb.ExplainResponse] = ()
    stats: pb.StatsResponse = field(default_factory=pb.StatsResponse)
    searched: list[SearchResponse] = field(default_factory=list)
    """What each page of a search says, one after the other."""
    followed: list[Sequence[Line]] = field(default_factory=list)
    """What each stream that is followed says, one after the other."""
    raw_spans: Sequence[pb.RawSpan] = ()
    status: admin_pb.GetStatusResponse = field(default_factory=admin_pb.GetStatusResponse)
    checks: Sequence[admin_pb.CheckResponse] = ()
    erased: Sequence[admin_pb.EraseResponse] = ()
    """What an erasure tells; what is only validated tells the first of it."""
    endless: bool = False
    """Lists go on for ever."""
    failure: tuple[grpc.StatusCode, str] | None = None
    """Every call fails with it."""
    busy_count: int = 0
    """So many calls are refused as the daemon refuses them when it is busy."""
    asked: list[Message] = field(default_factory=list)
    begun: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    """Set when a call is over, by whichever side."""
    open_calls: list[Message] = field(default_factory=list)
    """What was asked by the calls that are not over."""

    def is_left_alone(self) -> bool:
        """Whether every call is over, or soon is."""
        until = time.monotonic() + 5
        while self.open_calls and time.monotonic() < until:
            time.sleep(0.01)
        return not self.open_calls


class CannedSessions(SessionServiceServicer):
    def __init__(self, canned: Canned) -> None:
        self._canned = canned

    def StreamSessions(self, request, context):  # noqa: N802
        _begin(self._canned, request, context)
        if request.follow:
            yield from _said(self._canned.followed.pop(0), context)
            return
        for row in self._rows(self._canned.sessions):
            yield pb.StreamSessionsResponse(sessions=[row])

    def StreamTraces(self, request, context):  # noqa: N802
        _begin(self._canned, request, context)
        if request.follow:
            yield from _said(self._canned.followed.pop(0), context)
            return
        for row in self._rows(self._canned.traces):
            yield pb.StreamTracesResponse(traces=[row])

    def GetSession(self, request, context):  # noqa: N802
        _begin(self._canned, request, context)
        yield pb.GetSessionResponse(session=_found(self._canned.sessions, "session", context))
        for row in self._rows(self._canned.traces):
            yield pb.GetSessionResponse(traces=[row])
        if request.view == pb.SESSION_VIEW_FULL:
            for entry in self._canned.transcript:
                yield pb.GetSessionResponse(transcript=[entry])
        if request.view >= pb.SESSION_VIEW_TURNS:
            yield pb.GetSessionResponse(turns=self._canned.turns)
            yield pb.GetSessionResponse(findings=self._canned.findings)

    def GetTrace(self, request, context):  # noqa: N802
        _begin(self._canned, request, context)
        yield pb.GetTraceResponse(trace=_found(self._canned.traces, "trace", context))
        yield pb.GetTraceResponse(spans=self._canned.spans)
        if request.raw:
            yield pb.GetTraceResponse(raw_spans=self._canned.raw_spans)
            return
        for _ in count() if self._canned.endless else (0,):
            yield pb.GetTraceResponse(traces_data=TracesData())

    def Explain(self, request, context):  # noqa: N802
        _begin(self._canned, request, context)
        yield from self._canned.explained

    def GetUser(self, request, context):  # noqa: N802
        _begin(self._canned, request, context)
        return _found(self._canned.users, "user", context)

    def ListUsers(self, request, context):  # noqa: N802
        _begin(self._canned, request, context)
        start = int(request.page_token or 0)
        end = start + min(request.page_size, USERS_A_PAGE)
        more = str(end) if end < len(self._canned.users) else ""
        return pb.ListUsersResponse(users=self._canned.users[start:end], next_page_token=more)

    def Stats(self, request, context):  # noqa: N802
        _begin(self._canned, request, context)
        return self._canned.stats

    def Search(self, request, context):  # noqa: N802
        _begin(self._canned, request, context)
        return self._canned.searched.pop(0)

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

    def Erase(self, request, context):  # noqa: N802
        _begin(self._canned, request, context)
        yield from self._canned.erased[:1] if request.validate_only else self._canned.erased


@contextmanager
def serving(canned: Canned, port: int = 0) -> Iterator[str]:
    """Serve the canned answers on a port, or on any that is free; gives HOST:PORT."""
    server = grpc.server(ThreadPoolExecutor(4))
    add_SessionServiceServicer_to_server(CannedSessions(canned), server)
    add_AdminServiceServicer_to_server(CannedAdmin(canned), server)
    port = server.add_insecure_port(f"127.0.0.1:{port}")
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
    canned.open_calls.append(request)
    canned.begun.set()

    def end() -> None:
        canned.open_calls.remove(request)
        canned.ended.set()

    context.add_callback(end)
    if canned.busy_count:
        canned.busy_count -= 1
        with translated(context):
            raise Busy("too much at once")
    if canned.failure:
        context.abort(*canned.failure)


def _said(lines: Sequence[Line], context: grpc.ServicerContext) -> Iterator[Message]:
    for line in lines:
        if line is ...:
            over = threading.Event()
            if context.add_callback(over.set):
                over.wait()
        elif isinstance(line, tuple):
            context.abort(*line)
        else:
            yield line


def _found(rows: Sequence[Message], noun: str, context: grpc.ServicerContext) -> Message:
    if not rows:
        context.abort(grpc.StatusCode.NOT_FOUND, f"there is no such {noun}")
    return rows[0]
