"""Rules of an operator's own, and their change, against a real daemon: keys for sessions and users, offline check and rebuild."""

import json
from pathlib import Path
from typing import Any

import pytest

from builders import request, span, trace_id
from daemon import Daemon, sessiond, until

KEYS = {"session_keys": ["chat.key"], "user_keys": ["chat.person"]}
OVERRIDES = {"overrides": [{"model": "house", "input": 2}]}
CALL = {"operation": "chat", "model": "house", "tokens_in": 10**6, "tokens_out": 0}


def settings_of(folder: Path) -> Path:
    """The newest settings file of daemons started in a folder."""
    return max(folder.glob("config-*.yaml"), key=lambda path: path.stat().st_mtime_ns)


def sessions(daemon: Daemon) -> list[tuple[str, str]]:
    with daemon.asker() as asker:
        return sorted((row.session_id, row.user_id) for row in asker.sessions())


@pytest.mark.parametrize("filler_bytes", [0, 200_000], ids=["decoded in place", "decoded in a process of its own"])
def test_an_operators_keys_go_before_all_that_are_known(tmp_path: Path, filler_bytes: int) -> None:
    with Daemon.start(tmp_path, conventions=KEYS) as daemon, daemon.sender() as sender:
        sender.export(request(span(session="s", user="u", chat__key="k", chat__person="p", filler="x" * filler_bytes)))
        assert len(daemon.children()) == (1 if filler_bytes else 0)
        assert sessions(daemon) == [("k", "p")]
        assert sessiond("check", "--endpoint", daemon.query).returncode == 0


def test_a_store_is_read_anew_when_a_daemon_starts_with_other_keys(tmp_path: Path) -> None:
    with Daemon.start(tmp_path) as daemon, daemon.sender() as sender:
        for number in range(1, 4):
            sender.export(request(span(trace=number, session="s", user="u", chat__key=f"k{number}", chat__person="p")))
        assert sessions(daemon) == [("s", "u")]
        daemon.kill()
    with Daemon.start(tmp_path, conventions=KEYS) as daemon:
        assert sessions(daemon) == [("k1", "p"), ("k2", "p"), ("k3", "p")]


def test_a_renewal_that_was_killed_goes_on(tmp_path: Path) -> None:
    with Daemon.start(tmp_path) as daemon, daemon.sender() as sender:
        for start in range(1, 6001, 1000):
            sender.export(request(*(span(trace=n, session=f"s{n}", chat__key=f"k{n % 10}") for n in range(start, start + 1000))))
        daemon.stop()
    with Daemon.start(tmp_path, conventions=KEYS) as daemon, daemon.asker() as asker:
        until(lambda: (status := asker.status()).renewed_trace_count or not status.HasField("renewed_trace_count"))
        daemon.kill()
    with Daemon.start(tmp_path, conventions=KEYS) as daemon, daemon.asker() as asker:
        assert {(row.session_id, row.trace_count) for row in asker.sessions()} == {(f"k{n}", 600) for n in range(10)}
        until(lambda: not asker.status().HasField("renewed_trace_count"))
        assert sessiond("check", "--endpoint", daemon.query).stdout == "6,000 traces, 10 sessions, 0 users checked: 0 problems\n"


def filled(folder: Path, **settings: Any) -> Path:
    """The data directory of a daemon with these settings, which is stopped."""
    with Daemon.start(folder, **settings) as daemon, daemon.sender() as sender:
        sender.export(request(span(session="s", chat__key="k", **CALL)))
        assert sessions(daemon)
        daemon.stop()
    return folder / "data"


def test_the_offline_check_makes_figures_by_the_settings_that_it_is_given(tmp_path: Path) -> None:
    data_dir = filled(tmp_path, conventions=KEYS, prices=OVERRIDES)
    by_its_own = sessiond("check", "--data-dir", data_dir, "--config", settings_of(tmp_path))
    assert (by_its_own.returncode, by_its_own.stdout) == (0, "1 trace, 1 session, 0 users checked: 0 problems\n")


def test_the_offline_check_without_the_settings_tells_of_outdated_traces_and_of_no_problem(tmp_path: Path) -> None:
    data_dir = filled(tmp_path, conventions=KEYS, prices=OVERRIDES)
    by_defaults = sessiond("check", "--data-dir", data_dir)
    told = "1 trace, 1 session, 0 users (1 trace of other rules not compared) checked: 0 problems\n"
    assert (by_defaults.returncode, by_defaults.stdout) == (0, told)


def test_a_rebuild_makes_figures_by_the_settings_that_it_is_given(tmp_path: Path) -> None:
    data_dir = filled(tmp_path)
    config = tmp_path / "other.yaml"
    config.write_text("conventions: {session_keys: [chat.key]}\nprices: {overrides: [{model: house, input: 2}]}\n")
    rebuilt = sessiond("rebuild", "--data-dir", data_dir, "--config", config)
    assert (rebuilt.returncode, rebuilt.stdout) == (0, f"{data_dir}: rebuilt from 1 spans\n")
    checked = sessiond("check", "--data-dir", data_dir, "--config", config)
    assert checked.stdout == "1 trace, 1 session, 0 users checked: 0 problems\n"
    with Daemon.start(tmp_path, conventions={"session_keys": ["chat.key"]}, prices=OVERRIDES) as daemon, daemon.asker() as asker:
        assert [(row.session_id, row.cost_usd) for row in asker.sessions()] == [("k", 2)]


def test_explain_and_user_are_readable_and_speak_json(tmp_path: Path) -> None:
    with Daemon.start(tmp_path, prices=OVERRIDES) as daemon, daemon.sender() as sender:
        spans = (span(id=1, operation="invoke_agent", tokens_in=9), span(id=2, parent=1, session="s", user="ann", **CALL))
        sender.export(request(*spans))
        at = ("--endpoint", daemon.query)
        shown = sessiond("explain", trace_id(1).hex(), *at)
        assert (shown.returncode, shown.stderr) == (0, "")
        for text in (
            "input_tokens",
            "gen_ai.usage.input_tokens",
            "override house",
            "1 call",
            "1 span not counted",
            "$2",
            f"{2:016x}",
        ):
            assert text in shown.stdout
        trace, *rest = map(json.loads, sessiond("explain", trace_id(1).hex(), "--json", *at).stdout.splitlines())
        assert (trace["trace_id"], trace["cost_usd"]) == (trace_id(1).hex(), 2)
        assert next(row for row in rest if row.get("field") == "user_id")["evidence"][0]["value"] == "ann"
        assert [row["cost_source"] for row in rest if "cost_source" in row] == ["estimated"]
        assert [row["rule"] for row in rest if "rule" in row] == ["aggregate"]
        assert sessiond("explain", "f" * 32, *at).returncode != 0
        user, session = map(json.loads, sessiond("user", "ann", "--json", *at).stdout.splitlines())
        assert session["session_id"] == "s"
        assert (user["user_id"], user["trace_count"], user["cost_usd"]) == ("ann", 1, 2)
        assert "ann" in sessiond("user", "ann", *at).stdout
        missing = sessiond("user", "nobody", *at)
        assert (missing.returncode != 0, "there is no user 'nobody' in project 'default'" in missing.stderr) == (True, True)
