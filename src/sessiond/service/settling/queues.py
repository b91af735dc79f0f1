"""What is marked to be settled, in the order of the marks; and when a session or user that is marked again and again is due."""

import time
from collections.abc import Hashable, Iterable, Iterator
from itertools import filterfalse, islice
from typing import Final, Generic, NamedTuple, TypeVar

from sessiond.core.model import SessionKey, UserKey

PAUSE_PER_COST: Final = 20
"""A session is recomputed in the background for at most about a twentieth of the time: it waits this many times its last cost."""
PAUSE_SECONDS_MIN: Final = 0.1
"""Shorter pauses are not worth remembering."""

Key = TypeVar("Key", bound=Hashable)
Owner = TypeVar("Owner", bound=SessionKey | UserKey)


class Queue(Generic[Key]):
    """Marked keys in the order in which they were marked; a key marked again keeps its place."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self.marked: dict[Key, int] = {}
        self.last = 0
        self.add(keys)

    def add(self, keys: Iterable[Key]) -> None:
        for key in keys:
            if key not in self.marked:
                self.last += 1
                self.marked[key] = self.last

    def remove(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self.marked.pop(key, None)

    def oldest(self, limit: int) -> list[Key]:
        return [key for key, _ in zip(self.marked, range(limit), strict=False)]

    def is_done_through(self, place: int) -> bool:
        return next(iter(self.marked.values()), place + 1) > place


class Patience(NamedTuple):
    """How long sessions and users are left alone while spans keep coming: one is stale again with its next turn."""

    rest_seconds: float
    """One that was not marked for this long has come to rest, and is due."""
    wait_seconds_max: float
    """At rest or not, it waits no longer than this."""


AT_ONCE: Final = Patience(0.0, 0.0)


class OwnerQueue(Queue[Owner]):
    """Marked sessions or users. One whose last recomputation was long pauses before the next, but for a query that waits for it."""

    def __init__(self, keys: Iterable[Owner]) -> None:
        self._first: dict[Owner, float] = {}
        """When each was marked first, in that order."""
        self._latest: dict[Owner, float] = {}
        """When each was marked last, in that order."""
        self._not_before: dict[Owner, float] = {}
        super().__init__(keys)

    def add(self, keys: Iterable[Owner]) -> None:
        keys, now = tuple(keys), time.monotonic()
        super().add(keys)
        for key in keys:
            self._first.setdefault(key, now)
            self._latest.pop(key, None)
            self._latest[key] = now

    def remove(self, keys: Iterable[Owner]) -> None:
        keys = tuple(keys)
        super().remove(keys)
        for key in keys:
            self._first.pop(key, None)
            self._latest.pop(key, None)

    def due(self, patience: Patience) -> Iterator[Owner]:
        """Those to settle now, the longest marked first, then those at rest; found as they are taken, of how many there may be.

        Meanwhile none may be added or removed.
        """
        now = time.monotonic()
        self._not_before = {key: until for key, until in self._not_before.items() if until > now}
        for key, first in self._first.items():
            if first + patience.wait_seconds_max > now:
                break
            if key not in self._not_before:
                yield key
        for key, latest in self._latest.items():
            if latest + patience.rest_seconds > now:
                break
            if self._first[key] + patience.wait_seconds_max > now and key not in self._not_before:
                yield key

    def seconds_until_due(self, patience: Patience) -> float | None:
        """When the next is due; None where none is marked."""
        if not self.marked:
            return None
        paused = self._not_before.keys() & self.marked.keys()
        soonest = [max(self._due_at(key, patience), self._not_before[key]) for key in paused]
        for order in (self._first, self._latest):
            soonest += [self._due_at(key, patience) for key in islice(filterfalse(paused.__contains__, order), 1)]
        return max(0.0, min(soonest) - time.monotonic())

    def _due_at(self, key: Owner, patience: Patience) -> float:
        return min(self._first[key] + patience.wait_seconds_max, self._latest[key] + patience.rest_seconds)

    def took(self, key: Owner, seconds: float) -> None:
        """To settle this one took so long just now."""
        if seconds * PAUSE_PER_COST >= PAUSE_SECONDS_MIN:
            self._not_before[key] = time.monotonic() + seconds * PAUSE_PER_COST
        else:
            self._not_before.pop(key, None)

    def forget_pauses(self) -> None:
        """Let nobody pause."""
        self._not_before.clear()
