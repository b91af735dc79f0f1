"""The reference engine: dictionaries, and the plainest code that keeps the contract. What it answers is what the others must.

It keeps nothing on disk, so it is for tests and for comparison alone.
"""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import Any, Generic, NamedTuple, TypeVar, cast

from sessiond.core.feedback.annotation import Annotation
from sessiond.core.feedback.score import Score
from sessiond.core.feedback.target import Subject, subject_of
from sessiond.core.figures.trace import session_of
from sessiond.core.identity import Version, version
from sessiond.core.model import (
    NO_TEXTS,
    ReceivedSpan,
    SessionKey,
    SessionSummary,
    SpanFacts,
    StoredSpan,
    Texts,
    TraceKey,
    TraceSummary,
    UserKey,
    UserSummary,
)
from sessiond.core.rows.fields import Kind
from sessiond.core.rows.numbers import numbers_of, signature_of
from sessiond.core.rows.places import place_of
from sessiond.core.rows.where import Where
from sessiond.storage.api import (
    RULES_BYTES,
    STORE_ID_BYTES,
    Appended,
    Changes,
    Erased,
    Erasure,
    Extent,
    Marks,
    Page,
    Removal,
    Row,
    SettledTrace,
    SpanPage,
)
from sessiond.storage.packing import PackedTrace, Packer

Summary = TypeVar("Summary", TraceSummary, SessionSummary, UserSummary)
Owner = TypeVar("Owner", SessionKey, UserKey)
Key = TypeVar("Key", bytes, SessionKey, UserKey)
Item = TypeVar("Item", Score, Annotation)
SpanKey = tuple[bytes, int]


class _Kept(NamedTuple):
    version: Version
    span: ReceivedSpan


class _Row(NamedTuple, Generic[Summary]):
    """`storage.api.Row`."""

    place: bytes
    change: int
    signature: int
    numbers: Sequence[int]
    summary: Summary
    size: int = 0


class _Listing(Generic[Key, Summary]):
    """`storage.api.Listing`: the rows of one kind by key, and what was removed of them. The store's lock guards it."""

    def __init__(self, kind: Kind, lock: threading.RLock, last_change: Callable[[], int]) -> None:
        self._kind: Kind = kind
        self._lock = lock
        self._last_change = last_change
        self.rows: dict[Key, _Row[Summary]] = {}
        self.removals: list[Removal] = []

    def page(self, where: Where, after: bytes | None, limit: int) -> Page[Summary]:
        with self._lock:
            found = [row for row in self.rows.values() if where.holds_for(row.summary) and (after is None or row.place < after)]
        found.sort(key=lambda row: row.place, reverse=True)
        return Page(found[:limit], found[limit - 1].place if len(found) > limit else None)

    def changed(self, change: int, limit: int) -> Changes[Summary]:
        with self._lock:
            told: list[_Row[Summary] | Removal] = [row for row in self.rows.values() if row.change > change]
            told += [removal for removal in self.removals if removal.change > change]
            last = max(change, self._last_change())
        told.sort(key=lambda one: one.change)
        is_last, told = len(told) <= limit, told[:limit]
        rows = [one for one in told if not isinstance(one, Removal)]
        removed = [one for one in told if isinstance(one, Removal)]
        return Changes(rows, removed, last if is_last else told[-1].change, is_last)

    def held(self, keys: Sequence[bytes | SessionKey | UserKey]) -> list[Row[Summary] | None]:
        with self._lock:
            return [self.rows.get(cast("Key", key)) for key in keys]

    def put(self, key: Key, summary: Summary, change: int) -> None:
        self.rows[key] = _Row(
            place_of(summary), change, signature_of(self._kind, summary), numbers_of(self._kind, summary), summary
        )


class _Shelf(Generic[Item]):
    """`storage.api.Shelf`. The store's lock guards it."""

    def __init__(self, lock: threading.RLock) -> None:
        self._lock = lock
        self.items: dict[str, Item] = {}

    def get(self, item_id: str) -> Item | None:
        with self._lock:
            return self.items.get(item_id)

    def of(self, subject: Subject) -> list[Item]:
        return self._ordered(subject)

    def count(self, subject: Subject) -> int:
        return len(self._ordered(subject))

    def page(self, subject: Subject | None, after: bytes | None, limit: int) -> tuple[list[Item], bytes | None]:
        found = [item for item in self._ordered(subject) if after is None or item.place < after]
        return found[:limit], found[limit - 1].place if len(found) > limit else None

    def _ordered(self, subject: Subject | None) -> list[Item]:
        with self._lock:
            found = [item for item in self.items.values() if subject is None or subject_of(item.target) == subject]
        return sorted(found, key=attrgetter("place"), reverse=True)


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
        self.traces = _Listing[bytes, TraceSummary]("trace", self._lock, lambda: self._change)
        self.sessions = _Listing[SessionKey, SessionSummary]("session", self._lock, lambda: self._change)
        self.users = _Listing[UserKey, UserSummary]("user", self._lock, lambda: self._change)
        self.scores = _Shelf[Score](self._lock)
        self.annotations = _Shelf[Annotation](self._lock)
        self._marked_traces: set[bytes] = set()
        self._marked_sessions: set[SessionKey] = set()
        self._marked_users: set[UserKey] = set()
        self._erased: dict[bytes, int] = {}
        """Trace -> when it was erased."""
        self._change = 0
        self._forgotten = 0
        self.identity = os.urandom(STORE_ID_BYTES)

    def append(self, traces: Sequence[PackedTrace]) -> Appended:
        packer = Packer()
        refused = [packed for packed in traces if packed.trace_id in self._erased]
        traces = [packed for packed in traces if packed.trace_id not in self._erased]
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
        refused_count, erased = sum(packed.span_count for packed in refused), frozenset(packed.trace_id for packed in refused)
        return Appended(count - duplicates - conflicts, duplicates, conflicts, tuple(changed), refused_count, erased)

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

    def put_feedback(self, items: Sequence[Score | Annotation], removed: Sequence[Score | Annotation] = ()) -> Marks:
        with self._lock:
            for item in removed:
                self._shelf_of(item).pop(item.id, None)
            for item in items:
                self._shelf_of(item)[item.id] = item
            subjects = dict.fromkeys(subject_of(item.target) for item in (*items, *removed))
            traces = tuple(subject for subject in subjects if subject in self._spans)
            sessions = tuple(subject for subject in subjects if subject in self.sessions.rows or subject in self._marked_sessions)
            self._marked_traces.update(traces)
            self._marked_sessions.update(sessions)
        return Marks(traces=traces, sessions=sessions)

    def _shelf_of(self, item: Score | Annotation) -> dict[str, Any]:
        return self.scores.items if isinstance(item, Score) else self.annotations.items

    def erase(self, trace_ids: Sequence[bytes], erased_unix_nano: int | None, sessions: Sequence[SessionKey] = ()) -> Erased:
        with self._lock:
            found = tuple(trace_id for trace_id in dict.fromkeys(trace_ids) if trace_id in self._spans)
            listed = [row.summary for trace_id in found if (row := self.traces.rows.pop(trace_id, None)) is not None]
            for summary in listed:
                self._change += 1
                self.traces.removals.append(Removal(self._change, TraceKey(summary.project, summary.trace_id)))
            for trace_id in found:
                del self._spans[trace_id]
                self._made_by.pop(trace_id, None)
                self._texts.pop(trace_id, None)
                self._marked_traces.discard(trace_id)
            if erased_unix_nano is not None:
                self._erased.update(dict.fromkeys(found, erased_unix_nano))
            marks = self._mark_owners(listed)
            taken = {session_of(kept.span.facts for kept in self._spans[one].values()) for one in self._marked_traces}
            left = [key for key in (*marks.sessions, *sessions) if key not in taken and not self.traces_of_session(key)]
            subjects: list[Subject] = [*trace_ids, *left]
            for subject in subjects:
                for shelf in (self.scores, self.annotations):
                    for item in shelf.of(subject):
                        del shelf.items[item.id]
            return Erased(found, marks)

    def sweep(self) -> bool:
        return False

    def is_erased(self, trace_id: bytes) -> bool:
        with self._lock:
            return trace_id in self._erased

    def erasures(self, after: bytes | None = None, limit: int = 1000) -> list[Erasure]:
        with self._lock:
            return [Erasure(*one) for one in sorted(self._erased.items()) if one[0] > (after or b"")][:limit]

    def remember_erased(self, erasures: Sequence[Erasure]) -> None:
        with self._lock:
            self._erased.update(erasures)

    def forget_erased(self, before_unix_nano: int, count_max: int, limit: int = 1000) -> int:
        with self._lock:
            oldest = sorted(self._erased, key=lambda trace_id: (self._erased[trace_id], trace_id))
            beyond = len(oldest) - count_max
            old = [one for place, one in enumerate(oldest) if place < beyond or self._erased[one] < before_unix_nano][:limit]
            for trace_id in old:
                del self._erased[trace_id]
            return len(old)

    def marks(self) -> Marks:
        with self._lock:
            return Marks(tuple(self._marked_traces), tuple(self._marked_sessions), tuple(self._marked_users))

    def put_traces(self, settled: Sequence[SettledTrace]) -> Marks:
        touched: list[TraceSummary] = []
        with self._lock:
            for new, texts in settled:
                self._texts[new.trace_id] = texts
                old = self.traces.rows.get(new.trace_id)
                touched += (new,) if old is None else (old.summary, new)
                self._change += 1
                self.traces.put(new.trace_id, new, self._change)
                self._marked_traces.discard(new.trace_id)
            return self._mark_owners(touched)

    def _mark_owners(self, traces: Sequence[TraceSummary]) -> Marks:
        sessions = dict.fromkeys(key for trace in traces for key in _session_of(trace))
        users = dict.fromkeys(key for trace in traces for key in _user_of(trace))
        self._marked_sessions.update(sessions)
        self._marked_users.update(users)
        return Marks(sessions=tuple(sessions), users=tuple(users))

    def put_sessions(self, settled: Sequence[tuple[SessionKey, SessionSummary | None]]) -> None:
        with self._lock:
            for key, summary in settled:
                self._marked_sessions.discard(key)
                self._put(self.sessions, key, summary)

    def put_users(self, settled: Sequence[tuple[UserKey, UserSummary | None]]) -> None:
        with self._lock:
            for key, summary in settled:
                self._marked_users.discard(key)
                self._put(self.users, key, summary)

    def _put(self, listing: _Listing[Owner, Any], key: Owner, summary: SessionSummary | UserSummary | None) -> None:
        """Write a summary, or take it away and leave word that it is gone."""
        self._change += 1
        if summary is not None:
            listing.put(key, summary, self._change)
        elif listing.rows.pop(key, None) is not None:
            listing.removals.append(Removal(self._change, key))

    def trace(self, trace_id: bytes) -> TraceSummary | None:
        with self._lock:
            row = self.traces.rows.get(trace_id)
        return row and row.summary

    def texts(self, trace_ids: Sequence[bytes]) -> list[Texts]:
        with self._lock:
            return [self._texts.get(trace_id, NO_TEXTS) for trace_id in trace_ids]

    def session(self, key: SessionKey) -> SessionSummary | None:
        with self._lock:
            row = self.sessions.rows.get(key)
        return row and row.summary

    def user(self, key: UserKey) -> UserSummary | None:
        with self._lock:
            row = self.users.rows.get(key)
        return row and row.summary

    def traces_of_session(self, key: SessionKey) -> list[TraceSummary]:
        return self._chronological(lambda trace: key in _session_of(trace))

    def traces_of_user(self, key: UserKey) -> list[TraceSummary]:
        return self._chronological(lambda trace: key in _user_of(trace))

    def traces_to_settle(self, key: SessionKey | UserKey) -> list[TraceSummary]:
        return self.traces_of_session(key) if isinstance(key, SessionKey) else self.traces_of_user(key)

    def session_keys(self, after: SessionKey | None = None, limit: int = 1000) -> list[SessionKey]:
        with self._lock:
            return sorted(key for key in self.sessions.rows if after is None or key > after)[:limit]

    def user_keys(self, after: UserKey | None = None, limit: int = 1000) -> list[UserKey]:
        with self._lock:
            return sorted(key for key in self.users.rows if after is None or key > after)[:limit]

    def last_change(self) -> int:
        with self._lock:
            return self._change

    def removals_forgotten(self) -> int:
        return self._forgotten

    def forget_removals(self, through: int, limit: int = 1000) -> bool:
        with self._lock:
            listings: list[_Listing[Any, Any]] = [self.traces, self.sessions, self.users]
            old = sorted(one.change for listing in listings for one in listing.removals if one.change <= through)[:limit]
            self._forgotten = max(self._forgotten, old[-1] if len(old) == limit else through)
            for listing in listings:
                listing.removals = [removal for removal in listing.removals if removal.change > self._forgotten]
            return len(old) == limit

    def extent(self) -> Extent:
        with self._lock:
            span_count = sum(map(len, self._spans.values()))
            return Extent(span_count, len(self._spans), len(self.sessions.rows), len(self.users.rows), 0, 0)

    def check(self) -> Iterator[list[str]]:
        return iter(())

    def close(self) -> None:
        pass

    def _chronological(self, belongs: Callable[[TraceSummary], bool]) -> list[TraceSummary]:
        with self._lock:
            found = [row.summary for row in self.traces.rows.values() if belongs(row.summary)]
        return sorted(found, key=lambda trace: (trace.start_unix_nano, trace.trace_id))


def _session_of(trace: TraceSummary) -> tuple[SessionKey, ...]:
    return () if trace.session_id is None else (SessionKey(trace.project, trace.session_id),)


def _user_of(trace: TraceSummary) -> tuple[UserKey, ...]:
    return () if trace.user_id is None else (UserKey(trace.project, trace.user_id),)
