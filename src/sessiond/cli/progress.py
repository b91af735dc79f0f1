"""How far long work is, and how fast, on a terminal's stderr; elsewhere nothing is written."""

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

RATE_SECONDS_MIN: Final = 0.1
"""A rate over less says nothing."""

Item = TypeVar("Item")


class Bar:
    """Counts, and shows the count and how many it was a second."""

    def __init__(self, drawn: Progress, task: TaskID) -> None:
        self._drawn = drawn
        self._task = task
        self._start = time.monotonic()
        self.count = 0

    def advance(self, count: int, *, done: float | None = None) -> None:
        """So many more; `done` of the total, where the total is of something else."""
        self.count += count
        rate = self.count / max(time.monotonic() - self._start, RATE_SECONDS_MIN)
        completed = self.count if done is None else done
        self._drawn.update(self._task, completed=completed, told=f"{self.count:,}", rate=f"{rate:,.0f}/s")

    def each(self, items: Iterable[Item]) -> Iterator[Item]:
        """The items, counted one by one."""
        for item in items:
            self.advance(1)
            yield item


@contextmanager
def bar(noun: str, total: int | None) -> Iterator[Bar]:
    """A bar that fills up to `total`, or one that only moves where nobody knows how much there is."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.fields[told]} {task.description}"),
        BarColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as drawn:
        yield Bar(drawn, drawn.add_task(noun, total=total, told="0", rate=""))
