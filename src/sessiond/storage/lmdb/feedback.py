"""Scores and annotations: each a row by its id, found by what it is of and by when it was made."""

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, Final, Generic, NamedTuple, TypeVar

from sessiond.core.feedback.annotation import Annotation
from sessiond.core.feedback.checked import FEEDBACK_ID_LENGTH_MAX
from sessiond.core.feedback.score import Score
from sessiond.core.feedback.target import PLACE_TIME_BYTES, Subject, subject_of
from sessiond.core.model import SessionKey
from sessiond.storage.api import Marks
from sessiond.storage.lmdb import codec, keys
from sessiond.storage.lmdb.environment import Environment, WriteTxn
from sessiond.storage.lmdb.keys import Trees, Txn
from sessiond.storage.lmdb.read import descending, held
from sessiond.storage.packing import seal

Item = TypeVar("Item", Score, Annotation)


class Kept(NamedTuple):
    """What items of a kind are kept in."""

    rows: str
    of: str
    by_time: str
    unpack: Callable[[bytes], Any]


SCORES: Final = Kept("scores", "scores_of", "scores_by_time", codec.unpack_score)
ANNOTATIONS: Final = Kept("annotations", "annotations_of", "annotations_by_time", codec.unpack_annotation)


def kept_in(item: Score | Annotation) -> Kept:
    """Where an item is kept."""
    return SCORES if isinstance(item, Score) else ANNOTATIONS


class LmdbShelf(Generic[Item]):
    """`storage.api.Shelf` of one kind."""

    def __init__(self, environment: Environment, kept: Kept) -> None:
        self._env = environment
        self._trees = environment.trees
        self._kept = kept
        with environment.read() as txn:
            self._is_used: bool = txn.stat(self._trees[kept.rows])["entries"] > 0

    def use(self) -> None:
        """Something is about to be put here. Until then nothing is looked up: every trace that is settled asks."""
        self._is_used = True

    def get(self, item_id: str) -> Item | None:
        key = item_id.encode()
        if not 0 < len(key) <= FEEDBACK_ID_LENGTH_MAX:
            return None  # nor would LMDB take it as a key
        with self._env.read() as txn:
            row = txn.get(key, db=self._trees[self._kept.rows])
        return self._kept.unpack(row) if row is not None else None

    def of(self, subject: Subject) -> list[Item]:
        if not self._is_used:
            return []
        with self._env.read() as txn:
            return items_of(txn, self._trees, self._kept, subject)

    def count(self, subject: Subject) -> int:
        if not self._is_used:
            return 0
        with self._env.read() as txn:
            return sum(1 for _ in descending(txn, self._trees[self._kept.of], keys.said_of(subject)))

    def page(self, subject: Subject | None, after: bytes | None, limit: int) -> tuple[list[Item], bytes | None]:
        tree, prefix = (self._kept.by_time, b"") if subject is None else (self._kept.of, keys.said_of(subject))
        with self._env.read() as txn:
            walk = descending(txn, self._trees[tree], prefix, _PAST_ALL if after is None else after)
            places = [place for place, _ in islice(walk, limit + 1)]
            found = _items(txn, self._trees, self._kept, places[:limit])
        return found, places[limit - 1] if len(places) > limit else None


_PAST_ALL: Final = b"\xff"
"""Past every place: those begin with a time of this age."""


def items_of(txn: Txn, trees: Trees, kept: Kept, subject: Subject) -> list[Any]:
    """Everything of a kind on a trace or session."""
    places = [place for place, _ in descending(txn, trees[kept.of], keys.said_of(subject))]
    return _items(txn, trees, kept, places) if places else []


def _items(txn: Txn, trees: Trees, kept: Kept, places: Sequence[bytes]) -> list[Any]:
    """The items at some places, in their order."""
    names = [place[PLACE_TIME_BYTES:] for place in places]
    rows = held(txn, trees[kept.rows], names)
    return [kept.unpack(rows[name]) for name in names]


def index_rows(item: Score | Annotation) -> list[tuple[str, bytes]]:
    """(tree, key) of every index row that an item has; their values are empty."""
    kept = kept_in(item)
    return [(kept.of, keys.said_of(subject_of(item.target)) + item.place), (kept.by_time, item.place)]


def put(write: WriteTxn, items: Sequence[Score | Annotation], removed: Sequence[Score | Annotation]) -> Marks:
    """`Store.put_feedback`."""
    for item in removed:
        remove(write, item)
    for item in items:
        remove(write, item)
        write.txn.put(item.id.encode(), codec.pack_feedback(item), db=write.trees[kept_in(item).rows])
        for tree, key in index_rows(item):
            write.txn.put(key, b"", db=write.trees[tree])
    subjects = dict.fromkeys(subject_of(item.target) for item in (*items, *removed))
    return Marks(
        traces=tuple(one for one in subjects if isinstance(one, bytes) and _mark_trace(write, one)),
        sessions=tuple(one for one in subjects if isinstance(one, SessionKey) and _mark_session(write, one)),
    )


def remove(write: WriteTxn, item: Score | Annotation) -> None:
    """Take away what is stored of an item's kind and id, with its index rows. Marks nothing."""
    txn, kept = write.txn, kept_in(item)
    row = txn.pop(item.id.encode(), db=write.trees[kept.rows])
    if row is not None:
        for tree, key in index_rows(kept.unpack(row)):
            txn.delete(key, db=write.trees[tree])


def _mark_trace(write: WriteTxn, trace_id: bytes) -> bool:
    """Mark a trace, if it is known."""
    prefix = write.txn.get(trace_id, db=write.trees["trace_ids"])
    return prefix is not None and bool(write.txn.put(prefix, trace_id, db=write.trees["marked_traces"]))


def _mark_session(write: WriteTxn, key: SessionKey) -> bool:
    """Mark a session, if it is known."""
    prefix = write.txn.get(keys.named(key), db=write.trees["session_ids"])
    return prefix is not None and bool(write.txn.put(prefix, seal(key), db=write.trees["marked_sessions"]))
