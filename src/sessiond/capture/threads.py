"""Threads take with them the context in which they were started, as asyncio's tasks do by themselves."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial, wraps
from typing import ParamSpec, TypeVar

from opentelemetry.context import Context, attach, detach, get_current

P = ParamSpec("P")
R = TypeVar("R")


def keep_context() -> None:
    """Have all threads started from now on, and all that thread pools are given, run in the context they were started or given in.

    It changes the two classes of the standard library, for the whole process: call it once.
    """
    threading.Thread.start = _start(threading.Thread.start)  # type: ignore[method-assign, assignment]
    ThreadPoolExecutor.submit = _submit(ThreadPoolExecutor.submit)  # type: ignore[method-assign]


def _start(start: Callable[[threading.Thread], None]) -> Callable[[threading.Thread], None]:
    @wraps(start)
    def started(thread: threading.Thread) -> None:
        if context := get_current():
            # The thread's own `run`, and not the class's: subclasses have others.
            thread.run = partial(_inside, context, thread.run)  # type: ignore[method-assign]
        start(thread)

    return started


def _submit(submit: Callable[..., Future[R]]) -> Callable[..., Future[R]]:
    @wraps(submit)
    def submitted(pool: ThreadPoolExecutor, function: Callable[..., R], /, *args: object, **kwargs: object) -> Future[R]:
        # An empty context too: the pool's thread may have been started inside a capture.
        return submit(pool, _inside, get_current(), function, *args, **kwargs)

    return submitted


def _inside(context: Context, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    token = attach(context)
    try:
        return function(*args, **kwargs)
    finally:
        detach(token)
