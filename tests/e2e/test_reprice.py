"""`sessiond reprice` against a real daemon whose settings file changes while it runs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from builders import request, span
from daemon import Daemon, sessiond


def override(usd_per_million: float) -> dict[str, Any]:
    return {"overrides": [{"model": "house", "input": usd_per_million, "output": usd_per_million}]}


@pytest.fixture
def priced(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon that prices `house` at $1 per million tokens, and holds one call of a million."""
    with Daemon.start(tmp_path, prices=override(1)) as daemon:
        with daemon.sender() as sender:
            sender.export(request(span(session="s", chat__key="k", operation="chat", model="house", tokens_in=10**6, tokens_out=0)))
        yield daemon


def settings(daemon: Daemon) -> Path:
    """The file that the daemon was started with."""
    command = Path(f"/proc/{daemon.process.pid}/cmdline").read_bytes().split(b"\0")
    return Path(command[command.index(b"--config") + 1].decode())


def configure(daemon: Daemon, **sections: dict[str, Any]) -> None:
    path = settings(daemon)
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **sections}))


def cost(daemon: Daemon) -> float:
    with daemon.asker() as asker:
        return asker.session("s")[0].cost_usd


def told(daemon: Daemon) -> tuple[int, str, str]:
    result = sessiond("reprice", "--endpoint", daemon.query)
    return result.returncode, result.stdout, result.stderr


def test_changed_prices_are_taken_while_the_daemon_runs(priced: Daemon) -> None:
    assert cost(priced) == 1
    configure(priced, prices=override(2.5))
    assert told(priced) == (0, "1 trace repriced\n", "")
    assert cost(priced) == 2.5


def test_unchanged_prices_are_told(priced: Daemon) -> None:
    assert told(priced) == (0, "no price changed\n", "")
    assert cost(priced) == 1


def test_settings_that_are_broken_are_told_and_the_old_prices_stay(priced: Daemon) -> None:
    settings(priced).write_text("prices: {overrides: [{model: house}]}\n")
    code, stdout, stderr = told(priced)
    assert (code, stdout) == (2, "")
    assert "prices.overrides.0: needs input, output or both" in stderr
    assert cost(priced) == 1


def test_nothing_but_prices_is_taken_from_the_settings(priced: Daemon) -> None:
    configure(priced, prices=override(2), conventions={"session_keys": ["chat.key"]})
    assert told(priced) == (0, "1 trace repriced\n", "")
    with priced.asker() as asker:
        assert [(row.session_id, row.cost_usd) for row in asker.sessions()] == [("s", 2)]


def test_prices_hold_after_a_kill_and_a_restart(priced: Daemon, tmp_path: Path) -> None:
    configure(priced, prices=override(4))
    told(priced)
    priced.kill()
    with Daemon.start(tmp_path, prices=override(4)) as daemon:
        assert cost(daemon) == 4
    assert sessiond("check", "--data-dir", tmp_path / "data", "--config", settings_of(tmp_path)).returncode == 0


def settings_of(folder: Path) -> Path:
    """The newest settings file of daemons started in a folder."""
    return max(folder.glob("config-*.yaml"), key=lambda path: path.stat().st_mtime_ns)
