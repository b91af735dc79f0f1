"""The group of commands, and the command line as a process."""

import os
import shlex
import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner

from client.canned import TRACE_ID, Canned, serving, session, trace
from sessiond.cli import main
from sessiond.cli.commands import COMMANDS
from sessiond.cli.lazy import LazyGroup, load
from sessiond.core.errors import Invalid, NotFound
from sessiond.wire._pb.v1.admin_service_pb2 import CheckResponse, EraseResponse
from sessiond.wire._pb.v1.search_pb2 import SearchResponse

PYTHON_M_SESSIOND = [sys.executable, "-m", "sessiond"]


def test_help_lists_every_command():
    result = CliRunner().invoke(main, ["--help"])
    assert [line.split()[0] for line in result.stdout.partition("Commands:\n")[2].splitlines()] == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_line_in_the_group_s_help_is_the_first_of_the_command_s_own(name):
    command = load(COMMANDS[name].target)
    assert " ".join(command.help.split("\n\n")[0].split()) == COMMANDS[name].help


def test_an_unknown_command_exits_with_2():
    result = CliRunner().invoke(main, ["sesions"])
    assert (result.exit_code, "No such command 'sesions'" in result.stderr) == (2, True)


def test_help_imports_neither_grpc_nor_a_store():
    code = "import sys; from sessiond.cli import main; main(['--help'], standalone_mode=False); print(sorted(sys.modules))"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert [name for name in ("grpc", "lmdb", "rich", "google.protobuf", "pydantic") if f"'{name}'" in modules] == []


class Raising:
    """A command that raises what it is called with."""

    def __init__(self, error):
        self.error = error

    def __call__(self):
        raise self.error


@pytest.mark.parametrize(
    ("error", "exit_code", "message"),
    [
        (NotFound("no such store", hint="give another"), 1, "sessiond: no such store; give another\n"),
        (Invalid("limit", "\x1b", "is bad"), 2, "sessiond: limit: '\\x1b' is bad\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_a_failure_is_one_line_and_an_exit_code(error, exit_code, message):
    group = LazyGroup(name="g", commands_table={}, callback=Raising(error), invoke_without_command=True)
    result = CliRunner().invoke(group, [])
    assert (result.exit_code, result.stdout, result.stderr) == (exit_code, "", message)


def test_a_reader_that_goes_away_ends_the_command_quietly():
    with serving(Canned(sessions=[session()], endless=True)) as endpoint:
        command = [*PYTHON_M_SESSIOND, "sessions", "--json", "--limit", "1000000", "--endpoint", endpoint]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout.readline().startswith('{"project": "default"')
            process.stdout.close()
            assert (process.stderr.read(), process.wait(20)) == ("", 1)


def with_closed(redirected, canned, *arguments):
    """What a command that a shell starts with closed streams (such as `>&-`) ends with."""
    with serving(canned) as endpoint:
        command = shlex.join([*PYTHON_M_SESSIOND, *arguments, "--endpoint", endpoint])
        done = subprocess.run(["sh", "-c", f"exec {command} {redirected}"], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["status"], ""),
        (["sessions"], ""),
        (["sessions", "--json"], ""),
        (["trace", TRACE_ID], ""),
        (["stats"], "No traces match.\n"),
        (["search", "x"], "Nothing was found.\n"),
    ],
)
def test_where_standard_output_is_closed_only_remarks_are_said(arguments, said):
    canned = Canned(sessions=[session()], traces=[trace()], searched=[SearchResponse()])
    assert with_closed(">&-", canned, *arguments) == (0, "", said)


def test_what_only_goes_to_a_standard_output_that_is_closed_fails():
    expected = "sessiond: standard output: is closed\n"
    assert with_closed(">&-", Canned(sessions=[session()]), "export", "sessions", "-") == (1, "", expected)


def test_what_only_comes_from_a_standard_input_that_is_closed_fails():
    assert with_closed("<&-", Canned(), "import", "-") == (1, "", "sessiond: standard input: is closed\n")


def test_where_standard_input_is_closed_nobody_can_be_asked():
    canned = Canned(erased=[EraseResponse(trace_count=1, span_count=1)])
    code, said, told = with_closed("<&-", canned, "erase", "--session", "s1")
    assert (code, said, "nobody can be asked" in told) == (2, "", True)


@pytest.mark.parametrize(
    ("arguments", "code"), [(["check"], 0), (["erase", "--everything", "--yes"], 0), (["user", "x"], 1), (["sesions"], 2)]
)
def test_where_standard_error_is_closed_the_exit_code_tells_and_results_stay_free_of_remarks(arguments, code):
    canned = Canned(checks=[CheckResponse()], erased=[EraseResponse(trace_count=1, span_count=1)])
    ended, said, _ = with_closed("2>&-", canned, *arguments)
    assert (ended, len(said.splitlines())) == (code, 0 if code else 1)


HEEDING_CTRL_C = (
    sys.executable,
    "-c",
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])",
)
"""A shell starts background jobs deaf to it, and their children inherit that."""


def test_ctrl_c_exits_with_130_and_no_traceback():
    canned = Canned(sessions=[session()], endless=True)
    with serving(canned) as endpoint:
        command = [*HEEDING_CTRL_C, *PYTHON_M_SESSIOND, "sessions", "--json", "--limit", "100000000", "--endpoint", endpoint]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
            try:
                assert canned.begun.wait(20)
                process.send_signal(signal.SIGINT)
                assert (process.wait(20), process.stderr.read()) == (130, "")
            finally:
                process.kill()


def test_the_command_works_where_output_can_only_be_ascii():
    with serving(Canned(sessions=[session("Grüße")])) as endpoint:
        result = subprocess.run(
            [*PYTHON_M_SESSIOND, "sessions", "--endpoint", endpoint],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"PYTHONIOENCODING": "ascii"},
        )
    assert (result.returncode, result.stderr, "Gr\\xfc\\xdfe" in result.stdout) == (0, "", True)
