"""`sessiond tail`."""

import json
import signal
import subprocess
import time
from contextlib import ExitStack, contextmanager

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration

from cli.test_main import HEEDING_CTRL_C, PYTHON_M_SESSIOND
from client.canned import MOMENT, TRACE_ID, Canned, serving, session, trace
from sessiond.cli import tail
from sessiond.cli.lines import SESSION_LINE
from sessiond.cli.output import Layout, drawn
from sessiond.cli.render import line
from sessiond.client import Gone
from sessiond.client.rows import session_row, trace_row
from sessiond.wire._pb.v1 import session_service_pb2 as pb
from sessiond.wire._pb.v1.resources_pb2 import STATE_LIVE, STATUS_ERROR

Said = pb.StreamSessionsResponse
CAUGHT_UP = Said(caught_up=True, resume_token="1")
OVER = (grpc.StatusCode.INVALID_ARGUMENT, "over")
"""Ends a stream, and with it the command, for good."""


def gone(session_id, reason=Gone.REASON_NO_MATCH, project="default"):
    return Gone(project=project, id=session_id, reason=reason)


@pytest.fixture(autouse=True)
def _utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def lines(run):
    """What is shown of one stream, each line as its words."""

    def shown(said, *arguments, latest=()):
        result = run(Canned(sessions=latest, followed=[[*said, OVER]]), "tail", *arguments)
        assert (result.exit_code, result.stderr) == (2, "sessiond: over\n")
        return [line.split() for line in result.stdout.splitlines()]

    return shown


def ids(shown):
    return [words[2] for words in shown]


def test_a_change_is_a_line(run):
    changed = session(
        "chat-1",
        user_id="ada",
        trace_count=3,
        input_tokens=1200,
        output_tokens=34,
        cost_usd=0.0042,
        state=STATE_LIVE,
        last_activity_time=MOMENT,
    )
    failed = session("chat-2", status=STATUS_ERROR, error_count=2)
    result = run(Canned(followed=[[CAUGHT_UP, Said(sessions=[changed, failed]), OVER]]), "tail")
    assert result.stdout.splitlines() == [
        "01-01 00:00:00  chat-1                      ada                3 turns         1,200 / 34 tokens    $0.0042  live",
        "01-01 00:00:00  chat-2                      -                   1 turn              - / - tokens          -  2 errors",
    ]


def test_the_latest_ten_come_first_and_nothing_falls_between(run):
    latest = [session(f"s{number}") for number in range(20)]
    canned = Canned(sessions=latest, followed=[[CAUGHT_UP, Said(sessions=[session("s0", trace_count=2)]), OVER]])
    shown = run(canned, "tail").stdout.splitlines()
    assert [line.split()[2] for line in shown] == [*(f"s{number}" for number in reversed(range(10))), "s0"]
    assert [request.follow for request in canned.asked] == [True, False]
    assert canned.asked[0].changes_only


def test_nothing_falls_between_where_the_connection_breaks_at_once(run):
    canned = Canned(sessions=[session("a")], followed=[[Said(), (grpc.StatusCode.UNAVAILABLE, "gone")], [CAUGHT_UP, OVER]])
    result = run(canned, "tail")
    assert [request.follow for request in canned.asked] == [True, True, False]
    assert ids([line.split() for line in result.stdout.splitlines()]) == ["a"]


def test_what_was_shown_is_not_shown_again_until_it_differs(lines):
    said = [CAUGHT_UP, Said(sessions=[session("a")]), Said(sessions=[session("a"), session("a", trace_count=2)])]
    assert ids(lines(said, latest=[session("a")])) == ["a", "a"]


@pytest.mark.parametrize(("option", "is_only", "asked"), [("--all", False, 1), ("--changes-only", True, 1)])
def test_all_or_nothing_may_come_first(run, option, is_only, asked):
    canned = Canned(sessions=[session("old")], followed=[[Said(sessions=[session("a")]), OVER]])
    assert ids([line.split() for line in run(canned, "tail", option).stdout.splitlines()]) == ["a"]
    assert (len(canned.asked), canned.asked[0].changes_only) == (asked, is_only)


def test_all_and_nothing_exclude_each_other(run):
    result = run(Canned(), "tail", "--all", "--changes-only")
    assert (result.exit_code, "--all and --changes-only exclude each other" in result.stderr) == (2, True)


def test_conditions_reach_the_daemon_twice(run):
    canned = Canned(followed=[[CAUGHT_UP, OVER]])
    run(canned, "tail", "--project", "p", "--session", "s", "--user", "u", "--filter", "f")
    conditions = {"project": "p", "session_id": "s", "user_id": "u", "filter": "f"}
    assert canned.asked == [
        pb.StreamSessionsRequest(**conditions, follow=True, changes_only=True),
        pb.StreamSessionsRequest(**conditions),
    ]


def test_what_is_gone_is_told_where_it_was_shown(lines):
    said = [
        CAUGHT_UP,
        Said(sessions=[session("a"), session("b"), session("c", project="shop")]),
        Said(gone=[gone("a"), gone("b", Gone.REASON_REMOVED), gone("c"), gone("never")]),
        Said(gone=[gone("a")]),
    ]
    assert [words[2:] for words in lines(said)][3:] == [
        ["a", "does", "not", "match", "any", "more"],
        ["b", "is", "no", "more"],
    ]


def test_what_is_remembered_as_shown_is_bounded(lines, monkeypatch):
    monkeypatch.setattr(tail, "SHOWN_MAX", 2)
    said = [CAUGHT_UP, Said(sessions=[session("a"), session("b"), session("a", trace_count=2), session("c")])]
    said.append(Said(gone=[gone("a"), gone("b"), gone("c")]))
    assert ids(lines(said)) == ["a", "b", "a", "c", "a", "c"]


def test_json_is_an_object_a_change(run):
    said = [CAUGHT_UP, Said(sessions=[session("a")]), Said(gone=[gone("a")]), OVER]
    result = run(Canned(followed=[said]), "tail", "--json")
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        session_row(session("a")),
        {"gone": {"project": "default", "id": "a", "reason": "no_match"}},
    ]


def test_traces_are_followed_too(run):
    said = [
        pb.StreamTracesResponse(caught_up=True),
        pb.StreamTracesResponse(
            traces=[trace(session_id="chat-1", duration_ms=1234, status=STATUS_ERROR, error_type="RateLimit")],
        ),
        pb.StreamTracesResponse(gone=[Gone(id=TRACE_ID, reason=Gone.REASON_REMOVED)]),
    ]
    shown = run(Canned(followed=[[*said, OVER]]), "tail", "--traces").stdout.splitlines()
    assert shown[0].split() == (
        ["01-01", "00:00:00", TRACE_ID, "chat-1", "ask", "1.2", "s", "-", "/", "-", "tokens", "-", "RateLimit"]
    )
    assert shown[1].split()[2:] == [TRACE_ID, "is", "no", "more"]
    as_json = run(Canned(traces=[trace()], followed=[[said[0], OVER]]), "tail", "--traces", "--json").stdout
    assert json.loads(as_json) == trace_row(trace())


def test_an_output_that_was_behind_is_noted(run):
    said = Said(sessions=[session("a")], stalled=Duration(seconds=3))
    result = run(Canned(followed=[[CAUGHT_UP, said, OVER]]), "tail")
    assert result.stderr.splitlines()[0] == "3.0 s behind: of what changed meanwhile only the latest is shown"


def test_a_broken_connection_is_noted_and_taken_up_again(run):
    canned = Canned(
        followed=[
            [CAUGHT_UP, Said(sessions=[session("a")], resume_token="2"), (grpc.StatusCode.UNAVAILABLE, "stopping; follow again")],
            [(grpc.StatusCode.OUT_OF_RANGE, "resume_token: too old")],
            [CAUGHT_UP, Said(sessions=[session("b")]), OVER],
        ]
    )
    result = run(canned, "tail", "--changes-only")
    assert ids([line.split() for line in result.stdout.splitlines()]) == ["a", "b"]
    broken, again, _ = result.stderr.splitlines()
    assert broken.endswith(" broke: stopping; trying again")
    assert again == "starting again: what changed meanwhile may be missing"
    assert [request.resume_token for request in canned.asked] == ["", "2", ""]


@contextmanager
def tailing(endpoint, *arguments):
    """The command as a process whose output is a pipe."""
    command = [*HEEDING_CTRL_C, *PYTHON_M_SESSIOND, "tail", *arguments, "--endpoint", endpoint]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_pipe_gets_each_line_as_it_comes_and_ctrl_c_is_a_good_end():
    canned = Canned(followed=[[CAUGHT_UP, Said(sessions=[session("a")]), ...]])
    with serving(canned) as endpoint, tailing(endpoint, "--json") as process:
        assert json.loads(process.stdout.readline()) == session_row(session("a"))
        process.send_signal(signal.SIGINT)
        assert (process.wait(20), process.stdout.read(), process.stderr.read()) == (0, "", "")
        assert canned.is_left_alone()


def test_a_reader_that_goes_away_ends_the_command_quietly():
    changes = [Said(sessions=[session("a", trace_count=number)]) for number in range(10_000)]
    canned = Canned(followed=[[CAUGHT_UP, *changes, ...]])
    with serving(canned) as endpoint, tailing(endpoint, "--json") as process:
        process.stdout.readline()
        process.stdout.close()
        assert (process.wait(20), process.stderr.read()) == (1, "")


def words_at(width, row, *, is_terminal=True):
    return drawn(line(SESSION_LINE, row, Layout(width, is_terminal=is_terminal)), Layout(width)).split()


def test_a_daemon_that_goes_away_is_noted_in_one_line_and_found_again():
    before = Canned(followed=[[CAUGHT_UP, Said(sessions=[session("a")], resume_token="2"), ...]])
    after = Canned(followed=[[Said(sessions=[session("b")], resume_token="3"), ...]])
    with ExitStack() as daemon:
        endpoint = daemon.enter_context(serving(before))
        with tailing(endpoint, "--changes-only") as process:
            assert process.stdout.readline().split()[2] == "a"
            daemon.close()
            daemon.enter_context(serving(after, int(endpoint.rpartition(":")[2])))
            assert process.stdout.readline().split()[2] == "b"
            process.send_signal(signal.SIGINT)
            assert (process.wait(20), process.stderr.read()) == (
                0,
                f"the connection to {endpoint} broke: Cancelling all calls; trying again\n",
            )


@pytest.mark.parametrize(
    ("width", "words"),
    [
        (48, ["01-01", "00:00:00", "s1", "idle"]),
        (60, ["01-01", "00:00:00", "s1", "idle"]),
        (80, ["01-01", "00:00:00", "s1", "1", "turn", "-", "idle"]),
        (100, ["01-01", "00:00:00", "s1", "ada", "1", "turn", "-", "idle"]),
        (120, ["01-01", "00:00:00", "s1", "ada", "1", "turn", "-", "/", "-", "tokens", "-", "idle"]),
    ],
)
def test_a_narrow_terminal_leaves_out_what_matters_least(width, words):
    assert words_at(width, session(user_id="ada")) == words


@pytest.mark.parametrize("width", [10, 60, 80, 100, 120])
def test_no_line_is_wider_than_a_terminal(width):
    row = session("s" * 50, user_id="u" * 50, trace_count=10**6, input_tokens=10**9, output_tokens=10**9)
    layout = Layout(width)
    assert [len(drawn(line(SESSION_LINE, each, layout), layout)) <= width for each in (session(), row)] == [True, True]


def test_on_a_terminal_names_are_cut_and_numbers_are_not():
    row = session(user_id="u" * 50, trace_count=10**6)
    assert words_at(200, row)[3:6] == ["u" * 14 + "…", "1,000,000", "turns"]
    assert words_at(200, row, is_terminal=False)[3:6] == ["u" * 50, "1,000,000", "turns"]
