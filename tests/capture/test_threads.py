"""Threads started inside a capture are inside it, once `instrument` has seen to it; without, a copied context does the same."""

import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from opentelemetry.context import get_current

from sessiond.capture import capture
from sessiond.capture.threads import keep_context
from spans_seen import Spans, work


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading.Thread, "start", threading.Thread.start)
    monkeypatch.setattr(ThreadPoolExecutor, "submit", ThreadPoolExecutor.submit)
    keep_context()


class Worker(threading.Thread):
    def run(self) -> None:
        work("subclass")


def timer() -> threading.Thread:
    return threading.Timer(0, work, ["timer"])


def plain() -> threading.Thread:
    return threading.Thread(target=work, args=("plain",))


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("make", [plain, Worker, timer])
def test_a_thread_is_where_it_was_started(spans: Spans, make: Callable[[], threading.Thread]):
    thread = make()
    with capture("turn", session_id="s"):
        thread.start()
    thread.join()
    [name] = spans.sessions().keys() - {"turn"}
    assert spans.sessions() == {"turn": "s", name: "s"}
    assert spans.parents() == {"turn": None, name: "turn"}


@pytest.mark.usefixtures("kept")
def test_what_a_pool_is_given_is_where_it_was_given_and_not_where_the_pools_thread_was_started(spans: Spans):
    with ThreadPoolExecutor(1) as pool:
        with capture("first", session_id="s"):
            futures = [pool.submit(work, "in first"), pool.submit(pow, 2, exp=3)]
        with capture("second", session_id="t"):
            assert list(pool.map(work, ["a", "b"])) == [None, None]
        pool.submit(work, "outside")
        assert pool.submit(get_current).result() == {}
    assert [future.result() for future in futures] == [None, 8]
    sessions = {"in first": "s", "first": "s", "a": "t", "b": "t", "second": "t", "outside": None}
    assert dict(sorted(spans.sessions().items())) == dict(sorted(sessions.items()))


@pytest.mark.usefixtures("kept")
def test_an_exception_in_a_pool_and_a_thread_started_twice_are_as_ever():
    with capture("turn"), ThreadPoolExecutor(1) as pool:
        with pytest.raises(ZeroDivisionError):
            pool.submit(lambda: 1 / 0).result()
        thread = plain()
        thread.start()
        with pytest.raises(RuntimeError, match="threads can only be started once"):
            thread.start()
        thread.join()


def test_without_it_threads_are_inside_with_a_copied_context(spans: Spans):
    with ThreadPoolExecutor(2) as pool, capture("turn", session_id="s"):
        futures = [pool.submit(contextvars.copy_context().run, work, f"step {number}") for number in range(4)]
        thread = threading.Thread(target=contextvars.copy_context().run, args=(work, "thread"))
        thread.start()
        thread.join()
        assert [future.result() for future in futures] == [None] * 4
    names = ["step 0", "step 1", "step 2", "step 3", "thread", "turn"]
    assert sorted(spans.sessions().items()) == [(name, "s") for name in names]
    assert {parent for name, parent in spans.parents().items() if name != "turn"} == {"turn"}
