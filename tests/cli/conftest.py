"""The command line against a canned daemon."""

import json

import pytest
from click.testing import CliRunner, Result

from client.canned import Canned, serving
from sessiond.cli import main


@pytest.fixture
def run():
    """Run one command against a daemon that answers as canned."""

    def run_command(canned: Canned, *arguments: str) -> Result:
        with serving(canned) as endpoint:
            return CliRunner().invoke(main, [*arguments, "--endpoint", endpoint])

    return run_command


@pytest.fixture
def run_json(run):
    """The JSON objects that one command prints."""

    def rows(canned: Canned, *arguments: str) -> list[dict[str, object]]:
        result = run(canned, *arguments, "--json")
        assert result.exit_code == 0, result.output
        return [json.loads(line) for line in result.stdout.splitlines()]

    return rows
