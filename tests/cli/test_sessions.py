"""`sessiond sessions` and `sessiond session`."""

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from client.canned import TRACE_ID, Canned, ago, session, trace
from sessiond.client.rows import row, session_row, trace_row
from sessiond.core.rows.fields import SESSION_FIELDS, TRACE_FIELDS
from sessiond.wire._pb.v1 import session_service_pb2 as pb
from sessiond.wire._pb.v1.conversation_pb2 import Finding, TurnFigures
from sessiond.wire._pb.v1.resources_pb2 import STATE_LIVE, STATUS_ERROR

HOSTILE = "\x1b[31m\x07\x9b\x7f\u202e[bold]x[/bold]"


def busy_session():
    return session(
        "chat-1",
        last_activity_time=ago(180),
        user_id="ada",
        trace_count=12,
        duration_ms=184_000,
        llm_call_count=1500,
        input_tokens=1_234_567,
        output_tokens=89,
        cost_usd=1.25,
        unpriced_call_count=3,
        ttft_ms=640,
        models=["gpt-5", "o3"],
        error_count=2,
        status=STATUS_ERROR,
        state=STATE_LIVE,
    )


def test_a_table_reads_well_and_a_figure_that_is_not_known_is_a_dash(run):
    result = run(Canned(sessions=[busy_session(), session("chat-2", last_activity_time=ago(7200))]), "sessions")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "LAST ACTIVITY  SESSION  USER  TURNS   DURATION  LLM CALLS  TOKENS IN / OUT    COST  FIRST TOKEN  MODELS     ERRORS  STATE",
        "3m ago         chat-1   ada      12  3 min 4 s      1,500   1,234,567 / 89  $1.25+       640 ms  gpt-5, o3       2  live",
        "2h ago         chat-2   -         1       0 ms          0            - / -       -            -  -               0  idle",
    ]


def test_json_has_every_field_of_the_table_and_null_where_absent(run_json):
    busy, quiet = busy_session(), session("chat-2")
    rows = run_json(Canned(sessions=[busy, quiet]), "sessions")
    assert rows == [session_row(busy), session_row(quiet)]
    assert [list(row) for row in rows] == [[field.name for field in SESSION_FIELDS]] * 2
    assert rows[1]["input_tokens"] is None


def test_conditions_reach_the_daemon(run):
    canned = Canned(sessions=[session()])
    arguments = ["--project", "p", "--session", "s", "--user", "u", "--since", "2026-01-01T00:00:00.123456789Z"]
    arguments += ["--until", "2026-01-02", "--filter", "trace_count > 3", "--order-by", "cost_usd desc, name"]
    assert run(canned, "sessions", *arguments).exit_code == 0
    since = Timestamp(seconds=1_767_225_600, nanos=123_456_789)
    assert canned.asked == [
        pb.StreamSessionsRequest(
            project="p",
            session_id="s",
            user_id="u",
            since=since,
            until=Timestamp(seconds=1_767_312_000),
            filter="trace_count > 3",
            order_by="cost_usd desc, name",
        )
    ]


def test_a_list_that_is_cut_says_so_beside_the_result(run):
    result = run(Canned(sessions=[session()], endless=True), "sessions", "--limit", "2", "--json")
    assert (len(result.stdout.splitlines()), result.stderr) == (2, "2 shown; --limit N for more\n")


def test_a_list_that_just_fits_is_not_called_cut(run):
    result = run(Canned(sessions=[session("a"), session("b")]), "sessions", "--limit", "2")
    assert (len(result.stdout.splitlines()), result.stderr) == (3, "")


def test_no_session_at_all_says_what_to_do(run):
    result = run(Canned(), "sessions")
    assert (result.exit_code, result.stdout, result.stderr[:16]) == (0, "", "No sessions yet.")


def test_an_order_is_no_condition(run):
    assert run(Canned(), "sessions", "--order-by", "name").stderr[:16] == "No sessions yet."


def test_a_filter_that_is_refused_exits_with_2_and_the_daemon_s_words(run):
    canned = Canned(failure=(grpc.StatusCode.INVALID_ARGUMENT, "filter: 'x' is no field; see docs/filters.md"))
    result = run(canned, "sessions", "--filter", "x > 3")
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", "sessiond: filter: 'x' is no field; see docs/filters.md\n")


@pytest.mark.parametrize("condition", ["--user", "--filter"])
def test_no_match_says_that_it_was_the_conditions(run, condition):
    result = run(Canned(), "sessions", condition, "ada")
    assert result.stderr == "No session matches; ask for fewer conditions, or without any to see all.\n"


def test_projects_are_shown_where_one_is_not_the_default(run):
    result = run(Canned(sessions=[session("a"), session("b", project="shop")]), "sessions")
    assert [line.split()[2:4] for line in result.stdout.splitlines()[1:]] == [["default", "a"], ["shop", "b"]]


def test_what_a_span_says_never_steers_the_terminal(run):
    hostile = session(HOSTILE, user_id=HOSTILE, models=[HOSTILE])
    for arguments in (["sessions"], ["sessions", "--json"], ["session", "x"], ["session", "x", "--json"]):
        output = run(Canned(sessions=[hostile], traces=[trace(name=HOSTILE)]), *arguments).output
        assert all(letter.isprintable() or letter == "\n" for letter in output), arguments
        assert "[bold]x[/bold]" in output


def test_a_session_comes_with_its_turns_in_order(run):
    canned = Canned(sessions=[busy_session()], traces=[trace(), trace("f" * 32, status=STATUS_ERROR, error_type="RateLimit")])
    result = run(canned, "session", "chat-1", "--project", "p")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert [line.split(maxsplit=1) for line in lines[:6]] == [
        ["session", "chat-1"],
        ["project", "default"],
        ["user", "ada"],
        ["state", "live"],
        ["last", "activity    3m ago"],
        ["turns", "12, 0 failed"],
    ]
    assert [[line.split()[0], line.split()[3]] for line in lines[-2:]] == [["1", TRACE_ID], ["2", "f" * 32]]
    assert lines[-1].endswith("RateLimit")
    assert canned.asked == [pb.GetSessionRequest(project="p", session_id="chat-1", view=pb.SESSION_VIEW_TURNS)]


def test_json_of_a_session_is_the_session_and_then_a_line_a_trace(run_json):
    turns = [TurnFigures(trace_id=TRACE_ID, cost_ratio=2.5), TurnFigures(trace_id="f" * 32)]
    finding = Finding(kind=Finding.KIND_LOOP, trace_ids=[TRACE_ID], times=2, tool="f", detail="{}")
    canned = Canned(sessions=[session()], traces=[trace(), trace("f" * 32)], turns=turns, findings=[finding])
    rows = run_json(canned, "session", "s1")
    told = {"kind": "loop", "trace_ids": [TRACE_ID], "times": 2, "tool": "f", "detail": "{}"}
    assert rows[0] == {**session_row(session()), "findings": [told]}
    assert rows[1:] == [{**row(turns[0]), **trace_row(trace())}, {**row(turns[1]), **trace_row(trace("f" * 32))}]
    assert (rows[1]["cost_ratio"], rows[2]["cost_ratio"], rows[1]["prompt_tokens"]) == (2.5, None, None)
    assert list(rows[0])[:-1] == [field.name for field in SESSION_FIELDS]
    assert {field.name for field in TRACE_FIELDS} <= rows[1].keys()


def test_an_unknown_session_exits_with_1_and_the_daemon_s_words(run):
    result = run(Canned(), "session", "nope")
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", "sessiond: there is no such session\n")
