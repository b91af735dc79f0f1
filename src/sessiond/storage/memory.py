"""The reference engine: dictionaries, and the plainest code that keeps the contract. What it answers is what the others must.

It keeps nothing on disk, so it is for tests and for comparison alone.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from sessiond.core.identity import Version, version
from sessiond.core.model import (
    NO_TEXTS,
    ReceivedSpan,
    SessionKey,
    SessionSummary,
    SpanFacts,
    StoredSpan,
    Texts,
    TraceSummary,
    UserKey,
    UserSummary,
)
from sessiond.core.session import order_of_id
from sessiond.storage.api import RULES_BYTES, Appended, Changes, Extent, Marks, Page, Row, SettledTrace, SpanPage, Where
from sessiond.storage.packing import PackedTrace, Packer

Summary = TypeVar("Summary", TraceSummary, SessionSummary)
SpanKey = tuple[bytes, int]


class _Kept(NamedTuple):
    version: Version
    span: ReceivedSpan


class MemoryStore:
    """The contract of `storage.api.Store` over dictionaries."""

    def __init__(self, rules: bytes = bytes(RULES_BYTES)) -> None:
        self._rules = rules
        self._confirmed: bytes | None = None
        self._made_by: dict[bytes, set[bytes]] = {}
        """Trace -> the rules of its facts."""
        self._texts: dict[bytes, Texts] = {}
        self._lock = threading.RLock()
        self._spans: dict[bytes, dict[SpanKey, _Kept]] = {}
        self._traces: dict[bytes, Row[TraceSummary]] = {}
        self._sessions: dict[SessionKey, Row[SessionSummary]] = {}
        self._users: dict[UserKey, UserSummary] = {}
        self._marked_traces: set[bytes] = set()
        self._marked_sessions: set[SessionKey] = set()
        self._marked_users: set[UserKey] = set()
        self._change = 0

    def append(self, traces: Sequence[PackedTrace]) -> Appended:
        packer = Packer()
        count = sum(packed.span_count for packed in traces)
        duplicates = sum(packed.duplicates for packed in traces)
        conflicts = sum(packed.conflicts for packed in traces)
        changed: dict[bytes, None] = {}
        with self._lock:
            for span in (span for packed in traces for span in packer.unpack(packed)):
                trace = self._spans.setdefault(span.trace_id, {})
                key = (span.facts.span_id, span.facts.kind)
                new = _Kept(version(span.facts, span.digest), span)
                held = trace.get(key)
                if held is not None and held.version.digest == span.digest:
                    duplicates += 1
                    continue
                if held is not None:
                    conflicts += 1
                    if new.version < held.version:
                        continue
                    first = held.span.facts.received_unix_nano
                    new = _Kept(new.version, span._replace(facts=span.facts._replace(received_unix_nano=first)))
                trace[key] = new
                changed[span.trace_id] = None
                self._made_by.setdefault(span.trace_id, set()).add(self._rules)
            self._marked_traces.update(changed)
        return Appended(count - duplicates - conflicts, duplicates, conflicts, tuple(changed))

    def spans(self, trace_id: bytes, after: bytes | None = None) -> SpanPage:
        if after is not None:
            return SpanPage([], None)
        with self._lock:
            kept = [kept.span for kept in self._spans.get(trace_id, {}).values()]
        return SpanPage([StoredSpan(span.origin, span.data, span.digest, span.facts.received_unix_nano) for span in kept], None)

    @property
    def rules(self) -> bytes:
        return self._rules

    def set_rules(self, rules: bytes) -> None:
        if self._confirmed != rules:
            self._confirmed = None
        self._rules = rules

    def may_be_outdated(self) -> bool:
        return self._confirmed != self._rules

    def confirm_rules(self) -> None:
        self._confirmed = self._rules

    def outdated(self, after: bytes | None = None, limit: int = 1000) -> tuple[list[bytes], bytes | None]:
        page = self.trace_ids(after, limit)
        return self.outdated_among(page), page[-1] if len(page) == limit else None

    def outdated_among(self, trace_ids: Sequence[bytes]) -> list[bytes]:
        with self._lock:
            return [trace_id for trace_id in trace_ids if self._made_by.get(trace_id, {self._rules}) != {self._rules}]

    def renew(self, trace_ids: Sequence[bytes], read: Callable[[StoredSpan], SpanFacts | None]) -> None:
        with self._lock:
            for trace_id in trace_ids:
                kept = self._spans[trace_id]
                for key, (version, span) in kept.items():
                    stored = StoredSpan(span.origin, span.data, span.digest, span.facts.received_unix_nano)
                    kept[key] = _Kept(version, span._replace(facts=read(stored) or span.facts))
                self._made_by[trace_id] = {self._rules}
                self._marked_traces.add(trace_id)

    def facts(self, trace_id: bytes) -> list[SpanFacts]:
        with self._lock:
            return [kept.span.facts for kept in self._spans.get(trace_id, {}).values()]

    def fresh_texts(self, trace_id: bytes) -> Texts | None:  # noqa: ARG002  (it remembers none)
        return None

    def trace_ids(self, after: bytes | None = None, limit: int = 1000) -> list[bytes]:
        with self._lock:
            return sorted(trace_id for trace_id in self._spans if trace_id > (after or b""))[:limit]

    def marks(self) -> Marks:
        with self._lock:
            return Marks(tuple(self._marked_traces), tuple(self._marked_sessions), tuple(self._marked_users))

    def put_traces(self, settled: Sequence[SettledTrace]) -> Marks:
        sessions: set[SessionKey] = set()
        users: set[UserKey] = set()
        with self._lock:
            for new, texts in settled:
                self._texts[new.trace_id] = texts
                old = self._traces.get(new.trace_id)
                for summary in (new,) if old is None else (old.summary, new):
                    sessions.update(_session_of(summary))
                    users.update(_user_of(summary))
                self._change += 1
                self._traces[new.trace_id] = Row(new, self._change)
                self._marked_traces.discard(new.trace_id)
            self._marked_sessions |= sessions
            self._marked_users |= users
        return Marks(sessions=tuple(sessions), users=tuple(users))

    def put_sessions(self, settled: Sequence[tuple[SessionKey, SessionSummary | None]]) -> None:
        with self._lock:
            for key, summary in settled:
                self._marked_sessions.discard(key)
                self._change += 1
                if summary is None:
                    self._sessions.pop(key, None)
                else:
                    self._sessions[key] = Row(summary, self._change)

    def put_users(self, settled: Sequence[tuple[UserKey, UserSummary | None]]) -> None:
        with self._lock:
            for key, summary in settled:
                self._marked_users.discard(key)
                if summary is None:
                    self._users.pop(key, None)
                else:
                    self._users[key] = summary

    def trace(self, trace_id: bytes) -> TraceSummary | None:
        with self._lock:
            row = self._traces.get(trace_id)
        return row and row.summary

    def texts(self, trace_ids: Sequence[bytes]) -> list[Texts]:
        with self._lock:
            return [self._texts.get(trace_id, NO_TEXTS) for trace_id in trace_ids]

    def session(self, key: SessionKey) -> SessionSummary | None:
        with self._lock:
            row = self._sessions.get(key)
        return row and row.summary

    def user(self, key: UserKey) -> UserSummary | None:
        with self._lock:
            return self._users.get(key)

    def traces_of_session(self, key: SessionKey) -> list[TraceSummary]:
        return self._chronological(lambda trace: key in _session_of(trace))

    def traces_of_user(self, key: UserKey) -> list[TraceSummary]:
        return self._chronological(lambda trace: key in _user_of(trace))

    def session_keys(self, after: SessionKey | None = None, limit: int = 1000) -> list[SessionKey]:
        with self._lock:
            return sorted(key for key in self._sessions if after is None or key > after)[:limit]

    def user_keys(self, after: UserKey | None = None, limit: int = 1000) -> list[UserKey]:
        with self._lock:
            return sorted(key for key in self._users if after is None or key > after)[:limit]

    def list_traces(self, where: Where, after: bytes | None, limit: int) -> Page[TraceSummary]:
        with self._lock:
            rows = [row for row in self._traces.values() if where.holds_for_trace(row.summary)]
        return _page({_trace_order(row.summary): row for row in rows}, after, limit)

    def list_sessions(self, where: Where, after: bytes | None, limit: int) -> Page[SessionSummary]:
        with self._lock:
            rows = [row for row in self._sessions.values() if where.holds_for_session(row.summary)]
        return _page({_session_order(row.summary): row for row in rows}, after, limit)

    def changed_traces(self, where: Where, change: int, limit: int) -> Changes[TraceSummary]:
        with self._lock:
            rows = [row for row in self._traces.values() if where.holds_for_trace(row.summary)]
        return _changes(rows, change, limit)

    def changed_sessions(self, where: Where, change: int, limit: int) -> Changes[SessionSummary]:
        with self._lock:
            rows = [row for row in self._sessions.values() if where.holds_for_session(row.summary)]
        return _changes(rows, change, limit)

    def last_change(self) -> int:
        with self._lock:
            return self._change

    def extent(self) -> Extent:
        with self._lock:
            span_count = sum(map(len, self._spans.values()))
            return Extent(span_count, len(self._spans), len(self._sessions), len(self._users), 0, 0)

    def check(self) -> Iterator[list[str]]:
        return iter(())

    def close(self) -> None:
        pass

    def _chronological(self, belongs: Callable[[TraceSummary], bool]) -> list[TraceSummary]:
        with self._lock:
            found = [row.summary for row in self._traces.values() if belongs(row.summary)]
        return sorted(found, key=lambda trace: (trace.start_unix_nano, trace.trace_id))


def _session_of(trace: TraceSummary) -> tuple[SessionKey, ...]:
    return () if trace.session_id is None else (SessionKey(trace.project, trace.session_id),)


def _user_of(trace: TraceSummary) -> tuple[UserKey, ...]:
    return () if trace.user_id is None else (UserKey(trace.project, trace.user_id),)


def _trace_order(trace: TraceSummary) -> bytes:
    return trace.start_unix_nano.to_bytes(8, "big") + trace.trace_id


def _session_order(session: SessionSummary) -> bytes:
    return session.last_activity_unix_nano.to_bytes(8, "big") + order_of_id(session.key)


def _page(rows: dict[bytes, Row[Summary]], after: bytes | None, limit: int) -> Page[Summary]:
    left = sorted((order for order in rows if after is None or order < after), reverse=True)
    taken = left[:limit]
    return Page([rows[order] for order in taken], taken[-1] if len(left) > limit else None)


def _changes(rows: Iterable[Row[Summary]], change: int, limit: int) -> Changes[Summary]:
    left = sorted((row for row in rows if row.change > change), key=lambda row: row.change)
    taken = left[:limit]
    return Changes(taken, taken[-1].change if len(left) > limit else None)
