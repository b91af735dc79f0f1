"""The three forms of `capture`: a block, a decorator, a call."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from functools import wraps
from types import TracebackType
from typing import Any, ParamSpec, TypeVar, cast, overload

from opentelemetry.trace import Span

from sessiond.capture.scope import Scope
from sessiond.capture.stamp import Id
from sessiond.capture.streams import handed_over

P = ParamSpec("P")
R = TypeVar("R")


class Capture(AbstractContextManager[Span]):
    """A capture to come: `with` opens one, and as a decorator it opens one at each call."""

    def __init__(self, open_scope: Callable[[], Scope]) -> None:
        self._open = open_scope
        self._running: tuple[Scope, ExitStack] | None = None

    def __enter__(self) -> Span:
        if self._running is not None:
            raise RuntimeError("this capture is open already: make one for each block")
        scope, stack = self._open(), ExitStack()
        stack.enter_context(scope.running())
        self._running = scope, stack
        return scope.span

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._running is None:
            raise RuntimeError("this capture is not open")
        (scope, stack), self._running = self._running, None
        stack.__exit__(kind, error, trace)
        scope.end()

    def __call__(self, function: Callable[P, R], /) -> Callable[P, R]:
        """The function inside a capture of its own at each call; a stream that it returns keeps it to the stream's end."""
        if inspect.iscoroutinefunction(function):

            @wraps(function)
            async def later(*args: P.args, **kwargs: P.kwargs) -> object:
                scope = self._open()
                with scope.running():
                    result: object = await function(*args, **kwargs)
                return handed_over(scope, result)

            return cast("Callable[P, R]", later)

        @wraps(function)
        def now(*args: P.args, **kwargs: P.kwargs) -> R:
            scope = self._open()
            with scope.running():
                result = function(*args, **kwargs)
            return cast("R", handed_over(scope, result))

        return now


@overload
def capture(
    name: str,
    function: None = None,
    /,
    *,
    session_id: Id = None,
    user_id: Id = None,
    tags: Sequence[str] = (),
    metadata: Mapping[str, Any] | None = None,
) -> Capture: ...


@overload
def capture(
    name: str,
    function: Callable[[], R],
    /,
    *,
    session_id: Id = None,
    user_id: Id = None,
    tags: Sequence[str] = (),
    metadata: Mapping[str, Any] | None = None,
) -> R: ...


def capture(
    name: str,
    function: Callable[[], R] | None = None,
    /,
    *,
    session_id: Id = None,
    user_id: Id = None,
    tags: Sequence[str] = (),
    metadata: Mapping[str, Any] | None = None,
) -> Capture | R:
    """Start a span of this name, and stamp it and every span started inside with a session, a user, tags and metadata.

    Without a function this is a context manager, whose value is the span, and a decorator; with one it is called at once, and
    its result returned. Inside another capture the inner ids count, tags are united, and metadata is merged key by key. The
    span is a child of the current one, or the root of a new trace. An exception is recorded on it and passes through.
    """

    def open_scope() -> Scope:
        return Scope(name, session_id, user_id, tags, metadata or {})

    found = Capture(open_scope)
    return found if function is None else found(function)()
