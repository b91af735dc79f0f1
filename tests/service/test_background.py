"""What is settled in the background while spans keep coming."""

from pathlib import Path

import pytest

from builders import received, span
from daemon import DEADLINE_SECONDS, parts, until
from sessiond.core.model import SessionKey
from sessiond.service.settling import pace
from sessiond.service.settling.queues import Patience


def test_sessions_and_users_are_settled_while_spans_keep_coming(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "OWNERS", Patience(rest_seconds=60.0, wait_seconds_max=0.05))
    monkeypatch.setattr(pace, "QUIET_SECONDS", 60.0)
    with parts(tmp_path / "data") as running:

        def appended_meanwhile() -> bool:
            running.append(received(span(session="busy", user="busy"))).result(DEADLINE_SECONDS)
            return running.store.extent()[2:4] == (1, 1)

        until(appended_meanwhile)


def test_a_session_at_rest_is_settled_while_others_keep_coming(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "OWNERS", Patience(rest_seconds=0.05, wait_seconds_max=60.0))
    monkeypatch.setattr(pace, "QUIET_SECONDS", 60.0)
    monkeypatch.setattr(pace, "TRACES_SECONDS_MAX", 0.0)
    with parts(tmp_path / "data") as running:
        running.append(received(span(trace=2, session="rests"))).result(DEADLINE_SECONDS)

        def appended_meanwhile() -> bool:
            running.append(received(span(trace=1, session="busy"))).result(DEADLINE_SECONDS)
            return running.store.session(SessionKey("default", "rests")) is not None

        until(appended_meanwhile)


def test_a_trace_is_settled_in_its_turn_while_appends_never_pause_and_nobody_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "TRACES_SECONDS_MAX", 0.05)
    monkeypatch.setattr(pace, "OWNERS", Patience(1e6, 1e6))
    monkeypatch.setattr(pace, "QUIET_SECONDS", 60.0)
    monkeypatch.setattr(pace, "MARKED_TRACES_MIN", 10**9)
    with parts(tmp_path / "data") as running:

        def appended_meanwhile() -> bool:
            running.append(received(span(session="busy"))).result(DEADLINE_SECONDS)
            return running.store.last_change() > 0

        until(appended_meanwhile)
