"""Both clients against a real gRPC server."""

import inspect
import socket
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import grpc
import pytest

from client.canned import MOMENT, TRACE_ID, Canned, another_service, serving, session, span, trace, user
from sessiond.client import (
    AsyncClient,
    Client,
    ExplainedCall,
    Figure,
    Finding,
    RequestFailed,
    ToolUse,
    TranscriptEntry,
    TurnFigures,
    UncountedSpan,
)
from sessiond.wire._pb.v1 import admin_service_pb2 as admin_pb
from sessiond.wire._pb.v1 import session_service_pb2 as pb
from sessiond.wire._pb.v1.search_pb2 import SEARCH_ORDER_BEST, SEARCH_ORDER_NEWEST, SearchRequest, SearchResponse, SearchRow

CONDITIONS = {
    "project": "p",
    "session_id": "s",
    "user_id": "u",
    "since": MOMENT,
    "until": MOMENT,
    "filter": "trace_count > 3",
    "order_by": "name",
}


def test_sessions_come_in_order_and_the_request_carries_every_condition(client_of):
    canned = Canned(sessions=[session("a"), session("b")])
    with serving(canned) as endpoint, client_of(endpoint) as client:
        found = list(client.sessions(**CONDITIONS))
    assert found == [session("a"), session("b")]
    assert canned.asked == [pb.StreamSessionsRequest(**CONDITIONS)]


def test_traces_come_in_order_and_the_request_carries_every_condition(client_of):
    canned = Canned(traces=[trace("aa"), trace("bb")])
    with serving(canned) as endpoint, client_of(endpoint) as client:
        found = list(client.traces(**CONDITIONS))
    assert found == [trace("aa"), trace("bb")]
    assert canned.asked == [pb.StreamTracesRequest(**CONDITIONS)]


def test_users_come_from_as_many_pages_as_it_takes(client_of):
    canned = Canned(users=[user("a"), user("b"), user("c")])
    conditions = {"project": "p", "since": MOMENT, "until": MOMENT, "filter": "trace_count > 3", "order_by": "cost_usd desc"}
    with serving(canned) as endpoint, client_of(endpoint) as client:
        assert list(client.users(**conditions)) == [user("a"), user("b"), user("c")]
    assert canned.asked == [
        pb.ListUsersRequest(**conditions, page_size=1000),
        pb.ListUsersRequest(**conditions, page_size=1000, page_token="2"),
    ]


def test_a_limit_of_users_asks_for_no_more_of_them(client_of):
    canned = Canned(users=[user("a"), user("b"), user("c")])
    with serving(canned) as endpoint, client_of(endpoint) as client:
        assert [list(client.users(limit=1)), list(client.users(limit=0))] == [[user("a")], []]
    assert [request.page_size for request in canned.asked] == [1]


def test_statistics_are_asked_for_with_every_condition(client_of):
    answer = pb.StatsResponse(total=pb.Statistics(count=3), group_count=2)
    canned = Canned(stats=answer)
    restricted = {
        "project": "p",
        "session_id": "s",
        "user_id": "u",
        "since": datetime(2026, 1, 1, tzinfo=UTC),
        "until": MOMENT,
        "filter": "f",
        "bucket": timedelta(hours=1),
        "group_by": "models",
        "group_limit": 3,
    }
    with serving(canned) as endpoint, client_of(endpoint) as client:
        assert [client.stats(), client.stats(of="users"), client.stats(of="sessions", **restricted)] == [answer] * 3
    assert canned.asked == [
        pb.StatsRequest(of=pb.STATS_OF_TRACES),
        pb.StatsRequest(of=pb.STATS_OF_USERS),
        pb.StatsRequest(of=pb.STATS_OF_SESSIONS, **restricted),
    ]


def test_a_search_comes_in_as_many_pages_as_it_takes_and_carries_every_condition(client_of):
    pages = [
        SearchResponse(rows=[SearchRow(hit_count=1)] * 2, next_page_token="more"),
        SearchResponse(rows=[SearchRow(hit_count=2)], building=True),
    ]
    canned = Canned(searched=list(pages))
    restricted = {
        "project": "p",
        "session_id": "s",
        "user_id": "u",
        "since": MOMENT,
        "until": MOMENT,
        "filter": "f",
        "by_session": True,
    }
    with serving(canned) as endpoint, client_of(endpoint) as client:
        assert list(client.search("rain", order="newest", **restricted)) == pages
    asked = SearchRequest(query="rain", order=SEARCH_ORDER_NEWEST, page_size=100, **restricted)
    more = SearchRequest(page_token="more")
    more.MergeFrom(asked)
    assert canned.asked == [asked, more]


def test_a_limit_of_a_search_asks_for_no_more_rows(client_of):
    pages = [SearchResponse(rows=[SearchRow()] * 2, next_page_token="a"), SearchResponse(rows=[SearchRow()], next_page_token="b")]
    canned = Canned(searched=list(pages))
    with serving(canned) as endpoint, client_of(endpoint) as client:
        assert list(client.search("rain", limit=3)) == pages
    assert [(request.page_size, request.order) for request in canned.asked] == [(3, SEARCH_ORDER_BEST), (1, SEARCH_ORDER_BEST)]


def test_an_explanation_is_gathered_from_all_messages(client_of):
    said = [
        pb.ExplainResponse(trace=trace()),
        pb.ExplainResponse(figures=[Figure(field="cost_usd")]),
        pb.ExplainResponse(figures=[Figure(field="name")], calls=[ExplainedCall(span_id="aa")]),
        pb.ExplainResponse(uncounted_spans=[UncountedSpan(span_id="bb")]),
    ]
    with serving(Canned(explained=said)) as endpoint, client_of(endpoint) as client:
        assert client.explain(TRACE_ID) == (
            trace(),
            [Figure(field="cost_usd"), Figure(field="name")],
            [ExplainedCall(span_id="aa")],
            [UncountedSpan(span_id="bb")],
        )


@pytest.mark.parametrize(("transcript", "view"), [(True, pb.SESSION_VIEW_FULL), (False, pb.SESSION_VIEW_TURNS)])
def test_a_conversation_is_gathered_from_all_messages(client_of, transcript, view):
    said = [TranscriptEntry(text="Hello", trace_id="aa"), TranscriptEntry(text="Hi!", tool_uses=[ToolUse(name="f")])]
    turns = [TurnFigures(trace_id="aa", cost_ratio=2.5), TurnFigures(trace_id="bb")]
    findings = [Finding(kind=Finding.KIND_LOOP, trace_ids=["aa"])]
    canned = Canned([session("s")], [trace("aa"), trace("bb")], transcript=said, turns=turns, findings=findings)
    with serving(canned) as endpoint, client_of(endpoint) as client:
        found = client.conversation("s", project="p", transcript=transcript)
    assert found == (session("s"), [trace("aa"), trace("bb")], turns, findings, said if transcript else [])
    assert canned.asked == [pb.GetSessionRequest(session_id="s", project="p", view=view)]


def test_a_conversation_that_is_not_there_is_a_failure(client_of):
    with serving(Canned()) as endpoint, client_of(endpoint) as client, pytest.raises(RequestFailed, match="no such session"):
        client.conversation("nope")


def test_a_user_is_asked_for_by_id_and_project(client_of):
    canned = Canned(users=[user("ada")])
    with serving(canned) as endpoint, client_of(endpoint) as client:
        assert client.user("ada", project="p") == user("ada")
    assert canned.asked == [pb.GetUserRequest(user_id="ada", project="p")]


def test_a_limit_ends_an_endless_stream_at_the_server_too(client_of):
    canned = Canned(sessions=[session("a"), session("b")], endless=True)
    with serving(canned) as endpoint, client_of(endpoint) as client:
        assert list(client.sessions(limit=3)) == [session("a"), session("b"), session("a")]
        assert canned.ended.wait(5)


def test_a_session_comes_with_its_traces(client_of):
    with serving(Canned(sessions=[session("a")], traces=[trace("aa"), trace("bb")])) as endpoint, client_of(endpoint) as client:
        found, traces = client.session("a")
        assert (found, list(traces)) == (session("a"), [trace("aa"), trace("bb")])


def test_a_trace_comes_with_its_figures_and_its_spans_are_not_awaited(client_of):
    canned = Canned(traces=[trace()], spans=[span(1), span(2, parent=1)], endless=True)
    with serving(canned) as endpoint, client_of(endpoint) as client:
        assert client.trace(TRACE_ID) == (trace(), [span(1), span(2, parent=1)])
        assert canned.ended.wait(5)


def test_a_raw_trace_is_the_spans_as_they_came(client_of):
    raw = [pb.RawSpan(resource=b"\xff", span=b"\x00\x01", received_time=MOMENT)]
    with serving(Canned(traces=[trace()], spans=[span(1)], raw_spans=raw)) as endpoint, client_of(endpoint) as client:
        assert list(client.raw_trace(TRACE_ID)) == raw


def test_status_and_check_come_as_the_daemon_sends_them(client_of):
    status = admin_pb.GetStatusResponse(version="1", serving=True)
    checks = [admin_pb.CheckResponse(checked_trace_count=1), admin_pb.CheckResponse(checked_trace_count=2, problems=["bad"])]
    with serving(Canned(status=status, checks=checks)) as endpoint, client_of(endpoint) as client:
        assert (client.status(), list(client.check())) == (status, checks)


def test_an_erasure_asks_for_what_it_was_told_and_tells_how_far_it_is(client_of):
    erased = [admin_pb.EraseResponse(trace_count=2), admin_pb.EraseResponse(trace_count=2, erased_trace_count=2)]
    canned = Canned(erased=erased)
    with serving(canned) as endpoint, client_of(endpoint) as client:
        assert list(client.erase(trace_ids=[TRACE_ID])) == erased
        assert list(client.erase(of="sessions", user_id="ann", since=MOMENT, validate_only=True)) == erased[:1]
        with pytest.raises(TypeError, match="unexpected arguments: sesion_id"):
            client.erase(sesion_id="s1")
    assert canned.asked == [
        admin_pb.EraseRequest(of=admin_pb.ERASE_OF_TRACES, trace_ids=[TRACE_ID]),
        admin_pb.EraseRequest(of=admin_pb.ERASE_OF_SESSIONS, user_id="ann", since=MOMENT, validate_only=True),
    ]


def test_an_absent_daemon_is_told_at_once(client_of):
    began = time.monotonic()
    with pytest.raises(RequestFailed) as failed, client_of("127.0.0.1:1"):
        pass
    assert time.monotonic() - began < 2
    assert (failed.value.code, failed.value.message, failed.value.hint) == (
        "UNAVAILABLE",
        "no sessiond answers at 127.0.0.1:1",
        "start it with `sessiond serve`, or give --endpoint",
    )


def test_a_port_that_accepts_and_stays_silent_is_told_within_seconds(client_of):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"127.0.0.1:{silent.getsockname()[1]}"
        began = time.monotonic()
        with pytest.raises(RequestFailed, match=f"no sessiond answers at {endpoint}"), client_of(endpoint):
            pass
        assert time.monotonic() - began < 4


@pytest.mark.parametrize(
    "ask", [lambda client: client.status(), lambda client: list(client.sessions()), lambda client: client.trace("x")]
)
def test_a_refusal_has_the_server_s_own_message(client_of, ask):
    canned = Canned(failure=(grpc.StatusCode.INVALID_ARGUMENT, "since: is not a time"))
    with serving(canned) as endpoint, client_of(endpoint) as client, pytest.raises(RequestFailed) as failed:
        ask(client)
    assert (failed.value.code, str(failed.value)) == ("INVALID_ARGUMENT", "since: is not a time")


def test_another_service_at_the_endpoint_is_named_as_such(client_of):
    with another_service() as endpoint, client_of(endpoint) as client, pytest.raises(RequestFailed) as failed:
        client.status()
    assert str(failed.value) == (
        f"what answers at {endpoint} does not serve queries;"
        " give the daemon's query address (port 4319 by default), not its OTLP address"
    )


def test_a_daemon_that_goes_away_breaks_the_connection_in_words(client_of):
    with ExitStack() as daemon:
        endpoint = daemon.enter_context(serving(Canned(sessions=[session()], endless=True)))
        with client_of(endpoint) as client:
            rows = client.sessions()
            next(rows)
            daemon.close()
            with pytest.raises(RequestFailed, match=f"the connection to {endpoint} broke: .*; see with `sessiond status`"):
                list(rows)


ASKING = [
    lambda client: client.status(),
    lambda client: list(client.sessions()),
    lambda client: list(client.users()),
    lambda client: list(client.check()),
]


@pytest.mark.parametrize("ask", ASKING)
def test_a_daemon_that_is_busy_is_asked_again(client_of, ask):
    canned = Canned(sessions=[session()], busy_count=2)
    with serving(canned) as endpoint, client_of(endpoint) as client:
        ask(client)
    assert (len(canned.asked), canned.busy_count) == (3, 0)


@pytest.mark.parametrize("ask", ASKING)
def test_a_daemon_that_stays_busy_is_told_in_its_own_words(client_of, ask):
    canned = Canned(busy_count=9)
    with serving(canned) as endpoint, client_of(endpoint) as client, pytest.raises(RequestFailed) as failed:
        ask(client)
    assert (len(canned.asked), failed.value.code, str(failed.value)) == (4, "UNAVAILABLE", "too much at once")


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.sessions(),
        lambda client: client.traces(),
        lambda client: client.follow_sessions(),
        lambda client: client.follow_traces(),
    ],
)
def test_an_iterator_that_is_closed_ends_its_call(client_of, ask):
    canned = Canned(sessions=[session()], traces=[trace()], endless=True)
    canned.followed = [[pb.StreamSessionsResponse(caught_up=True), ...]]
    with serving(canned) as endpoint, client_of(endpoint) as client:
        rows = ask(client)
        next(rows)
        assert len(canned.open_calls) == 1
        rows.close()
        assert canned.is_left_alone()


def test_the_traces_of_a_session_that_nobody_wants_end_their_call(client_of):
    canned = Canned(sessions=[session()], traces=[trace()], endless=True)
    with serving(canned) as endpoint, client_of(endpoint) as client:
        _, traces = client.session("s1")
        assert len(canned.open_calls) == 1
        traces.close()
        del traces
        client.status()
        assert canned.is_left_alone()


def test_an_iterator_that_is_forgotten_ends_its_call(client_of):
    canned = Canned(sessions=[session()], endless=True)
    with serving(canned) as endpoint, client_of(endpoint) as client:
        for _ in client.sessions():
            break
        assert canned.is_left_alone()


def test_nothing_is_asked_before_the_first_row_is_wanted(client_of):
    canned = Canned()
    with serving(canned) as endpoint, client_of(endpoint) as client:
        client.sessions()
    assert canned.asked == []


def test_a_timeout_bounds_a_stream_where_one_is_given(client_of):
    canned = Canned(sessions=[session()], endless=True)
    with serving(canned) as endpoint, client_of(endpoint) as client, pytest.raises(RequestFailed, match="did not answer in time"):
        list(client.sessions(timeout=0.2))


def test_a_timeout_bounds_all_that_is_done_for_one_message(client_of):
    canned = Canned(busy_count=9)
    with serving(canned) as endpoint, client_of(endpoint, timeout=0.1) as client:
        with pytest.raises(RequestFailed, match=f"{endpoint} did not answer in time"):
            client.status()
        assert canned.busy_count == 8
        canned.busy_count = 1
        assert client.status(timeout=5) == admin_pb.GetStatusResponse()


def test_a_condition_that_there_is_not_is_a_mistake(client_of):
    with serving(Canned()) as endpoint, client_of(endpoint) as client:
        for ask in (client.sessions, client.traces):
            with pytest.raises(TypeError, match="unexpected arguments: follow, nam"):
                ask(nam="x", follow=True)
        with pytest.raises(TypeError, match="unexpected arguments: order_by"):
            client.follow_sessions(order_by="name")


def test_a_time_without_a_zone_is_a_mistake(client_of):
    with serving(Canned()) as endpoint, client_of(endpoint) as client, pytest.raises(ValueError, match=r"since: .* no time zone"):
        client.sessions(since=datetime(2026, 1, 1))  # noqa: DTZ001


def test_both_clients_ask_alike():
    def questions(client):
        return {name: (method.__doc__, str(inspect.signature(method)).partition(" -> ")[0]) for name, method in public(client)}

    def public(client):
        return [(name, method) for name, method in inspect.getmembers(client, inspect.isfunction) if not name.startswith("_")]

    assert questions(AsyncClient) == questions(Client)
