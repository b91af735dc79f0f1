"""How far long work is, on a terminal's stderr; elsewhere nothing is written."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

Item = TypeVar("Item")


class Bar:
    """Counts, and shows the count."""

    def __init__(self, drawn: Progress, task: TaskID) -> None:
        self._drawn = drawn
        self._task = task
        self.count = 0

    def advance(self, count: int, *, done: float | None = None) -> None:
        """So many more; `done` of the total, where the total is of something else."""
        self.count += count
        told = f"{self.count:,}"
        self._drawn.update(self._task, completed=self.count if done is None else done, told=told)

    def each(self, items: Iterable[Item]) -> Iterator[Item]:
        """The items, counted one by one."""
        for item in items:
            self.advance(1)
            yield item


@contextmanager
def bar(noun: str, total: int | None) -> Iterator[Bar]:
    """A bar that fills up to `total`, or one that only moves where nobody knows how much there is."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.fields[told]} {task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as drawn:
        yield Bar(drawn, drawn.add_task(noun, total=total, told="0"))
