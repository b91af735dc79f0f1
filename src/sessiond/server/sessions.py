"""SessionService: requests into questions, rows into messages of at most about 1 MiB."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final, TypeVar

import grpc
from google.protobuf.message import Message

from sessiond.core.errors import Invalid, SwitchedOff
from sessiond.core.figures.trace import DEFAULT_PROJECT
from sessiond.core.model import SessionKey, SessionSummary, TraceSummary, UserKey
from sessiond.core.rows.fields import Kind
from sessiond.core.turns.findings import Watch
from sessiond.server.status import translated
from sessiond.server.within import within
from sessiond.service.asking.follow import Followers, Update
from sessiond.service.asking.query import Queries
from sessiond.service.asking.question import Question, Within, ask_sessions, ask_traces, ask_users
from sessiond.service.searching.question import ask_search
from sessiond.service.searching.searches import Searches, SearchPage
from sessiond.wire import api
from sessiond.wire._pb.v1 import session_service_pb2 as pb
from sessiond.wire._pb.v1.resources_pb2 import User
from sessiond.wire._pb.v1.search_pb2 import SEARCH_ORDER_NEWEST, SearchRequest, SearchResponse
from sessiond.wire._pb.v1.session_service_pb2_grpc import SessionServiceServicer
from sessiond.wire.conversation import entry_messages, figures_message, finding_message
from sessiond.wire.search import search_fields
from sessiond.wire.stats import breakdown, stats_message
from sessiond.wire.traces_data import traces_data

MESSAGE_BYTES: Final = 1 << 20
"""A message ends here: a client takes 4 MiB unless it asks for more."""
STREAMED_BYTES: Final = 128 << 10
"""A message of a stream of rows ends here, some hundreds of rows: a client reads one while the next is made, and little is held."""
FIRST_ROWS: Final = 10
"""Rows in the first message of a stream, so that a person sees something at once."""

Item = TypeVar("Item", bound=Message)
Summary = TypeVar("Summary", TraceSummary, SessionSummary)
Response = TypeVar("Response", bound=Message)
Following = TypeVar("Following", pb.StreamSessionsResponse, pb.StreamTracesResponse)
Streamed = TypeVar("Streamed", pb.StreamSessionsResponse, pb.StreamTracesResponse, pb.GetSessionResponse)
Piece = TypeVar("Piece")
StreamRequest = pb.StreamSessionsRequest | pb.StreamTracesRequest


class SessionService(SessionServiceServicer):
    """The servicer over `service.asking`."""

    def __init__(self, queries: Queries, followers: Followers, searches: Searches | None) -> None:
        self._queries = queries
        self._followers = followers
        self._searches = searches

    def ListSessions(self, request: pb.ListSessionsRequest, context: grpc.ServicerContext) -> pb.ListSessionsResponse:  # noqa: N802
        def page(size: int) -> pb.ListSessionsResponse:
            rows, token = self._queries.page(question, size, request.page_token, context.is_active)
            return pb.ListSessionsResponse(sessions=self._sessions(rows), next_page_token=token)

        with translated(context):
            question = ask_sessions(within(request), request.filter, request.order_by)
            return bounded(page, request.page_size, lambda response: len(response.sessions))

    def StreamSessions(  # noqa: N802
        self, request: pb.StreamSessionsRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.StreamSessionsResponse]:
        with translated(context):
            question = ask_sessions(within(request), request.filter, request.order_by)
            if request.follow:
                for update in self._followed(question, request, context):
                    yield from _update_messages(
                        pb.StreamSessionsResponse, attrgetter("sessions"), self._sessions(update.rows), update
                    )
                return
            _refuse_followers_fields(request)
            rows = (row for page in self._queries.stream(question, context.is_active) for row in self._sessions(page))
            yield from _streamed(pb.StreamSessionsResponse, attrgetter("sessions"), rows)

    def GetSession(  # noqa: N802
        self, request: pb.GetSessionRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.GetSessionResponse]:
        with translated(context):
            if not request.session_id:
                raise Invalid("session_id", "", "must not be empty")
            session, traces = self._queries.session(SessionKey(request.project or DEFAULT_PROJECT, request.session_id))
            if request.view not in _VIEWS:
                raise Invalid("view", request.view, "is none of SessionView", hint="leave it out, or ask for BASIC, TURNS or FULL")
            yield pb.GetSessionResponse(session=next(self._sessions([session])))
            yield from _streamed(pb.GetSessionResponse, attrgetter("traces"), self._traces(traces))
            if _VIEWS[request.view]:
                yield from self._told(traces, context, is_full=request.view == pb.SESSION_VIEW_FULL)

    def ListTraces(self, request: pb.ListTracesRequest, context: grpc.ServicerContext) -> pb.ListTracesResponse:  # noqa: N802
        def page(size: int) -> pb.ListTracesResponse:
            rows, token = self._queries.page(question, size, request.page_token, context.is_active)
            return pb.ListTracesResponse(traces=self._traces(rows), next_page_token=token)

        with translated(context):
            question = ask_traces(within(request), request.filter, request.order_by)
            return bounded(page, request.page_size, lambda response: len(response.traces))

    def StreamTraces(  # noqa: N802
        self, request: pb.StreamTracesRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.StreamTracesResponse]:
        with translated(context):
            question = ask_traces(within(request), request.filter, request.order_by)
            if request.follow:
                for update in self._followed(question, request, context):
                    yield from _update_messages(pb.StreamTracesResponse, attrgetter("traces"), self._traces(update.rows), update)
                return
            _refuse_followers_fields(request)
            rows = (row for page in self._queries.stream(question, context.is_active) for row in self._traces(page))
            yield from _streamed(pb.StreamTracesResponse, attrgetter("traces"), rows)

    def GetTrace(self, request: pb.GetTraceRequest, context: grpc.ServicerContext) -> Iterator[pb.GetTraceResponse]:  # noqa: N802
        with translated(context):
            trace_id = api.trace_id(request.trace_id)
            trace, figures = self._queries.trace(trace_id)
            yield pb.GetTraceResponse(trace=next(self._traces([trace])))
            spans = (api.span_message(span.facts, span.priced) for span in figures)
            for some in _messages_of(spans):
                yield pb.GetTraceResponse(spans=some)
            for page in self._queries.spans(trace_id):
                for stored in _pieces(page, lambda span: len(span.data) + sum(map(len, span.origin))):
                    if request.raw:
                        yield pb.GetTraceResponse(raw_spans=map(api.raw_span_message, stored))
                    else:
                        data, repaired = traces_data(stored)
                        yield pb.GetTraceResponse(traces_data=data, repaired_span_ids=[span_id.hex() for span_id in repaired])

    def Explain(self, request: pb.ExplainRequest, context: grpc.ServicerContext) -> Iterator[pb.ExplainResponse]:  # noqa: N802
        with translated(context):
            explained = self._queries.explain(api.trace_id(request.trace_id))
            yield pb.ExplainResponse(trace=next(self._traces([explained.trace])))
            for figures in _messages_of(map(api.figure_message, explained.figures)):
                yield pb.ExplainResponse(figures=figures)
            for calls in _messages_of(map(api.call_message, explained.calls)):
                yield pb.ExplainResponse(calls=calls)
            for uncounted in _messages_of(map(api.uncounted_message, explained.uncounted)):
                yield pb.ExplainResponse(uncounted_spans=uncounted)

    def GetUser(self, request: pb.GetUserRequest, context: grpc.ServicerContext) -> User:  # noqa: N802
        with translated(context):
            if not request.user_id:
                raise Invalid("user_id", "", "must not be empty")
            return api.user_message(self._queries.user(UserKey(request.project or DEFAULT_PROJECT, request.user_id)))

    def ListUsers(self, request: pb.ListUsersRequest, context: grpc.ServicerContext) -> pb.ListUsersResponse:  # noqa: N802
        def page(size: int) -> pb.ListUsersResponse:
            rows, token = self._queries.page(question, size, request.page_token, context.is_active)
            return pb.ListUsersResponse(users=map(api.user_message, rows), next_page_token=token)

        with translated(context):
            question = ask_users(within(request), request.filter, request.order_by)
            return bounded(page, request.page_size, lambda response: len(response.users))

    def Stats(self, request: pb.StatsRequest, context: grpc.ServicerContext) -> pb.StatsResponse:  # noqa: N802
        with translated(context):
            asked = breakdown(request)
            question = _ASKED_FOR_STATS[asked.kind](within(request), request.filter)
            return stats_message(self._queries.stats(question, asked, context.is_active))

    def Search(self, request: SearchRequest, context: grpc.ServicerContext) -> SearchResponse:  # noqa: N802
        def page(size: int) -> SearchResponse:
            return self._search_response(searches.page(question, size, request.page_token, context.is_active))

        with translated(context):
            if self._searches is None:
                raise SwitchedOff("searching is switched off", hint="set search.enabled, and start sessiond again")
            searches = self._searches
            by_time = request.order == SEARCH_ORDER_NEWEST
            question = ask_search(request.query, within(request), request.filter, by_session=request.by_session, by_time=by_time)
            return bounded(page, request.page_size, lambda response: len(response.rows))

    def _search_response(self, page: SearchPage) -> SearchResponse:
        traces = self._traces([row.trace for row in page.rows])
        sessions = self._sessions([row.session for row in page.rows if row.session])
        rows = [
            search_fields(trace, next(sessions) if row.session else None, row.hit_count, row.excerpts)
            for row, trace in zip(page.rows, traces, strict=True)
        ]
        response = SearchResponse(rows=rows, next_page_token=page.token, cut=page.is_cut, building=page.is_building)
        response.behind.FromNanoseconds(round(page.behind_seconds * 10**9))
        return response

    def _followed(
        self, question: Question[Summary], request: StreamRequest, context: grpc.ServicerContext
    ) -> Iterator[Update[Summary]]:
        return self._followers.follow(question, request.resume_token, context.is_active, changes_only=request.changes_only)

    def _told(
        self, traces: Sequence[TraceSummary], context: grpc.ServicerContext, *, is_full: bool
    ) -> Iterator[pb.GetSessionResponse]:
        """What was said, if that is wanted, and how the session went, which is known when all of it was read."""
        watch = Watch()
        said = watch.over(self._queries.turns(traces, context.is_active))
        if is_full:
            entries = (message for some in said for entry in some for message in entry_messages(entry))
            for piece in _messages_of(entries):
                yield pb.GetSessionResponse(transcript=piece)
        else:
            deque(said, maxlen=0)
        went = watch.assess(traces, self._queries.texts([trace.trace_id for trace in traces]))
        for figures in _messages_of(map(figures_message, went.turns)):
            yield pb.GetSessionResponse(turns=figures)
        for findings in _messages_of(map(finding_message, went.findings)):
            yield pb.GetSessionResponse(findings=findings)

    def _sessions(self, sessions: Sequence[SessionSummary]) -> Iterator[api.Fields]:
        texts = self._queries.texts_of_sessions(sessions)
        return (
            api.session_fields(session, some, is_live=self._queries.is_live(session))
            for session, some in zip(sessions, texts, strict=True)
        )

    def _traces(self, traces: Sequence[TraceSummary]) -> Iterator[api.Fields]:
        return map(api.trace_fields, traces, self._queries.texts([trace.trace_id for trace in traces]))


_VIEWS: Final[Mapping[int, bool]] = {
    pb.SESSION_VIEW_UNSPECIFIED: False,
    pb.SESSION_VIEW_BASIC: False,
    pb.SESSION_VIEW_TURNS: True,
    pb.SESSION_VIEW_FULL: True,
}
"""Whether a view tells more than a session and its traces."""
_ASKED_FOR_STATS: Final[Mapping[Kind, Callable[[Within, str], Question[Any]]]] = {
    "trace": ask_traces,
    "session": ask_sessions,
    "user": ask_users,
}


def _refuse_followers_fields(request: StreamRequest) -> None:
    for field in ("resume_token", "changes_only"):
        if getattr(request, field):
            raise Invalid(field, getattr(request, field), "is for followers", hint="set follow too")


def _update_messages(
    new: Callable[[], Following], rows_of: Callable[[Following], Any], rows: Iterable[api.Fields], update: Update[Any]
) -> Iterator[Following]:
    """An update in messages; the last of them tells of all but its rows."""
    messages = list(_streamed(new, rows_of, rows)) or [new()]
    yield from messages[:-1]
    last = messages[-1]
    last.gone.extend(api.gone_message(gone.project, gone.id, is_removed=gone.is_removed) for gone in update.gone)
    last.resume_token = update.token
    last.caught_up = update.caught_up
    if update.stalled_seconds:
        last.stalled.FromNanoseconds(round(update.stalled_seconds * 10**9))
    yield last


def bounded(page: Callable[[int], Response], page_size: int, rows: Callable[[Response], int]) -> Response:
    """A page of at most MESSAGE_BYTES: where the rows are so large that it is more, one of fewer rows (AIP-158 allows it)."""
    response = page(page_size)
    while response.ByteSize() > MESSAGE_BYTES and rows(response) > 1:
        response = page(rows(response) // 2)
    return response


def _streamed(new: Callable[[], Streamed], rows_of: Callable[[Streamed], Any], rows: Iterable[api.Fields]) -> Iterator[Streamed]:
    """Rows in messages that end when they have STREAMED_BYTES, the first when it has FIRST_ROWS."""
    message, held, rows_max = new(), 0, FIRST_ROWS
    filled = rows_of(message)
    for fields in rows:
        held += filled.add(**fields).ByteSize()
        if held >= STREAMED_BYTES or len(filled) == rows_max:
            yield message
            message, held, rows_max = new(), 0, 0
            filled = rows_of(message)
    if filled:
        yield message


def _messages_of(rows: Iterable[Item]) -> Iterator[list[Item]]:
    return _pieces(rows, lambda row: row.ByteSize())


def _pieces(rows: Iterable[Piece], size_of: Callable[[Piece], int]) -> Iterator[list[Piece]]:
    """Rows in pieces of at most MESSAGE_BYTES, a larger row alone."""
    piece: list[Piece] = []
    held = 0
    for row in rows:
        size = size_of(row)
        if piece and held + size > MESSAGE_BYTES:
            yield piece
            piece, held = [], 0
        piece.append(row)
        held += size
    if piece:
        yield piece
