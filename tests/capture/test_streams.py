"""Generators keep their capture wherever they are consumed, and their consumer sees nothing of it."""

import asyncio
import contextvars
import gc
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from opentelemetry import baggage, trace

from sessiond.capture import capture
from spans_seen import TRACER, Spans, work


@capture("stream", session_id="s")
def tokens(count: int = 2) -> Iterator[int]:
    with trace.get_tracer(TRACER).start_as_current_span("held"):
        for number in range(count):
            work(f"token {number}")
            yield number


@capture("stream", session_id="s")
async def tokens_later(count: int = 2) -> AsyncIterator[int]:
    with trace.get_tracer(TRACER).start_as_current_span("held"):
        for number in range(count):
            await asyncio.sleep(0)
            work(f"token {number}")
            yield number


SEEN = {"token 0": "s", "token 1": "s", "held": "s", "stream": "s"}
TREE = {"token 0": "held", "token 1": "held", "held": "stream", "stream": None}


def test_a_generator_is_inside_and_its_consumer_is_not(spans: Spans):
    for number in tokens():
        assert dict(baggage.get_all()) == {}
        work(f"consumer {number}")
    assert {name: session for name, session in spans.sessions().items() if name in SEEN} == SEEN
    assert [spans.sessions()[f"consumer {number}"] for number in (0, 1)] == [None, None]


def test_a_generator_consumed_in_another_thread_keeps_its_capture_and_its_parent(spans: Spans):
    with capture("turn", user_id="ada"):
        stream = tokens()
    assert list(spans.all()) == ["turn"]
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(list, stream).result() == [0, 1]
    assert spans.sessions() == {"turn": None, **SEEN}
    assert spans.parents() == {**TREE, "turn": None, "stream": "turn"}
    assert {stamp["user.id"] for stamp in spans.stamps().values()} == {"ada"}


def test_a_generator_consumed_bit_by_bit_in_several_contexts_logs_nothing(spans: Spans, caplog: pytest.LogCaptureFixture):
    stream = tokens()
    with capture("other", session_id="o"):
        assert next(stream) == 0
    assert contextvars.Context().run(next, stream) == 1
    with pytest.raises(StopIteration):
        contextvars.Context().run(next, stream)
    assert spans.sessions() == {"other": "o", **SEEN}
    assert caplog.records == []


def test_what_is_sent_thrown_and_returned_gets_through(spans: Spans):
    @capture("stream", session_id="s")
    def talk() -> Generator[str, str, int]:
        heard = yield "hello"
        try:
            yield heard.upper()
        except KeyError:
            work("caught")
            yield "caught"
        return 3

    def outer() -> Generator[str, str, int]:
        return (yield from talk())

    stream = outer()
    assert next(stream) == "hello"
    assert stream.send("you") == "YOU"
    assert stream.throw(KeyError("x")) == "caught"
    with pytest.raises(StopIteration) as ended:
        next(stream)
    assert ended.value.value == 3
    assert spans.sessions() == {"caught": "s", "stream": "s"}
    assert spans.all()["stream"].status.is_unset


def test_a_generator_that_fails_says_so_once(spans: Spans):
    @capture("stream", session_id="s")
    def broken() -> Iterator[int]:
        yield 1
        raise ValueError("cut off")

    stream = broken()
    assert next(stream) == 1
    with pytest.raises(ValueError, match="cut off"):
        next(stream)
    assert list(stream) == []
    span = spans.all()["stream"]
    assert (span.status.description, [event.name for event in span.events]) == ("ValueError: cut off", ["exception"])


def close(stream: Any) -> None:
    stream.close()


@pytest.mark.parametrize("started", [False, True])
@pytest.mark.parametrize("leave", [close, lambda _: None], ids=["closed", "dropped"])
def test_a_generator_left_early_ends_its_capture(spans: Spans, leave: Callable[[Any], None], started: bool):
    stream: Any = tokens()
    if started:
        next(stream)
    leave(stream)
    del stream
    gc.collect()
    assert list(spans.all()) == (["token 0", "held", "stream"] if started else ["stream"])
    assert spans.all()["stream"].status.is_unset


def test_a_stream_that_a_plain_function_returns_keeps_the_capture(spans: Spans):
    def inner() -> Iterator[int]:
        work("inside")
        yield 1

    assert list(capture("call", inner, session_id="s")) == [1]
    assert list(spans.all()) == ["inside", "call"]
    assert spans.sessions() == {"inside": "s", "call": "s"}


def test_an_asynchronous_generator_is_inside_and_its_consumer_is_not(spans: Spans):
    async def consume() -> list[int]:
        found = []
        async for number in tokens_later():
            work(f"consumer {number}")
            found.append(number)
        return found

    assert asyncio.run(consume()) == [0, 1]
    consumer = {"consumer 0": None, "consumer 1": None}
    assert spans.sessions() == {**SEEN, **consumer}
    assert spans.parents() == {**TREE, **consumer}


def test_an_asynchronous_generator_consumed_by_several_tasks_keeps_its_capture(spans: Spans, caplog: pytest.LogCaptureFixture):
    async def consume() -> list[int]:
        with capture("turn", user_id="ada"):
            stream = tokens_later()
        found = [await asyncio.create_task(anext(stream)) for _ in range(2)]
        with pytest.raises(StopAsyncIteration):
            await asyncio.create_task(anext(stream))
        return found

    assert asyncio.run(consume()) == [0, 1]
    assert spans.sessions() == {"turn": None, **SEEN}
    assert spans.parents() == {**TREE, "turn": None, "stream": "turn"}
    assert caplog.records == []


def test_a_coroutine_that_returns_a_stream_hands_the_capture_to_it(spans: Spans):
    async def inner() -> AsyncIterator[int]:
        work("inside")
        yield 1

    @capture("turn", session_id="s")
    async def answer() -> AsyncIterator[int]:
        return inner()

    async def consume() -> list[int]:
        return [number async for number in await answer()]

    assert asyncio.run(consume()) == [1]
    assert list(spans.all()) == ["inside", "turn"]
    assert spans.sessions() == {"inside": "s", "turn": "s"}


@pytest.mark.parametrize("closed", [True, False])
def test_an_asynchronous_generator_left_early_ends_its_capture(spans: Spans, closed: bool):
    async def consume() -> None:
        if closed:
            async with aclosing(tokens_later()) as stream:  # type: ignore[type-var]
                await anext(stream)
        else:
            async for _ in tokens_later():
                break
            gc.collect()
            await asyncio.sleep(0.01)

    asyncio.run(consume())
    assert sorted(spans.sessions().items()) == [("held", "s"), ("stream", "s"), ("token 0", "s")]
    assert spans.all()["stream"].status.is_unset


def test_an_asynchronous_generator_that_fails_says_so(spans: Spans):
    @capture("stream", session_id="s")
    async def broken() -> AsyncIterator[int]:
        yield 1
        raise ValueError("cut off")

    async def consume() -> None:
        async for _ in broken():
            pass

    with pytest.raises(ValueError, match="cut off"):
        asyncio.run(consume())
    assert spans.all()["stream"].status.description == "ValueError: cut off"


def test_a_task_that_waits_for_a_stream_can_be_cancelled(spans: Spans):
    @capture("stream", session_id="s")
    async def slow() -> AsyncIterator[int]:
        try:
            await asyncio.sleep(60)
            yield 1
        finally:
            work("cleaned up")

    async def consume() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(slow()), 0.01)

    asyncio.run(consume())
    assert spans.sessions() == {"cleaned up": "s", "stream": "s"}


def test_a_context_manager_out_of_a_captured_generator_works(spans: Spans):
    @asynccontextmanager
    @capture("stream", session_id="s")
    async def opened() -> AsyncIterator[int]:
        try:
            yield 1
        except KeyError:
            work("caught")

    async def use() -> None:
        async with opened() as number:
            raise KeyError(number)

    asyncio.run(use())
    assert spans.sessions() == {"caught": "s", "stream": "s"}


# -- tasks and threads ---------------------------------------------------------------------------------------------------------


def test_tasks_started_inside_are_inside_and_each_has_its_own(spans: Spans):
    async def step(name: str) -> None:
        await asyncio.sleep(0)
        work(name)

    async def turn(session: str) -> None:
        with capture(session, session_id=session):
            await asyncio.gather(
                step(f"{session} 1"), asyncio.create_task(step(f"{session} 2")), asyncio.to_thread(work, f"{session} 3")
            )

    async def both() -> None:
        await asyncio.gather(turn("s"), turn("t"))

    asyncio.run(both())
    assert dict(sorted(spans.sessions().items())) == {
        name: name[0] for name in ("s", "s 1", "s 2", "s 3", "t", "t 1", "t 2", "t 3")
    }
