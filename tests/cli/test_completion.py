"""`sessiond completion`, in the shells themselves."""

import os
import shutil
import subprocess
import sys

import pytest
from click.testing import CliRunner

from sessiond.cli import main
from sessiond.cli.commands import COMMANDS
from sessiond.core.rows.fields import FIELDS

BASH = """
eval "$(sessiond completion bash)"
COMP_WORDS=("$@")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_sessiond_completion sessiond
for word in "${COMPREPLY[@]}"; do echo "$word"; done
"""
ZSH = """
autoload -Uz compinit && compinit -u
eval "$(sessiond completion zsh)"
compadd() { local -a given; while [[ $1 != -a ]]; do shift; done; print -l -- ${(P)2} }
_describe() { local -a given; given=(${(P)3}); print -l -- ${given%%:*} }
words=("$@")
CURRENT=${#words}
_sessiond_completion
"""
SHELLS = {"bash": ["bash", "--norc", "-c", BASH, "bash"], "zsh": ["zsh", "-f", "-c", ZSH, "zsh"]}


@pytest.fixture(params=SHELLS)
def completions(request, tmp_path):
    """What a shell offers for the last of some words of a command line."""
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    program = tmp_path / "sessiond"
    program.write_text(f"#!{sys.executable}\nfrom sessiond.cli import main\nmain()\n")
    program.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"

    def complete(*words: str) -> list[str]:
        result = subprocess.run(
            [*SHELLS[request.param], "sessiond", *words],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PATH": path, "HOME": str(tmp_path)},
        )
        assert result.stderr == ""
        return result.stdout.split("\n")[:-1]

    return complete


def names(kind):
    return [field.name for field in FIELDS[kind]]


def test_commands_are_completed(completions):
    assert completions("") == list(COMMANDS)
    assert completions("ses") == ["sessions", "session"]


def test_options_are_completed(completions):
    assert {"--filter", "--order-by", "--user", "--json", "--help"} <= set(completions("sessions", "--"))
    assert completions("tail", "--ch") == ["--changes-only"]
    assert completions("completion", "") == ["bash", "zsh"]


@pytest.mark.parametrize(
    ("command", "kind"), [("sessions", "session"), ("traces", "trace"), ("users", "user"), ("tail", "session")]
)
def test_a_filter_begins_with_a_field(completions, command, kind):
    assert completions(command, "--filter", "") == names(kind)


def test_a_field_is_completed_from_its_beginning(completions):
    assert completions("sessions", "--filter", "ttft_f") == ["ttft_first_ms"]
    assert completions("sessions", "--filter", "'ttft_first_ms > 5") == []
    assert completions("sessions", "--filter", "'ttft_f") == ["ttft_first_ms"]
    assert completions("tail", "--traces", "--filter", "root_m") == ["root_missing"]
    assert completions("tail", "--filter", "root_m") == []
    assert completions("stats", "--filter", "root_m") == ["root_missing"]
    assert completions("stats", "--of", "users", "--filter", "first_s") == ["first_seen_time"]


def test_an_order_is_completed_field_by_field(completions):
    assert completions("sessions", "--order-by", "ttft_f") == ["ttft_first_ms"]
    assert completions("sessions", "--order-by", "name,ttft_f") == ["name,ttft_first_ms"]
    assert {"list_counts", "metadata"}.isdisjoint(completions("sessions", "--order-by", ""))


def test_what_completes_a_command_imports_neither_grpc_nor_a_store():
    code = (
        "import sys, atexit; atexit.register(lambda: print(sorted(sys.modules), file=sys.stderr));"
        "from sessiond.cli import main; main(prog_name='sessiond')"
    )
    asked = {"_SESSIOND_COMPLETE": "bash_complete", "COMP_WORDS": "sessiond se", "COMP_CWORD": "1"}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ | asked)
    assert result.stdout == "plain,serve\nplain,sessions\nplain,session\nplain,search\n"
    assert [name for name in ("grpc", "lmdb", "rich", "google.protobuf", "pydantic") if f"'{name}'" in result.stderr] == []


def test_another_shell_is_refused():
    result = CliRunner().invoke(main, ["completion", "tcsh"])
    assert (result.exit_code, "'tcsh' is not one of 'bash', 'zsh'" in result.stderr) == (2, True)
