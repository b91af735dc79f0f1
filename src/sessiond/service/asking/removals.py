"""How long removals are told to those who follow: about an hour, by notes of how far changes had come at what time."""

import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from sessiond.core.errors import Busy
from sessiond.service.writer import Writer
from sessiond.storage.api import Store

TOLD_SECONDS: Final = 3600.0
NOTE_SECONDS: Final = 300.0


class Removals:
    """Forgets removals in time. Notes are kept in memory alone: after a start, what was there is told for an hour more."""

    def __init__(self, store: Store, writer: Writer, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._writer = writer
        self._clock = clock
        self._notes: deque[tuple[float, int]] = deque()

    def keep_up(self) -> None:
        """Take a note, and have forgotten what is too old. To be called every now and then; does nothing most of the time."""
        now = self._clock()
        if self._notes and now - self._notes[-1][0] < NOTE_SECONDS:
            return
        self._notes.append((now, self._store.last_change()))
        if now - self._notes[0][0] > TOLD_SECONDS:
            with suppress(Busy):  # it stops
                self._writer.forget_removals(self._notes.popleft()[1])
