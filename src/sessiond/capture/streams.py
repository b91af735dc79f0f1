"""Results that go on after a call returned: generators, asynchronous ones, and coroutines.

Each runs in a copy of the context variables at the call, step by step, so that it keeps its ids wherever it is consumed, and
between steps the consumer sees nothing of it. Attaching before each step and detaching after it would not do: a span that the
generator has open over a `yield` would be lost from the context, and its own detaching fail in another thread.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from contextvars import Context
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Any, Final

from sessiond.capture.scope import Scope


class Steps(Generator[Any, Any, Any]):
    """A generator each of whose steps runs in a context."""

    def __init__(self, context: Context, inner: Generator[Any, Any, Any]) -> None:
        self._context = context
        self._inner = inner

    def send(self, value: Any, /) -> Any:
        return self._context.run(self._inner.send, value)

    def throw(self, *error: Any) -> Any:
        return self._context.run(self._inner.throw, *error)


class Stream(Steps):
    """A generator that ends its capture when it is exhausted, fails, is closed or dropped."""

    def __init__(self, scope: Scope, inner: Generator[Any, Any, Any]) -> None:
        super().__init__(scope.copied(), inner)
        self._scope = scope

    def send(self, value: Any, /) -> Any:
        return self._until_it_ends(super().send, value)

    def throw(self, *error: Any) -> Any:
        return self._until_it_ends(super().throw, *error)

    def _until_it_ends(self, step: Any, *given: Any) -> Any:
        try:
            return step(*given)
        except StopIteration:
            self._scope.end()
            raise
        except BaseException as error:
            self._scope.end(error)
            raise

    def __del__(self) -> None:
        self.close()


class AsyncStream(AsyncGenerator[Any, Any]):
    """The same of an asynchronous generator.

    Dropped before its end, its capture ends at once, and the event loop closes what is inside later, as it does with all of them.
    """

    def __init__(self, scope: Scope, inner: AsyncGenerator[Any, Any]) -> None:
        self._scope = scope
        self._context = scope.copied()
        self._inner = inner

    async def asend(self, value: Any, /) -> Any:
        return await self._until_it_ends(self._inner.asend(value))

    async def athrow(self, *error: Any) -> Any:
        return await self._until_it_ends(self._inner.athrow(*error))

    async def _until_it_ends(self, step: Awaitable[Any]) -> Any:
        try:
            return await InContext(self._context, step)
        except StopAsyncIteration:
            self._scope.end()
            raise
        except BaseException as error:
            self._scope.end(error)
            raise

    def __del__(self) -> None:
        self._scope.end()


class InContext(Awaitable[Any]):
    """Something awaited in a context."""

    def __init__(self, context: Context, inner: Awaitable[Any]) -> None:
        self._context = context
        self._inner = inner

    def __await__(self) -> Generator[Any, Any, Any]:
        return Steps(self._context, self._inner.__await__())


async def finished(scope: Scope, inner: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine returns, run inside a capture."""
    with scope:
        result = await inner
    return handed_over(scope, result)


GOING_ON: Final[dict[type, Callable[[Scope, Any], Any]]] = {
    GeneratorType: Stream,
    AsyncGeneratorType: AsyncStream,
    CoroutineType: finished,
}


def handed_over(scope: Scope, result: Any) -> Any:
    """A result, which goes on inside the capture if it is one that goes on; else the capture ends here."""
    going_on = GOING_ON.get(type(result))
    if going_on is not None:
        return going_on(scope, result)
    scope.end()
    return result
