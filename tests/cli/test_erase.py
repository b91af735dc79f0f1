"""`sessiond erase`: what it asks the daemon for, and what it says. That it asks a person is in tests/e2e."""

import pytest

from client.canned import TRACE_ID, Canned
from sessiond.wire._pb.v1 import admin_service_pb2 as pb

FOUND = pb.EraseResponse(trace_count=2, span_count=7)
DONE = pb.EraseResponse(trace_count=2, span_count=7, erased_trace_count=2)


def test_with_yes_it_counts_and_erases(run):
    canned = Canned(erased=[FOUND, DONE])
    result = run(canned, "erase", TRACE_ID, "--yes")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "2 traces erased\n", "")
    named = pb.EraseRequest(of=pb.ERASE_OF_TRACES, trace_ids=[TRACE_ID])
    assert canned.asked == [pb.EraseRequest(validate_only=True, of=named.of, trace_ids=named.trace_ids), named]


def test_conditions_are_those_of_the_lists(run):
    canned = Canned(erased=[FOUND, DONE])
    conditions = ("--of", "sessions", "--project", "p", "--session", "s1", "--user", "ann", "--filter", "error_count > 0")
    result = run(canned, "erase", *conditions, "--since", "2026-01-31", "--until", "2026-02-01", "--yes")
    assert result.exit_code == 0
    asked = canned.asked[-1]
    assert (asked.of, asked.project, asked.session_id, asked.user_id, asked.filter, asked.everything, asked.validate_only) == (
        *(pb.ERASE_OF_SESSIONS, "p", "s1", "ann", "error_count > 0"),
        *(False, False),
    )
    assert (asked.until.seconds - asked.since.seconds, list(asked.trace_ids)) == (86400, [])


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (FOUND, "2 traces (7 spans) would be erased\n"),
        (pb.EraseResponse(trace_count=1, span_count=1, session_count=1), "1 session with 1 trace (1 span) would be erased\n"),
        (
            pb.EraseResponse(trace_count=1234, span_count=5000, session_count=20, feedback_count=3),
            "20 sessions with 1,234 traces (5,000 spans, 3 scores and annotations) would be erased\n",
        ),
    ],
)
def test_a_dry_run_only_counts(run, found, told):
    canned = Canned(erased=[found, DONE])
    result = run(canned, "erase", "--everything", "--dry-run")
    assert (result.exit_code, result.stdout) == (0, told)
    assert [(asked.everything, asked.validate_only) for asked in canned.asked] == [(True, True)]


def test_where_nobody_can_be_asked_nothing_is_erased(run):
    canned = Canned(erased=[FOUND, DONE])
    result = run(canned, "erase", "--session", "s1")
    assert (result.exit_code, result.stdout) == (2, "")
    expected = "2 traces (7 spans) would be erased, and nobody can be asked; give --yes to erase, --dry-run to see"
    assert result.stderr == f"sessiond: {expected}\n"
    assert [asked.validate_only for asked in canned.asked] == [True]


def test_where_there_is_nothing_it_says_so(run):
    canned = Canned(erased=[pb.EraseResponse()])
    result = run(canned, "erase", "--session", "s1")
    assert (result.exit_code, result.stdout, len(canned.asked)) == (0, "nothing to erase\n", 1)


@pytest.mark.parametrize("arguments", [(), ("--of", "sessions"), ("--yes",)])
def test_what_is_to_go_must_be_said(run, arguments):
    canned = Canned()
    result = run(canned, "erase", *arguments)
    assert (result.exit_code, canned.asked) == (2, [])
    assert "say what is to go: ids of traces, a condition such as --session or --filter, or --everything" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--everything", "--session", "s1"), "--everything can't be given with --session"),
        (("--everything", "--since", "1d", TRACE_ID), "--everything can't be given with --since and ids of traces"),
        ((TRACE_ID, "--session", "s1", "--filter", "error_count > 0"), "ids of traces can't be given with --session and --filter"),
        ((TRACE_ID, "--of", "sessions"), "ids of traces can't be given with --of sessions"),
        (("--everything", "--of", "sessions"), "--everything can't be given with --of sessions"),
    ],
)
def test_what_can_t_be_said_together_is_told_in_the_words_of_the_command_line(run, arguments, told):
    canned = Canned()
    result = run(canned, "erase", *arguments, "--dry-run")
    assert (result.exit_code, canned.asked) == (2, [])
    assert f"Error: {told}; give one or the other\n" in result.stderr
