"""Feedback outlives the daemon, its store's format and the moves of its traces."""

import signal
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.message import Message

from builders import request, span, trace_id
from daemon import DEADLINE_SECONDS, Asker, Daemon, sessiond
from sessiond.wire._pb.v1 import feedback_service_pb2 as pb


def give(asker: Asker, score_id: str, number: float = 0.5, **of: str) -> pb.Score:
    of = of or {"session_id": "s"}
    score = pb.Score(score_id=score_id, name="helpful", number=number, **of)
    return asker.feedback.CreateScore(pb.CreateScoreRequest(score=score), timeout=DEADLINE_SECONDS)


def said(asker: Asker) -> list[Message]:
    """Everything that was said, and what rows make of it."""
    scores = asker.feedback.ListScores(pb.ListScoresRequest(page_size=1000), timeout=DEADLINE_SECONDS).scores
    notes = asker.feedback.ListAnnotations(pb.ListAnnotationsRequest(page_size=1000), timeout=DEADLINE_SECONDS).annotations
    return [*scores, *notes, *asker.sessions(), *asker.traces()]


def test_every_acknowledged_score_is_there_after_sigkill(tmp_path: Path) -> None:
    with Daemon.start(tmp_path) as daemon, daemon.sender() as sender, daemon.asker() as asker:
        sender.export(request(span(trace=1, id=1, session="s")))
        acknowledged: dict[str, float] = {}

        def more(number: int) -> None:
            score = pb.Score(score_id=str(number), name="helpful", number=number, session_id="s")
            begun[number] = asker.feedback.CreateScore.future(pb.CreateScoreRequest(score=score), timeout=DEADLINE_SECONDS)

        begun: dict[int, Any] = {}
        for number in range(400):
            more(number)
        for number in range(50):
            acknowledged[begun[number].result().score_id] = number
        assert daemon.kill().code == -signal.SIGKILL
        for number, future in begun.items():
            try:
                acknowledged[future.result().score_id] = number
            except grpc.RpcError as error:
                assert error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)  # noqa: PT017
    checked = sessiond("check", "--data-dir", tmp_path / "data")
    assert (checked.returncode, checked.stdout.partition(": ")[2]) == (0, "0 problems\n")
    with Daemon.start(tmp_path) as again, again.asker() as asker:
        found = asker.feedback.ListScores(pb.ListScoresRequest(page_size=1000), timeout=DEADLINE_SECONDS).scores
        stored = {one.score_id: one.number for one in found}
        assert {name: stored.get(name) for name in acknowledged} == acknowledged
        (session,) = asker.sessions()
        assert (session.scores["helpful"].count, len(acknowledged) >= 50) == (len(stored), True)
        # What was not acknowledged can be given again: it is stored once.
        for name in map(str, range(400)):
            give(asker, name, float(name), session_id="s")
        assert asker.sessions()[0].scores["helpful"].count == 400


def test_a_rebuild_keeps_what_was_said(tmp_path: Path) -> None:
    with Daemon.start(tmp_path) as daemon, daemon.sender() as sender, daemon.asker() as asker:
        sender.export(request(span(trace=1, id=1, session="s"), span(trace=2, id=2)))
        give(asker, "own")
        give(asker, "of-trace", trace_id=trace_id(1).hex())
        give(asker, "of-span", trace_id=trace_id(2).hex(), span_id="00" * 7 + "02")
        give(asker, "of-nothing-yet", trace_id=trace_id(9).hex())
        note = pb.Annotation(annotation_id="n", session_id="s", text="why?", anchor={"message_index": 3})
        asker.feedback.CreateAnnotation(pb.CreateAnnotationRequest(annotation=note), timeout=DEADLINE_SECONDS)
        before = said(asker)
        daemon.stop()
    rebuilt = sessiond("rebuild", "--data-dir", tmp_path / "data")
    assert rebuilt.stdout == f"{tmp_path / 'data'}: rebuilt from 2 spans, with 5 scores and annotations\n"
    with Daemon.start(tmp_path) as again, again.asker() as asker:
        assert said(asker) == before
        assert len(before) == 5 + 1 + 2


def test_a_score_moves_with_its_trace_when_the_session_becomes_known_late(daemon: Daemon) -> None:
    with daemon.sender() as sender, daemon.asker() as asker:
        sender.export(request(span(trace=1, id=1)))
        give(asker, "a", 0.25, trace_id=trace_id(1).hex())
        assert (asker.sessions(), asker.traces()[0].scores["helpful"].mean) == ([], 0.25)
        sender.export(request(span(trace=1, id=2, parent=1, session="late")))
        (session,) = asker.sessions(filter="scores.helpful < 0.5")
        assert (session.session_id, session.scores["helpful"].mean) == ("late", 0.25)
