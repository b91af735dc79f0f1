"""The client against a real gRPC server."""

import socket
import time
from contextlib import ExitStack

import grpc
import pytest

from client.canned import MOMENT, TRACE_ID, Canned, another_service, serving, session, span, trace
from sessiond.client import Client, RequestFailed
from sessiond.wire._pb.v1 import admin_service_pb2 as admin_pb
from sessiond.wire._pb.v1 import session_service_pb2 as pb


def test_sessions_come_in_order_and_the_request_carries_every_condition():
    canned = Canned(sessions=[session("a"), session("b")])
    with serving(canned) as endpoint, Client(endpoint) as client:
        found = list(client.sessions(project="p", session_id="s", user_id="u", since=MOMENT))
    assert found == [session("a"), session("b")]
    assert canned.asked == [pb.StreamSessionsRequest(project="p", session_id="s", user_id="u", since=MOMENT)]


def test_traces_come_in_order_and_the_request_carries_every_condition():
    canned = Canned(traces=[trace("aa"), trace("bb")])
    with serving(canned) as endpoint, Client(endpoint) as client:
        found = list(client.traces(project="p", session_id="s", user_id="u", since=MOMENT))
    assert found == [trace("aa"), trace("bb")]
    assert canned.asked == [pb.StreamTracesRequest(project="p", session_id="s", user_id="u", since=MOMENT)]


def test_a_limit_ends_an_endless_stream_at_the_server_too():
    canned = Canned(sessions=[session("a"), session("b")], endless=True)
    with serving(canned) as endpoint, Client(endpoint) as client:
        assert list(client.sessions(limit=3)) == [session("a"), session("b"), session("a")]
        assert canned.ended.wait(5)


def test_a_session_comes_with_its_traces():
    with serving(Canned(sessions=[session("a")], traces=[trace("aa"), trace("bb")])) as endpoint, Client(endpoint) as client:
        found, traces = client.session("a")
        assert (found, list(traces)) == (session("a"), [trace("aa"), trace("bb")])


def test_a_trace_comes_with_its_figures_and_its_spans_are_not_awaited():
    canned = Canned(traces=[trace()], spans=[span(1), span(2, parent=1)], endless=True)
    with serving(canned) as endpoint, Client(endpoint) as client:
        assert client.trace(TRACE_ID) == (trace(), [span(1), span(2, parent=1)])
        assert canned.ended.wait(5)


def test_a_raw_trace_is_the_spans_as_they_came():
    raw = [pb.RawSpan(resource=b"\xff", span=b"\x00\x01", received_time=MOMENT)]
    with serving(Canned(traces=[trace()], spans=[span(1)], raw_spans=raw)) as endpoint, Client(endpoint) as client:
        assert list(client.raw_trace(TRACE_ID)) == raw


def test_status_and_check_come_as_the_daemon_sends_them():
    status = admin_pb.GetStatusResponse(version="1", serving=True)
    checks = [admin_pb.CheckResponse(checked_trace_count=1), admin_pb.CheckResponse(checked_trace_count=2, problems=["bad"])]
    with serving(Canned(status=status, checks=checks)) as endpoint, Client(endpoint) as client:
        assert (client.status(), list(client.check())) == (status, checks)


def test_an_absent_daemon_is_told_at_once():
    began = time.monotonic()
    with pytest.raises(RequestFailed) as failed, Client("127.0.0.1:1"):
        pass
    assert time.monotonic() - began < 2
    assert (failed.value.code, failed.value.message, failed.value.hint) == (
        "UNAVAILABLE",
        "no sessiond answers at 127.0.0.1:1",
        "start it with `sessiond serve`, or give --endpoint",
    )


def test_a_port_that_accepts_and_stays_silent_is_told_within_seconds():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"127.0.0.1:{silent.getsockname()[1]}"
        began = time.monotonic()
        with pytest.raises(RequestFailed, match=f"no sessiond answers at {endpoint}"), Client(endpoint):
            pass
        assert time.monotonic() - began < 4


@pytest.mark.parametrize(
    "ask", [lambda client: client.status(), lambda client: list(client.sessions()), lambda client: client.trace("x")]
)
def test_a_refusal_has_the_server_s_own_message(ask):
    canned = Canned(failure=(grpc.StatusCode.INVALID_ARGUMENT, "since: is not a time"))
    with serving(canned) as endpoint, Client(endpoint) as client, pytest.raises(RequestFailed) as failed:
        ask(client)
    assert (failed.value.code, str(failed.value)) == ("INVALID_ARGUMENT", "since: is not a time")


def test_another_service_at_the_endpoint_is_named_as_such():
    with another_service() as endpoint, Client(endpoint) as client, pytest.raises(RequestFailed) as failed:
        client.status()
    assert str(failed.value) == (
        f"what answers at {endpoint} does not serve queries;"
        " give the daemon's query address (port 4319 by default), not its OTLP address"
    )


def test_a_daemon_that_goes_away_breaks_the_connection_in_words():
    with ExitStack() as daemon:
        endpoint = daemon.enter_context(serving(Canned(sessions=[session()], endless=True)))
        with Client(endpoint) as client:
            rows = client.sessions()
            next(rows)
            daemon.close()
            with pytest.raises(RequestFailed, match=f"the connection to {endpoint} broke: .*; see with `sessiond status`"):
                list(rows)
