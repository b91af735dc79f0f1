"""`storage.api.Store` over LMDB: each verb is one transaction around a function of `write`, `read` or `check`."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from sessiond.core.errors import StoreFull
from sessiond.core.feedback.annotation import Annotation
from sessiond.core.feedback.score import Score
from sessiond.core.model import (
    SessionKey,
    SessionSummary,
    SpanFacts,
    StoredSpan,
    Texts,
    TraceSummary,
    UserKey,
    UserSummary,
)
from sessiond.storage.api import RULES_BYTES, Appended, Erased, Erasure, Extent, Marks, SettledTrace, SpanPage
from sessiond.storage.lmdb import check, codec, erase, feedback, keys, read, write
from sessiond.storage.lmdb.environment import Environment, WriteTxn, open_beside, open_environment
from sessiond.storage.lmdb.feedback import LmdbShelf
from sessiond.storage.lmdb.fresh import FreshTraces
from sessiond.storage.lmdb.listing import LmdbListing
from sessiond.storage.lmdb.settled import SettledTraces
from sessiond.storage.packing import PackedTrace, Packer


class LmdbStore:
    """A store in a data directory. Build it with `open`."""

    def __init__(self, environment: Environment, rules: bytes) -> None:
        self._env = environment
        self.identity = environment.identity()
        self._confirmed = environment.confirmed_rules()
        self.set_rules(rules)
        self._trees = environment.trees
        self._packer = Packer()
        self._fresh = FreshTraces()
        self._settled = SettledTraces()
        self._has_freed = True
        """Pages may be free that no transaction can use yet: LMDB uses what one frees again from the second after it on."""
        self.traces = LmdbListing[TraceSummary](environment, "trace")
        self.sessions = LmdbListing[SessionSummary](environment, "session")
        self.users = LmdbListing[UserSummary](environment, "user")
        self.scores = LmdbShelf[Score](environment, feedback.SCORES)
        self.annotations = LmdbShelf[Annotation](environment, feedback.ANNOTATIONS)

    @classmethod
    def open(cls, data_dir: Path, *, bytes_max: int, rules: bytes = bytes(RULES_BYTES)) -> "LmdbStore":
        """Open or create the store in `data_dir`, holding at most `bytes_max` bytes. Raises as `open_environment` does."""
        return cls(open_environment(data_dir, bytes_max=bytes_max, trees=keys.TREES, of=keys.FORMAT), rules)

    @classmethod
    def beside(cls, data_dir: Path, *, bytes_max: int) -> "LmdbStore":
        """The store in `data_dir` while the daemon that holds it writes, to read alone. Raises as `open_beside` does."""
        environment = open_beside(data_dir, bytes_max=bytes_max, trees=keys.TREES, of=keys.FORMAT)
        return cls(environment, environment.confirmed_rules() or bytes(RULES_BYTES))

    def forget_dead_readers(self) -> None:
        """Let go of what processes beside this one that died while they read still hold back."""
        self._env.forget_dead_readers()

    def append(self, traces: Sequence[PackedTrace]) -> Appended:
        self._fresh.forget(packed.trace_id for packed in traces)
        with self._env.write() as txn:
            self._refuse_over_quota(txn)
            appended, fresh = write.append(txn, self._packer, self._rules, traces)
        self._fresh.add(fresh)
        return appended

    def _refuse_over_quota(self, txn: WriteTxn) -> None:
        used = self._env.used_bytes(txn.txn)
        if used > self._env.bytes_max:
            raise StoreFull(f"the store holds {used} bytes, its quota is {self._env.bytes_max}", hint="raise store.bytes_max")

    def put_feedback(self, items: Sequence[Score | Annotation], removed: Sequence[Score | Annotation] = ()) -> Marks:
        with self._env.write() as txn:
            if items:
                self._refuse_over_quota(txn)
                self.scores.use()
                self.annotations.use()
            return feedback.put(txn, items, removed)

    def spans(self, trace_id: bytes, after: bytes | None = None) -> SpanPage:
        with self._env.read() as txn:
            return read.spans(txn, self._trees, trace_id, after)

    @property
    def rules(self) -> bytes:
        return self._rules

    def set_rules(self, rules: bytes) -> None:
        if self._confirmed not in (None, rules):
            self._env.confirm_rules(None)
            self._confirmed = None
        self._rules = rules

    def may_be_outdated(self) -> bool:
        return self._confirmed != self._rules

    def confirm_rules(self) -> None:
        self._env.confirm_rules(self._rules)
        self._confirmed = self._rules

    def outdated(self, after: bytes | None = None, limit: int = 1000) -> tuple[list[bytes], bytes | None]:
        with self._env.read() as txn:
            page = read.trace_ids(txn, self._trees, after, limit)
            return read.outdated(txn, self._trees, self._rules, page), page[-1] if len(page) == limit else None

    def outdated_among(self, trace_ids: Sequence[bytes]) -> list[bytes]:
        with self._env.read() as txn:
            return read.outdated(txn, self._trees, self._rules, trace_ids)

    def renew(self, trace_ids: Sequence[bytes], read: Callable[[StoredSpan], SpanFacts | None]) -> None:
        self._fresh.forget(trace_ids)
        with self._env.write() as txn:
            write.renew(txn, self._packer, self._rules, trace_ids, read)

    def texts(self, trace_ids: Sequence[bytes]) -> list[Texts]:
        with self._env.read() as txn:
            return read.texts(txn, self._trees, trace_ids)

    def facts(self, trace_id: bytes) -> list[SpanFacts]:
        fresh = self._fresh.facts(trace_id)
        if fresh is not None:
            return fresh
        with self._env.read() as txn:
            return read.facts(txn, self._trees, trace_id)

    def fresh_texts(self, trace_id: bytes) -> Texts | None:
        return self._fresh.texts(trace_id)

    def trace_ids(self, after: bytes | None = None, limit: int = 1000) -> list[bytes]:
        with self._env.read() as txn:
            return read.trace_ids(txn, self._trees, after, limit)

    def erase(self, trace_ids: Sequence[bytes], erased_unix_nano: int | None, sessions: Sequence[SessionKey] = ()) -> Erased:
        self._fresh.forget(trace_ids)
        self._settled.clear()
        with self._env.write() as txn:
            erased = erase.erase(txn, trace_ids, erased_unix_nano, sessions)
        self._has_freed = True
        return erased

    def sweep(self) -> bool:
        with self._env.read() as reading:
            has_more = erase.is_unswept(reading, self._trees)
        if has_more:
            with self._env.write() as txn:
                has_more = erase.sweep(txn)
            self._has_freed = True
        if not has_more and self._has_freed:
            with suppress(StoreFull):
                self._env.write_little()
                self._has_freed = False
        return has_more

    def is_erased(self, trace_id: bytes) -> bool:
        with self._env.read() as txn:
            return txn.get(trace_id, db=self._trees["erased"]) is not None

    def erasures(self, after: bytes | None = None, limit: int = 1000) -> list[Erasure]:
        with self._env.read() as txn:
            return erase.erasures(txn, self._trees, after, limit)

    def remember_erased(self, erasures: Sequence[Erasure]) -> None:
        with self._env.write() as txn:
            erase.remember(txn, erasures)

    def forget_erased(self, before_unix_nano: int, count_max: int, limit: int = 1000) -> int:
        with self._env.read() as reading:
            old = erase.oldest(reading, self._trees, before_unix_nano, count_max, limit)
        if old:
            with self._env.write() as txn:
                erase.forget(txn, old)
        return len(old)

    def marks(self) -> Marks:
        with self._env.read() as txn:
            return read.marks(txn, self._trees)

    def put_traces(self, settled: Sequence[SettledTrace]) -> Marks:
        with self._env.write() as txn:
            marks, put = write.put_traces(txn, settled)
        self._fresh.forget(one.summary.trace_id for one in settled)
        self._settled.add(put)
        return marks

    def put_sessions(self, settled: Sequence[tuple[SessionKey, SessionSummary | None]]) -> None:
        with self._env.write() as txn:
            write.put_sessions(txn, settled)

    def put_users(self, settled: Sequence[tuple[UserKey, UserSummary | None]]) -> None:
        with self._env.write() as txn:
            write.put_users(txn, settled)

    def trace(self, trace_id: bytes) -> TraceSummary | None:
        with self._env.read() as txn:
            row = read.trace_row(txn, self._trees, txn.get(trace_id, db=self._trees["trace_ids"]))
        return row.summary if row else None

    def session(self, key: SessionKey) -> SessionSummary | None:
        with self._env.read() as txn:
            row = read.session_row(txn, self._trees, txn.get(keys.named(key), db=self._trees["session_ids"]))
        return row.summary if row else None

    def user(self, key: UserKey) -> UserSummary | None:
        with self._env.read() as txn:
            row = read.user_row(txn, self._trees, txn.get(keys.named(key), db=self._trees["user_ids"]))
        return row.summary if row else None

    def traces_of_session(self, key: SessionKey) -> list[TraceSummary]:
        with self._env.read() as txn:
            return read.traces_of(txn, self._trees, key)

    def traces_of_user(self, key: UserKey) -> list[TraceSummary]:
        with self._env.read() as txn:
            return read.traces_of(txn, self._trees, key)

    def traces_to_settle(self, key: SessionKey | UserKey) -> list[TraceSummary]:
        with self._env.read() as txn:
            return read.traces_of(txn, self._trees, key, self._settled)

    def session_keys(self, after: SessionKey | None = None, limit: int = 1000) -> list[SessionKey]:
        with self._env.read() as txn:
            rows = read.owners(txn, self._trees, "session", after, limit)
            return [codec.unpack_session(packed).summary.key for packed in rows]

    def user_keys(self, after: UserKey | None = None, limit: int = 1000) -> list[UserKey]:
        with self._env.read() as txn:
            return [codec.unpack_user(packed).summary.key for packed in read.owners(txn, self._trees, "user", after, limit)]

    def last_change(self) -> int:
        with self._env.read() as txn:
            return self._env.counters(txn).change

    def removals_forgotten(self) -> int:
        with self._env.read() as txn:
            return self._env.removals_forgotten(txn)

    def forget_removals(self, through: int, limit: int = 1000) -> bool:
        with self._env.write() as txn:
            forgotten = write.forget_removals(txn, through, limit)
            before = self._env.removals_forgotten(txn.txn)
            self._env.put_removals_forgotten(txn, max(before, through if forgotten is None else forgotten))
        return forgotten is not None

    def extent(self) -> Extent:
        with self._env.read() as txn:
            entries = {name: txn.stat(tree)["entries"] for name, tree in self._trees.items()}
            used = self._env.used_bytes(txn)
        return Extent(
            span_count=entries["spans"],
            trace_count=entries["trace_ids"],
            session_count=entries["sessions"],
            user_count=entries["users"],
            used_bytes=used,
            bytes_max=self._env.bytes_max,
        )

    def check(self) -> Iterator[list[str]]:
        return check.pages(self._env)

    def close(self) -> None:
        self._env.close()
