"""The three forms of `capture`: a block, a decorator, a call."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from functools import wraps
from types import TracebackType
from typing import Any, ParamSpec, TypeVar, cast, overload

from opentelemetry.trace import Span

from sessiond.capture.said import Id, Said, said
from sessiond.capture.scope import Scope
from sessiond.capture.streams import handed_over

P = ParamSpec("P")
R = TypeVar("R")


class Capture(AbstractContextManager[Span]):
    """A capture to come: `with` opens one, and as a decorator it opens one at each call."""

    def __init__(self, name: str, said: Said) -> None:
        self._name = name
        self._said = said
        self._running: Scope | None = None

    def __enter__(self) -> Span:
        if self._running is not None:
            raise RuntimeError("this capture is open already: make one for each block")
        self._running = Scope(self._name, self._said)
        return self._running.__enter__().span

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._running is None:
            raise RuntimeError("this capture is not open")
        scope, self._running = self._running, None
        scope.__exit__(kind, error, trace)
        scope.end()

    def __call__(self, function: Callable[P, R], /) -> Callable[P, R]:
        """The function inside a capture of its own at each call; a stream that it returns keeps it to the stream's end."""
        if not callable(function):  # as a classmethod is not, and a dict of options
            raise TypeError(
                f"a capture takes a function, and this is of type {type(function).__name__}; what it says is given by name"
            )
        if inspect.iscoroutinefunction(function):

            @wraps(function)
            async def later(*args: P.args, **kwargs: P.kwargs) -> object:
                scope = Scope(self._name, self._said)
                with scope:
                    result: object = await function(*args, **kwargs)
                return handed_over(scope, result)

            return cast("Callable[P, R]", later)

        @wraps(function)
        def now(*args: P.args, **kwargs: P.kwargs) -> R:
            scope = Scope(self._name, self._said)
            with scope:
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
    tags: Iterable[Id] = (),
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
    tags: Iterable[Id] = (),
    metadata: Mapping[str, Any] | None = None,
) -> R: ...


def capture(
    name: str,
    function: Callable[[], R] | None = None,
    /,
    *,
    session_id: Id = None,
    user_id: Id = None,
    tags: Iterable[Id] = (),
    metadata: Mapping[str, Any] | None = None,
) -> Capture | R:
    """Start a span of this name, and stamp it and every span started inside with a session, a user, tags and metadata.

    Without a function this is a context manager, whose value is the span, and a decorator; with one it is called at once, and
    its result returned. Inside another capture the inner ids count, tags are united, and metadata is merged key by key. The
    span is a child of the current one, or the root of a new trace. An exception is recorded on it and passes through.
    A name that is no text and a function that is none raise TypeError; of the rest, what can't be taken is left out with a
    RuntimeWarning.
    """
    if not isinstance(name, str):
        raise TypeError(f"a capture begins with the name of its span, and this is of type {type(name).__name__}: capture('turn')")
    found = Capture(name, said(session_id, user_id, tags, metadata))
    return found if function is None else found(function)()
