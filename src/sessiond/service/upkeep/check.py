"""Whether everything in a store is what its spans and feedback say: facts, summaries, who belongs to whom, all made again."""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple, TypeVar

from sessiond.core.model import ReceivedSpan, SessionKey, TraceSummary, UserKey
from sessiond.service.settling.figures import settled, settled_session, settled_user
from sessiond.service.settling.rules import Rules
from sessiond.storage.api import Store, span_pages

TRACES_PER_PAGE: Final = 100
OWNERS_PER_PAGE: Final = 100
TRIES: Final = 5
"""Readings of a row that differs, before it is told: beside a writer, two readings may be of different moments."""


Key = TypeVar("Key", SessionKey, UserKey)


class Checked(NamedTuple):
    """How far the check is, and what it found since it last said so."""

    traces: int
    sessions: int
    users: int
    outdated: int
    """Traces whose figures were not compared, being of other rules: another version's or configuration's."""
    problems: list[str]


def check(store: Store, rules: Callable[[], Rules]) -> Iterator[Checked]:
    """Check a whole store, page by page; beside a writer too, since a row that is marked as stale may be stale.

    `rules` gives those that figures are made by at the moment.
    """
    checks = _Checks(store, rules)
    for problems in store.check():
        yield checks.progress(problems)
    after: bytes | None = None
    while page := store.trace_ids(after, TRACES_PER_PAGE):
        yield checks.progress([problem for trace_id in page for problem in checks.trace(trace_id)])
        after = page[-1]
    for owners in (checks.sessions(), checks.users()):
        for problems in owners:
            yield checks.progress(problems)


class _Checks:
    """What was looked at so far."""

    def __init__(self, store: Store, rules: Callable[[], Rules]) -> None:
        self._store = store
        self._rules = rules
        self._outdated = 0
        self._traces = 0
        self._sessions = 0
        self._users = 0

    def progress(self, problems: list[str]) -> Checked:
        return Checked(self._traces, self._sessions, self._users, self._outdated, problems)

    def trace(self, trace_id: bytes) -> Iterator[str]:
        """What is wrong with a trace."""
        self._traces += 1
        if self._is_outdated(trace_id):
            self._outdated += 1
            return
        name = f"trace {trace_id.hex()}"
        yield from self._compared(f"{name}: facts", lambda: self._facts_agree(trace_id), lambda: self._is_outdated(trace_id))
        yield from self._compared(
            f"{name}: summary",
            lambda: self._trace_agrees(trace_id),
            lambda: trace_id in self._store.marks().traces or self._is_outdated(trace_id),
        )

    def _are_outdated(self, traces: list[TraceSummary]) -> bool:
        """Whether what is summed up of these traces may be of other rules too."""
        return self._is_outdated(*(trace.trace_id for trace in traces))

    def _is_outdated(self, *trace_ids: bytes) -> bool:
        try:
            return bool(self._store.outdated_among(trace_ids))
        except Exception:  # noqa: BLE001  (a damaged row may fail in any way; comparing it tells how)
            return False

    def sessions(self) -> Iterator[list[str]]:
        """What is wrong with the sessions, a page at a time."""
        after: SessionKey | None = None
        while keys := self._listed(self._store.session_keys, after):
            self._sessions += len(keys)
            yield [problem for key in keys for problem in self._session(key)]
            after = keys[-1]

    def users(self) -> Iterator[list[str]]:
        """What is wrong with the users, a page at a time."""
        after: UserKey | None = None
        while keys := self._listed(self._store.user_keys, after):
            self._users += len(keys)
            yield [problem for key in keys for problem in self._user(key)]
            after = keys[-1]

    @staticmethod
    def _listed(listed: Callable[[Key | None, int], list[Key]], after: Key | None) -> list[Key]:
        """A page of keys; none where a row can't be read, which the engine's own check has told."""
        try:
            return listed(after, OWNERS_PER_PAGE)
        except Exception:  # noqa: BLE001  (a damaged row may fail in any way)
            return []

    def _session(self, key: SessionKey) -> Iterator[str]:
        return self._compared(
            f"session {key.session_id!r} in {key.project!r}: summary",
            lambda: self._store.session(key) == settled_session(self._store, key, self._store.traces_of_session(key)),
            lambda: key in self._store.marks().sessions or self._are_outdated(self._store.traces_of_session(key)),
        )

    def _user(self, key: UserKey) -> Iterator[str]:
        return self._compared(
            f"user {key.user_id!r} in {key.project!r}: summary",
            lambda: self._store.user(key) == settled_user(key, self._store.traces_of_user(key)),
            lambda: key in self._store.marks().users or self._are_outdated(self._store.traces_of_user(key)),
        )

    def _facts_agree(self, trace_id: bytes) -> bool:
        """The stored facts are those of the stored bytes, and the digests too."""
        stored = {(facts.span_id, facts.kind): facts for facts in self._store.facts(trace_id)}
        rules = self._rules()
        spans = [(rules.read(one), one.digest) for page in span_pages(self._store, trace_id) for one in page]
        return len(spans) == len(stored) and all(
            isinstance(span, ReceivedSpan)
            and span.digest == digest
            and span.trace_id == trace_id
            and stored.get((span.facts.span_id, span.facts.kind)) == span.facts
            for span, digest in spans
        )

    def _trace_agrees(self, trace_id: bytes) -> bool:
        if not self._store.facts(trace_id):
            return self._store.trace(trace_id) is None  # erased since it was listed
        again = settled(self._store, self._rules(), trace_id)
        return self._store.trace(trace_id) == again.summary and self._store.texts([trace_id]) == [again.texts]

    def _compared(self, what: str, agrees: Callable[[], bool], is_marked: Callable[[], bool]) -> Iterator[str]:
        try:
            if any(agrees() or is_marked() for _ in range(TRIES)):
                return
        except Exception as error:  # noqa: BLE001  (a damaged row may fail in any way, and the others are still to be looked at)
            yield f"{what} can't be read: {error!r}"
        else:
            yield f"{what} is not what the stored spans say"
