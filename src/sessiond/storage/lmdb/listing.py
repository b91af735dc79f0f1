"""Lists of summaries: by the narrowest index there is, a page a transaction."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import Final, Generic, NamedTuple, TypeVar

from sessiond.core.model import SessionKey, SessionSummary, TraceKey, TraceSummary, UserKey, UserSummary
from sessiond.core.rows.fields import Kind
from sessiond.core.rows.places import place_of
from sessiond.core.rows.where import Where
from sessiond.storage.api import Changes, Page, Removal, Row
from sessiond.storage.lmdb import keys
from sessiond.storage.lmdb.codec import ListedRow, SessionRow, UserRow
from sessiond.storage.lmdb.environment import Environment
from sessiond.storage.lmdb.keys import Tree, Trees, Txn, named, number
from sessiond.storage.lmdb.read import ascending, descending, held, session_row, user_row
from sessiond.storage.packing import unseal

Summary = TypeVar("Summary", TraceSummary, SessionSummary, UserSummary)

_PAST_ALL: Final = b"\xff"
"""Past every place: those begin with a time of this age."""


class _Kind(NamedTuple):
    """What rows of a kind are kept in."""

    rows: str
    ids: str
    by_place: str
    changes: str
    key_of: Callable[..., TraceKey | SessionKey | UserKey]
    """What one of its removals tells of."""


_KINDS: Final[dict[Kind, _Kind]] = {
    "trace": _Kind("traces", "trace_ids", "traces_by_start", "trace_changes", TraceKey),
    "session": _Kind("sessions", "session_ids", "sessions_by_activity", "session_changes", SessionKey),
    "user": _Kind("users", "user_ids", "users_by_last_seen", "user_changes", UserKey),
}


class LmdbListing(Generic[Summary]):
    """`storage.api.Listing` of one kind."""

    def __init__(self, environment: Environment, kind: Kind) -> None:
        self._env = environment
        self._kind: Kind = kind
        self._trees = _KINDS[kind]

    def page(self, where: Where, after: bytes | None, limit: int) -> Page[Summary]:
        with self._env.read() as txn:
            places = list(islice(_places(txn, self._env.trees, self._kind, where, after), limit + 1))
            packed = self._packed(txn, [prefix for _, prefix in places[:limit]])
        rows: list[ListedRow[Summary]] = [
            ListedRow(self._kind, packed[prefix], place) for place, prefix in places[:limit] if prefix in packed
        ]
        return Page(rows, places[limit - 1][0] if len(places) > limit else None)

    def changed(self, change: int, limit: int) -> Changes[Summary]:
        with self._env.read() as txn:
            told = list(islice(self._changes(txn, number(change)), limit + 1))
            packed = self._packed(txn, [said for _, said in told[:limit] if isinstance(said, bytes)])
            is_last = len(told) <= limit
            through = max(change, self._env.counters(txn).change) if is_last else keys.value_of(told[limit - 1][0])
        removed = [said for _, said in told[:limit] if isinstance(said, Removal)]
        rows: list[ListedRow[Summary]] = [ListedRow(self._kind, row, None) for row in packed.values()]
        return Changes(rows, removed, through, is_last)

    def held(self, keys: Sequence[bytes | SessionKey | UserKey]) -> list[Row[Summary] | None]:
        stored = [key if isinstance(key, bytes) else named(key) for key in keys]
        with self._env.read() as txn:
            prefixes = held(txn, self._env.trees[self._trees.ids], stored)
            packed = self._packed(txn, list(prefixes.values()))
        found = (packed.get(prefixes.get(key, b"")) for key in stored)
        return [None if row is None else ListedRow(self._kind, row, None) for row in found]

    def _packed(self, txn: Txn, prefixes: list[bytes]) -> dict[bytes, bytes]:
        """The rows of these numbers."""
        return held(txn, self._env.trees[self._trees.rows], prefixes)

    def _changes(self, txn: Txn, after: bytes) -> Iterator[tuple[bytes, bytes | Removal]]:
        """(change, the row's number or what was removed) past a change, in order."""
        changed = ascending(txn, self._env.trees[self._trees.changes], b"", after)
        return merge(changed, self._removals(txn, after), key=itemgetter(0))

    def _removals(self, txn: Txn, after: bytes) -> Iterator[tuple[bytes, Removal]]:
        for change, word in ascending(txn, self._env.trees["removals"], b"", after):
            kind, *key = unseal(word)
            if kind == self._kind:
                yield change, Removal(keys.value_of(change), _KINDS[self._kind].key_of(*key))


def _places(txn: Txn, trees: Trees, kind: Kind, where: Where, after: bytes | None) -> Iterator[tuple[bytes, bytes]]:
    """(place, the row's number) of the rows that `where` narrows to, in descending order, past `after`."""
    projects = _projects(txn, trees, where.project)
    if kind == "session" and where.session_id is not None:
        found = _named(txn, trees, "session", [SessionKey(name, where.session_id) for _, name in projects])
        return _of_single([(session_row(txn, trees, prefix), prefix) for prefix in found], after)
    if kind == "user" and where.user_id is not None:
        found = _named(txn, trees, "user", [UserKey(name, where.user_id) for _, name in projects])
        return _of_single([(user_row(txn, trees, prefix), prefix) for prefix in found], after)
    if kind == "trace" and where.session_id is not None:
        tree, found = "session_traces", _named(txn, trees, "session", [SessionKey(name, where.session_id) for _, name in projects])
    elif where.user_id is not None:
        tree = "user_traces" if kind == "trace" else "user_sessions"
        found = _named(txn, trees, "user", [UserKey(name, where.user_id) for _, name in projects])
    else:
        tree, found = _KINDS[kind].by_place, [number(project) for project, _ in projects]
    before = after if where.until_unix_nano is None else min(after or _PAST_ALL, number(where.until_unix_nano))
    return _descending_over(txn, trees[tree], found, before, number(where.since_unix_nano or 0))


def _of_single(rows: Sequence[tuple[SessionRow | UserRow | None, bytes]], after: bytes | None) -> Iterator[tuple[bytes, bytes]]:
    """The places of a few rows, those left out that have no summary yet."""
    places = sorted(((place_of(row.summary), prefix) for row, prefix in rows if row is not None), reverse=True)
    return (place for place in places if after is None or place[0] < after)


def _descending_over(
    txn: Txn, tree: Tree, prefixes: list[bytes], before: bytes | None, since: bytes
) -> Iterator[tuple[bytes, bytes]]:
    """The rows under several prefixes as one, by the rest of their keys."""
    walks = [descending(txn, tree, prefix, before, since) for prefix in prefixes]
    return walks[0] if len(walks) == 1 else merge(*walks, reverse=True)


def _projects(txn: Txn, trees: Trees, name: str | None) -> list[tuple[int, str]]:
    """(number, name) of the projects that rows are wanted of; None: all."""
    if name is not None:
        packed = txn.get(keys.named(name), db=trees["projects"])
        return [] if packed is None else [unseal(packed)]
    return [unseal(packed) for _, packed in ascending(txn, trees["projects"], b"")]


def _named(txn: Txn, trees: Trees, kind: Kind, wanted: Iterable[SessionKey | UserKey]) -> list[bytes]:
    """The numbers of those of these sessions or users that there are."""
    found = (txn.get(keys.named(key), db=trees[f"{kind}_ids"]) for key in wanted)
    return [prefix for prefix in found if prefix is not None]
