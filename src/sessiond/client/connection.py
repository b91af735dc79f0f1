"""One connection to a daemon, and its questions as methods."""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from itertools import chain, islice
from typing import Any, Final, NamedTuple, Self, TypeVar

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from sessiond.client.failure import RequestFailed, request_failed, unreachable
from sessiond.wire._pb.v1 import admin_service_pb2 as admin_pb
from sessiond.wire._pb.v1 import session_service_pb2 as pb
from sessiond.wire._pb.v1.admin_service_pb2_grpc import AdminServiceStub
from sessiond.wire._pb.v1.resources_pb2 import ExplainedCall, Figure, Session, Span, Trace, UncountedSpan, User
from sessiond.wire._pb.v1.session_service_pb2_grpc import SessionServiceStub

CONNECT_SECONDS_MAX: Final = 2.0
"""A daemon on this host answers in milliseconds; gRPC by itself would try an absent one for 20 s."""
HEALTH_CHECK: Final = "/grpc.health.v1.Health/Check"
TIMEOUT_SECONDS: Final = 30.0
"""For an answer of one message."""
MESSAGE_BYTES_MAX: Final = 64 << 20
"""A span larger than a message's usual 1 MiB travels alone, and a receiver takes requests of up to 64 MiB."""

OPTIONS: Final = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
    # gRPC would ask the proxy of http_proxy for 127.0.0.1 too.
    ("grpc.enable_http_proxy", 0),
)

Row = TypeVar("Row")


class Explanation(NamedTuple):
    """Everything about one trace's figures."""

    trace: Trace
    figures: list[Figure]
    calls: list[ExplainedCall]
    uncounted_spans: list[UncountedSpan]


class Client:
    """Asks the daemon at HOST:PORT; to be used as a context manager, which connects at its start and closes at its end.

    Every method, and every iterator that one returns, raises RequestFailed, also where no daemon answers. `timeout` (seconds)
    bounds an answer of one message; a stream has no such bound, because whoever reads it sets its pace. An iterator asks when its
    first item is wanted, ends its call when it is closed or exhausted, and can't be used after the client is closed.
    """

    def __init__(self, endpoint: str, timeout: float = TIMEOUT_SECONDS) -> None:
        self._endpoint = endpoint
        self._timeout = timeout
        self._channel = grpc.insecure_channel(endpoint, options=OPTIONS)
        self._sessions = SessionServiceStub(self._channel)
        self._admin = AdminServiceStub(self._channel)

    def __enter__(self) -> Self:
        try:
            self._connect()
        except BaseException:
            self._channel.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()

    def sessions(
        self,
        *,
        project: str = "",
        session_id: str = "",
        user_id: str = "",
        since: Timestamp | None = None,
        limit: int | None = None,
    ) -> Iterator[Session]:
        """Sessions that match, latest activity first, at most `limit`. Empty arguments do not restrict."""
        request = pb.StreamSessionsRequest(project=project, session_id=session_id, user_id=user_id, since=since)
        answers = self._stream(self._sessions.StreamSessions, request)
        return _rows(answers, lambda answer: answer.sessions, limit)

    def traces(
        self,
        *,
        project: str = "",
        session_id: str = "",
        user_id: str = "",
        since: Timestamp | None = None,
        limit: int | None = None,
    ) -> Iterator[Trace]:
        """Traces that match, latest start first, at most `limit`. Empty arguments do not restrict."""
        request = pb.StreamTracesRequest(project=project, session_id=session_id, user_id=user_id, since=since)
        answers = self._stream(self._sessions.StreamTraces, request)
        return _rows(answers, lambda answer: answer.traces, limit)

    def session(self, session_id: str, *, project: str = "") -> tuple[Session, Iterator[Trace]]:
        """A session, and its traces in order of start. An empty project is `default`."""
        answers = self._stream(self._sessions.GetSession, pb.GetSessionRequest(project=project, session_id=session_id))
        first = self._first(answers)
        return first.session, chain(first.traces, _rows(answers, lambda answer: answer.traces))

    def trace(self, trace_id: str) -> tuple[Trace, list[Span]]:
        """A trace, and its spans' figures in order of start; the spans themselves are not fetched."""
        answers = self._stream(self._sessions.GetTrace, pb.GetTraceRequest(trace_id=trace_id))
        first = self._first(answers)
        with closing(answers):
            return first.trace, [*first.spans, *_figures(answers)]

    def raw_trace(self, trace_id: str) -> Iterator[pb.RawSpan]:
        """A trace's spans byte for byte as they came."""
        answers = self._stream(self._sessions.GetTrace, pb.GetTraceRequest(trace_id=trace_id, raw=True))
        return _rows(answers, lambda answer: answer.raw_spans)

    def explain(self, trace_id: str) -> Explanation:
        """Where each figure of a trace comes from, what each call cost and why, and which spans are not counted."""
        explanation = Explanation(Trace(), [], [], [])
        for answer in self._stream(self._sessions.Explain, pb.ExplainRequest(trace_id=trace_id)):
            if answer.HasField("trace"):
                explanation.trace.CopyFrom(answer.trace)
            explanation.figures.extend(answer.figures)
            explanation.calls.extend(answer.calls)
            explanation.uncounted_spans.extend(answer.uncounted_spans)
        return explanation

    def user(self, user_id: str, *, project: str = "") -> User:
        """A user with their figures. An empty project is `default`."""
        with self._translated():
            answer: User = self._sessions.GetUser(pb.GetUserRequest(project=project, user_id=user_id), timeout=self._timeout)
            return answer

    def reprice(self) -> Iterator[admin_pb.RepriceResponse]:
        """Have the configured prices read again, and tell how far it is that costs are made again, until they are."""
        return self._stream(self._admin.Reprice, admin_pb.RepriceRequest())

    def status(self) -> admin_pb.GetStatusResponse:
        """How the daemon is."""
        with self._translated():
            answer: admin_pb.GetStatusResponse = self._admin.GetStatus(admin_pb.GetStatusRequest(), timeout=self._timeout)
            return answer

    def check(self) -> Iterator[admin_pb.CheckResponse]:
        """Progress of a check of the whole store, and what it finds, until it is done."""
        return self._stream(self._admin.Check, admin_pb.CheckRequest())

    def _connect(self) -> None:
        """Ask once for health, with a deadline of its own: gRPC by itself would try a silent port for 20 s.

        Watching the channel's state instead would be gRPC's own way, but closing a watched channel was seen to wait for ever.
        """
        try:
            self._channel.unary_unary(HEALTH_CHECK)(b"", timeout=CONNECT_SECONDS_MAX)
        except grpc.RpcError as error:
            if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
                raise unreachable(self._endpoint) from error

    def _stream(self, method: Callable[..., Any], request: object) -> Generator[Any]:
        call = method(request)
        try:
            with self._translated():
                yield from call
        finally:
            call.cancel()

    def _first(self, answers: Iterator[Any]) -> Any:  # noqa: ANN401 - the message of whichever stream it is
        first = next(answers, None)
        if first is None:
            raise RequestFailed(f"{self._endpoint} answered with nothing", code=grpc.StatusCode.DATA_LOSS.name)
        return first

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except grpc.RpcError as error:
            raise request_failed(error, self._endpoint) from error


def _rows(answers: Generator[Any], rows_of: Callable[[Any], Iterable[Row]], limit: int | None = None) -> Generator[Row]:
    """The rows of a stream's messages; after `limit` of them the call is cancelled."""
    with closing(answers):
        yield from islice(chain.from_iterable(map(rows_of, answers)), limit)


def _figures(answers: Iterator[pb.GetTraceResponse]) -> Iterator[Span]:
    """The figures, which all come before the first of the spans themselves."""
    for answer in answers:
        yield from answer.spans
        if answer.HasField("traces_data"):
            return
