"""What reads the store: each function works inside one read transaction that its caller holds, and copies what it returns."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Final

import zstandard

from sessiond.core.errors import Damaged
from sessiond.core.model import NO_TEXTS, SessionKey, SpanFacts, StoredSpan, Texts, TraceSummary, UserKey
from sessiond.storage.api import SPAN_PAGE_BYTES, Marks, SpanPage
from sessiond.storage.lmdb import codec, keys
from sessiond.storage.lmdb.keys import Tree, Trees, Txn
from sessiond.storage.lmdb.settled import SettledTraces
from sessiond.storage.packing import unpack_chunk, unpack_facts, unseal

# -- walking a tree ------------------------------------------------------------------------------------------------------------


def ascending(txn: Txn, tree: Tree, prefix: bytes, after: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
    """(rest of the key, value) of the rows under `prefix`, past the rest `after`."""
    with txn.cursor(db=tree) as cursor:
        if not cursor.set_range(prefix + (after or b"")):
            return
        for key, value in cursor:
            if not key.startswith(prefix):
                return
            rest = key[len(prefix) :]
            if rest != after:
                yield rest, value


def descending(
    txn: Txn, tree: Tree, prefix: bytes, before: bytes | None = None, since: bytes = b""
) -> Iterator[tuple[bytes, bytes]]:
    """(rest of the key, value) of the rows under `prefix`, largest first, from just below the rest `before` down to `since`."""
    with txn.cursor(db=tree) as cursor:
        bound = keys.past(prefix) if before is None else prefix + before
        if not (cursor.prev() if cursor.set_range(bound) else cursor.last()):
            return
        last, skipped = prefix + since, len(prefix)
        for key, value in cursor.iterprev():
            if key < last:
                return
            yield key[skipped:], value


# -- spans ---------------------------------------------------------------------------------------------------------------------

_of_thread: Final = threading.local()


def _decompressor() -> zstandard.ZstdDecompressor:
    """This thread's, since it must not be shared: to make one is as much work as to read a chunk."""
    found: zstandard.ZstdDecompressor | None = getattr(_of_thread, "decompressor", None)
    if found is None:
        found = _of_thread.decompressor = zstandard.ZstdDecompressor()
    return found


def spans(txn: Txn, trees: Trees, trace_id: bytes, after: bytes | None) -> SpanPage:
    """`Store.spans`: whole chunks, whose commit is the place to go on from."""
    prefix = txn.get(trace_id, db=trees["trace_ids"])
    if prefix is None:
        return SpanPage([], None)
    decompressor = _decompressor()
    found: list[StoredSpan] = []
    size = 0
    last = b""
    for commit, chunk in ascending(txn, trees["chunks"], prefix, after):
        if size >= SPAN_PAGE_BYTES:
            return SpanPage(found, last)
        unpacked = unpack_chunk(decompressor, chunk)
        found += unpacked
        size += sum(len(span.data) for span in unpacked)
        last = commit
    return SpanPage(found, None)


def facts(txn: Txn, trees: Trees, trace_id: bytes) -> list[SpanFacts]:
    """`Store.facts`."""
    prefix = txn.get(trace_id, db=trees["trace_ids"])
    if prefix is None:
        return []
    return [one for _, row in ascending(txn, trees["facts"], prefix) for one in unpack_facts(codec.facts_of(row))]


def outdated(txn: Txn, trees: Trees, rules: bytes, among: Iterable[bytes]) -> list[bytes]:
    """`Store.outdated_among`."""

    def has_others(trace_id: bytes) -> bool:
        prefix = txn.get(trace_id, db=trees["trace_ids"])
        return prefix is not None and any(codec.rules_of(row) != rules for _, row in ascending(txn, trees["facts"], prefix))

    return list(filter(has_others, among))


def texts(txn: Txn, trees: Trees, trace_ids: Sequence[bytes]) -> list[Texts]:
    """`Store.texts`."""
    prefixes = held(txn, trees["trace_ids"], trace_ids)
    packed = held(txn, trees["texts"], list(prefixes.values()))
    found = (packed.get(prefixes.get(trace_id, b"")) for trace_id in trace_ids)
    return [codec.unpack_texts(row) if row else NO_TEXTS for row in found]


def held(txn: Txn, tree: Tree, wanted: Sequence[bytes]) -> dict[bytes, bytes]:
    """The rows that there are under some keys, in one call: half the time of as many."""
    with txn.cursor(db=tree) as cursor:
        return dict(cursor.getmulti(wanted))


def trace_ids(txn: Txn, trees: Trees, after: bytes | None, limit: int) -> list[bytes]:
    """`Store.trace_ids`."""
    rows = ascending(txn, trees["trace_ids"], b"", after)
    return [trace_id for (trace_id, _), _ in zip(rows, range(limit), strict=False)]


# -- summaries -----------------------------------------------------------------------------------------------------------------


def marks(txn: Txn, trees: Trees) -> Marks:
    """`Store.marks`."""
    return Marks(
        tuple(trace_id for _, trace_id in ascending(txn, trees["marked_traces"], b"")),
        tuple(SessionKey(*key) for key in _readable(ascending(txn, trees["marked_sessions"], b""))),
        tuple(UserKey(*key) for key in _readable(ascending(txn, trees["marked_users"], b""))),
    )


def _readable(rows: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[str, str]]:
    for _, sealed in rows:
        with suppress(Damaged):  # the check tells of it
            yield unseal(sealed)


def trace_row(txn: Txn, trees: Trees, prefix: bytes | None) -> codec.TraceRow | None:
    """The row of a trace's summary by the trace's number."""
    packed = txn.get(prefix, db=trees["traces"]) if prefix else None
    return codec.unpack_trace(packed) if packed else None


def session_row(txn: Txn, trees: Trees, prefix: bytes | None) -> codec.SessionRow | None:
    """The row of a session's summary by the session's number."""
    packed = txn.get(prefix, db=trees["sessions"]) if prefix else None
    return codec.unpack_session(packed) if packed else None


def user_row(txn: Txn, trees: Trees, prefix: bytes | None) -> codec.UserRow | None:
    """The row of a user's summary by the user's number."""
    packed = txn.get(prefix, db=trees["users"]) if prefix else None
    return codec.unpack_user(packed) if packed else None


def traces_of(txn: Txn, trees: Trees, key: SessionKey | UserKey, held: SettledTraces | None = None) -> list[TraceSummary]:
    """The traces of a session or user in order of start, those that are `held` not read back."""
    kind = "session" if isinstance(key, SessionKey) else "user"
    prefix = txn.get(keys.named(key), db=trees[f"{kind}_ids"])
    if prefix is None:
        return []
    found = []
    for _, trace in ascending(txn, trees[f"{kind}_traces"], prefix):
        summary = held.get(trace) if held is not None else None
        if summary is None and (row := trace_row(txn, trees, trace)) is not None:
            summary = row.summary
        if summary is not None:
            found.append(summary)
    return found


def owners(txn: Txn, trees: Trees, kind: str, after: SessionKey | UserKey | None, limit: int) -> list[bytes]:
    """The summaries of sessions (`kind` "session") or users ("user") as they are stored, past that of `after`, by number."""
    place = txn.get(keys.named(after), db=trees[f"{kind}_ids"]) if after else None
    if after and place is None:
        return []
    return [packed for (_, packed), _ in zip(ascending(txn, trees[f"{kind}s"], b"", place), range(limit), strict=False)]
