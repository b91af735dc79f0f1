"""The forms of capture, and what is stamped."""

import asyncio
import inspect
import json
from uuid import UUID

import pytest
from opentelemetry import baggage, trace
from opentelemetry.context import Context, get_current

from sessiond.capture import capture
from spans_seen import TRACER, Spans, work

WHOSE = {"session.id": "s", "user.id": "ada"}


def test_a_block_stamps_its_span_and_all_inside(spans: Spans):
    work("before")
    with capture("turn", session_id="s", user_id="ada", tags=["beta"], metadata={"plan": "pro", "seats": 3}) as span:
        span.set_attribute("own", 1)
        work("inside")
    work("after")
    stamp = {**WHOSE, "tag.tags": ("beta",), "metadata": '{"plan": "pro", "seats": 3}'}
    assert spans.stamps() == {"before": {}, "inside": stamp, "turn": {**stamp, "own": 1}, "after": {}}
    assert spans.parents() == {"before": None, "inside": "turn", "turn": None, "after": None}


def test_a_decorated_function_has_a_capture_for_each_call(spans: Spans):
    @capture("turn", session_id="s", user_id="ada")
    def answer(question: str, *, loud: bool = False) -> str:
        """Answer a question."""
        work(question)
        return question.upper() if loud else question

    assert (answer.__name__, answer.__doc__) == ("answer", "Answer a question.")
    assert list(inspect.signature(answer).parameters) == ["question", "loud"]
    assert answer("one", loud=True) == "ONE"
    assert spans.stamps() == {"one": WHOSE, "turn": WHOSE}
    first = spans.all()["turn"].context.trace_id
    spans._exporter.clear()
    assert answer("two") == "two"
    assert spans.stamps() == {"two": WHOSE, "turn": WHOSE}
    assert spans.all()["turn"].context.trace_id != first


def test_a_decorated_coroutine_function_stays_one(spans: Spans):
    @capture("turn", session_id="s")
    async def answer(question: str) -> str:
        work(question)
        await asyncio.sleep(0)
        work("later")
        return "yes"

    assert inspect.iscoroutinefunction(answer)
    assert asyncio.run(answer("one")) == "yes"
    assert spans.sessions() == {"one": "s", "later": "s", "turn": "s"}


class Agent:
    @capture("method", session_id="s")
    def answer(self) -> "Agent":
        work("of an object")
        return self

    @classmethod
    @capture("class method", session_id="s")
    def make(cls) -> "Agent":
        return cls()


def test_methods_are_decorated_too(spans: Spans):
    agent = Agent.make()
    assert agent.answer() is agent
    assert spans.sessions() == {"class method": "s", "of an object": "s", "method": "s"}


def test_a_call_runs_a_function_at_once_and_returns_its_result(spans: Spans):
    async def answer(question: str) -> str:
        work("later")
        return question

    def now() -> int:
        work("now")
        return 7

    assert capture("turn", now, session_id="s") == 7
    assert asyncio.run(capture("async turn", lambda: answer("why"), session_id="t")) == "why"
    assert spans.sessions() == {"now": "s", "turn": "s", "later": "t", "async turn": "t"}


def test_inside_another_inner_ids_count_tags_unite_and_metadata_merges(spans: Spans):
    with (
        capture("outer", session_id="s", user_id="ada", tags=["a", "b"], metadata={"plan": "pro", "region": "eu"}),
        capture("inner", session_id="t", tags=["b", "c"], metadata={"plan": "free"}),
    ):
        work()
    inner = {"session.id": "t", "user.id": "ada", "tag.tags": ("a", "b", "c"), "metadata": '{"plan": "free", "region": "eu"}'}
    outer = {**WHOSE, "tag.tags": ("a", "b"), "metadata": '{"plan": "pro", "region": "eu"}'}
    assert spans.stamps() == {"work": inner, "inner": inner, "outer": outer}
    assert spans.parents() == {"work": "inner", "inner": "outer", "outer": None}


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_an_id_that_says_nothing_leaves_the_one_outside(spans: Spans, nothing: str | None):
    with capture("outer", session_id="s", user_id="ada"), capture("inner", session_id=nothing, user_id=nothing):
        pass
    assert spans.stamps() == {"inner": WHOSE, "outer": WHOSE}


def test_ids_may_be_numbers_and_uuids_and_a_text_is_one_tag(spans: Spans):
    session = UUID(int=7)
    with capture("turn", session_id=session, user_id=42, tags="beta"):
        pass
    assert spans.stamps() == {"turn": {"session.id": str(session), "user.id": "42", "tag.tags": ("beta",)}}


def test_metadata_that_json_has_no_word_for_is_told_as_text(spans: Spans):
    with capture("turn", metadata={"id": UUID(int=1), "name": "Zoë", (1, 2): "no key"}):
        pass
    assert json.loads(spans.stamps()["turn"]["metadata"]) == {"id": str(UUID(int=1)), "name": "Zoë"}


def test_what_a_span_says_of_itself_stays(spans: Spans):
    with capture("turn", session_id="s", user_id="ada"):
        trace.get_tracer(TRACER).start_span("own", attributes={"session.id": "mine"}).end()
    assert spans.stamps()["own"] == {"session.id": "mine", "user.id": "ada"}


def test_a_span_that_was_told_to_have_no_parent_is_not_stamped(spans: Spans):
    with capture("turn", session_id="s"):
        trace.get_tracer(TRACER).start_span("apart", context=Context()).end()
    assert spans.sessions() == {"apart": None, "turn": "s"}


def test_a_capture_inside_a_span_is_its_child(spans: Spans):
    with trace.get_tracer(TRACER).start_as_current_span("request"), capture("turn", session_id="s"):
        pass
    assert spans.parents() == {"turn": "request", "request": None}
    assert spans.sessions() == {"turn": "s", "request": None}


def test_ids_are_baggage_and_tags_and_metadata_are_not(spans: Spans):
    with capture("turn", session_id="s", user_id="ada", tags=["beta"], metadata={"plan": "pro"}):
        assert dict(baggage.get_all()) == WHOSE
    assert dict(baggage.get_all(get_current())) == {}


def fails(error: BaseException) -> None:
    raise error


async def fails_later(error: BaseException) -> None:
    await asyncio.sleep(0)
    raise error


def in_block(error: BaseException) -> None:
    with capture("turn", session_id="s"):
        raise error


FORMS = {
    "block": in_block,
    "decorator": capture("turn", session_id="s")(fails),
    "call": lambda error: capture("turn", lambda: fails(error), session_id="s"),
    "coroutine": lambda error: asyncio.run(capture("turn", session_id="s")(fails_later)(error)),
    "call of a coroutine": lambda error: asyncio.run(capture("turn", lambda: fails_later(error), session_id="s")),
}


@pytest.mark.parametrize("form", FORMS)
def test_an_exception_is_recorded_and_passes_through(spans: Spans, form: str):
    error = ValueError("no money")
    with pytest.raises(ValueError, match="no money") as caught:
        FORMS[form](error)
    assert caught.value is error
    turn = spans.all()["turn"]
    assert (turn.status.is_ok, turn.status.description) == (False, "ValueError: no money")
    recorded = [
        ((event.attributes or {})["exception.type"], (event.attributes or {})["exception.message"]) for event in turn.events
    ]
    assert recorded == [("ValueError", "no money")]


class Speechless(Exception):
    def __str__(self) -> str:
        raise KeyError("no words")


KINDS = (Speechless, StopIteration, StopAsyncIteration, KeyboardInterrupt, GeneratorExit)
# Python lets no coroutine raise StopIteration, and asyncio makes another of KeyboardInterrupt.
RAISED = [
    (form, kind) for form in FORMS for kind in KINDS if not ("coroutine" in form and kind in (StopIteration, KeyboardInterrupt))
]


@pytest.mark.parametrize(("form", "kind"), RAISED)
def test_an_exception_of_any_kind_passes_through(spans: Spans, form: str, kind: type[BaseException]):
    error = kind()
    with pytest.raises(kind) as caught:
        FORMS[form](error)
    assert caught.value is error
    status = spans.all()["turn"].status
    assert status.is_ok is not issubclass(kind, Exception)
    if kind is Speechless:
        assert status.description == "Speechless"


def test_a_cancelled_turn_ends_and_is_no_error(spans: Spans):
    async def cancelled() -> None:
        task = asyncio.create_task(capture("turn", session_id="s")(asyncio.sleep)(60))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert spans.all()["turn"].status.is_ok or spans.all()["turn"].status.is_unset


def test_a_capture_is_open_once_at_a_time_and_again_later(spans: Spans):
    turn = capture("turn", session_id="s")
    with turn, pytest.raises(RuntimeError, match="open already"):
        turn.__enter__()
    spans._exporter.clear()
    with turn:
        work()
    assert spans.sessions() == {"work": "s", "turn": "s"}
    with pytest.raises(RuntimeError, match="not open"):
        turn.__exit__(None, None, None)
