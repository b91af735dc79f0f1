"""What a client asks of feedback, and how a list of it is walked: by place, so that no page holds a transaction open."""

from collections.abc import Callable, Iterator
from typing import Final, Generic, NamedTuple, TypeVar

from sessiond.core.errors import Cancelled
from sessiond.core.feedback.annotation import Annotation
from sessiond.core.feedback.score import Score
from sessiond.core.feedback.target import Subject, Target, TraceTarget, subject_of
from sessiond.core.model import SessionKey
from sessiond.storage.api import Shelf, Store

SCAN_ITEMS: Final = 500
"""Items looked at in one transaction."""

Item = TypeVar("Item", Score, Annotation)


class Asked(NamedTuple):
    """Which feedback. What is left empty does not restrict; all that is given must hold."""

    target: Target | None = None
    own_only: bool = False
    """Leave out what is of a part: of a session's traces, of a trace's spans."""
    author: str = ""
    name: str = ""
    """Of scores."""
    source: str = ""
    """Of scores."""
    tag: str = ""
    """Of annotations."""

    @property
    def bound_to(self) -> tuple[object, ...]:
        """What is asked, in plain values: what a page token is good for."""
        return (self.target and tuple(self.target), *self[1:])

    def holds_for(self, item: Score | Annotation) -> bool:
        """Whether an item on the target or a part of it is wanted."""
        if isinstance(item, Score):
            is_of_kind = self.name in ("", item.name) and self.source in ("", item.source)
        else:
            is_of_kind = not self.tag or self.tag in item.tags
        return is_of_kind and self.author in ("", item.author) and self._is_of_target(item.target)

    def _is_of_target(self, target: Target) -> bool:
        is_narrow = self.own_only or (isinstance(self.target, TraceTarget) and self.target.span_id)
        return self.target is None or not is_narrow or target == self.target


class Place(NamedTuple):
    """How far a walk came."""

    trace_id: bytes
    """The trace it is in; OWN in what is of the session itself, and where there is but one subject."""
    after: bytes
    """The place of the item it came to."""


OWN: Final = b""
"""Before every trace id."""


class Walk(Generic[Item]):
    """A walk over what was asked for. `is_wanted` tells whether somebody still waits; where not, Cancelled leaves it."""

    def __init__(self, store: Store, shelf: Shelf[Item], asked: Asked, is_wanted: Callable[[], bool]) -> None:
        self._store = store
        self._shelf: Shelf[Item] = shelf
        self._asked = asked
        self._is_wanted = is_wanted

    def page(self, place: Place | None, limit: int) -> tuple[list[Item], Place | None]:
        """At most `limit` items past a place, and the place of the last of them; None: there are no more."""
        found: list[Item] = []
        came_to: Place | None = None
        for trace_id, subject in self._subjects():
            if place is not None and trace_id < place.trace_id:
                continue
            after = place.after if place is not None and trace_id == place.trace_id else None
            for item in self._items(subject, after):
                if len(found) == limit:
                    return found, came_to
                found.append(item)
                came_to = Place(trace_id, item.place)
        return found, None

    def _subjects(self) -> Iterator[tuple[bytes, Subject | None]]:
        """(trace id, subject) in order; a session's traces that nothing was said of are left out.

        In order of trace id: a start moves between two pages when an earlier span comes late, and its trace would be skipped.
        """
        target = self._asked.target
        yield OWN, None if target is None else subject_of(target)
        if isinstance(target, SessionKey) and not self._asked.own_only:
            traces = self._store.traces_of_session(target)
            for trace_id in sorted(trace.trace_id for trace in traces if trace.scores or trace.annotations):
                yield trace_id, trace_id

    def _items(self, subject: Subject | None, after: bytes | None) -> Iterator[Item]:
        """The wanted ones on a subject past a place."""
        return filter(self._asked.holds_for, each_of(self._shelf, self._is_wanted, subject, after))


def each_of(
    shelf: Shelf[Item], is_wanted: Callable[[], bool], subject: Subject | None = None, after: bytes | None = None
) -> Iterator[Item]:
    """All on a subject past a place, or all there are, a page at a time. Raises Cancelled where nobody waits any more."""
    while True:
        if not is_wanted():
            raise Cancelled("nobody waits for the answer any more")
        items, after = shelf.page(subject, after, SCAN_ITEMS)
        yield from items
        if after is None:
            return
