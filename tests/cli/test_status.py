"""`sessiond status`, `sessiond check` of a daemon, and `sessiond version`."""

from click.testing import CliRunner

from client.canned import Canned, ago
from sessiond.cli import main
from sessiond.client.rows import row
from sessiond.wire._pb.v1.admin_service_pb2 import CheckResponse, GetStatusResponse, SearchIndexStatus


def status():
    return GetStatusResponse(
        version="1.2.3",
        start_time=ago(7500),
        serving=True,
        accepted_span_count=1234,
        refused_span_counts={"no_trace_id": 1, "too_large": 2},
        duplicate_span_count=5,
        accepted_request_count=100,
        queue_bytes=2048,
        commit_count=12,
        last_commit_ms=3.14159,
        dirty_trace_count=1,
        last_error="disk\x1b[2J full",
        last_error_time=ago(65),
        data_dir="/data",
        store_format=1,
        trace_count=10,
        session_count=3,
        user_count=1,
        span_count=1229,
        store_used_bytes=3 << 20,
        store_bytes_max=10 << 30,
        addresses={"query": "127.0.0.1:4319", "otlp_grpc": "127.0.0.1:4317"},
    )


def test_status_reads_as_a_block(run):
    result = run(Canned(status=status()), "status")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "sessiond          1.2.3, up 2 h 5 min, serving",
        "addresses         otlp_grpc 127.0.0.1:4317, query 127.0.0.1:4319",
        "spans             1,234 accepted, 5 duplicate, 0 conflicting",
        "spans refused     3: too_large 2, no_trace_id 1",
        "requests          100 accepted",
        "requests refused  none",
        "queue             2.0 KiB waiting to be written",
        "dirty             1 trace, 0 sessions, 0 users",
        "commits           12, the last took 3.14 ms",
        "last error        1m ago: disk\\x1b[2J full",
        "holds             10 traces, 3 sessions, 1 user, 1,229 spans",
        "store             3.0 MiB of 10.0 GiB used (0.0%), format 1, in /data",
        "search            switched off",
    ]


def test_status_tells_how_it_is_with_the_search_index(run):
    answer = status()
    answer.search.state = SearchIndexStatus.STATE_BUILDING
    answer.search.trace_count, answer.search.bytes = 7, 2048
    answer.search.behind.FromMilliseconds(1500)
    assert run(Canned(status=answer), "status").stdout.splitlines()[-1] == (
        "search            building, 7 of 10 traces, 2.0 KiB, 1.5 s behind"
    )
    answer.search.state, answer.search.death_count, answer.search.last_failure = SearchIndexStatus.STATE_DOWN, 2, "no \x1b room"
    assert run(Canned(status=answer), "status").stdout.splitlines()[-1] == (
        "search            down, 7 of 10 traces, 2.0 KiB, 1.5 s behind, its process died 2 times: no \\x1b room"
    )


def test_a_daemon_that_takes_no_spans_says_so(run):
    result = run(Canned(status=GetStatusResponse(version="1", start_time=ago(0))), "status")
    assert result.stdout.splitlines()[0].endswith("not taking spans")


def test_status_as_json_is_the_whole_message(run_json):
    answer = status()
    assert run_json(Canned(status=answer), "status") == [row(answer)]


def test_a_sound_store_exits_with_0(run):
    steps = [CheckResponse(checked_trace_count=1), CheckResponse(checked_trace_count=1234, checked_session_count=1)]
    result = run(Canned(checks=steps), "check")
    assert (result.exit_code, result.output) == (0, "1,234 traces, 1 session, 0 users checked: 0 problems\n")


def test_problems_are_printed_and_exit_with_1(run):
    steps = [CheckResponse(problems=["trace a: wrong\x1b"]), CheckResponse(checked_trace_count=2, problems=["trace b: wrong"])]
    result = run(Canned(checks=steps), "check")
    assert (result.exit_code, result.stdout.splitlines()) == (
        1,
        ["trace a: wrong\\x1b", "trace b: wrong", "2 traces, 0 sessions, 0 users checked: 2 problems"],
    )


def test_version_is_told_without_a_daemon():
    result = CliRunner().invoke(main, ["version"])
    assert (result.exit_code, result.output[:8]) == (0, "sessiond")
