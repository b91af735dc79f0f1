"""What changes the store: one function a verb of the contract, inside one write transaction that its caller holds."""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Final, TypeAlias, TypeVar

from sessiond.core.errors import Damaged
from sessiond.core.identity import winners
from sessiond.core.model import (
    NO_TEXTS,
    ReceivedSpan,
    SessionKey,
    SessionSummary,
    SpanFacts,
    StoredSpan,
    TraceKey,
    TraceSummary,
    UserKey,
    UserSummary,
)
from sessiond.core.rows.fields import Kind
from sessiond.core.rows.places import place_of
from sessiond.storage.api import Appended, Marks, SettledTrace
from sessiond.storage.lmdb import codec, keys
from sessiond.storage.lmdb.codec import SessionRow, SpanRow, TraceRow, UserRow
from sessiond.storage.lmdb.environment import WriteTxn
from sessiond.storage.lmdb.keys import number
from sessiond.storage.lmdb.read import ascending
from sessiond.storage.lmdb.settled import Put
from sessiond.storage.packing import (
    SPAN_BYTES,
    SPAN_KEY_BYTES,
    PackedTrace,
    Packer,
    pack_facts,
    seal,
    span_key,
    unpack_facts,
    unseal,
)

Owner = TypeVar("Owner", SessionKey, UserKey)
IndexRows: TypeAlias = dict[tuple[str, bytes], bytes]
"""(tree, key) -> value."""

# -- spans ---------------------------------------------------------------------------------------------------------------------


def append(
    write: WriteTxn, packer: Packer, rules: bytes, traces: Iterable[PackedTrace]
) -> tuple[Appended, dict[bytes, PackedTrace]]:
    """`Store.append`, and the traces that are new to the store."""
    appending = _Append(write, packer, rules)
    return appending.run(traces), appending.fresh


_APPENDED: Final = ("trace_ids", "spans", "chunks", "facts", "marked_traces")
"""The trees that an append adds rows to."""


class _Append:
    """One append: the commit's number, what it counts, and the rows it puts at the end."""

    def __init__(self, write: WriteTxn, packer: Packer, rules: bytes) -> None:
        self._write = write
        self._txn = write.txn
        self._trees = write.trees
        self._packer = packer
        self._rules = rules
        self._commit = write.next("commit")
        self._rows: dict[str, list[tuple[bytes, bytes]]] = {tree: [] for tree in _APPENDED}
        self._stored = 0
        self._duplicates = 0
        self._conflicts = 0
        self._refused = 0
        self._remembers_erased = bool(write.txn.stat(write.trees["erased"])["entries"])
        self._erased: set[bytes] = set()
        self._damaged: set[bytes] = set()
        self.fresh: dict[bytes, PackedTrace] = {}

    def run(self, traces: Iterable[PackedTrace]) -> Appended:
        changed = tuple(one.trace_id for one in self._apart(traces) if self._trace(one))
        # One call a tree, in the order of its keys: less than half the time of single puts (measured).
        for tree, rows in self._rows.items():
            with self._txn.cursor(db=self._trees[tree]) as cursor:
                cursor.putmulti(sorted(rows))
        refused = frozenset(self._erased), frozenset(self._damaged)
        return Appended(self._stored, self._duplicates, self._conflicts, changed, self._refused, *refused)

    def _apart(self, traces: Iterable[PackedTrace]) -> Iterable[PackedTrace]:
        """Each trace once, but for erased ones: what came of one in several requests is packed again as one."""
        by_id: dict[bytes, PackedTrace] = {}
        for one in traces:
            if self._remembers_erased and self._txn.get(one.trace_id, db=self._trees["erased"]) is not None:
                self._refused += one.span_count
                self._erased.add(one.trace_id)
                continue
            self._duplicates += one.duplicates
            self._conflicts += one.conflicts
            other = by_id.get(one.trace_id)
            by_id[one.trace_id] = one if other is None else self._packed([*self._packer.unpack(other), *self._packer.unpack(one)])
        return by_id.values()

    def _packed(self, spans: Sequence[ReceivedSpan]) -> PackedTrace:
        packed = self._packer.trace(spans)
        self._duplicates += packed.duplicates
        self._conflicts += packed.conflicts
        return packed

    def _trace(self, packed: PackedTrace) -> bool:
        """Keep a trace's new winners; whether there are any."""
        prefix = self._txn.get(packed.trace_id, db=self._trees["trace_ids"])
        if prefix is None:
            prefix = number(self._write.next("trace"))
            self._rows["trace_ids"].append((packed.trace_id, prefix))
            self.fresh[packed.trace_id] = packed
        else:
            held = self._held(prefix, packed)
            try:
                kept = self._winners(prefix, packed, held) if held else packed
            except Damaged:
                self._refused += len(packed.spans) // SPAN_BYTES
                self._damaged.add(packed.trace_id)
                return False
            if kept is None:
                return False
            packed = kept
        at = prefix + number(self._commit)
        span_rows = codec.span_rows(packed, prefix, self._commit)
        self._rows["spans"] += span_rows
        self._rows["chunks"].append((at, packed.chunk))
        self._rows["facts"].append((at, codec.stamped(self._rules, packed.facts)))
        self._rows["marked_traces"].append((prefix, packed.trace_id))
        self._stored += len(span_rows)
        return True

    def _held(self, prefix: bytes, packed: PackedTrace) -> dict[bytes, SpanRow]:
        """What is there of these spans already, by span key."""
        spans, tree = packed.spans, self._trees["spans"]
        held = {}
        for at in range(0, len(spans), SPAN_BYTES):
            key = spans[at : at + SPAN_KEY_BYTES]
            row = self._txn.get(prefix + key, db=tree)
            if row is not None:
                held[key] = codec.unpack_span_row(row)
        return held

    def _winners(self, prefix: bytes, packed: PackedTrace, held: dict[bytes, SpanRow]) -> PackedTrace | None:
        """What is to be kept where some of the spans are `held`, whose losing versions go. Raises Damaged, with nothing changed."""
        spans = self._packer.unpack(packed)
        rivals = {(one.facts.span_id, one.facts.kind): held[key].held for one in spans if (key := span_key(one.facts)) in held}
        contest = winners(spans, rivals)
        replaced = [key for one in contest.winners if (key := span_key(one.facts)) in held]
        self._remove(prefix, [(key, held[key].commit) for key in replaced])
        self._stored -= len(replaced)
        self._duplicates += contest.duplicates
        self._conflicts += contest.conflicts
        if not contest.winners:
            return None
        return self._packer.trace(contest.winners)

    def _remove(self, prefix: bytes, replaced: list[tuple[bytes, int]]) -> None:
        """Take the losing versions out of the chunks that hold them, so that what is stored are winners and nothing else."""
        losers: dict[int, set[bytes]] = {}
        for key, commit in replaced:
            losers.setdefault(commit, set()).add(key)
        txn, trees = self._txn, self._trees
        left = [self._without(prefix + number(commit), gone) for commit, gone in losers.items()]
        for at, rules, kept in left:
            if kept:
                txn.put(at, codec.stamped(rules, pack_facts(one for one, _ in kept)), db=trees["facts"])
                txn.put(at, self._packer.pack_chunk(span for _, span in kept), db=trees["chunks"])
            else:
                txn.delete(at, db=trees["facts"])
                txn.delete(at, db=trees["chunks"])

    def _without(self, at: bytes, gone: set[bytes]) -> tuple[bytes, bytes, list[tuple[SpanFacts, StoredSpan]]]:
        """Where facts and chunk of a trace's commit are, the facts' rules, and what is in them but for some spans."""
        row = self._write.held("facts", at)
        facts = unpack_facts(codec.facts_of(row))
        spans = self._packer.unpack_chunk(self._write.held("chunks", at))
        if len(facts) != len(spans):
            raise Damaged(f"chunk and facts {at.hex()} are of {len(spans)} and {len(facts)} spans")
        return at, codec.rules_of(row), [pair for pair in zip(facts, spans, strict=True) if span_key(pair[0]) not in gone]


def renew(
    write: WriteTxn, packer: Packer, rules: bytes, trace_ids: Sequence[bytes], read: Callable[[StoredSpan], SpanFacts | None]
) -> None:
    """`Store.renew`."""
    txn, trees = write.txn, write.trees
    for trace_id in trace_ids:
        prefix = write.held("trace_ids", trace_id)
        for commit, row in list(ascending(txn, trees["facts"], prefix)):
            try:
                old = unpack_facts(codec.facts_of(row))
                spans = packer.unpack_chunk(write.held("chunks", prefix + commit))
            except Damaged:
                old, spans = [], []
            if old and len(old) == len(spans):
                facts = pack_facts(read(span) or one for span, one in zip(spans, old, strict=True))
            else:
                facts = codec.facts_of(row)
            txn.put(prefix + commit, codec.stamped(rules, facts), db=trees["facts"])
        txn.put(prefix, trace_id, db=trees["marked_traces"])


# -- summaries -----------------------------------------------------------------------------------------------------------------


def put_traces(write: WriteTxn, settled: Sequence[SettledTrace]) -> tuple[Marks, dict[bytes, Put]]:
    """`Store.put_traces`, and what was put under which number."""
    txn, trees = write.txn, write.trees
    owners = Owners(write)
    put: dict[bytes, Put] = {}
    for summary, texts in settled:
        prefix = write.held("trace_ids", summary.trace_id)
        old = old_trace(write, prefix)
        if texts != NO_TEXTS:
            txn.put(prefix, codec.pack_texts(texts), db=trees["texts"])
        elif old is not None:
            txn.delete(prefix, db=trees["texts"])
        if old is not None:
            owners.mark(old.summary)
        project, session, user = owners.mark(summary)
        new = TraceRow(write.next("change"), project, session, user, summary)
        packed = codec.pack_trace(new)
        txn.put(prefix, packed, db=trees["traces"])
        put[prefix] = Put(summary, len(packed))
        move(write, trace_index_rows(old, prefix) if old else {}, trace_index_rows(new, prefix))
        txn.delete(prefix, db=trees["marked_traces"])
    return owners.marks(), put


class Owners:
    """The projects, sessions and users of traces that one transaction writes or erases: their numbers, and marks on them."""

    def __init__(self, write: WriteTxn) -> None:
        self._write = write
        self._projects: dict[str, int] = {}
        self.sessions: dict[SessionKey, int] = {}
        self.users: dict[UserKey, int] = {}

    def marks(self) -> Marks:
        """What was marked."""
        return Marks(sessions=tuple(self.sessions), users=tuple(self.users))

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
            self._write.txn.put(number(given), seal(key), db=self._write.trees[f"marked_{kind}s"])
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
            if packed:
                remove(write, "session", key, prefix, old_rows)
            continue
        # The latest user too, who may be beyond the first hundred.
        user_ids = dict.fromkeys((*summary.user_ids, summary.user_id)) if summary.user_id is not None else ()
        users = (txn.get(keys.named(UserKey(key.project, user_id)), db=trees["user_ids"]) for user_id in user_ids)
        new = SessionRow(
            change=write.next("change"),
            project=_project_number(write, key.project),
            users=tuple(keys.value_of(user) for user in users if user is not None),
            summary=summary,
        )
        txn.put(prefix, codec.pack_session(new), db=trees["sessions"])
        move(write, old_rows, session_index_rows(new, prefix))


def put_users(write: WriteTxn, settled: Sequence[tuple[UserKey, UserSummary | None]]) -> None:
    """`Store.put_users`."""
    txn, trees = write.txn, write.trees
    for key, summary in settled:
        name = keys.named(key)
        prefix = txn.get(name, db=trees["user_ids"])
        if prefix is None:
            continue
        packed = txn.get(prefix, db=trees["users"])
        old_rows = user_index_rows(codec.unpack_user(packed), prefix) if packed else {}
        txn.delete(prefix, db=trees["marked_users"])
        if summary is None:
            txn.delete(name, db=trees["user_ids"])
            if packed:
                remove(write, "user", key, prefix, old_rows)
            continue
        new = UserRow(write.next("change"), _project_number(write, key.project), summary)
        txn.put(prefix, codec.pack_user(new), db=trees["users"])
        move(write, old_rows, user_index_rows(new, prefix))


def remove(write: WriteTxn, kind: Kind, key: TraceKey | SessionKey | UserKey, prefix: bytes, index_rows: IndexRows) -> None:
    """Take away a summary, and leave word that it is gone."""
    write.txn.delete(prefix, db=write.trees[f"{kind}s"])
    move(write, index_rows, {})
    write.txn.put(number(write.next("change")), seal((kind, *key)), db=write.trees["removals"])


def forget_removals(write: WriteTxn, through: int, limit: int) -> int | None:
    """`Store.forget_removals`; the change up to which they are forgotten, where `limit` came before the end."""
    tree = write.trees["removals"]
    changes = [change for change, _ in islice(ascending(write.txn, tree, b""), limit)]
    old = [change for change in changes if keys.value_of(change) <= through]
    for change in old:
        write.txn.delete(change, db=tree)
    return keys.value_of(old[-1]) if len(old) == limit else None


def trace_index_rows(row: TraceRow, prefix: bytes) -> IndexRows:
    """Every index row that a trace has."""
    place = place_of(row.summary)
    rows = {("traces_by_start", number(row.project) + place): prefix, ("trace_changes", number(row.change)): prefix}
    if row.session:
        rows["session_traces", number(row.session) + place] = prefix
    if row.user:
        rows["user_traces", number(row.user) + place] = prefix
    return rows


def session_index_rows(row: SessionRow, prefix: bytes) -> IndexRows:
    """Every index row that a session has."""
    place = place_of(row.summary)
    rows = {("sessions_by_activity", number(row.project) + place): prefix, ("session_changes", number(row.change)): prefix}
    for user in row.users:
        rows["user_sessions", number(user) + place] = prefix
    return rows


def user_index_rows(row: UserRow, prefix: bytes) -> IndexRows:
    """Every index row that a user has."""
    place = place_of(row.summary)
    return {("users_by_last_seen", number(row.project) + place): prefix, ("user_changes", number(row.change)): prefix}


def move(write: WriteTxn, old: IndexRows, new: IndexRows) -> None:
    """Let a row have its new index rows in place of the old ones."""
    txn, trees = write.txn, write.trees
    for tree, key in old.keys() - new.keys():
        txn.delete(key, db=trees[tree])
    for (tree, key), value in new.items():
        if (tree, key) not in old:
            txn.put(key, value, db=trees[tree])


def old_trace(write: WriteTxn, prefix: bytes) -> TraceRow | None:
    """The row of a trace's summary, as it was before."""
    packed = write.txn.get(prefix, db=write.trees["traces"])
    return codec.unpack_trace(packed) if packed else None


def _project_number(write: WriteTxn, project: str) -> int:
    name = keys.named(project)
    packed = write.txn.get(name, db=write.trees["projects"])
    if packed is not None:
        return int(unseal(packed)[0])
    given = write.next("project")
    write.txn.put(name, seal((given, project)), db=write.trees["projects"])
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
