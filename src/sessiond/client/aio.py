"""AsyncClient: the questions of `sync.Client`, over grpc.aio."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import aclosing
from itertools import islice
from operator import attrgetter
from sys import maxsize
from typing import Any, Self, TypeVar, Unpack

import grpc
import grpc.aio

from sessiond.client import requests
from sessiond.client.channel import CONNECT_SECONDS_MAX, HEALTH_CHECK, IMPORTS_AHEAD, NOBODY_THERE, OPTIONS, TIMEOUT_SECONDS
from sessiond.client.conversation import Conversation
from sessiond.client.conversation import request as conversation_request
from sessiond.client.explanation import Explanation, explanation_of
from sessiond.client.failure import RequestFailed, ended, silent, translated, unreachable
from sessiond.client.feedback.aio import AsyncFeedback
from sessiond.client.following import PATIENCE_SECONDS, SILENT_SECONDS_MAX, Following, Update
from sessiond.client.importing import refused
from sessiond.wire._pb.v1 import admin_service_pb2 as admin_pb
from sessiond.wire._pb.v1 import session_service_pb2 as pb
from sessiond.wire._pb.v1.admin_service_pb2_grpc import AdminServiceStub
from sessiond.wire._pb.v1.resources_pb2 import Session, Span, Trace, User
from sessiond.wire._pb.v1.search_pb2 import SearchRequest, SearchResponse
from sessiond.wire._pb.v1.session_service_pb2_grpc import SessionServiceStub
from sessiond.wire._pb.v1.transfer_service_pb2 import FeedbackBatch, ImportSpansResponse, SpanBatch
from sessiond.wire._pb.v1.transfer_service_pb2_grpc import TransferServiceStub

Row = TypeVar("Row")


class AsyncClient:
    """Asks the daemon at HOST:PORT; to be used as an asynchronous context manager, in one event loop.

    Its methods are those of Client and say the same. What is not iterated is awaited. An iterator that is left before its end keeps
    its call until it is closed (`aclosing`) or collected.
    """

    _channel: grpc.aio.Channel
    _sessions: SessionServiceStub
    _transfer: TransferServiceStub
    _admin: AdminServiceStub
    feedback: AsyncFeedback
    """Scores and annotations."""

    def __init__(self, endpoint: str, timeout: float = TIMEOUT_SECONDS) -> None:
        self._endpoint = endpoint
        self._timeout = timeout

    async def __aenter__(self) -> Self:
        # Made only now: a channel belongs to the loop that runs where it is made.
        self._channel = grpc.aio.insecure_channel(self._endpoint, options=OPTIONS)
        self._sessions = SessionServiceStub(self._channel)
        self._transfer = TransferServiceStub(self._channel)
        self._admin = AdminServiceStub(self._channel)
        self.feedback = AsyncFeedback(self._channel, self._answer)
        try:
            await self._connect()
        except BaseException:
            await self._channel.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._channel.close()

    def sessions(
        self, *, limit: int | None = None, timeout: float | None = None, **conditions: Unpack[requests.Conditions]
    ) -> AsyncGenerator[Session]:
        """Sessions that match, latest activity first unless `order_by` says otherwise, at most `limit`."""
        answers = self._stream(self._sessions.StreamSessions, requests.sessions(conditions), timeout)
        return _rows(answers, attrgetter("sessions"), limit)

    def traces(
        self, *, limit: int | None = None, timeout: float | None = None, **conditions: Unpack[requests.Conditions]
    ) -> AsyncGenerator[Trace]:
        """Traces that match, latest start first unless `order_by` says otherwise, at most `limit`."""
        answers = self._stream(self._sessions.StreamTraces, requests.traces(conditions), timeout)
        return _rows(answers, attrgetter("traces"), limit)

    def users(
        self, *, limit: int | None = None, timeout: float | None = None, **conditions: Unpack[requests.UserConditions]
    ) -> AsyncGenerator[User]:
        """Users that match, last seen first unless `order_by` says otherwise, at most `limit`. Asks for a page at a time."""
        return _rows(self._user_pages(requests.users(conditions, limit), timeout), attrgetter("users"), limit)

    def follow_sessions(
        self,
        *,
        changes_only: bool = False,
        patience: float = PATIENCE_SECONDS,
        **conditions: Unpack[requests.FollowConditions],
    ) -> AsyncGenerator[Update[Session]]:
        """Sessions that match, then each again as it changes, without end.

        `changes_only` leaves out what is there already. A connection that breaks is made again, and nothing is missed
        unless an update says `restarted`; RequestFailed comes where that is tried in vain for `patience` seconds.
        """
        request = requests.follow_sessions(conditions, changes_only=changes_only)
        return self._follow(self._sessions.StreamSessions, Following(request, attrgetter("sessions"), patience))

    def follow_traces(
        self,
        *,
        changes_only: bool = False,
        patience: float = PATIENCE_SECONDS,
        **conditions: Unpack[requests.FollowConditions],
    ) -> AsyncGenerator[Update[Trace]]:
        """As `follow_sessions`, of traces."""
        request = requests.follow_traces(conditions, changes_only=changes_only)
        return self._follow(self._sessions.StreamTraces, Following(request, attrgetter("traces"), patience))

    async def session(
        self, session_id: str, *, project: str = "", timeout: float | None = None
    ) -> tuple[Session, AsyncGenerator[Trace]]:
        """A session, and its traces in order of start. An empty project is `default`."""
        answers = self._stream(self._sessions.GetSession, pb.GetSessionRequest(project=project, session_id=session_id), timeout)
        first = await self._first(answers)
        return first.session, _rows(answers, attrgetter("traces"))

    async def conversation(
        self, session_id: str, *, project: str = "", transcript: bool = True, timeout: float | None = None
    ) -> Conversation:
        """A session with its traces, how each of them stands to the others, and what went wrong.

        With `transcript` also what was said. All of it is held: the transcript of a long session may take some megabytes.
        """
        asked = conversation_request(session_id, project, transcript=transcript)
        found = Conversation.empty()
        async for answer in self._stream(self._sessions.GetSession, asked, timeout):
            found.add(answer)
        return found

    async def trace(self, trace_id: str, *, timeout: float | None = None) -> tuple[Trace, list[Span]]:
        """A trace, and its spans' figures in order of start; the spans themselves are not fetched."""
        async with aclosing(self._stream(self._sessions.GetTrace, pb.GetTraceRequest(trace_id=trace_id), timeout)) as answers:
            first = await self._first(answers)
            return first.trace, [span async for span in _figures(answers)]

    def raw_trace(self, trace_id: str, *, timeout: float | None = None) -> AsyncGenerator[pb.RawSpan]:
        """A trace's spans byte for byte as they came."""
        answers = self._stream(self._sessions.GetTrace, pb.GetTraceRequest(trace_id=trace_id, raw=True), timeout)
        return _rows(answers, attrgetter("raw_spans"))

    async def explain(self, trace_id: str, *, timeout: float | None = None) -> Explanation:
        """Where each figure of a trace comes from, what each call cost and why, and which spans are not counted."""
        answers = self._stream(self._sessions.Explain, pb.ExplainRequest(trace_id=trace_id), timeout)
        return explanation_of([answer async for answer in answers])

    async def user(self, user_id: str, *, project: str = "", timeout: float | None = None) -> User:
        """A user with their figures. An empty project is `default`."""
        request = pb.GetUserRequest(project=project, user_id=user_id)
        answer: User = await self._answer(self._sessions.GetUser, request, timeout)
        return answer

    async def stats(self, *, timeout: float | None = None, **conditions: Unpack[requests.StatsConditions]) -> pb.StatsResponse:
        """Totals, means and percentiles over all rows that match, as a whole, by time and by label."""
        answer: pb.StatsResponse = await self._answer(self._sessions.Stats, requests.stats(conditions), timeout)
        return answer

    def search(
        self,
        query: str,
        *,
        limit: int | None = None,
        timeout: float | None = None,
        **conditions: Unpack[requests.SearchConditions],
    ) -> AsyncGenerator[SearchResponse]:
        """Pages of what a query finds, best first, at most `limit` rows in all. Each tells how far the index was behind."""
        return self._search_pages(requests.search(query, conditions), limit, timeout)

    def export_spans(
        self, *, timeout: float | None = None, **conditions: Unpack[requests.SpanConditions]
    ) -> AsyncGenerator[SpanBatch]:
        """Every span of what matches, byte for byte and with its first arrival, some at a time."""
        return self._stream(self._transfer.ExportSpans, requests.export_spans(conditions), timeout)

    def export_feedback(
        self, *, timeout: float | None = None, **conditions: Unpack[requests.SpanConditions]
    ) -> AsyncGenerator[FeedbackBatch]:
        """Every score and annotation on what `export_spans` gives the spans of; without conditions all there are."""
        return self._stream(self._transfer.ExportFeedback, requests.export_spans(conditions), timeout)

    async def import_spans(
        self, batches: Iterable[SpanBatch], *, timeout: float | None = None
    ) -> AsyncGenerator[ImportSpansResponse]:
        """Have spans kept, under the arrivals that come with them; an answer for each batch, in order, when it is on disk.

        A batch that is refused as a whole is answered with all its spans rejected. Some batches are under way at once. After a
        failure the same may be sent again: what is there already changes nothing.
        """
        waiting: deque[tuple[SpanBatch, Any]] = deque()
        with translated(self._endpoint):
            try:
                for batch in batches:
                    call = self._transfer.ImportSpans(batch, timeout=self._timeout if timeout is None else timeout)
                    waiting.append((batch, call))
                    if len(waiting) > IMPORTS_AHEAD:
                        yield await self._imported(*waiting.popleft())
                while waiting:
                    yield await self._imported(*waiting.popleft())
            finally:
                for _, call in waiting:
                    call.cancel()

    def reprice(self, *, timeout: float | None = None) -> AsyncGenerator[admin_pb.RepriceResponse]:
        """Have the configured prices read again, and tell how far it is that costs are made again, until they are."""
        return self._stream(self._admin.Reprice, admin_pb.RepriceRequest(), timeout)

    def erase(
        self, *, validate_only: bool = False, timeout: float | None = None, **conditions: Unpack[requests.EraseConditions]
    ) -> AsyncGenerator[admin_pb.EraseResponse]:
        """Erase traces for good, and tell how far it is, until no query shows any of it.

        It begins when the first message is wanted, and stops where the iterator is closed before its end. `validate_only`: only
        tell what would be erased.
        """
        return self._stream(self._admin.Erase, requests.erase(conditions, validate_only=validate_only), timeout)

    async def status(self, *, timeout: float | None = None) -> admin_pb.GetStatusResponse:
        """How the daemon is."""
        answer: admin_pb.GetStatusResponse = await self._answer(self._admin.GetStatus, admin_pb.GetStatusRequest(), timeout)
        return answer

    def check(self, *, timeout: float | None = None) -> AsyncGenerator[admin_pb.CheckResponse]:
        """Progress of a check of the whole store, and what it finds, until it is done."""
        return self._stream(self._admin.Check, admin_pb.CheckRequest(), timeout)

    async def _connect(self) -> None:
        try:
            await self._channel.unary_unary(HEALTH_CHECK)(b"", timeout=CONNECT_SECONDS_MAX)
        except grpc.RpcError as error:
            if error.code() in NOBODY_THERE:
                raise unreachable(self._endpoint) from error

    async def _answer(self, method: Callable[..., Any], request: object, timeout: float | None) -> Any:  # noqa: ANN401 - whichever it is
        with translated(self._endpoint):
            return await method(request, timeout=self._timeout if timeout is None else timeout)

    async def _imported(self, batch: SpanBatch, call: Any) -> ImportSpansResponse:  # noqa: ANN401 - gRPC names no type
        try:
            answer: ImportSpansResponse = await call
        except grpc.RpcError as error:
            return refused(batch, error, self._endpoint)
        return answer

    async def _stream(
        self, method: Callable[..., Any], request: object, timeout: float | None = None, silent_seconds_max: float | None = None
    ) -> AsyncGenerator[Any]:
        """The messages of a call, which is broken when none comes for `silent_seconds_max` while one is wanted."""
        with translated(self._endpoint):
            call = method(request, timeout=timeout)
            try:
                while (answer := await self._next(call, silent_seconds_max)) is not grpc.aio.EOF:
                    yield answer
            finally:
                call.cancel()

    async def _next(self, call: Any, silent_seconds_max: float | None) -> Any:  # noqa: ANN401 - the message of whichever stream it is
        try:
            async with asyncio.timeout(silent_seconds_max):
                return await call.read()
        except TimeoutError as error:
            raise silent(self._endpoint) from error

    async def _user_pages(self, request: pb.ListUsersRequest, timeout: float | None) -> AsyncGenerator[pb.ListUsersResponse]:
        while True:
            page: pb.ListUsersResponse = await self._answer(self._sessions.ListUsers, request, timeout)
            yield page
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def _search_pages(
        self, request: SearchRequest, limit: int | None, timeout: float | None
    ) -> AsyncGenerator[SearchResponse]:
        left = limit
        while left is None or left > 0:
            request.page_size = min(requests.SEARCH_PAGE_SIZE_MAX, left or requests.SEARCH_PAGE_SIZE_MAX)
            page: SearchResponse = await self._answer(self._sessions.Search, request, timeout)
            yield page
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token
            left = None if left is None else left - len(page.rows)

    async def _follow(self, method: Callable[..., Any], following: Following[Row]) -> AsyncGenerator[Update[Row]]:
        while True:
            try:
                answers = self._stream(method, following.request, silent_seconds_max=SILENT_SECONDS_MAX)
                async with aclosing(answers):
                    async for answer in answers:
                        told = following.heard(answer)
                        if told:
                            yield told
                failure = ended(self._endpoint)
            except RequestFailed as error:
                failure = error
            told = following.broke(failure, time.monotonic())
            if told:
                yield told
            await asyncio.sleep(following.pause_seconds)

    async def _first(self, answers: AsyncIterator[Any]) -> Any:  # noqa: ANN401 - the message of whichever stream it is
        first = await anext(answers, None)
        if first is None:
            raise ended(self._endpoint)
        return first


async def _rows(
    answers: AsyncGenerator[Any], rows_of: Callable[[Any], Iterable[Row]], limit: int | None = None
) -> AsyncGenerator[Row]:
    """The rows of a stream's messages; after `limit` of them the call is ended."""
    wanted = maxsize if limit is None else limit
    async with aclosing(answers):
        while wanted and (answer := await anext(answers, None)) is not None:
            for row in islice(rows_of(answer), wanted):
                yield row
                wanted -= 1


async def _figures(answers: AsyncIterator[pb.GetTraceResponse]) -> AsyncIterator[Span]:
    """The figures, which all come before the first of the spans themselves."""
    async for answer in answers:
        for span in answer.spans:
            yield span
        if answer.HasField("traces_data"):
            return
