"""Whether the store's rows agree with each other, both ways: every row has its counterpart, and every counterpart its row.

Read a page at a time, each in a transaction of its own, so it may run beside the writer; whatever is compared is compared inside
one transaction.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

from sessiond.core.feedback.target import PLACE_TIME_BYTES
from sessiond.core.identity import Held, version
from sessiond.core.model import SessionKey, UserKey
from sessiond.storage.lmdb import codec, feedback, keys, read, write
from sessiond.storage.lmdb.environment import Environment
from sessiond.storage.lmdb.keys import Trees, Txn
from sessiond.storage.packing import Packer, span_key, unpack_facts, unseal

PAGE_ROWS: Final = 200
"""Rows looked at in one transaction; a trace counts as one."""

Checked = Callable[[Txn, Trees, bytes, bytes], list[str]]
"""(transaction, trees, key, value) -> what is wrong with the row."""


def pages(environment: Environment) -> Iterator[list[str]]:
    """What is wrong, in words, a list for each page."""
    yield _counters(environment)
    for tree, checked in _CHECKS.items():
        after: bytes | None = None
        while True:
            with environment.read() as txn:
                rows = list(islice(read.ascending(txn, environment.trees[tree], b"", after), PAGE_ROWS))
                found = [(key, _guarded(checked, txn, environment.trees, key, value)) for key, value in rows]
            yield [f"{tree} {key.hex()}: {problem}" for key, problems in found for problem in problems]
            if len(rows) < PAGE_ROWS:
                break
            after = rows[-1][0]


def _counters(environment: Environment) -> list[str]:
    """No number is in use that was not given out: it would be given out again."""
    with environment.read() as txn:
        given = environment.counters(txn)
        problems = []
        for counter, tree in _NUMBERED:
            with txn.cursor(db=environment.trees[tree]) as cursor:
                if cursor.last() and keys.value_of(cursor.key()[:8]) > getattr(given, counter):
                    problems.append(f"{tree}: the counter of {counter}s lags behind its numbers")
    return problems


def _guarded(checked: Checked, txn: Txn, trees: Trees, key: bytes, value: bytes) -> list[str]:
    try:
        return checked(txn, trees, key, value)
    except Exception as error:  # noqa: BLE001  (a damaged row may fail in any way, and the others are still to be looked at)
        return [f"can't be read: {error!r}"]


def _trace(txn: Txn, trees: Trees, _: bytes, prefix: bytes) -> list[str]:
    """A trace's chunks, facts and span rows tell of the same spans; it has a summary or a mark."""
    problems = []
    packer = Packer()
    chunk_rows = dict(read.ascending(txn, trees["chunks"], prefix))
    fact_rows = dict(read.ascending(txn, trees["facts"], prefix))
    span_rows = {key: codec.unpack_span_row(row) for key, row in read.ascending(txn, trees["spans"], prefix)}
    if not chunk_rows:
        problems.append("no spans")
    if chunk_rows.keys() != fact_rows.keys():
        problems.append("chunks and facts are of different commits")
    expected = {}
    for commit in chunk_rows.keys() & fact_rows.keys():
        spans, facts = packer.unpack_chunk(chunk_rows[commit]), unpack_facts(codec.facts_of(fact_rows[commit]))
        if len(spans) != len(facts):
            problems.append(f"commit {keys.value_of(commit)}: {len(spans)} spans and facts of {len(facts)}")
        for span, one in zip(spans, facts, strict=False):
            if span.received_unix_nano != one.received_unix_nano:
                problems.append(f"span {one.span_id.hex()}: two first arrivals")
            held = Held(version(one, span.digest), span.received_unix_nano)
            expected[span_key(one)] = codec.SpanRow(held, keys.value_of(commit))
    problems += [f"span {key[:8].hex()}: its row is missing or wrong" for key in expected if span_rows.get(key) != expected[key]]
    problems += [f"span {key[:8].hex()}: a row without a span" for key in span_rows.keys() - expected.keys()]
    if txn.get(prefix, db=trees["traces"]) is None and txn.get(prefix, db=trees["marked_traces"]) is None:
        problems.append("neither a summary nor a mark")
    return problems


def _of_a_trace(txn: Txn, trees: Trees, key: bytes, _: bytes) -> list[str]:
    """A row keyed by trace number belongs to a trace that is known."""
    prefix = key[:8]
    row = read.trace_row(txn, trees, prefix)
    trace_id = row.summary.trace_id if row else txn.get(prefix, db=trees["marked_traces"])
    return [] if trace_id and txn.get(trace_id, db=trees["trace_ids"]) == prefix else ["belongs to no trace"]


def _of_spans(txn: Txn, trees: Trees, key: bytes, value: bytes) -> list[str]:
    """A row of a trace's spans; of an erased one it may still be there."""
    is_unswept = txn.get(key[:8], db=trees["unswept"]) is not None
    return [] if is_unswept else _of_a_trace(txn, trees, key, value)


def _unswept(txn: Txn, trees: Trees, prefix: bytes, _: bytes) -> list[str]:
    is_there = any(txn.get(prefix, db=trees[tree]) is not None for tree in ("traces", "marked_traces", "texts"))
    return ["a trace that is still there is being swept away"] if is_there else []


def _erased(txn: Txn, trees: Trees, trace_id: bytes, erased: bytes) -> list[str]:
    problems = [] if txn.get(trace_id, db=trees["trace_ids"]) is None else ["is remembered as erased and is there"]
    return problems + ([] if txn.get(erased + trace_id, db=trees["erased_by_time"]) is not None else ["is not listed by time"])


def _erased_by_time(txn: Txn, trees: Trees, key: bytes, _: bytes) -> list[str]:
    return [] if txn.get(key[8:], db=trees["erased"]) == key[:8] else ["tells of a trace that is not remembered as erased then"]


def _trace_summary(txn: Txn, trees: Trees, prefix: bytes, packed: bytes) -> list[str]:
    row = codec.unpack_trace(packed)
    return [
        *_of_a_trace(txn, trees, prefix, packed),
        *_indexed(txn, trees, write.trace_index_rows(row, prefix)),
        *_headed(codec.pack_trace(row), packed),
        *_of_a_project(txn, trees, row.summary.project, row.project),
    ]


def _of_a_project(txn: Txn, trees: Trees, name: str, given: int) -> list[str]:
    packed = txn.get(keys.named(name), db=trees["projects"])
    return [] if packed and unseal(packed) == (given, name) else ["its project's number is missing or another"]


def _session_summary(txn: Txn, trees: Trees, prefix: bytes, packed: bytes) -> list[str]:
    row = codec.unpack_session(packed)
    problems = _indexed(txn, trees, write.session_index_rows(row, prefix))
    problems += _of_a_project(txn, trees, row.summary.project, row.project)
    problems += _headed(codec.pack_session(row), packed)
    return problems + _named(txn, trees, "session", row.summary.key, prefix)


def _user_summary(txn: Txn, trees: Trees, prefix: bytes, packed: bytes) -> list[str]:
    row = codec.unpack_user(packed)
    problems = _indexed(txn, trees, write.user_index_rows(row, prefix))
    problems += _of_a_project(txn, trees, row.summary.project, row.project)
    problems += _headed(codec.pack_user(row), packed)
    return problems + _named(txn, trees, "user", row.summary.key, prefix)


def _headed(again: bytes, packed: bytes) -> list[str]:
    """A row's head is that of its summary."""
    return [] if again == packed else ["its head is not that of its summary"]


def _named(txn: Txn, trees: Trees, kind: str, key: SessionKey | UserKey, prefix: bytes) -> list[str]:
    return [] if txn.get(keys.named(key), db=trees[f"{kind}_ids"]) == prefix else ["its id leads elsewhere"]


def _indexed(txn: Txn, trees: Trees, rows: dict[tuple[str, bytes], bytes]) -> list[str]:
    return [f"{tree} lacks its row" for (tree, key), value in rows.items() if txn.get(key, db=trees[tree]) != value]


def _trace_index(tree: str) -> Checked:
    def checked(txn: Txn, trees: Trees, key: bytes, prefix: bytes) -> list[str]:
        row = read.trace_row(txn, trees, prefix)
        return [] if row and (tree, key) in write.trace_index_rows(row, prefix) else ["points at a trace that is not there"]

    return checked


def _session_index(tree: str) -> Checked:
    def checked(txn: Txn, trees: Trees, key: bytes, prefix: bytes) -> list[str]:
        row = read.session_row(txn, trees, prefix)
        return [] if row and (tree, key) in write.session_index_rows(row, prefix) else ["points at a session that is not there"]

    return checked


def _user_index(tree: str) -> Checked:
    def checked(txn: Txn, trees: Trees, key: bytes, prefix: bytes) -> list[str]:
        row = read.user_row(txn, trees, prefix)
        return [] if row and (tree, key) in write.user_index_rows(row, prefix) else ["points at a user that is not there"]

    return checked


def _removal(_txn: Txn, _trees: Trees, _key: bytes, packed: bytes) -> list[str]:
    kind, _project, _name = unseal(packed)
    return [] if kind in {"trace", "session", "user"} else [f"tells of an unknown kind {kind!r}"]


def _owner(kind: str) -> Checked:
    def checked(txn: Txn, trees: Trees, _: bytes, prefix: bytes) -> list[str]:
        held = txn.get(prefix, db=trees[f"{kind}s"]) or txn.get(prefix, db=trees[f"marked_{kind}s"])
        return [] if held else [f"the {kind} has neither a summary nor a mark"]

    return checked


def _mark(kind: str) -> Checked:
    key_of: Callable[..., SessionKey | UserKey] = SessionKey if kind == "session" else UserKey

    def checked(txn: Txn, trees: Trees, prefix: bytes, packed: bytes) -> list[str]:
        leads_here = txn.get(keys.named(key_of(*unseal(packed))), db=trees[f"{kind}_ids"]) == prefix
        return [] if leads_here else [f"marks a {kind} that is not there"]

    return checked


def _feedback(kept: feedback.Kept) -> Checked:
    def checked(txn: Txn, trees: Trees, key: bytes, packed: bytes) -> list[str]:
        item = kept.unpack(packed)
        lacking = [tree for tree, row in feedback.index_rows(item) if txn.get(row, db=trees[tree]) is None]
        return [*(["is of another id"] if item.id.encode() != key else []), *(f"{tree} lacks its row" for tree in lacking)]

    return checked


def _feedback_index(kept: feedback.Kept, tree: str) -> Checked:
    def checked(txn: Txn, trees: Trees, key: bytes, _: bytes) -> list[str]:
        place = key if tree == kept.by_time else key[keys.SUBJECT_BYTES :]
        packed = txn.get(place[PLACE_TIME_BYTES:], db=trees[kept.rows])
        is_of_it = packed is not None and (tree, key) in feedback.index_rows(kept.unpack(packed))
        return [] if is_of_it else ["points at feedback that is not there"]

    return checked


def _marked_trace(txn: Txn, trees: Trees, prefix: bytes, trace_id: bytes) -> list[str]:
    return [] if txn.get(trace_id, db=trees["trace_ids"]) == prefix else ["marks a trace that is not there"]


_FEEDBACK: Final = (feedback.SCORES, feedback.ANNOTATIONS)

_CHECKS: Final[dict[str, Checked]] = {
    "trace_ids": _trace,
    "chunks": _of_spans,
    "facts": _of_spans,
    "spans": _of_spans,
    "traces": _trace_summary,
    "texts": _of_a_trace,
    "marked_traces": _marked_trace,
    "sessions": _session_summary,
    "users": _user_summary,
    "session_ids": _owner("session"),
    "user_ids": _owner("user"),
    "marked_sessions": _mark("session"),
    "marked_users": _mark("user"),
    **{tree: _trace_index(tree) for tree in ("traces_by_start", "trace_changes", "session_traces", "user_traces")},
    **{tree: _session_index(tree) for tree in ("sessions_by_activity", "session_changes", "user_sessions")},
    **{tree: _user_index(tree) for tree in ("users_by_last_seen", "user_changes")},
    "removals": _removal,
    "unswept": _unswept,
    "erased": _erased,
    "erased_by_time": _erased_by_time,
    **{kept.rows: _feedback(kept) for kept in _FEEDBACK},
    **{tree: _feedback_index(kept, tree) for kept in _FEEDBACK for tree in (kept.of, kept.by_time)},
}

_NUMBERED: Final = (
    ("trace", "chunks"),
    ("session", "sessions"),
    ("user", "users"),
    ("project", "traces_by_start"),
    ("change", "trace_changes"),
    ("change", "session_changes"),
    ("change", "user_changes"),
    ("change", "removals"),
)
"""(counter, tree whose keys begin with its numbers)."""
