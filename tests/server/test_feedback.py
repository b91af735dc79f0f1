"""FeedbackService over the wire: what it answers, and how it refuses."""

from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from builders import request, span, trace_id
from daemon import DEADLINE_SECONDS, Asker, Parts, Sender
from sessiond.wire._pb.v1 import feedback_service_pb2 as pb
from sessiond.wire._pb.v1.feedback_service_pb2 import Annotation, Score
from sessiond.wire._pb.v1.session_service_pb2 import StreamSessionsRequest

TRACE = trace_id(1).hex()
TRACE_SCORE = {"score_id": "a", "trace_id": TRACE, "name": "helpful", "number": 0.5}
NOTE = {"annotation_id": "n", "trace_id": TRACE, "text": "why?"}


def ask(asker: Asker, method: str, **fields: Any) -> Any:
    request_type = getattr(pb, f"{method}Request")
    return getattr(asker.feedback, method)(request_type(**fields), timeout=DEADLINE_SECONDS)


@pytest.mark.parametrize(
    ("method", "fields", "said_of"),
    [
        ("CreateScore", {}, ("session_id", "must not be empty; give a session_id, or a trace_id")),
        ("CreateScore", {"score": TRACE_SCORE | {"session_id": "s"}}, ("session_id", "can't stand beside trace_id")),
        ("CreateScore", {"score": TRACE_SCORE | {"trace_id": "x"}}, ("trace_id", "32 hexadecimal digits")),
        ("CreateScore", {"score": TRACE_SCORE | {"trace_id": "0" * 32}}, ("trace_id", "not all 0")),
        ("CreateScore", {"score": TRACE_SCORE | {"span_id": "x"}}, ("span_id", "16 hexadecimal digits")),
        ("CreateScore", {"score": TRACE_SCORE | {"project": "p"}}, ("project", "goes with session_id")),
        ("CreateScore", {"score": {"session_id": "s", "span_id": "0" * 16}}, ("span_id", "is of no trace")),
        ("CreateScore", {"score": {"session_id": "s", "name": "x"}}, ("number", "is not given, and no boolean and no category")),
        ("CreateScore", {"score": TRACE_SCORE | {"number": float("nan")}}, ("number", "must be a number")),
        ("CreateScore", {"score": TRACE_SCORE | {"name": ""}}, ("name", "printable")),
        ("CreateScore", {"score": TRACE_SCORE | {"source": 9}}, ("source", "give one of human, evaluator, api")),
        ("CreateScore", {"score": TRACE_SCORE | {"score_id": "a b"}}, ("score_id", "leave it empty to be given one")),
        ("GetScore", {}, ("score_id", "must not be empty")),
        ("UpdateScore", {}, ("update_mask", "names nothing to change")),
        ("UpdateScore", {"score": {"number": 1}}, ("score.score_id", "must not be empty")),
        ("UpdateScore", {"score": TRACE_SCORE, "update_mask": FieldMask(paths=["name"])}, ("update_mask", "can't be changed")),
        ("UpdateScore", {"score": {"score_id": "a"}, "update_mask": FieldMask(paths=["number"])}, ("number", "is not given")),
        ("DeleteScore", {}, ("score_id", "must not be empty")),
        ("ListScores", {"page_size": -1}, ("page_size", "negative")),
        ("ListScores", {"page_token": "x"}, ("page_token", "not one of ours")),
        ("ListScores", {"span_id": "0" * 16}, ("span_id", "is of no trace")),
        ("ListScores", {"source": 9}, ("source", "is no source")),
        ("ImportScores", {"scores": [{}] * 1001}, ("scores", "at most 1,000")),
        ("CreateAnnotation", {"annotation": NOTE | {"text": " "}}, ("text", "must not be empty")),
        ("CreateAnnotation", {"annotation": NOTE | {"anchor": {"begin": 1}}}, ("anchor.end", "give both")),
        ("CreateAnnotation", {"annotation": NOTE | {"anchor": {"span_id": "x"}}}, ("anchor.span_id", "16 hexadecimal")),
        ("CreateAnnotation", {"annotation": NOTE | {"anchor": {"trace_id": "x"}}}, ("anchor.trace_id", "32 hexadecimal")),
        ("GetAnnotation", {}, ("annotation_id", "must not be empty")),
        ("UpdateAnnotation", {"annotation": NOTE, "update_mask": FieldMask(paths=["trace_id"])}, ("update_mask", "text, author")),
        ("DeleteAnnotation", {}, ("annotation_id", "must not be empty")),
        ("ImportAnnotations", {"annotations": [{}] * 1001}, ("annotations", "at most 1,000")),
    ],
)
def test_what_makes_no_sense_is_refused_and_the_field_named(
    asker: Asker, refusal: Any, method: str, fields: dict[str, Any], said_of: tuple[str, str]
) -> None:
    with refusal() as said:
        ask(asker, method, **fields)
    field, words = said_of
    assert (said.refusal.code, said.refusal.reason, said.refusal.field) == ("INVALID_ARGUMENT", "INVALID", field)
    assert words in said.refusal.message


@pytest.mark.parametrize("method", ["GetScore", "DeleteScore", "GetAnnotation", "DeleteAnnotation"])
def test_what_is_not_there_is_not_found(asker: Asker, refusal: Any, method: str) -> None:
    name = "score_id" if method.endswith("Score") else "annotation_id"
    with refusal() as said:
        ask(asker, method, **{name: "none"})
    assert (said.refusal.code, said.refusal.reason) == ("NOT_FOUND", "NOT_FOUND")
    if method.startswith("Delete"):
        ask(asker, method, **{name: "none", "allow_missing": True})


def test_other_content_under_an_id_already_exists(asker: Asker, refusal: Any) -> None:
    first = ask(asker, "CreateScore", score=TRACE_SCORE)
    assert ask(asker, "CreateScore", score=TRACE_SCORE) == first
    with refusal() as said:
        ask(asker, "CreateScore", score=TRACE_SCORE | {"number": 0.75})
    assert (said.refusal.code, said.refusal.reason) == ("ALREADY_EXISTS", "EXISTS")
    assert ask(asker, "GetScore", score_id="a") == first


def test_a_score_comes_back_as_it_was_given(asker: Asker) -> None:
    given = Score(
        score_id="a",
        project="p",
        session_id="s",
        name="verdict",
        category="bad",
        source="SCORE_SOURCE_EVALUATOR",
        comment="c",
        metadata={"k": "v"},
        author="ann",
    )
    made = ask(asker, "CreateScore", score=given)
    assert made.create_time == made.update_time
    given.create_time.CopyFrom(made.create_time)
    given.update_time.CopyFrom(made.update_time)
    assert (made, ask(asker, "GetScore", score_id="a")) == (given, given)


def test_an_annotation_comes_back_as_it_was_given(asker: Asker) -> None:
    given = Annotation(
        annotation_id="n",
        session_id="s",
        project="default",
        text="why?",
        author="ann",
        tags=["x", "y"],
        anchor={"trace_id": TRACE, "span_id": "00" * 7 + "01", "message_index": 0, "begin": 0, "end": 4},
    )
    made = ask(asker, "CreateAnnotation", annotation=given)
    given.create_time.CopyFrom(made.create_time)
    given.update_time.CopyFrom(made.update_time)
    assert ask(asker, "GetAnnotation", annotation_id="n") == given


@pytest.mark.parametrize(
    ("new", "paths", "changed"),
    [
        ({"number": 1.0}, [], {"number": 1.0}),
        ({"number": 1.0, "comment": "new"}, ["comment"], {"comment": "new"}),
        ({"boolean": False}, ["boolean"], {"boolean": False}),
        ({"category": "bad"}, ["number"], {"category": "bad"}),
        ({}, ["comment", "metadata"], {"comment": "", "metadata": {}}),
        ({"number": 0.0}, ["*"], {"number": 0.0, "comment": "", "metadata": {}, "author": "", "source": "SCORE_SOURCE_API"}),
        ({"metadata": {"b": "2"}, "name": "ignored"}, [], {"metadata": {"b": "2"}}),
    ],
)
def test_an_update_changes_what_its_mask_names_or_what_is_set(
    asker: Asker, new: dict[str, Any], paths: list[str], changed: dict[str, Any]
) -> None:
    old = {**TRACE_SCORE, "comment": "old", "metadata": {"a": "1"}, "author": "ann", "source": "SCORE_SOURCE_HUMAN"}
    made = ask(asker, "CreateScore", score=old)
    updated = ask(asker, "UpdateScore", score=Score(score_id="a", **new), update_mask=FieldMask(paths=paths))
    assert updated.update_time.ToNanoseconds() >= made.update_time.ToNanoseconds()
    if set(changed) & {"number", "boolean", "category"}:
        del old["number"]
    expected = Score(**old | changed, create_time=made.create_time, update_time=updated.update_time)
    assert (updated, ask(asker, "GetScore", score_id="a")) == (expected, expected)


def test_an_annotation_can_be_changed_and_its_place_taken_away(asker: Asker) -> None:
    made = ask(asker, "CreateAnnotation", annotation=NOTE | {"anchor": {"message_index": 1}, "tags": ["x"]})
    changed = ask(asker, "UpdateAnnotation", annotation=NOTE | {"text": "new"}, update_mask=FieldMask(paths=["text", "anchor"]))
    assert (changed.text, changed.HasField("anchor"), changed.tags, changed.create_time) == ("new", False, ["x"], made.create_time)


def test_an_import_keeps_times_and_tells_what_it_left_out(asker: Asker) -> None:
    then = Timestamp(seconds=1_700_000_000, nanos=5)
    later = Timestamp(seconds=1_700_000_001)
    answer = ask(
        asker,
        "ImportScores",
        scores=[
            TRACE_SCORE | {"create_time": then, "update_time": later},
            {"session_id": "s", "name": "x"},
            TRACE_SCORE | {"score_id": "b", "create_time": Timestamp(seconds=-1)},
            TRACE_SCORE | {"number": 0.75},
            TRACE_SCORE,
        ],
    )
    assert (answer.created_count, answer.unchanged_count) == (1, 1)
    assert [(one.index, one.field) for one in answer.failures] == [(1, "number"), (2, "create_time"), (3, "")]
    assert "another score is stored under the id 'a'" in answer.failures[2].message
    found = ask(asker, "GetScore", score_id="a")
    assert (found.create_time, found.update_time) == (then, later)


def test_a_large_page_of_scores_ends_within_a_message(asker: Asker) -> None:
    scores = [{"trace_id": TRACE, "name": "x", "number": 1, "comment": "ü" * 9_999} for _ in range(100)]
    for start in range(0, 100, 50):
        assert ask(asker, "ImportScores", scores=scores[start : start + 50]).created_count == 50
    page = ask(asker, "ListScores", trace_id=TRACE, page_size=100)
    assert 1 < len(page.scores) < 100
    rest = ask(asker, "ListScores", trace_id=TRACE, page_size=100, page_token=page.next_page_token)
    ids = [one.score_id for one in (*page.scores, *rest.scores)]
    assert len(ids) == len(set(ids)) > len(page.scores)
    assert page.ByteSize() <= 1 << 20


def test_a_stale_score_is_shown_as_stale_and_its_session_tells(sender: Sender, asker: Asker) -> None:
    sender.export(request(span(trace=1, id=1, session="s")))
    ask(asker, "CreateScore", score={"score_id": "s", "session_id": "s", "name": "helpful", "boolean": True})
    sender.export(request(span(trace=1, id=2, session="s")))
    assert [one.stale for one in ask(asker, "ListScores", session_id="s").scores] == [False]
    sender.export(request(span(trace=2, id=3, session="s")))
    assert [one.stale for one in ask(asker, "ListScores", session_id="s").scores] == [True]
    assert asker.session("s")[0].scores["helpful"].stale_count == 1
    assert ask(asker, "UpdateScore", score={"score_id": "s", "boolean": True}).stale is False
    assert asker.session("s")[0].scores["helpful"].stale_count == 0


def test_followers_see_what_is_said(running: Parts, sender: Sender, asker: Asker) -> None:
    sender.export(request(span(trace=1, id=1, session="s")))
    stream = asker.api.StreamSessions(StreamSessionsRequest(follow=True, filter="scores.helpful > 0.4"), timeout=DEADLINE_SECONDS)
    assert next(message for message in stream if message.caught_up).sessions == []
    ask(asker, "CreateScore", score=TRACE_SCORE)
    (session,) = next(message for message in stream if message.sessions).sessions
    assert session.scores["helpful"].mean == 0.5
    stream.cancel()
