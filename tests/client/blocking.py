"""AsyncClient without `await`, so that one suite serves both clients."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Iterator
from typing import Any, Self

from sessiond.client import AsyncClient


class Blocking:
    """The methods of an AsyncClient, whose answers are awaited and whose iterators are plain ones; its `feedback`'s too."""

    def __init__(self, runner: asyncio.Runner, endpoint: str, **settings: float) -> None:
        self._client = AsyncClient(endpoint, **settings)
        self._runner = runner

    def __enter__(self) -> Self:
        self._run(self._client.__aenter__())
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._client.__aexit__())

    @property
    def feedback(self) -> "Blocking":
        inner = object.__new__(Blocking)
        inner._client, inner._runner = self._client.feedback, self._runner
        return inner

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **settings: self._plain(getattr(self._client, name)(*args, **settings))

    def _plain(self, answer: Any) -> Any:
        if isinstance(answer, AsyncGenerator):
            return self._items(answer)
        if isinstance(answer, Awaitable):
            return self._plain(self._run(answer))
        return tuple(map(self._plain, answer)) if type(answer) is tuple else answer

    def _items(self, items: AsyncGenerator[Any]) -> Iterator[Any]:
        try:
            while (item := self._run(anext(items, self))) is not self:
                yield item
        finally:
            self._run(items.aclose())

    def _run(self, answer: Awaitable[Any]) -> Any:
        async def awaited() -> Any:
            return await answer

        return self._runner.run(awaited())
