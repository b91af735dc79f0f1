"""What can be said of what, and how a mistake is told."""

from typing import Any

import pytest

from builders import annotation, score, span_id, trace_id
from sessiond.core.errors import Invalid
from sessiond.core.feedback.annotation import Anchor, Annotation, checked_annotation, updated_annotation
from sessiond.core.feedback.score import Score, checked_score, is_stale, updated_score
from sessiond.core.feedback.target import TraceTarget
from sessiond.core.model import SessionKey

TRACE = TraceTarget(trace_id(1))
SPAN = TraceTarget(trace_id(1), span_id(2))
S1 = SessionKey("default", "s1")


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"id": ""}, "score_id", "1 to 128"),
        ({"id": "a b"}, "score_id", "characters A-Z"),
        ({"id": "a" * 129}, "score_id", "1 to 128"),
        ({"target": TraceTarget(b"x")}, "trace_id", "32 hexadecimal digits"),
        ({"target": TraceTarget(bytes(16))}, "trace_id", "not all 0"),
        ({"target": TraceTarget(trace_id(1), b"x")}, "span_id", "16 hexadecimal digits"),
        ({"target": TraceTarget(trace_id(1), bytes(8))}, "span_id", "not all 0"),
        ({"target": SessionKey("", "s")}, "project", "must not be empty"),
        ({"target": SessionKey("default", "")}, "session_id", "must not be empty"),
        ({"target": SessionKey("default", "s" * 1025)}, "session_id", "at most 1,024"),
        ({"name": ""}, "name", "printable"),
        ({"name": " a"}, "name", "without blanks"),
        ({"name": "a\x1b[31m"}, "name", "printable"),
        ({"name": "n" * 129}, "name", "at most 128"),
        ({"value": float("nan")}, "number", "must be a number"),
        ({"value": float("inf")}, "number", "must be a number"),
        ({"value": -(2.0**53) - 2}, "number", "from -9007199254740992"),
        ({"value": ""}, "category", "printable"),
        ({"value": "c" * 129}, "category", "at most 128"),
        ({"comment": "x" * 10_001}, "comment", "at most 10,000"),
        ({"author": "a\nb"}, "author", "printable"),
        ({"metadata": tuple((str(number), "") for number in range(65))}, "metadata", "at most 64"),
        ({"metadata": (("", "v"),)}, "metadata", "printable"),
        ({"metadata": (("k", "v" * 1025),)}, "metadata", "1,024"),
        ({"create_unix_nano": 5, "update_unix_nano": 4}, "update_time", "before create_time"),
    ],
)
def test_a_score_out_of_bounds_is_refused_and_the_field_named(change: dict[str, Any], field: str, words: str):
    with pytest.raises(Invalid) as caught:
        checked_score(score()._replace(**change))
    assert caught.value.field == field
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"id": "a" * 128},
        {"id": "run-7:turn_1.helpful~2"},
        {"target": SPAN, "value": "partly correct", "comment": "x" * 10_000, "author": "Ω"},
        {"value": -(2.0**53)},
        {"name": "n" * 128, "value": False},
    ],
)
def test_what_is_within_bounds_stays_as_it_is(change: dict[str, Any]):
    good = score()._replace(**change)
    assert checked_score(good) == good


def test_a_whole_number_is_a_number_metadata_is_in_order_and_zero_has_no_sign():
    found = checked_score(score(value=3, metadata=(("b", "1"), ("a", "2"))))
    assert (type(found.value), found.value, found.metadata) == (float, 3.0, (("a", "2"), ("b", "1")))
    assert str(checked_score(score(value=-0.0)).value) == "0.0"


def test_a_yes_and_the_number_1_are_different_contents_and_times_are_none():
    assert score(value=True).content != score(value=1.0).content
    assert score(value=1.0).content == score(value=1.0, create_unix_nano=9).content
    assert score(value=1.0).content != score(value=1.0, comment="x").content


def test_an_update_changes_what_was_asked_and_makes_a_score_fresh():
    old = checked_score(score(value=1.0, comment="a", author="ann", create_unix_nano=5))
    new = updated_score(old, {"value": "bad", "author": ""}, 30)
    assert new == old._replace(value="bad", author="", update_unix_nano=30)
    assert (is_stale(old, 10), is_stale(new, 10), is_stale(new, None)) == (True, False, False)
    with pytest.raises(Invalid):
        updated_score(old, {"comment": "x" * 10_001}, 30)


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"id": "ü"}, "annotation_id", "1 to 128"),
        ({"text": "  "}, "text", "must not be empty"),
        ({"text": "x" * 10_001}, "text", "at most 10,000"),
        ({"tags": ("a",) * 33}, "tags", "at most 32"),
        ({"tags": ("",)}, "tags", "printable"),
        ({"author": " "}, "author", "printable"),
        ({"create_unix_nano": 5, "update_unix_nano": 4}, "update_time", "before create_time"),
        ({"anchor": Anchor(span_id=span_id(1)), "target": S1}, "anchor.span_id", "of no trace"),
        ({"anchor": Anchor(trace_id=trace_id(1)), "target": TRACE}, "anchor.trace_id", "of a session"),
        ({"anchor": Anchor(span_id=span_id(2)), "target": SPAN}, "anchor.span_id", "of a whole trace"),
        ({"anchor": Anchor(span_id=b"x"), "target": TRACE}, "anchor.span_id", "16 hexadecimal digits"),
        ({"anchor": Anchor(trace_id=b"x")}, "anchor.trace_id", "32 hexadecimal digits"),
        ({"anchor": Anchor(message_index=-1)}, "anchor.message_index", "negative"),
        ({"anchor": Anchor(begin=1)}, "anchor.end", "give both"),
        ({"anchor": Anchor(end=1)}, "anchor.end", "give both"),
        ({"anchor": Anchor(begin=3, end=3)}, "anchor.end", "larger than"),
    ],
)
def test_an_annotation_out_of_bounds_is_refused_and_the_field_named(change: dict[str, Any], field: str, words: str):
    with pytest.raises(Invalid) as caught:
        checked_annotation(annotation()._replace(**change))
    assert caught.value.field == field
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"anchor": Anchor(trace_id(1), span_id(1), 0, 0, 5)},
        {"anchor": Anchor(span_id=span_id(1), message_index=3), "target": TRACE},
        {"anchor": Anchor(begin=2, end=3), "target": SPAN, "tags": ("a", "b")},
    ],
)
def test_a_place_in_the_target_can_be_named(change: dict[str, Any]):
    good: Annotation = annotation()._replace(**change)
    assert checked_annotation(good) == good
    assert updated_annotation(good, {"text": "new", "anchor": None}, 7) == good._replace(
        text="new", anchor=None, update_unix_nano=7
    )


def test_rows_of_a_codec_become_the_same_again():
    for one in (score(target=SPAN, metadata=(("a", "b"),)), score(value=True)):
        assert Score.of_row((one.id, tuple(one.target), *one[2:])) == one
    for note in (annotation(anchor=Anchor(begin=1, end=2)), annotation(target=TRACE, tags=("x",))):
        row = (note.id, tuple(note.target), *note[2:5], note.anchor and tuple(note.anchor), *note[6:])
        found = Annotation.of_row(row)
        assert (found, type(found.target), type(found.anchor)) == (note, type(note.target), type(note.anchor))
