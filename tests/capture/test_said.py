"""Whatever an application says, its own work goes on, and what is stamped can be sent."""

import json
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import context, propagate
from opentelemetry.context import Context

from sessiond.capture import capture
from sessiond.capture.said import TEXT_LENGTH_MAX, Said, said
from sessiond.capture.stamp import METADATA_LENGTH_MAX, TAGS_MAX, attributes, stamped
from spans_seen import Spans

HALF = "\ud83d"
"""Of a surrogate pair, as JSON can bring it."""


class Unspeakable:
    def __str__(self) -> str:
        raise KeyError("no words")


def itself() -> dict[str, Any]:
    found: dict[str, Any] = {}
    found["self"] = found
    return found


LEFT_OUT: dict[str, tuple[dict[str, Any], str]] = {
    "an id of bytes": ({"session_id": b"s"}, "session_id is left out: it is text of at most .*, and this is of type bytes"),
    "an id of a float": ({"user_id": 1.5}, "user_id is left out: .* of type float"),
    "a yes or no as id": ({"session_id": True}, "session_id is left out: .* of type bool"),
    "an object as id": ({"session_id": {"id": "s"}}, "session_id is left out: .* of type dict"),
    "a long id": ({"session_id": "s" * (TEXT_LENGTH_MAX + 1)}, "session_id is left out: .* this is 1025 characters"),
    "a number as tags": ({"tags": 7}, "tags are left out: they are a list of texts, and this is of type int"),
    "an object as tags": ({"tags": {"beta": True}}, "tags are left out: .* of type dict"),
    "bytes as tags": ({"tags": b"beta"}, "tags are left out: .* of type bytes"),
    "a tag that is a list": ({"tags": [["beta"]]}, "a tag is left out: .* of type list"),
    "a text as metadata": ({"metadata": "plan=pro"}, "metadata is left out: it is a dict, and this is of type str"),
    "metadata in a circle": ({"metadata": itself()}, "metadata is left out: it can't be written as JSON: ValueError"),
    "metadata without words": ({"metadata": {"a": Unspeakable()}}, "metadata is left out: it can't be written as JSON: KeyError"),
    "long metadata": (
        {"metadata": {"a": "a" * METADATA_LENGTH_MAX}},
        "metadata is left out: all of it is at most 16384 characters",
    ),
}


@pytest.mark.parametrize("case", LEFT_OUT)
def test_what_cannot_be_taken_is_left_out_with_a_warning_and_the_application_goes_on(spans: Spans, case: str):
    given, warning = LEFT_OUT[case]
    with (
        capture("outer", session_id="outer", user_id="ada", tags=["a"], metadata={"plan": "pro"}),
        pytest.warns(RuntimeWarning, match=warning) as warned,
    ):
        assert capture("turn", lambda: 7, **given) == 7
    assert [one.filename for one in warned] == [__file__]
    assert spans.stamps()["turn"] == spans.stamps()["outer"]
    assert spans.sessions() == {"turn": "outer", "outer": "outer"}


def test_of_too_many_tags_the_first_are_kept(spans: Spans):
    with capture("outer", tags=map(str, range(60))), pytest.warns(RuntimeWarning, match="20 tags are left out"):
        capture("turn", int, tags=[str(number) for number in range(120)])
    assert spans.stamps()["turn"]["tag.tags"] == tuple(str(number) for number in range(TAGS_MAX))


def test_metadata_that_is_too_long_together_stays_as_it_was_outside(spans: Spans):
    half = "a" * (METADATA_LENGTH_MAX // 2)
    with capture("outer", metadata={"a": half}), pytest.warns(RuntimeWarning, match="metadata is left out"):
        capture("turn", int, metadata={"b": half}, tags=["kept"])
    assert spans.stamps()["turn"] == {**spans.stamps()["outer"], "tag.tags": ("kept",)}


def test_nothing_can_be_said_as_none_too(spans: Spans):
    capture("turn", int, session_id=None, user_id=None, tags=None, metadata=None)
    assert spans.stamps() == {"turn": {}}


def test_what_an_application_changes_later_is_not_told(spans: Spans):
    metadata, tags = {"plan": {"name": "pro"}}, ["a"]
    turn = capture("turn", tags=tags, metadata=metadata)
    metadata["plan"]["name"] = "free"
    tags.append("b")
    with turn:
        pass
    assert spans.stamps() == {"turn": {"tag.tags": ("a",), "metadata": '{"plan": {"name": "pro"}}'}}


def decorate_class_method() -> None:
    class Agent:
        @capture("turn")  # type: ignore[arg-type]
        @classmethod
        def answer(cls) -> None:
            pass


def without_name() -> None:
    @capture  # type: ignore[call-overload]
    def answer() -> None:
        pass


REFUSED = {
    "no name": (without_name, "a capture begins with the name of its span, and this is of type function: capture\\('turn'\\)"),
    "options": (lambda: capture("turn", {"tags": ["a"]}), "a capture takes a function, and this is of type dict"),  # type: ignore[call-overload]
    "a class method": (decorate_class_method, "a capture takes a function, and this is of type classmethod"),
    "a wrong argument": (lambda: capture("turn", session="s"), "unexpected keyword argument 'session'"),  # type: ignore[call-overload]
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_capture_that_could_never_work_is_refused_where_it_is_written(case: str):
    write, message = REFUSED[case]
    with pytest.raises(TypeError, match=message):
        write()


def test_halves_of_characters_become_question_marks(spans: Spans):
    with capture("turn", session_id=f"s{HALF}", tags=[HALF], metadata={HALF: f"Zoë {HALF}"}):
        headers: dict[str, str] = {}
        propagate.inject(headers)
    assert headers["baggage"] == "session.id=s%3F"
    assert spans.stamps() == {"turn": {"session.id": "s?", "tag.tags": ("?",), "metadata": '{"?": "Zoë ?"}'}}


texts = st.text(st.characters())  # with halves of surrogate pairs, which `text()` alone leaves out
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts | st.binary() | st.uuids(),
    lambda inner: st.lists(inner) | st.dictionaries(texts | st.integers(), inner),
)


def sent(text: str) -> str:
    return text.strip().encode(errors="replace").decode()


@pytest.mark.filterwarnings("ignore:.*left out:RuntimeWarning")
@given(anything, anything, anything, anything)
def test_whatever_is_said_gives_attributes_that_can_be_sent(session: object, user: object, tags: object, metadata: object):
    found = attributes(stamped(Context(), said(session, user, tags, metadata)))
    for value in found.values():
        for one in (value,) if isinstance(value, str) else value:
            assert one.encode()
            assert one == one.strip()
    if isinstance(metadata, Mapping) and metadata:
        assert isinstance(json.loads(str(found["metadata"])), dict)
    if isinstance(session, UUID):
        assert found["session.id"] == str(session)
    if isinstance(tags, Iterable) and not isinstance(tags, Mapping | bytes):
        given_tags = [tags] if isinstance(tags, str) else tags
        wanted = [sent(str(tag)) for tag in given_tags if isinstance(tag, str | int | UUID) and not isinstance(tag, bool)]
        assert list(found.get("tag.tags", ())) == list(dict.fromkeys(filter(None, wanted)))[:TAGS_MAX]


@given(st.text(st.characters(), max_size=300), st.text(st.characters(), max_size=300))
def test_ids_come_out_of_headers_as_they_went_in(session: str, user: str):
    inside = stamped(Context(), said(session, user, None, None))
    headers: dict[str, str] = {}
    propagate.inject(headers, inside)
    assert attributes(propagate.extract(headers, Context())) == attributes(inside)
    assert said(session, user, None, None) == Said(sent(session), sent(user))
    assert context.get_current() == {}
