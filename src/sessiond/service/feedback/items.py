"""The use cases of one kind of feedback. What was changed is on disk when a method returns, and every query asked after sees it."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Generic, NamedTuple, TypeVar

from sessiond.core.errors import AlreadyExists, Invalid, NotFound, SessiondError, TooLarge, shown
from sessiond.core.feedback.annotation import Annotation, checked_annotation, updated_annotation
from sessiond.core.feedback.score import Score, checked_score, is_stale, updated_score
from sessiond.core.feedback.target import PLACE_BYTES_MAX, Target, TraceTarget, subject_of
from sessiond.core.model import SessionKey
from sessiond.service.asking.freshness import Freshness
from sessiond.service.asking.tokens import not_ours, read_token, write_token
from sessiond.service.feedback.asked import Asked, Place, Walk
from sessiond.service.feedback.changes import Changes, Draft, shelf_of
from sessiond.storage.api import Shelf, Store

PAGE_SIZE: Final = 50
PAGE_SIZE_MAX: Final = 1000
"""As of other lists."""
IMPORT_MAX: Final = 1000
"""Items of one import: three rows each, so that one transaction takes them in some ten milliseconds."""
SUBJECT_ITEMS_MAX: Final = 4000
"""Scores, and annotations, on one trace with its spans, or on one session itself: a row is made of all of them each time, in then
15 ms (measured)."""

Item = TypeVar("Item", Score, Annotation)


class Kind(NamedTuple, Generic[Item]):
    """What sets a kind of feedback apart."""

    type: type[Item]
    noun: str
    checked: Callable[[Item], Item]
    updated: Callable[[Item, Mapping[str, Any], int], Item]


SCORE: Final = Kind[Score](Score, "score", checked_score, updated_score)
ANNOTATION: Final = Kind[Annotation](Annotation, "annotation", checked_annotation, updated_annotation)


class Imported(NamedTuple):
    """What became of an import."""

    created: int
    unchanged: int
    """Stored already, with the same content."""
    failures: tuple[tuple[int, SessiondError], ...]
    """(place in the import, why not)."""


class Items(Generic[Item]):
    """The scores, or the annotations. Every method may be called from any thread."""

    def __init__(
        self, kind: Kind[Item], store: Store, changes: Changes, freshness: Freshness, clock: Callable[[], int] = time.time_ns
    ) -> None:
        self._kind: Kind[Item] = kind
        self._store = store
        self._shelf: Shelf[Item] = shelf_of(store, kind.type)
        self._changes = changes
        self._freshness = freshness
        self._clock = clock

    def create(self, item: Item) -> Item:
        """Store an item now; what is stored. Under an id of its own the same content again changes nothing.

        Raises Invalid; AlreadyExists for other content under that id; TooLarge where its trace or session has too many;
        NotFound where its trace was erased.
        """
        now = self._clock()
        ready = self._ready(item._replace(create_unix_nano=now, update_unix_nano=now))

        def change(draft: Draft) -> Item:
            return self._put(draft, ready)[0]

        return self._changes.made(change)

    def get(self, item_id: str) -> Item:
        """The item of this id. Raises NotFound."""
        found = self._shelf.get(item_id)
        if found is None:
            raise self._not_found(item_id)
        return found

    def update(self, item_id: str, changes: Mapping[str, Any]) -> Item:
        """Change some fields of the item of this id: those that its kind lets change. Raises Invalid, NotFound."""
        now = self._clock()

        def change(draft: Draft) -> Item:
            old = draft.get(self._kind.type, item_id)
            if old is None:
                raise self._not_found(item_id)
            new = self._kind.updated(old, changes, now)
            draft.put(new)
            return new

        return self._changes.made(change)

    def delete(self, item_id: str, *, allow_missing: bool = False) -> None:
        """Take away the item of this id. Raises NotFound, unless it may be missing."""

        def change(draft: Draft) -> None:
            old = draft.get(self._kind.type, item_id)
            if old is not None:
                draft.remove(old)
            elif not allow_missing:
                raise self._not_found(item_id)

        self._changes.made(change)

    def import_all(self, items: Sequence[Item | Invalid]) -> Imported:
        """Store many, each as by `create` but with the times that it has; what is Invalid already is a failure like the others.

        Raises Invalid where they are more than IMPORT_MAX.
        """
        if len(items) > IMPORT_MAX:
            raise Invalid(f"{self._kind.noun}s", f"{len(items):,}", f"must be at most {IMPORT_MAX:,}", hint="send them in parts")
        now = self._clock()
        ready = [self._to_import(item, now) for item in items]

        def change(draft: Draft) -> list[bool | SessiondError]:
            return [self._put_or_not(draft, item) for item in ready]

        results = self._changes.made(change, len(items))
        failures = tuple((place, one) for place, one in enumerate(results) if isinstance(one, SessiondError))
        return Imported(results.count(True), results.count(False), failures)

    def page(
        self, asked: Asked, page_size: int, token: str, is_wanted: Callable[[], bool] = lambda: True
    ) -> tuple[list[Item], str]:
        """A page of items, the latest first, of a session first its own; and the next page's token ("" after the last).

        Raises Invalid, Busy, Cancelled.
        """
        if page_size < 0:
            raise Invalid("page_size", page_size, "must not be negative")
        bound_to = (self._store.identity, self._kind.noun, *asked.bound_to)
        place = _read_place(token, bound_to) if token else None
        target = asked.target
        if isinstance(target, SessionKey):
            self._freshness.settle_owned("sessions", lambda: self._store.traces_of_session(target))
        walk = Walk[Item](self._store, self._shelf, asked, is_wanted)
        found, came_to = walk.page(place, min(page_size or PAGE_SIZE, PAGE_SIZE_MAX))
        return found, "" if came_to is None else write_token(bound_to, came_to)

    def _to_import(self, item: Item | Invalid, now: int) -> Item | Invalid:
        if isinstance(item, Invalid):
            return item
        created = item.create_unix_nano or item.update_unix_nano or now
        try:
            return self._ready(item._replace(create_unix_nano=created, update_unix_nano=item.update_unix_nano or created))
        except Invalid as error:
            return error

    def _put_or_not(self, draft: Draft, item: Item | Invalid) -> bool | SessiondError:
        """Whether an item of an import is new, or why it can't be stored."""
        if isinstance(item, Invalid):
            return item
        try:
            return self._put(draft, item)[1]
        except (AlreadyExists, NotFound, TooLarge) as error:
            return error

    def _ready(self, item: Item) -> Item:
        """The item as it can be stored, with an id. Raises Invalid."""
        return self._kind.checked(item if item.id else item._replace(id=new_id(self._clock())))

    def _put(self, draft: Draft, item: Item) -> tuple[Item, bool]:
        """What is stored under the item's id, and whether it is new."""
        held = draft.get(self._kind.type, item.id)
        if held is not None:
            if held.content != item.content:
                raise AlreadyExists(
                    f"another {self._kind.noun} is stored under the id {shown(item.id)}", hint="update it, or give another id"
                )
            return held, False
        if isinstance(item.target, TraceTarget) and self._store.is_erased(item.target.trace_id):
            raise NotFound(f"the trace {item.target.trace_id.hex()} was erased", hint="nothing can be said of it any more")
        if draft.count(self._kind.type, subject_of(item.target)) >= SUBJECT_ITEMS_MAX:
            what = "session" if isinstance(item.target, SessionKey) else "trace"
            raise TooLarge(f"the {what} has {SUBJECT_ITEMS_MAX:,} {self._kind.noun}s, which is the most", hint="delete some")
        draft.add(item)
        return item, True

    def _not_found(self, item_id: str) -> NotFound:
        return NotFound(f"there is no {self._kind.noun} {shown(item_id)}")


class Staleness:
    """Which scores are stale, as of when they are shown."""

    def __init__(self, store: Store, freshness: Freshness) -> None:
        self._store = store
        self._freshness = freshness

    def of(self, scores: Sequence[Score]) -> list[bool]:
        """Of each score whether it is stale. Raises Busy."""
        sessions = {score.target for score in scores if isinstance(score.target, SessionKey)}
        if sessions:
            self._freshness.settle("sessions")
        received: dict[Target, int | None] = {key: self._turns_received(key) for key in sessions}
        return [is_stale(score, received.get(score.target)) for score in scores]

    def _turns_received(self, key: SessionKey) -> int | None:
        found = self._store.session(key)
        return None if found is None else found.turns_received_unix_nano


def new_id(now_unix_nano: int) -> str:
    """An id that none has; ids sort by time, so that rows come to lie beside the last ones."""
    return f"{now_unix_nano:016x}-{os.urandom(8).hex()}"


def _read_place(token: str, bound_to: tuple[object, ...]) -> Place:
    """The place in a page token. Raises Invalid."""
    values = read_token(token, "page_token", bound_to)
    if tuple(map(type, values)) != (bytes, bytes) or len(values[1]) > PLACE_BYTES_MAX:
        raise not_ours(token, "page_token")
    return Place(*values)
