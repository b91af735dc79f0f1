"""Erasing: which traces are meant, and taking them out slice by slice, while spans keep coming."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from itertools import chain
from typing import Any, Final, NamedTuple, TypeAlias, cast

import structlog

from sessiond.core.errors import Busy, Cancelled, Invalid, StoreFull
from sessiond.core.feedback.annotation import Annotation
from sessiond.core.feedback.score import Score
from sessiond.core.feedback.target import Subject, subject_of
from sessiond.core.figures.trace import DEFAULT_PROJECT
from sessiond.core.model import SessionKey, SessionSummary, TraceSummary
from sessiond.core.rows.fields import Kind
from sessiond.service.asking.freshness import Freshness
from sessiond.service.asking.query import IsWanted, Queries, always
from sessiond.service.asking.question import Question, Within, ask_sessions, ask_traces
from sessiond.service.feedback.asked import each_of
from sessiond.service.writer import Writer
from sessiond.storage.api import Shelf, Store

TRACES_PER_SLICE: Final = 100
"""Traces in one transaction, some 25 ms of eight spans each: what an export that arrives meanwhile waits longer (measured)."""
FEEDBACK_PER_SLICE: Final = 2000
"""Scores and annotations on the traces of a slice, three rows each; a single trace may have more."""
ROUND_TRACES: Final = 100_000
"""Traces that are found before the first of them is erased: their ids take some 10 MB."""
ERASED_MAX: Final = 1_000_000
"""Erased traces that are remembered, some 100 MB in the store; beyond it spans of those that were erased first are taken again."""

log = structlog.get_logger()

Wanted: TypeAlias = tuple[bytes, ...] | Question[TraceSummary] | Question[SessionSummary]
"""Traces by their ids, those that match, or those of sessions that match."""


def wanted(trace_ids: Sequence[bytes], of: Kind, within: Within, filter_text: str, *, everything: bool) -> Wanted:
    """What a request means. Raises Invalid where it names nothing, or in more than one way."""
    has_conditions = bool(filter_text) or any(value is not None for value in within)
    if not (trace_ids or has_conditions or everything):
        ways = "trace_ids, project, session_id, user_id, since, until or filter"
        raise Invalid("everything", everything, "must be set to erase all there is", hint=f"or say what is to go by {ways}")
    if everything and (trace_ids or has_conditions):
        raise Invalid("everything", everything, "can't be given with what restricts it", hint="give one or the other")
    if everything and of != "trace":
        raise Invalid(
            "everything", everything, "can't be given with `of`: traces without a session would stay", hint="leave `of` out"
        )
    if trace_ids and (has_conditions or of != "trace"):
        raise Invalid("trace_ids", f"{len(trace_ids)} ids", "can't be given with conditions or `of`", hint="give one or the other")
    if trace_ids:
        return tuple(trace_ids)
    return ask_sessions(within, filter_text) if of == "session" else ask_traces(within, filter_text)


class Erasing(NamedTuple):
    """How far it is."""

    traces: int = 0
    """Found so far."""
    spans: int = 0
    sessions: int = 0
    """Found so far, where sessions are asked for."""
    feedback: int = 0
    """Scores and annotations on these traces and sessions, and on sessions that lose their last trace."""
    erased_traces: int = 0


class _Round:
    """What was found and is to be erased next."""

    def __init__(self) -> None:
        self.traces: dict[bytes, int] = {}
        """Trace -> its spans."""
        self.sessions: dict[SessionKey, int] = {}
        """Session -> its traces; 0 where there is only feedback on it."""
        self.owners: set[SessionKey] = set()
        """Sessions that lose some of the traces."""
        self.never_received: list[bytes] = []
        """Traces that were named: there may be feedback on them."""
        self.feedback: dict[Subject, int] = {}
        """Of those that have some, how many scores and annotations."""

    def add(self, session: SessionKey | None, traces: Sequence[TraceSummary]) -> None:
        self.traces.update((trace.trace_id, trace.span_count) for trace in traces)
        if session is not None:
            self.sessions[session] = len(traces)
        else:
            self.owners.update(SessionKey(trace.project, trace.session_id) for trace in traces if trace.session_id is not None)

    def subjects(self) -> Iterator[Subject]:
        """What there may be feedback on."""
        yield from self.traces
        yield from self.never_received
        yield from self.sessions

    def added_to(self, told: Erasing) -> Erasing:
        return told._replace(
            traces=told.traces + len(self.traces),
            spans=told.spans + sum(self.traces.values()),
            sessions=told.sessions + len(self.sessions),
            feedback=told.feedback + sum(self.feedback.values()),
        )

    def slices(self) -> Iterator[tuple[Sequence[bytes], Sequence[SessionKey]]]:
        """(traces, sessions without any) for one transaction each."""
        some: list[bytes] = []
        items = 0
        for trace_id in (*self.traces, *self.never_received):
            more = self.feedback.get(trace_id, 0)
            if some and (len(some) == TRACES_PER_SLICE or items + more > FEEDBACK_PER_SLICE):
                yield some, ()
                some, items = [], 0
            some.append(trace_id)
            items += more
        if some:
            yield some, ()
        bare = [session for session, trace_count in self.sessions.items() if not trace_count]
        for at in range(0, len(bare), TRACES_PER_SLICE):
            yield (), bare[at : at + TRACES_PER_SLICE]


class Eraser:
    """The use case. May be used from any thread, and where the store is full too."""

    def __init__(
        self,
        store: Store,
        queries: Queries,
        writer: Writer,
        *,
        refuse_seconds: int,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._store = store
        self._queries = queries.though_full()
        self._writer = writer
        self._freshness = Freshness(writer, though_full=True)
        self._refuse_seconds = refuse_seconds
        self._clock = clock
        self._forgetting: Future[int] | None = None

    def erase(self, meant: Wanted, is_wanted: IsWanted = always, *, validate_only: bool = False) -> Iterator[Erasing]:
        """Erase what is meant and tell how far it is, first before anything is erased; ends when no query shows any of it.

        With `validate_only` only tell what it would be. What arrives meanwhile may or may not be among it. Where nobody waits any
        more it ends between two slices by Cancelled: what is erased then is gone, and the rest as if never asked for.
        """
        told = Erasing()
        try:
            for told in self._erased(meant, is_wanted, validate_only=validate_only):
                yield told
        finally:
            if told.erased_traces:
                log.info("traces erased", count=told.erased_traces)

    def _erased(self, meant: Wanted, is_wanted: IsWanted, *, validate_only: bool) -> Iterator[Erasing]:
        told = Erasing()
        for found in self._rounds(meant, is_wanted):
            found.feedback = self._feedback_on(found.subjects()) | self._feedback_on_emptied(found)
            told = found.added_to(told)
            yield told
            for trace_ids, sessions in () if validate_only else found.slices():
                if not is_wanted():
                    raise Cancelled("nobody waits for the end any more")
                told = told._replace(erased_traces=told.erased_traces + self._erase(trace_ids, sessions))
                yield told
        if told.erased_traces:
            for need in ("sessions", "users"):
                with suppress(StoreFull):  # there is still no room: settled when there is some
                    self._writer.settled(need).result()

    def keep_up(self) -> None:
        """Have forgotten which traces were erased, in time. To be called every second or so."""
        if self._forgetting is None or self._forgetting.done():
            with suppress(Busy):  # it stops
                self._forgetting = self._writer.forget_erased(self._clock() - self._refuse_seconds * 10**9, ERASED_MAX)

    def _erase(self, trace_ids: Sequence[bytes], sessions: Sequence[SessionKey]) -> int:
        """Erase a slice, and free its space; how many traces there were."""
        erased = self._writer.erase(trace_ids, self._clock() if self._refuse_seconds else None, sessions).result()
        while self._writer.sweep().result():
            pass
        return len(erased.traces)

    def _feedback_on(self, subjects: Iterable[Subject]) -> dict[Subject, int]:
        """How many scores and annotations there are on those that have some. Looks one by one, where there are any at all."""
        shelves: list[Shelf[Any]] = [self._store.scores, self._store.annotations]
        used = [shelf for shelf in shelves if shelf.page(None, None, 1)[0]]
        counts = ((subject, sum(shelf.count(subject) for shelf in used)) for subject in (subjects if used else ()))
        return {subject: count for subject, count in counts if count}

    def _feedback_on_emptied(self, found: _Round) -> dict[Subject, int]:
        """The same of sessions of which no trace is left."""
        counts = self._feedback_on(found.owners - found.sessions.keys())
        return {
            key: count
            for key, count in counts.items()
            if isinstance(key, SessionKey) and all(one.trace_id in found.traces for one in self._store.traces_of_session(key))
        }

    def _rounds(self, meant: Wanted, is_wanted: IsWanted) -> Iterator[_Round]:
        """All that is meant, a bounded number of traces at a time."""
        found = _Round()
        if not isinstance(meant, Question):
            self._freshness.settle("traces")
            for trace_id in meant:
                trace = self._store.trace(trace_id)
                if trace is None:
                    found.never_received.append(trace_id)
                else:
                    found.add(None, [trace])
            yield found
            return
        for session, traces in self._matching(meant, is_wanted):
            found.add(session, traces)
            if len(found.traces) >= ROUND_TRACES:
                yield found
                found = _Round()
        for subject in () if meant.is_restricted else self._never_received(is_wanted):
            if isinstance(subject, SessionKey):
                found.add(subject, ())
            else:
                found.never_received.append(subject)
        yield found

    def _never_received(self, is_wanted: IsWanted) -> Iterator[Subject]:
        """Sessions and traces of which there is nothing but feedback, each once."""
        self._freshness.settle("sessions")
        told: set[Subject] = set()
        scores, annotations = each_of(self._store.scores, is_wanted), each_of(self._store.annotations, is_wanted)
        items: Iterable[Score | Annotation] = chain(scores, annotations)
        for item in items:
            subject = subject_of(item.target)
            held = self._store.session(subject) if isinstance(subject, SessionKey) else self._store.trace(subject)
            if subject not in told and held is None:
                told.add(subject)
                yield subject

    def _matching(
        self, question: Question[TraceSummary] | Question[SessionSummary], is_wanted: IsWanted
    ) -> Iterator[tuple[SessionKey | None, Sequence[TraceSummary]]]:
        """Traces that match: each session's with its key, others a page at a time."""
        if question.kind == "trace":
            for traces in self._queries.stream(cast("Question[TraceSummary]", question), is_wanted):
                yield None, traces
            return
        for sessions in self._queries.stream(cast("Question[SessionSummary]", question), is_wanted):
            for session in sessions:
                yield session.key, self._store.traces_of_session(session.key)
        key = self._not_received(question)
        if key is not None:
            yield key, ()

    def _not_received(self, question: Question[Any]) -> SessionKey | None:
        """The session that is asked for by its id and nothing else, if there is only feedback on it."""
        _, project, session_id, *more = question.asked
        if session_id is None or any(more):
            return None
        key = SessionKey(cast("str", project or DEFAULT_PROJECT), cast("str", session_id))
        return key if self._store.session(key) is None and self._feedback_on([key]) else None
