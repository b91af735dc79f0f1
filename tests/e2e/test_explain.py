"""A trace explained, a user shown and prices changed, from a shell and against a daemon that real emitters exported to."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from builders import request, span
from daemon import Daemon, sessiond, until
from sessiond.core.rows.fields import USER_FIELDS

CAPTURES = Path(__file__).parents[1] / "data" / "captures"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with Daemon.start(tmp_path_factory.mktemp("explained")) as daemon:
        with daemon.sender() as sender:
            for file in sorted((CAPTURES / "anthropic_openinference_double").glob("*.traces.*.binpb")):
                sender.export(file.read_bytes())
        yield daemon


def printed(daemon: Daemon, *arguments: str) -> str:
    ended = sessiond(*arguments, "--endpoint", daemon.query)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def rows(daemon: Daemon, *arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in printed(daemon, *arguments, "--json").splitlines()]


def a_trace(daemon: Daemon) -> dict[str, Any]:
    return next(row for row in rows(daemon, "traces") if row["tool_call_count"])


def test_an_explanation_can_be_read(filled: Daemon) -> None:
    trace = a_trace(filled)
    told = printed(filled, "explain", trace["trace_id"])
    lines = [line.split() for line in told.splitlines()]
    assert ["input_tokens", f"{trace['input_tokens']:,}"] in lines
    assert "gen_ai.usage.input_tokens" in told
    assert "price table  anthropic claude" in told
    assert f"{trace['llm_call_count']} calls" in told
    assert "not counted" in told
    assert "a generation below it tells of the same call, and counts" in told


def test_an_explanation_as_json_is_the_trace_and_then_what_explains_it(filled: Daemon) -> None:
    trace = a_trace(filled)
    first, *others = rows(filled, "explain", trace["trace_id"])
    assert first == trace
    figures = {row["field"]: row for row in others if "field" in row}
    calls = [row for row in others if "cost_source" in row]
    uncounted = [row for row in others if "rule" in row]
    assert len(figures) + len(calls) + len(uncounted) == len(others)
    assert sum(call["input_tokens"] for call in calls) == trace["input_tokens"]
    assert sum(call["cost_usd"] for call in calls) == pytest.approx(trace["cost_usd"])
    assert {call["cost_source"] for call in calls} == {"estimated"}
    counted = {call["span_id"] for call in calls}
    assert {row["counted_span_id"] for row in uncounted} == counted
    assert {one["span_id"] for one in figures["input_tokens"]["evidence"]} == counted


def test_an_unknown_trace_is_told_in_a_line(filled: Daemon) -> None:
    ended = sessiond("explain", "f" * 32, "--endpoint", filled.query)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(f"sessiond: there is no trace {'f' * 32}")


def test_a_user_is_shown_with_the_figures_of_their_traces(filled: Daemon) -> None:
    user, *sessions = rows(filled, "user", "bob")
    assert {session["user_id"] for session in sessions} == {"bob"}
    assert list(user) == [field.name for field in USER_FIELDS]
    theirs = rows(filled, "traces", "--user", "bob")
    assert (user["trace_count"], user["session_count"]) == (len(theirs), len({row["session_id"] for row in theirs}))
    assert user["input_tokens"] == sum(row["input_tokens"] or 0 for row in theirs)
    costs = [row["cost_usd"] for row in theirs if row["cost_usd"] is not None]
    assert user["cost_usd"] == pytest.approx(sum(costs))
    assert user["cost_mean_usd"] == pytest.approx(sum(costs) / len(costs), abs=1e-9)
    assert printed(filled, "user", "bob").splitlines()[0].split() == ["user", "bob"]


def test_an_unknown_user_is_told_in_a_line(filled: Daemon) -> None:
    ended = sessiond("user", "nobody", "--endpoint", filled.query)
    assert (ended.returncode, ended.stderr.partition(";")[0]) == (1, "sessiond: there is no user 'nobody' in project 'default'")


# -- prices and keys -------------------------------------------------------------------------------------------------------------


def price(usd: float) -> dict[str, Any]:
    return {"overrides": [{"model": "house-model", "input": usd, "output": usd}]}


def send(daemon: Daemon, count: int = 1, **more: Any) -> None:
    spans = (
        span(trace=number, id=1, operation="chat", model="house-model", tokens_in=10**6, tokens_out=0, **more)
        for number in range(1, count + 1)
    )
    with daemon.sender() as sender:
        sender.export(request(*spans).SerializeToString())


def test_prices_changed_in_the_settings_of_a_running_daemon_hold_after_repricing(tmp_path: Path) -> None:
    with Daemon.start(tmp_path, prices=price(2)) as daemon:
        send(daemon, session="s")
        (settings,) = tmp_path.glob("config-*.yaml")
        assert [row["cost_usd"] for row in rows(daemon, "sessions")] == [2.0]
        assert printed(daemon, "reprice") == "no price changed\n"
        settings.write_text(yaml.safe_dump({**yaml.safe_load(settings.read_text()), "prices": price(3)}))
        assert printed(daemon, "reprice") == "1 trace repriced\n"
        assert [row["cost_usd"] for row in rows(daemon, "sessions")] == [3.0]
        assert printed(daemon, "check").endswith("0 problems\n")
        settings.write_text("prices: {overrides: [{model: m}]}")
        ended = sessiond("reprice", "--endpoint", daemon.query)
        assert ended.returncode == 2
        assert "prices.overrides" in ended.stderr
        assert [row["cost_usd"] for row in rows(daemon, "sessions")] == [3.0]


def test_prices_and_keys_changed_before_a_start_hold_for_what_is_stored(tmp_path: Path) -> None:
    with Daemon.start(tmp_path, prices=price(2)) as daemon:
        send(daemon, session="s", app__chat="c", app__person="p")
        daemon.stop()
    keys = {"session_keys": ["app.chat"], "user_keys": ["app.person"]}
    with Daemon.start(tmp_path, prices=price(5), conventions=keys) as daemon:
        (trace,) = rows(daemon, "traces")
        assert (trace["session_id"], trace["user_id"], trace["cost_usd"]) == ("c", "p", 5.0)
        until(lambda: json.loads(printed(daemon, "status", "--json"))["renewed_trace_count"] is None)
        assert [row["session_id"] for row in rows(daemon, "sessions")] == ["c"]
        assert printed(daemon, "check").endswith("0 problems\n")
        daemon.stop()
    settings = tmp_path / "config.yaml"
    settings.write_text(yaml.safe_dump({"prices": price(5), "conventions": keys}))
    assert sessiond("check", "--data-dir", tmp_path / "data", "--config", settings).stdout.endswith("checked: 0 problems\n")
    told = sessiond("check", "--data-dir", tmp_path / "data").stdout
    assert "(1 trace of other rules not compared)" in told


@pytest.mark.parametrize("count", [1, 400], ids=["decoded in place", "decoded in a process of its own"])
def test_keys_of_an_operators_own_are_read_wherever_a_request_is_decoded(tmp_path: Path, count: int) -> None:
    with Daemon.start(tmp_path, conventions={"session_keys": ["app.chat"]}) as daemon:
        send(daemon, count, session="s", app__chat="c", filler="x" * 300)
        assert [(row["session_id"], row["trace_count"]) for row in rows(daemon, "sessions")] == [("c", count)]
        assert printed(daemon, "check").endswith("0 problems\n")
