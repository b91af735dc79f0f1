"""Requests of eight real instrumentations, sent through the port in any order and twice: what a person would expect comes out."""

import json
import random
from collections import Counter
from pathlib import Path

import pytest

from daemon import Daemon

CAPTURES = sorted(path.parent for path in (Path(__file__).parents[1] / "data" / "captures").glob("*/manifest.json"))


def send_shuffled_and_twice(daemon: Daemon, captures: list[Path]) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # noqa: T201  (so that a failure can be had again)
    files = [file for capture in captures for file in sorted(capture.glob("*.traces.*.binpb"))] * 2
    random.Random(seed).shuffle(files)
    with daemon.sender() as sender:
        answers = [sender.export(file.read_bytes()) for file in files]
    assert [answer.partial_success.rejected_spans for answer in answers] == [0] * len(files)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Daemon:
    with Daemon.start(tmp_path_factory.mktemp("captures")) as daemon:
        send_shuffled_and_twice(daemon, CAPTURES)
        yield daemon


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.name)
def test_a_capture_gives_the_sessions_of_its_manifest(filled: Daemon, capture: Path) -> None:
    expected = json.loads((capture / "manifest.json").read_text())["expected"]
    table = {row["session_id"]: row for row in expected["session_table"]}
    with filled.asker() as asker:
        sessions = {one.session_id: asker.session(one.session_id) for one in asker.sessions() if one.session_id in table}
    assert len(sessions) == expected["sessions"]
    assert sorted({user for session, _ in sessions.values() for user in session.user_ids}) == expected["users"]
    assert {name: (list(session.user_ids), session.trace_count, session.span_count) for name, (session, _) in sessions.items()} == {
        name: ([row["user_id"]], row["traces"], row["spans"]) for name, row in table.items()
    }
    assert sum(len(traces) for _, traces in sessions.values()) == expected["traces"]
    assert sum(trace.span_count for _, traces in sessions.values() for trace in traces) == expected["spans_in_payload"]


def test_all_captures_together_are_counted_once(filled: Daemon) -> None:
    manifests = [json.loads((capture / "manifest.json").read_text())["expected"] for capture in CAPTURES]
    total = Counter({key: sum(one[key] for one in manifests) for key in ("sessions", "traces_in_payload", "spans_in_payload")})
    with filled.asker() as asker:
        assert len(asker.sessions()) == total["sessions"]
        assert len(asker.traces()) == total["traces_in_payload"]
        status = asker.status()
    assert (status.session_count, status.trace_count, status.span_count, status.user_count) == (
        total["sessions"],
        total["traces_in_payload"],
        total["spans_in_payload"],
        len({user for one in manifests for user in one["users"]}),
    )
    spans = total["spans_in_payload"]
    assert (status.accepted_span_count, status.duplicate_span_count, status.conflicting_span_count) == (spans, spans, 0)
