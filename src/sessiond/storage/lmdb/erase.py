"""Taking traces out, and remembering which: what leads to one goes at once, its spans slice by slice.

Each function works inside a transaction that its caller holds.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Final

from sessiond.core.errors import Damaged
from sessiond.core.feedback.target import Subject
from sessiond.core.figures.trace import session_of
from sessiond.core.model import SessionKey, TraceKey
from sessiond.storage.api import Erased, Erasure
from sessiond.storage.lmdb import feedback
from sessiond.storage.lmdb.environment import WriteTxn
from sessiond.storage.lmdb.keys import Trees, Txn, named, number, said_of, value_of
from sessiond.storage.lmdb.read import ascending, facts
from sessiond.storage.lmdb.write import Owners, old_trace, remove, trace_index_rows

SWEEP_COST_MAX: Final = 10_000
"""Rows deleted in one transaction, weighted; some 20 ms, which an export that arrives meanwhile waits longer (measured)."""
_COSTS: Final = {"spans": 1, "facts": 2, "chunks": 8}
"""The trees of a trace's spans, and what deleting a row of each costs; a chunk may be hundreds of pages."""
_FEEDBACK: Final = (feedback.SCORES, feedback.ANNOTATIONS)


def erase(write: WriteTxn, trace_ids: Sequence[bytes], erased_unix_nano: int | None, sessions: Sequence[SessionKey]) -> Erased:
    """`Store.erase`."""
    owners = Owners(write)
    found = [trace_id for trace_id in dict.fromkeys(trace_ids) if _take_out(write, trace_id, owners)]
    if erased_unix_nano is not None:
        remember(write, [Erasure(trace_id, erased_unix_nano) for trace_id in found])
    for trace_id in trace_ids:
        _remove_feedback(write, trace_id)
    for key in _left_without_traces(write, (*owners.sessions, *sessions)):
        _remove_feedback(write, key)
    sweep(write)
    return Erased(tuple(found), owners.marks())


def _remove_feedback(write: WriteTxn, subject: Subject) -> None:
    for kept in _FEEDBACK:
        for item in feedback.items_of(write.txn, write.trees, kept, subject):
            feedback.remove(write, item)


def _left_without_traces(write: WriteTxn, sessions: Sequence[SessionKey]) -> list[SessionKey]:
    """Those of some sessions that have feedback of their own and no trace any more, not settled ones either."""
    bare = [key for key in sessions if _has_feedback(write, key) and not _has_traces(write, key)]
    if not bare:
        return []
    taken = set(_sessions_of_marked(write))
    return [key for key in bare if key not in taken]


def _has_feedback(write: WriteTxn, key: SessionKey) -> bool:
    return any(any(ascending(write.txn, write.trees[kept.of], said_of(key))) for kept in _FEEDBACK)


def _has_traces(write: WriteTxn, key: SessionKey) -> bool:
    prefix = write.txn.get(named(key), db=write.trees["session_ids"])
    return prefix is not None and any(ascending(write.txn, write.trees["session_traces"], prefix))


def _sessions_of_marked(write: WriteTxn) -> Iterator[SessionKey]:
    """The sessions of traces that are not settled yet: some 20 us a trace of eight spans, and some thousands are marked at most."""
    for _, trace_id in ascending(write.txn, write.trees["marked_traces"], b""):
        with suppress(Damaged):
            key = session_of(facts(write.txn, write.trees, trace_id))
            if key is not None:
                yield key


def _take_out(write: WriteTxn, trace_id: bytes, owners: Owners) -> bool:
    """Let nothing lead to a trace any more; whether it was there."""
    txn, trees = write.txn, write.trees
    prefix = txn.get(trace_id, db=trees["trace_ids"])
    if prefix is None:
        return False
    old = old_trace(write, prefix)
    if old is not None:
        owners.mark(old.summary)
        remove(write, "trace", TraceKey(old.summary.project, trace_id), prefix, trace_index_rows(old, prefix))
        txn.delete(prefix, db=trees["texts"])
    txn.delete(prefix, db=trees["marked_traces"])
    txn.delete(trace_id, db=trees["trace_ids"])
    txn.put(prefix, b"", db=trees["unswept"])
    return True


def is_unswept(txn: Txn, trees: Trees) -> bool:
    """Whether `sweep` has anything to do."""
    return bool(txn.stat(trees["unswept"])["entries"])


def sweep(write: WriteTxn) -> bool:
    """`Store.sweep`."""
    left = SWEEP_COST_MAX
    for prefix, _ in list(islice(ascending(write.txn, write.trees["unswept"], b""), SWEEP_COST_MAX)):
        for tree, cost in _COSTS.items():
            left = _sweep_tree(write, tree, prefix, cost, left)
            if left <= 0:
                return True
        write.txn.delete(prefix, db=write.trees["unswept"])
    return is_unswept(write.txn, write.trees)


def _sweep_tree(write: WriteTxn, tree: str, prefix: bytes, cost: int, left: int) -> int:
    """Delete a trace's rows of one tree until `left` is spent; what is left of it."""
    with write.txn.cursor(db=write.trees[tree]) as cursor:
        cursor.set_range(prefix)
        while left > 0 and cursor.key().startswith(prefix):
            cursor.delete()  # moves on to the next row
            left -= cost
    return left


# -- which traces were erased ----------------------------------------------------------------------------------------------------


def remember(write: WriteTxn, erasures: Sequence[Erasure]) -> None:
    """`Store.remember_erased`."""
    for trace_id, unix_nano in erasures:
        before = write.txn.replace(trace_id, number(unix_nano), db=write.trees["erased"])
        if before is not None:
            write.txn.delete(before + trace_id, db=write.trees["erased_by_time"])
        write.txn.put(number(unix_nano) + trace_id, b"", db=write.trees["erased_by_time"])


def erasures(txn: Txn, trees: Trees, after: bytes | None, limit: int) -> list[Erasure]:
    """`Store.erasures`."""
    return [Erasure(trace_id, value_of(when)) for trace_id, when in islice(ascending(txn, trees["erased"], b"", after), limit)]


def oldest(txn: Txn, trees: Trees, before_unix_nano: int, count_max: int, limit: int) -> list[Erasure]:
    """Those that `Store.forget_erased` forgets."""
    beyond = txn.stat(trees["erased"])["entries"] - count_max
    first = islice(ascending(txn, trees["erased_by_time"], b""), limit)
    found = (Erasure(key[8:], value_of(key[:8])) for key, _ in first)
    return [one for place, one in enumerate(found) if place < beyond or one.unix_nano < before_unix_nano]


def forget(write: WriteTxn, old: Sequence[Erasure]) -> None:
    """Remember them no more."""
    for trace_id, unix_nano in old:
        write.txn.delete(trace_id, db=write.trees["erased"])
        write.txn.delete(number(unix_nano) + trace_id, db=write.trees["erased_by_time"])
