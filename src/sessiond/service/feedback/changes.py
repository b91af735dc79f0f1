"""Changes of feedback: decided one after the other on the writer's thread, and those that wait together written together."""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final, NamedTuple, TypeVar, cast

import structlog

from sessiond.core.errors import SessiondError, StoreBroken
from sessiond.core.feedback.annotation import Annotation
from sessiond.core.feedback.score import Score
from sessiond.core.feedback.target import Subject, subject_of
from sessiond.service.writer import Writer
from sessiond.storage.api import Marks, Shelf, Store

GROUP_ITEMS_MAX: Final = 2000
"""Scores and annotations in one transaction, unless one import has more: three rows each, a few tens of milliseconds."""

Item = TypeVar("Item", Score, Annotation)
Result = TypeVar("Result")
Kind = type[Score] | type[Annotation]

log = structlog.get_logger()


class Draft:
    """What some changes come to before it is written: each sees the ones before it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._put: dict[tuple[Kind, str], Score | Annotation] = {}
        self._removed: dict[tuple[Kind, str], Score | Annotation] = {}
        """Of each id what was removed first, even if another was put since: if any is stored, that one, whose target is marked."""
        self._stored: dict[tuple[Kind, Subject], int] = {}
        """Of a trace or session how many the store holds, where it was asked."""
        self._more: dict[tuple[Kind, Subject], int] = {}
        """How many more there are."""

    def get(self, kind: type[Item], item_id: str) -> Item | None:
        """The item of this id; None where there is none."""
        key = (kind, item_id)
        if key in self._put:
            return cast("Item", self._put[key])
        return None if key in self._removed else shelf_of(self._store, kind).get(item_id)

    def add(self, item: Score | Annotation) -> None:
        """Store an item of an id that is not there."""
        self.put(item)
        self._count(item, 1)

    def put(self, item: Score | Annotation) -> None:
        """Store an item in place of the one of its id, on the same target."""
        self._put[(type(item), item.id)] = item

    def remove(self, item: Score | Annotation) -> None:
        """Take away an item that is there."""
        key = (type(item), item.id)
        self._put.pop(key, None)
        self._removed.setdefault(key, item)
        self._count(item, -1)

    def count(self, kind: type[Item], subject: Subject) -> int:
        """How many there are on a trace or session."""
        key = (kind, subject)
        if key not in self._stored:
            self._stored[key] = shelf_of(self._store, kind).count(subject)
        return self._stored[key] + self._more.get(key, 0)

    def _count(self, item: Score | Annotation, more: int) -> None:
        key = (type(item), subject_of(item.target))
        self._more[key] = self._more.get(key, 0) + more

    def write(self) -> Marks:
        """Write all of it in one transaction; the marks that it set. Without any change nothing is written."""
        if not self._put and not self._removed:
            return Marks()
        return self._store.put_feedback(list(self._put.values()), list(self._removed.values()))


class _Waiting(NamedTuple):
    """A change, and who waits for what comes of it."""

    change: Callable[[Draft], Any]
    item_count: int
    done: Future[Any]


class Changes:
    """Makes changes on the writer's thread. `made` may be called from any thread."""

    def __init__(self, store: Store, writer: Writer) -> None:
        self._store = store
        self._writer = writer
        self._lock = threading.Lock()
        self._queue: deque[_Waiting] = deque()

    def made(self, change: Callable[[Draft], Result], item_count: int = 1) -> Result:
        """What a change gives, once it is on disk. A change that raises must have drafted nothing; what it raises leaves here.

        Raises StoreFull and Busy too, and then nothing was changed.
        """
        waiting = _Waiting(change, item_count, Future())
        with self._lock:  # so that the task that comes after this one finds it in the queue, or done
            task = self._writer.marking(self._make_some)
            self._queue.append(waiting)
        task.result()
        return cast("Result", waiting.done.result())

    # -- on the writer's thread ------------------------------------------------------------------------------------------------

    def _make_some(self) -> Marks:
        """Make the changes that wait longest, in one transaction. Each has a task, so none waits longer than its own."""
        group = self._take()
        draft = Draft(self._store)
        decided = [(waiting, _decided(waiting, draft)) for waiting in group]
        try:
            marks = draft.write()
        except Exception as error:
            for waiting in group:
                waiting.done.set_exception(error)
            if isinstance(error, StoreBroken):
                raise
            if not isinstance(error, SessiondError):
                log.exception("feedback could not be stored")
            return Marks()
        for waiting, result in decided:
            if isinstance(result, Exception):
                waiting.done.set_exception(result)
            else:
                waiting.done.set_result(result)
        return marks

    def _take(self) -> list[_Waiting]:
        taken: list[_Waiting] = []
        count = 0
        with self._lock:
            while self._queue and (not taken or count + self._queue[0].item_count <= GROUP_ITEMS_MAX):
                taken.append(self._queue.popleft())
                count += taken[-1].item_count
        return taken


def _decided(waiting: _Waiting, draft: Draft) -> Any:  # noqa: ANN401  (whatever the change gives, or what it raises)
    try:
        return waiting.change(draft)
    except StoreBroken:
        raise
    except Exception as error:  # noqa: BLE001  (it is for whoever waits)
        return error


def shelf_of(store: Store, kind: type[Item]) -> Shelf[Item]:
    """Where items of a kind are."""
    return cast("Shelf[Item]", store.scores if kind is Score else store.annotations)
