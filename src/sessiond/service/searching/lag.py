"""How far an index is behind the store, in time: by notes of how far changes had come when."""

import threading
from collections import deque
from typing import Final

NOTE_SECONDS: Final = 0.1
"""Between two notes: as exact as that is the answer."""
NOTES_MAX: Final = 600
"""A minute of notes. An index that is further behind is told by the oldest note: at least so far."""


class Lag:
    """Times are seconds of one clock, given by the caller. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._notes: deque[tuple[float, int]] = deque()

    def note(self, now: float, change: int) -> None:
        """The store's latest change is this one."""
        with self._lock:
            if self._notes and (change <= self._notes[-1][1] or len(self._notes) == NOTES_MAX):
                return
            if not self._notes or now - self._notes[-1][0] >= NOTE_SECONDS:
                self._notes.append((now, change))
            else:
                self._notes[-1] = (self._notes[-1][0], change)

    def reached(self, through: int) -> None:
        """The index is of this change."""
        with self._lock:
            while self._notes and self._notes[0][1] <= through:
                self._notes.popleft()

    def seconds(self, now: float, through: int) -> float:
        """How long ago the index of this change had everything; 0 where it has."""
        with self._lock:
            return next((now - noted for noted, change in self._notes if change > through), 0.0)
