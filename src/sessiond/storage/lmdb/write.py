"""What changes the store: one function a verb of the contract, inside one write transaction that its caller holds."""

from collections.abc import Sequence
from typing import Final, TypeVar

from sessiond.core.identity import version
from sessiond.core.model import (
    ReceivedSpan,
    SessionKey,
    SessionSummary,
    SpanFacts,
    StoredSpan,
    TraceSummary,
    UserKey,
    UserSummary,
)
from sessiond.storage.api import Appended, Marks
from sessiond.storage.lmdb import codec, keys
from sessiond.storage.lmdb.codec import ChunkCodec, SessionRow, SpanRow, TraceRow
from sessiond.storage.lmdb.environment import WriteTxn
from sessiond.storage.lmdb.keys import number

Owner = TypeVar("Owner", SessionKey, UserKey)

# -- spans ---------------------------------------------------------------------------------------------------------------------


def append(write: WriteTxn, chunks: ChunkCodec, spans: Sequence[ReceivedSpan]) -> tuple[Appended, dict[bytes, list[SpanFacts]]]:
    """`Store.append`, and the facts of the traces that are new to the store."""
    appending = _Append(write, chunks)
    return appending.run(spans), appending.fresh


_APPENDED: Final = ("trace_ids", "spans", "chunks", "facts", "marked_traces")
"""The trees that an append adds rows to."""


class _Append:
    """One append: the commit's number, what it counts, and the rows it puts at the end."""

    def __init__(self, write: WriteTxn, chunks: ChunkCodec) -> None:
        self._write = write
        self._txn = write.txn
        self._trees = write.trees
        self._chunks = chunks
        self._commit = write.next("commit")
        self._rows: dict[str, list[tuple[bytes, bytes]]] = {tree: [] for tree in _APPENDED}
        self._duplicates = 0
        self._conflicts = 0
        self.fresh: dict[bytes, list[SpanFacts]] = {}

    def run(self, spans: Sequence[ReceivedSpan]) -> Appended:
        by_trace: dict[bytes, list[ReceivedSpan]] = {}
        for span in spans:
            by_trace.setdefault(span.trace_id, []).append(span)
        changed = tuple(trace_id for trace_id, group in by_trace.items() if self._trace(trace_id, group))
        # One call a tree, in the order of its keys: less than half the time of single puts (measured).
        for tree, rows in self._rows.items():
            with self._txn.cursor(db=self._trees[tree]) as cursor:
                cursor.putmulti(sorted(rows))
        return Appended(len(spans) - self._duplicates - self._conflicts, self._duplicates, self._conflicts, changed)

    def _trace(self, trace_id: bytes, spans: list[ReceivedSpan]) -> bool:
        """Keep a trace's new winners; whether there are any."""
        prefix = self._txn.get(trace_id, db=self._trees["trace_ids"])
        is_new = prefix is None
        if prefix is None:
            prefix = number(self._write.next("trace"))
            self._rows["trace_ids"].append((trace_id, prefix))
            held: dict[bytes, SpanRow] = {}
        else:
            held = self._held(prefix, spans)
        winners = self._winners(held, spans)
        if not winners:
            return False
        span_rows, commit = self._rows["spans"], self._commit
        stored: list[StoredSpan] = []
        facts: list[SpanFacts] = []
        for key, (_, one, digest, origin, data) in winners.items():
            received = one.received_unix_nano
            span_rows.append((prefix + key, codec.pack_span_row(one.end_unix_nano, digest, received, commit)))
            stored.append(StoredSpan(origin, data, digest, received))
            facts.append(one)
        if is_new:
            self.fresh[trace_id] = facts
        if held:
            self._replace(prefix, [(key, held[key].commit) for key in winners if key in held])
        at = prefix + number(commit)
        self._rows["chunks"].append((at, self._chunks.pack(stored)))
        self._rows["facts"].append((at, codec.pack_facts(facts)))
        self._rows["marked_traces"].append((prefix, trace_id))
        return True

    def _held(self, prefix: bytes, spans: list[ReceivedSpan]) -> dict[bytes, SpanRow]:
        held = {}
        for span in spans:
            key = keys.span(span.facts)
            packed = self._txn.get(prefix + key, db=self._trees["spans"])
            if packed is not None:
                held[key] = codec.unpack_span_row(packed)
        return held

    def _winners(self, held: dict[bytes, SpanRow], spans: list[ReceivedSpan]) -> dict[bytes, ReceivedSpan]:
        """The spans to keep: of each the best version, where it beats the one that is stored."""
        winners = {keys.span(span.facts): span for span in spans}
        if not held and len(winners) == len(spans):
            return winners
        winners = {}
        for span in spans:
            key = keys.span(span.facts)
            rival = winners.get(key)
            if rival is not None:
                rival_version, first = version(rival.facts, rival.digest), rival.facts.received_unix_nano
            elif key in held:
                rival_version, first = held[key].version, held[key].received_unix_nano
            else:
                winners[key] = span
                continue
            if rival_version.digest == span.digest:
                self._duplicates += 1
                continue
            self._conflicts += 1
            if version(span.facts, span.digest) > rival_version:
                winners[key] = span._replace(facts=span.facts._replace(received_unix_nano=first))
        return winners

    def _replace(self, prefix: bytes, replaced: list[tuple[bytes, int]]) -> None:
        """Take the losing versions out of the chunks that hold them, so that what is stored are winners and nothing else."""
        losers: dict[int, set[bytes]] = {}
        for key, commit in replaced:
            losers.setdefault(commit, set()).add(key)
        txn, trees = self._txn, self._trees
        for commit, gone in losers.items():
            at = prefix + number(commit)
            facts = codec.unpack_facts(self._write.held("facts", at))
            spans = self._chunks.unpack(self._write.held("chunks", at))
            kept = [(one, span) for one, span in zip(facts, spans, strict=True) if keys.span(one) not in gone]
            if kept:
                txn.put(at, codec.pack_facts(one for one, _ in kept), db=trees["facts"])
                txn.put(at, self._chunks.pack([span for _, span in kept]), db=trees["chunks"])
            else:
                txn.delete(at, db=trees["facts"])
                txn.delete(at, db=trees["chunks"])


# -- summaries -----------------------------------------------------------------------------------------------------------------


def put_traces(write: WriteTxn, summaries: Sequence[TraceSummary]) -> Marks:
    """`Store.put_traces`."""
    txn, trees = write.txn, write.trees
    owners = _Owners(write)
    for summary in summaries:
        prefix = write.held("trace_ids", summary.trace_id)
        old = _old_trace(write, prefix)
        if old is not None:
            owners.mark(old.summary)
        project, session, user = owners.mark(summary)
        new = TraceRow(write.next("change"), project, session, user, summary)
        txn.put(prefix, codec.pack_trace(new), db=trees["traces"])
        _move(write, trace_index_rows(old, prefix) if old else {}, trace_index_rows(new, prefix))
        txn.delete(prefix, db=trees["marked_traces"])
    return Marks(sessions=tuple(owners.sessions), users=tuple(owners.users))


class _Owners:
    """The projects, sessions and users of traces that are written in one transaction: their numbers, and marks on them."""

    def __init__(self, write: WriteTxn) -> None:
        self._write = write
        self._projects: dict[str, int] = {}
        self.sessions: dict[SessionKey, int] = {}
        self.users: dict[UserKey, int] = {}

    def mark(self, trace: TraceSummary) -> tuple[int, int, int]:
        """Mark whom the trace belongs to; the numbers of its project, session and user, 0 for none."""
        project = self._projects.get(trace.project)
        if project is None:
            project = self._projects[trace.project] = _project_number(self._write, trace.project)
        session = user = 0
        if trace.session_id is not None:
            session = self._marked("session", SessionKey(trace.project, trace.session_id), self.sessions)
        if trace.user_id is not None:
            user = self._marked("user", UserKey(trace.project, trace.user_id), self.users)
        return project, session, user

    def _marked(self, kind: str, key: Owner, marked: dict[Owner, int]) -> int:
        given = marked.get(key)
        if given is None:
            given = marked[key] = _number_of(self._write, kind, keys.named(key))
            self._write.txn.put(number(given), codec.seal(key), db=self._write.trees[f"marked_{kind}s"])
        return given


def put_sessions(write: WriteTxn, settled: Sequence[tuple[SessionKey, SessionSummary | None]]) -> None:
    """`Store.put_sessions`."""
    txn, trees = write.txn, write.trees
    for key, summary in settled:
        name = keys.named(key)
        prefix = txn.get(name, db=trees["session_ids"])
        if prefix is None:
            continue
        packed = txn.get(prefix, db=trees["sessions"])
        old_rows = session_index_rows(codec.unpack_session(packed), prefix) if packed else {}
        txn.delete(prefix, db=trees["marked_sessions"])
        if summary is None:
            txn.delete(name, db=trees["session_ids"])
            txn.delete(prefix, db=trees["sessions"])
            _move(write, old_rows, {})
            continue
        users = (txn.get(keys.named(UserKey(key.project, user_id)), db=trees["user_ids"]) for user_id in summary.user_ids)
        new = SessionRow(
            change=write.next("change"),
            project=_project_number(write, key.project),
            users=tuple(keys.value_of(user) for user in users if user is not None),
            summary=summary,
        )
        txn.put(prefix, codec.pack_session(new), db=trees["sessions"])
        _move(write, old_rows, session_index_rows(new, prefix))


def put_users(write: WriteTxn, settled: Sequence[tuple[UserKey, UserSummary | None]]) -> None:
    """`Store.put_users`."""
    txn, trees = write.txn, write.trees
    for key, summary in settled:
        name = keys.named(key)
        prefix = txn.get(name, db=trees["user_ids"])
        if prefix is None:
            continue
        txn.delete(prefix, db=trees["marked_users"])
        if summary is None:
            txn.delete(name, db=trees["user_ids"])
            txn.delete(prefix, db=trees["users"])
        else:
            txn.put(prefix, codec.pack_user(summary), db=trees["users"])


def trace_index_rows(row: TraceRow, prefix: bytes) -> dict[tuple[str, bytes], bytes]:
    """(tree, key) -> value of every index row that a trace has."""
    place = keys.by_start(row.summary)
    rows = {("traces_by_start", number(row.project) + place): prefix, ("trace_changes", number(row.change)): prefix}
    if row.session:
        rows["session_traces", number(row.session) + place] = prefix
    if row.user:
        rows["user_traces", number(row.user) + place] = prefix
    return rows


def session_index_rows(row: SessionRow, prefix: bytes) -> dict[tuple[str, bytes], bytes]:
    """(tree, key) -> value of every index row that a session has."""
    place = keys.by_activity(row.summary)
    rows = {("sessions_by_activity", number(row.project) + place): prefix, ("session_changes", number(row.change)): prefix}
    for user in row.users:
        rows["user_sessions", number(user) + place] = prefix
    return rows


def _move(write: WriteTxn, old: dict[tuple[str, bytes], bytes], new: dict[tuple[str, bytes], bytes]) -> None:
    txn, trees = write.txn, write.trees
    for tree, key in old.keys() - new.keys():
        txn.delete(key, db=trees[tree])
    for (tree, key), value in new.items():
        if (tree, key) not in old:
            txn.put(key, value, db=trees[tree])


def _old_trace(write: WriteTxn, prefix: bytes) -> TraceRow | None:
    packed = write.txn.get(prefix, db=write.trees["traces"])
    return codec.unpack_trace(packed) if packed else None


def _project_number(write: WriteTxn, project: str) -> int:
    name = keys.named(project)
    packed = write.txn.get(name, db=write.trees["projects"])
    if packed is not None:
        return int(codec.unseal(packed)[0])
    given = write.next("project")
    write.txn.put(name, codec.seal((given, project)), db=write.trees["projects"])
    return given


def _number_of(write: WriteTxn, kind: str, name: bytes) -> int:
    """The number under a name, given out now if it is new."""
    tree = write.trees[f"{kind}_ids"]
    packed = write.txn.get(name, db=tree)
    if packed is not None:
        return keys.value_of(packed)
    given = write.next(kind)
    write.txn.put(name, number(given), db=tree)
    return given
