"""Real instrumentations of real SDKs talk to a model on this machine and export to a daemon: its figures are the model's ledger.

One run of a script serves all tests of its emitter. An emitter whose packages can't be installed is skipped, with the reason.
"""

import json
import os
import subprocess
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from daemon import Daemon
from emitters import expected
from emitters.dialects import Usage
from emitters.environment import INSTALL_SECONDS_MAX, NotInstalled, locked, script_command
from emitters.expected import TOKENS, Row
from emitters.model_server import Call, model_server
from emitters.scenario import SCENARIO_FILE, SESSIONS, Session, Turn
from emitters.table import EMITTERS, OFTEN, Emitter
from sessiond.client import Client
from sessiond.client.rows import session_row, trace_row

HERE: Final = Path(__file__).parent
SCRIPT_SECONDS_MAX: Final = 60.0
CLOCKS_MS: Final = 50.0
"""By how much the clock that an emitter tells times by may be behind the server's."""
COST_TOLERANCE: Final = 0.02

pytestmark = pytest.mark.timeout(2 * (INSTALL_SECONDS_MAX + SCRIPT_SECONDS_MAX))  # its own, and what another worker still runs


class Told(NamedTuple):
    """What the ledger says of an emitter's run, and what the daemon."""

    emitter: Emitter
    ledger: list[Call]
    sessions: list[Row]
    traces: list[Row]

    def session(self, session: Session) -> Row:
        """The daemon's row of a session."""
        return next(row for row in self.sessions if row["session_id"] == session.session_id)

    def turns(self, session: Session) -> list[tuple[Turn, list[Call], Row]]:
        """A session's turns: what the emitter sends of the calls of each, and the daemon's row."""
        rows = [row for row in self.traces if row["session_id"] == session.session_id]
        calls = [[self.emitter.sends(call) for call in self.ledger if call.question == turn.question] for turn in session.turns]
        return list(zip(session.turns, calls, rows, strict=True))


def _param(emitter: Emitter) -> Any:
    return pytest.param(emitter, id=emitter.name, marks=() if emitter.name in OFTEN else pytest.mark.torture)


@pytest.fixture(scope="session", params=map(_param, EMITTERS))
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Told:
    emitter: Emitter = request.param
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base  # one run serves all workers
    result = shared / f"emitter-{emitter.name}.json"
    with locked(result.with_suffix(".lock")):
        if not result.exists():
            result.write_text(json.dumps(_run(emitter, tmp_path_factory.mktemp(emitter.name))))
    outcome = json.loads(result.read_text())
    if "skipped" in outcome:
        pytest.skip(f"{emitter.name}: {outcome['skipped']}")
    assert outcome["exit_code"] == 0, outcome["output"]
    traces_by_session = Counter(row["session_id"] for row in outcome["traces"])
    assert traces_by_session == {one.session_id: len(one.turns) for one in SESSIONS}, outcome["output"]
    ledger = [Call(**{**row, "usage": Usage(**row["usage"])}) for row in outcome["ledger"]]
    return Told(emitter, ledger, outcome["sessions"], outcome["traces"])


def _run(emitter: Emitter, folder: Path) -> dict[str, Any]:
    try:
        command = script_command(HERE / emitter.name)
    except NotInstalled as reason:
        return {"skipped": str(reason)}
    with model_server() as server, Daemon.start(folder) as daemon:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONPATH": str(HERE / "shared"),
            "SCENARIO_FILE": str(SCENARIO_FILE),
            "OPENAI_BASE_URL": f"{server.url}/v1",
            "OPENAI_API_KEY": "none",
            "ANTHROPIC_BASE_URL": server.url,
            "ANTHROPIC_API_KEY": "none",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{daemon.otlp_grpc}",
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_LOGS_EXPORTER": "none",
            "OTEL_SERVICE_NAME": emitter.name,
        }
        ended = subprocess.run(
            command, env=environment, cwd=folder, capture_output=True, text=True, timeout=SCRIPT_SECONDS_MAX, check=False
        )
        with Client(daemon.query) as client:
            return {
                "exit_code": ended.returncode,
                "output": f"{ended.stdout}\n{ended.stderr}\n{daemon.stderr}",
                "ledger": [{**call._asdict(), "usage": call.usage._asdict()} for call in server.ledger],
                "sessions": [session_row(session) for session in client.sessions()],
                "traces": sorted(map(trace_row, client.traces()), key=lambda row: (row["start_time"], row["trace_id"])),
            }


def _wrong(row: Row, wanted: Row) -> Row:
    """Field -> what the daemon tells and what it should. Many emitters leave out tokens that are 0, so absent is 0 here."""
    shown = {name: (row[name] or 0) if name in TOKENS else row[name] for name in wanted}
    return {name: (shown[name], value) for name, value in wanted.items() if shown[name] != value}


def test_each_turn_is_a_trace_with_the_figures_of_its_calls(told: Told) -> None:
    turns = [(session, *turn) for session in SESSIONS for turn in told.turns(session)]
    wrong = {turn.question: _wrong(row, expected.trace(session, turn, calls)) for session, turn, calls, row in turns}
    assert {question: fields for question, fields in wrong.items() if fields} == {}


def test_each_conversation_is_a_session_with_the_figures_of_its_turns(told: Told) -> None:
    for session in SESSIONS:
        traces = [expected.trace(session, turn, calls) for turn, calls, _ in told.turns(session)]
        assert _wrong(told.session(session), expected.session(session, traces)) == {}
    assert len(told.sessions) == len(SESSIONS)


def test_the_first_token_comes_when_the_model_sent_it(told: Told) -> None:
    for session in SESSIONS:
        turns = told.turns(session)
        streamed = 0
        for _, calls, row in turns:
            sent = expected.first_token_between(calls)
            if sent is None:
                assert row["ttft_ms"] is None
                continue
            streamed += 1
            first, second = sent
            assert row["ttft_ms"] >= _after_ms(row, first) - CLOCKS_MS
            assert second is None or row["ttft_ms"] < _after_ms(row, second)
        assert told.session(session)["ttft_count"] == streamed


def _after_ms(row: Row, instant_unix_nano: int) -> float:
    """An instant as milliseconds after a trace's start."""
    seconds, fraction = row["start_time"].removesuffix("Z").split(".")
    start_unix_nano = int(datetime.fromisoformat(f"{seconds}+00:00").timestamp()) * 10**9 + int(fraction)
    return (instant_unix_nano - start_unix_nano) / 1e6


def test_the_cost_is_the_list_price(told: Told) -> None:
    for session in SESSIONS:
        turns = told.turns(session)
        wanted = [expected.cost_usd(calls) for _, calls, _ in turns]
        assert all(cost > 0 for cost, turn in zip(wanted, session.turns, strict=True) if not turn.fails)
        assert [row["cost_usd"] or 0 for _, _, row in turns] == pytest.approx(wanted, rel=COST_TOLERANCE)
        assert told.session(session)["cost_usd"] == pytest.approx(sum(wanted), rel=COST_TOLERANCE)
        for row in (told.session(session), *(row for _, _, row in turns)):
            parts = (row["cost_reported_usd"] or 0) + (row["cost_estimated_usd"] or 0)
            assert parts == pytest.approx(row["cost_usd"] or 0)


def test_the_text_is_what_was_asked_and_answered(told: Told) -> None:
    for session in SESSIONS:
        turns = told.turns(session)
        wanted = {turn.question: expected.texts(calls) for turn, calls, _ in turns}
        assert {turn.question: (row["input"], row["output"]) for turn, _, row in turns} == wanted
        whole = told.session(session)
        assert (whole["input"], whole["output"]) == (session.turns[0].question, session.turns[-1].answer)
