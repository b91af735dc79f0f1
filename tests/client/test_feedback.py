"""Scores and annotations by both clients, against a daemon's real parts; and scores as lines of JSON."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import request, span, trace_id
from daemon import Parts, Sender, parts
from sessiond.client import Annotation, AsyncFeedback, Client, Feedback, Imported, RequestFailed, Score
from sessiond.client.feedback.lines import annotation_row, score_of_line, score_row
from sessiond.client.feedback.requests import IMPORT_MAX

TRACE = trace_id(1).hex()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Parts]:
    with parts(tmp_path / "data") as found:
        yield found


@pytest.fixture
def client(client_of: Any, running: Parts) -> Iterator[Any]:
    with client_of(running.query.address) as found:
        yield found


def test_scores_are_made_changed_listed_and_removed(client: Any) -> None:
    feedback = client.feedback
    made = feedback.create_score("helpful", 0.5, session_id="s", comment="why", metadata={"a": "b"}, source="human", author="ann")
    assert (made.number, made.comment, made.author, made.project) == (0.5, "why", "ann", "default")
    assert feedback.create_score("helpful", 0.5, session_id="s").score_id != made.score_id
    feedback.create_score("verdict", "bad", trace_id=TRACE, score_id="mine")
    feedback.create_score("solved", True, trace_id=TRACE, span_id="00" * 7 + "01", score_id="span")
    assert feedback.score(made.score_id) == made
    changed = feedback.update_score(made.score_id, value=False, metadata={})
    assert (changed.boolean, changed.WhichOneof("value"), changed.metadata, changed.comment) == (False, "boolean", {}, "why")
    assert {one.score_id for one in feedback.scores(trace_id=TRACE)} == {"mine", "span"}
    assert [one.score_id for one in feedback.scores(trace_id=TRACE, own_only=True)] == ["mine"]
    assert [one.score_id for one in feedback.scores(author="ann", source="human", name="helpful")] == [made.score_id]
    assert len(list(feedback.scores())) == 4
    assert len(list(feedback.scores(limit=3))) == 3
    feedback.delete_score("mine")
    with pytest.raises(RequestFailed, match="no score 'mine'"):
        feedback.delete_score("mine")
    feedback.delete_score("mine", allow_missing=True)


def test_annotations_are_made_changed_listed_and_removed(client: Any) -> None:
    feedback = client.feedback
    made = feedback.create_annotation("why?", trace_id=TRACE, tags=["x"], anchor={"message_index": 1, "begin": 0, "end": 4})
    assert (made.text, made.tags, made.anchor.end) == ("why?", ["x"], 4)
    changed = feedback.update_annotation(made.annotation_id, text="new", anchor=None)
    assert (changed.text, changed.HasField("anchor"), changed.tags) == ("new", False, ["x"])
    assert feedback.annotation(made.annotation_id) == changed
    other = feedback.create_annotation("good", session_id="s", author="bob")
    assert [one.text for one in feedback.annotations()] == ["good", "new"]
    assert [one.text for one in feedback.annotations(tag="x")] == ["new"]
    feedback.delete_annotation(other.annotation_id)
    assert [one.text for one in feedback.annotations(session_id="s")] == []
    feedback.delete_annotation(other.annotation_id, allow_missing=True)


def test_a_refusal_tells_why(client: Any) -> None:
    client.feedback.create_score("a", 1, session_id="s", score_id="x")
    for code, ask in (
        ("ALREADY_EXISTS", lambda: client.feedback.create_score("a", 2, session_id="s", score_id="x")),
        ("INVALID_ARGUMENT", lambda: client.feedback.create_score("", 2, session_id="s")),
        ("NOT_FOUND", lambda: client.feedback.update_score("none", value=1)),
        ("INVALID_ARGUMENT", lambda: list(client.feedback.scores(trace_id="x"))),
    ):
        with pytest.raises(RequestFailed) as failed:
            ask()
        assert failed.value.code == code
    with pytest.raises(TypeError, match="unexpected arguments: nmae"):
        list(client.feedback.scores(nmae="x"))


def test_importing_again_changes_nothing_and_each_failure_is_at_its_place(client: Any) -> None:
    scores = [Score(session_id=f"s{number % 9}", name="x", number=number % 7) for number in range(IMPORT_MAX + 5)]
    scores[3] = Score(session_id="s", name="x")
    scores[IMPORT_MAX + 2] = Score(trace_id="zz", name="x", number=1)
    imported = list(client.feedback.import_scores(iter(scores)))
    assert [one[:3] for one in imported] == [(IMPORT_MAX, IMPORT_MAX - 1, 0), (5, 4, 0)]
    failures = [failure for one in imported for failure in one.failures]
    assert [(one.place, one.field) for one in failures] == [(3, "number"), (IMPORT_MAX + 2, "trace_id")]
    again = list(client.feedback.import_scores(scores))
    assert [one[:3] for one in again] == [(IMPORT_MAX, 0, IMPORT_MAX - 1), (5, 0, 4)]
    assert len(list(client.feedback.scores())) == IMPORT_MAX + 3
    assert scores[0].score_id == ""


def test_annotations_are_imported_with_their_times(client: Any) -> None:
    note = Annotation(session_id="s", text="old")
    note.create_time.FromJsonString("2024-01-02T03:04:05.000000006Z")
    assert list(client.feedback.import_annotations([note])) == [Imported(1, 1, 0, ())]
    (found,) = client.feedback.annotations()
    assert (found.create_time, found.update_time) == (note.create_time, note.create_time)


def test_large_scores_are_imported_in_messages_that_a_daemon_takes(client: Any) -> None:
    scores = [Score(session_id=f"s{number}", name="x", number=1, comment="ü" * 9_999) for number in range(300)]
    imported = list(client.feedback.import_scores(scores))
    assert len(imported) > 3
    assert sum(one.created for one in imported) == 300


def test_rows_show_what_was_said(client: Any, running: Parts) -> None:
    with Sender(running.receiver.address) as sender:
        sender.export(request(span(trace=1, id=1, session="s")))
    client.feedback.create_score("helpful", 0.5, trace_id=TRACE)
    session, traces = client.session("s")
    assert session.scores["helpful"].mean == 0.5
    assert [trace.scores["helpful"].count for trace in traces] == [1]


# -- lines -----------------------------------------------------------------------------------------------------------------------

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
SCORES = st.builds(
    Score,
    score_id=TEXTS,
    trace_id=TEXTS,
    session_id=TEXTS,
    name=TEXTS,
    comment=TEXTS,
    author=TEXTS,
    source=st.sampled_from([1, 2, 3]),
    metadata=st.dictionaries(TEXTS, TEXTS, max_size=2),
)


@given(SCORES, st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.booleans(), TEXTS), st.integers(0, 2**62))
def test_a_line_that_is_shown_can_be_imported(score: Score, value: Any, at: int) -> None:
    setattr(score, "boolean" if isinstance(value, bool) else "category" if isinstance(value, str) else "number", value)
    score.create_time.FromNanoseconds(at)
    score.update_time.FromNanoseconds(at)
    assert score_of_line(json.dumps(score_row(score))) == score


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("oops", "is no JSON"),
        ("[1]", "is no JSON object"),
        ("[" * 100_000, "is no JSON"),
        ('{"nam": "x"}', "'nam' is no field of a score; they are score_id, project"),
        ('{"name": 5}', "name: 5 is no text"),
        ('{"value": [1]}', "value: [1] is no number"),
        ('{"value": 1' + "0" * 400 + "}", "value: the number is too large"),
        ('{"source": "robot"}', "source: 'robot' is none of human, evaluator, api"),
        ('{"source": ["human"]}', "source: ['human'] is none of"),
        ('{"metadata": {"a": 1}}', "metadata: is no object of texts"),
        ('{"metadata": "a"}', "metadata: is no object of texts"),
        ('{"create_time": "yesterday"}', "create_time: 'yesterday' is no time"),
        ('{"create_time": 5}', "create_time: 5 is no time"),
        (r'{"comment": "\ud800"}', "comment: holds half a character"),
        (r'{"metadata": {"\ud800": "a"}}', "metadata: holds half a character"),
        ('{"comment": "' + "x" * (1 << 20) + '"}', "is longer than 1,048,576 characters"),
    ],
)
def test_a_line_that_is_no_score_says_why(line: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        score_of_line(line)


def test_an_annotation_as_a_row_names_its_target() -> None:
    row = annotation_row(Annotation(annotation_id="n", trace_id=TRACE, text="x", tags=["a"]))
    assert {name: row[name] for name in ("annotation_id", "trace_id", "span_id", "session_id", "project", "tags", "anchor")} == {
        "annotation_id": "n",
        "trace_id": TRACE,
        "span_id": None,
        "session_id": None,
        "project": None,
        "tags": ["a"],
        "anchor": None,
    }


def test_both_clients_have_the_same_methods() -> None:
    def public(of: type) -> list[str]:
        return [name for name in vars(of) if not name.startswith("_")]

    assert public(AsyncFeedback) == public(Feedback)
    assert isinstance(Client("127.0.0.1:1").feedback, Feedback)
