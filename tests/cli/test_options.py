"""The options that the commands share."""

import pytest
from click.testing import CliRunner
from google.protobuf.timestamp_pb2 import Timestamp

from client.canned import Canned
from sessiond.cli import main
from sessiond.cli.options import moment

NOW = 1_767_225_600 * 10**9 + 5


@pytest.mark.parametrize(
    ("text", "seconds", "nanos"),
    [
        ("30s", 1_767_225_570, 5),
        ("15m", 1_767_224_700, 5),
        ("2h", 1_767_218_400, 5),
        ("7d", 1_766_620_800, 5),
        ("999999999d", 0, 0),
        ("2026-01-01T00:00:00Z", 1_767_225_600, 0),
        ("2026-01-01T00:00:00.123456789Z", 1_767_225_600, 123_456_789),
        ("2026-01-01T02:00:00+02:00", 1_767_225_600, 0),
        ("1950-01-01T00:00:00Z", 0, 0),
        ("2026-01-01", 1_767_225_600, 0),
    ],
)
def test_since_is_a_time_or_an_age(text, seconds, nanos):
    assert moment(text, NOW) == Timestamp(seconds=seconds, nanos=nanos)


@pytest.mark.parametrize("text", ["", "yesterday", "2 h", "-2h", "1w", "2026-02-30", "2026-01-01T00:00:00", "2026-13-01T00:00:00Z"])
def test_since_of_another_form_is_refused_with_examples(text):
    result = CliRunner().invoke(main, ["sessions", "--since", text])
    assert result.exit_code == 2
    assert (
        f"{text!r} is no time such as 2026-01-31T09:30:00Z, no day such as 2026-01-31 and no age such as 15m, 2h or 7d"
        in " ".join(result.stderr.split())
    )


@pytest.mark.parametrize("text", ["localhost", "localhost:0", "localhost:99999", "http://localhost:4319", ":4319", "::1:4319"])
def test_an_endpoint_is_host_and_port(text):
    result = CliRunner().invoke(main, ["status", "--endpoint", text])
    assert (result.exit_code, "is not HOST:PORT, such as 127.0.0.1:4319" in result.stderr) == (2, True)


@pytest.mark.parametrize("text", ["localhost:1", "[::1]:1", "127.0.0.1:1"])
def test_a_daemon_that_is_not_there_exits_with_1_and_a_hint(text):
    result = CliRunner().invoke(main, ["status"], env={"SESSIOND_ENDPOINT": text})
    assert (result.exit_code, result.stdout, result.stderr) == (
        1,
        "",
        f"sessiond: no sessiond answers at {text}; start it with `sessiond serve`, or give --endpoint\n",
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["traces", "--filter"],
        ["tail", "--user"],
        ["stats", "--by"],
        ["users", "--filter"],
        ["user"],
        ["session"],
        ["trace"],
        ["explain"],
    ],
)
def test_an_argument_that_is_no_utf8_is_refused(run, arguments):
    result = run(Canned(), *arguments, "\udcff")
    assert (result.exit_code, result.stderr) == (2, "sessiond: '\\udcff' is no text in UTF-8\n")


@pytest.mark.parametrize("limit", ["0", "-1", "many"])
def test_a_limit_is_at_least_one(run, limit):
    assert run(Canned(), "sessions", "--limit", limit).exit_code == 2
