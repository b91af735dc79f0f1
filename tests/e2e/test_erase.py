"""`sessiond erase` against a real daemon: a person is asked, a resend is refused, and a kill leaves nothing by halves."""

import os
import pty
import subprocess
import sys
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from builders import request, span, trace_id
from daemon import DEADLINE_SECONDS, Asker, Daemon, sessiond
from sessiond.wire._pb.v1 import admin_service_pb2 as pb

TRACES = 600
SESSIONS = 20
LARGE_SPANS = 3000
"""Of every hundredth trace: its space is not freed in one transaction."""


def turn(number: int) -> ExportTraceServiceRequest:
    count = LARGE_SPANS if number % 100 == 0 else 3
    session = f"s{number % SESSIONS}"
    return request(*(span(trace=number, id=place, session=session, start_ms=number) for place in range(1, count + 1)))


def fill(daemon: Daemon) -> None:
    with daemon.sender() as sender:
        for number in range(1, TRACES + 1):
            sender.export(turn(number))


def on_terminal(daemon: Daemon, answer: bytes, *arguments: str) -> tuple[int, str]:
    """Run the command on a terminal where a person types `answer`; its exit code and what it showed."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "sessiond", "erase", *arguments, "--endpoint", daemon.query]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        os.write(ours, answer)
        shown = b""
        while True:
            try:
                shown += os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
        os.close(ours)
        return process.wait(DEADLINE_SECONDS), shown.decode().replace("\r\n", "\n")


def erased_by(asker: Asker, **meant: object) -> pb.EraseResponse:
    return list(asker.admin.Erase(pb.EraseRequest(**meant), timeout=DEADLINE_SECONDS))[-1]


def assert_sessions_are_true(asker: Asker) -> None:
    """Every session has the traces that it says, and no others are there."""
    sessions, traces = asker.sessions(), asker.traces()
    for session in sessions:
        found, its_traces = asker.session(session.session_id)
        assert (found.trace_count, found.span_count) == (len(its_traces), sum(trace.span_count for trace in its_traces))
    assert sum(session.trace_count for session in sessions) == len(traces)


def test_a_person_is_asked_and_may_say_no(daemon: Daemon) -> None:
    with daemon.sender() as sender, daemon.asker() as asker:
        sender.export(request(*(span(trace=number, id=number, session=f"s{number % 2}") for number in (1, 2, 3))))
        code, shown = on_terminal(daemon, b"n\n", "--session", "s1")
        assert code == 1
        assert "2 traces (2 spans) will be erased for good." in shown
        assert shown.endswith("nothing was erased\n")
        assert len(asker.traces()) == 3
        code, shown = on_terminal(daemon, b"y\n", "--of", "sessions", "--session", "s1")
        assert code == 0
        assert "1 session with 2 traces (2 spans) will be erased for good." in shown
        assert shown.endswith("2 traces erased\n")
        assert [session.session_id for session in asker.sessions()] == ["s0"]


def test_a_resend_is_refused_after_a_restart_and_a_rebuild_too(tmp_path: Path) -> None:
    with Daemon.start(tmp_path) as daemon, daemon.sender() as sender:
        sender.export(request(span(trace=1, id=1), span(trace=2, id=2)))
        assert sessiond("erase", trace_id(1).hex(), "--yes", "--endpoint", daemon.query).stdout == "1 trace erased\n"
        daemon.stop()
    for prepare in (lambda: None, lambda: sessiond("rebuild", "--data-dir", tmp_path / "data")):
        prepare()
        with Daemon.start(tmp_path) as daemon, daemon.sender() as sender, daemon.asker() as asker:
            answer = sender.export(request(span(trace=1, id=1), span(trace=1, id=5), span(trace=2, id=2)))
            assert answer.partial_success.rejected_spans == 2
            assert "was erased here" in answer.partial_success.error_message
            assert dict(asker.status().refused_span_counts) == {"erased": 2}
            assert [trace.trace_id for trace in asker.traces()] == [trace_id(2).hex()]
            daemon.stop()


def test_a_kill_in_the_middle_leaves_whole_traces_and_true_sessions_and_asking_again_ends_it(tmp_path: Path) -> None:
    with Daemon.start(tmp_path) as daemon:
        fill(daemon)
        with daemon.asker() as asker:
            for told in asker.admin.Erase(pb.EraseRequest(everything=True), timeout=DEADLINE_SECONDS):
                erased = told.erased_trace_count
                if erased:
                    break
            daemon.kill()
    assert 0 < erased < TRACES
    checked = sessiond("check", "--data-dir", tmp_path / "data")
    assert (checked.returncode, checked.stdout.partition(": ")[2]) == (0, "0 problems\n")
    with Daemon.start(tmp_path) as daemon, daemon.asker() as asker, daemon.sender() as sender:
        left = {trace.trace_id: trace.span_count for trace in asker.traces()}
        assert len(left) <= TRACES - erased
        assert_sessions_are_true(asker)
        rejected = {number: sender.export(turn(number)).partial_success.rejected_spans for number in range(1, TRACES + 1)}
        assert {number for number, count in rejected.items() if not count} == {int(name, 16) for name in left}
        assert erased_by(asker, everything=True).erased_trace_count == len(left)
        assert (asker.traces(), asker.sessions()) == ([], [])
        status = asker.status()
        assert (status.span_count, status.trace_count, status.session_count) == (0, 0, 0)
