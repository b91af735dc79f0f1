"""Settling: recomputing the summaries that marks say are stale, from facts and never from counters.

The store keeps the marks, so that none is lost in a crash; this keeps the order in which they were set, so that a query can have
settled what was marked when it came, and no more. Everything here runs on the writer's thread.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, Final, Literal, NamedTuple, TypeVar

import structlog

from sessiond.core.errors import Damaged, SessiondError, StoreFull
from sessiond.core.model import SessionKey, SessionSummary, SpanFacts, StoredSpan, UserKey, UserSummary
from sessiond.service.settling.figures import settled, settled_session, settled_user
from sessiond.service.settling.queues import AT_ONCE, Owner, OwnerQueue, Patience, Queue
from sessiond.service.settling.renewal import Renewal
from sessiond.service.settling.rules import Rules
from sessiond.storage.api import Erased, Marks, Store

TRACES_PER_SLICE: Final = 512
"""Traces in one transaction, about 30 ms: what an export that arrives meanwhile waits longer."""
SLICE_SECONDS: Final = 0.05
"""Time after which a slice of sessions or users ends, or a look for outdated traces; one of them may take longer alone."""
RENEWAL_SECONDS: Final = 0.5
"""While spans keep coming, the next of all traces are renewed this often: about a tenth of the time."""

log = structlog.get_logger()

Need = Literal["traces", "sessions", "users"]
Row = TypeVar("Row")
Written = TypeVar("Written")


class _Ticket(NamedTuple):
    """Someone waits until everything marked up to these places is settled."""

    done: Future[None]
    need: Need
    awaits_renewal: bool
    """First all facts are to be of the rules of now."""
    traces_through: int
    owners_through: int | None
    """Of sessions or users, as needed; known once the traces are settled, since they mark them."""


class Waiting(NamedTuple):
    """How much waits to be settled."""

    traces: int
    sessions: int
    users: int


@contextmanager
def _apart(whose: str) -> Iterator[None]:
    """Keep a figure that can't be computed from stopping all others: its mark stays in the store, to be tried at the next start."""
    try:
        yield
    except Damaged as error:
        log.error("figures could not be computed", of=whose, reason=str(error))  # noqa: TRY400  (where it was met tells nothing)
    except SessiondError:
        raise
    except Exception:
        log.exception("figures could not be computed", of=whose)


class Settler:
    """Settles slice by slice, oldest marks first: traces, then the sessions and users they marked.

    Facts that were made by other rules than those of now are renewed: at once where a query or a mark wants their trace, all others
    when there is nothing else to do, and now and then while spans keep coming.
    """

    def __init__(self, store: Store, rules: Rules) -> None:
        self._store = store
        self._rules = rules
        self.renewal = Renewal(store)
        marks = store.marks()
        self._traces = Queue(marks.traces)
        self._sessions = OwnerQueue(marks.sessions)
        self._users = OwnerQueue(marks.users)
        self._tickets: list[_Ticket] = []
        self._renewed_at = 0.0

    def waiting(self) -> Waiting:
        """How much is marked. May be asked from any thread."""
        return Waiting(len(self._traces.marked), len(self._sessions.marked), len(self._users.marked))

    @property
    def rules(self) -> Rules:
        """What figures are made by now."""
        return self._rules

    def change_rules(self, rules: Rules) -> None:
        """From now on figures are made by other rules; those that are stored are renewed. A renewal by the same rules goes on."""
        if rules.fingerprint == self._rules.fingerprint:
            return
        self._store.set_rules(rules.fingerprint)
        may_move = self.renewal.moves or rules.keys != self._rules.keys
        self._rules = rules
        self.renewal.begin(may_move=may_move)

    def note(self, traces: Iterable[bytes]) -> None:
        """These traces were marked by an append."""
        self._traces.add(traces)

    def note_marks(self, marks: Marks) -> None:
        """These were marked by something else that was written."""
        self._traces.add(marks.traces)
        self._sessions.add(marks.sessions)
        self._users.add(marks.users)

    def forget(self, erased: Erased) -> None:
        """These traces are no more, and whom they belonged to is marked."""
        self._traces.remove(erased.traces)
        self.note_marks(erased.marks)
        self._serve_tickets()

    def wait_for(self, need: Need, done: Future[None], renewed: Sequence[bytes] | None = ()) -> None:
        """Complete `done` when everything marked until now that `need` depends on is settled.

        Before that, some traces are `renewed`; None: all of them.
        """
        if renewed and self.renewal.is_under_way:
            self._traces.add(self._store.outdated_among(renewed))  # renewed when they are settled, slice by slice
        self._tickets.append(_Ticket(done, need, renewed is None, self._traces.last, None))
        self._serve_tickets()

    def is_awaited(self) -> bool:
        """Whether someone waits."""
        return bool(self._tickets)

    def give_up(self, error: StoreFull | None = None) -> None:
        """Let everybody go who waits: with what kept it from being settled, or else to see what was settled last."""
        for ticket in self._tickets:
            if error is None:
                ticket.done.set_result(None)
            else:
                ticket.done.set_exception(error)
        self._tickets.clear()

    def step(self, patience: Patience = AT_ONCE, *, traces: bool = True) -> bool:
        """Settle one slice, in a transaction or two; whether there was anything to do now.

        While spans keep coming there is `patience` with sessions and users, and traces may pile up, unless a query waits.
        """
        awaited = {ticket.need for ticket in self._tickets if ticket.owners_through is not None}
        if "sessions" in awaited:
            self._settle_sessions()  # before further traces, which may keep coming
        elif "users" in awaited:
            self._settle_users()
        elif self._traces.marked and (traces or self._tickets):
            self._settle_traces()
        elif not any([self._settle_sessions(patience), self._settle_users(patience)]) and not self._renew_some(patience):
            return False
        self._serve_tickets()
        return True

    def settle_all(self) -> None:
        """Settle until nothing is marked, pauses or not."""
        while any(self.waiting()) or self.renewal.is_under_way:
            self._sessions.forget_pauses()
            self._users.forget_pauses()
            self.step()

    def seconds_until_due(self) -> float | None:
        """When a step will next have something marked to settle; None where nothing is marked and nobody waits."""
        if self._traces.marked or self._tickets:
            return 0.0
        return self.seconds_until_owner(AT_ONCE)

    def seconds_until_owner(self, patience: Patience) -> float | None:
        """When a session or user will next be due; None where none is marked."""
        times = (self._sessions.seconds_until_due(patience), self._users.seconds_until_due(patience))
        return min((seconds for seconds in times if seconds is not None), default=None)

    def seconds_until_renewal(self) -> float | None:
        """When a step will next look for outdated facts, while spans keep coming; None where there are none."""
        if not self.renewal.is_under_way:
            return None
        return max(0.0, self._renewed_at + RENEWAL_SECONDS - time.monotonic())

    def _renew(self, trace_ids: Sequence[bytes]) -> None:
        """Make the facts of those of these traces again that are of other rules; a span that these fail on keeps its own."""
        outdated = self._store.outdated_among(trace_ids) if self.renewal.is_under_way else []
        if not outdated:
            return
        failures: list[Exception] = []

        def read(span: StoredSpan) -> SpanFacts | None:
            try:
                return self._rules.facts(span)
            except Exception as error:  # noqa: BLE001  (told below: the daemon would fail on it at every start)
                if not failures:
                    failures.append(error)
                return None

        self._store.renew(outdated, read)
        if failures:
            log.error("the rules fail on spans, which keep their facts; this is the first", exc_info=failures[0])

    def _renew_some(self, patience: Patience) -> bool:
        """Look for outdated ones among the next of all traces, which are renewed when they are settled; whether it was time to."""
        pause = self.seconds_until_renewal()
        if pause is None or (pause and patience != AT_ONCE and not any(ticket.awaits_renewal for ticket in self._tickets)):
            return False
        now = self._renewed_at = time.monotonic()
        outdated = self.renewal.step()
        # To look is cheap: a walk that paused after each look would not keep up with traces that come meanwhile.
        while not outdated and self.renewal.is_under_way and time.monotonic() < now + SLICE_SECONDS:
            outdated = self.renewal.step()
        self._traces.add(outdated)
        return True

    def _settle_traces(self) -> None:
        trace_ids = self._traces.oldest(TRACES_PER_SLICE)
        self._renew(trace_ids)
        found = []
        for trace_id in trace_ids:
            with _apart(trace_id.hex()):
                found.append(settled(self._store, self._rules, trace_id))
        for marks in self._put(self._store.put_traces, found):
            self.note_marks(marks)
        self._traces.remove(trace_ids)

    def _settle_sessions(self, patience: Patience = AT_ONCE) -> bool:
        tried: list[SessionKey] = []
        found: list[tuple[SessionKey, SessionSummary | None]] = []
        for key in self._each(self._sessions, "sessions", patience):
            tried.append(key)
            with _apart(key.session_id):
                found.append((key, settled_session(self._store, key, self._store.traces_to_settle(key))))
        self._put(self._store.put_sessions, found)
        self._sessions.remove(tried)
        return bool(tried)

    def _settle_users(self, patience: Patience = AT_ONCE) -> bool:
        tried: list[UserKey] = []
        found: list[tuple[UserKey, UserSummary | None]] = []
        for key in self._each(self._users, "users", patience):
            tried.append(key)
            with _apart(key.user_id):
                found.append((key, settled_user(key, self._store.traces_to_settle(key))))
        self._put(self._store.put_users, found)
        self._users.remove(tried)
        return bool(tried)

    def _put(self, put: Callable[[Sequence[Row]], Written], rows: Sequence[Row]) -> list[Written]:
        """Write rows in one transaction; where one of them can't be written, each in its own, so that the others are."""
        if not rows:
            return []
        try:
            return [put(rows)]
        except Exception as error:
            if isinstance(error, SessiondError) and not isinstance(error, Damaged):
                raise
            written = []  # told below, for the row that it is about
            for row in rows:
                with _apart(repr(row)[:200]):
                    written.append(put([row]))
            return written

    def _each(self, queue: OwnerQueue[Owner], need: Need, patience: Patience) -> Iterator[Owner]:
        """Keys to settle in this slice, one at least. What its user does between two keys is the first one's cost."""
        is_awaited = any(ticket.need == need and not ticket.awaits_renewal for ticket in self._tickets)
        end = time.monotonic() + SLICE_SECONDS
        for key in queue.marked if is_awaited else queue.due(patience):
            began = time.monotonic()
            yield key
            ended = time.monotonic()
            queue.took(key, ended - began)
            if ended > end:
                return

    def _serve_tickets(self) -> None:
        """Complete those whose wait is over."""
        left = []
        for ticket in self._tickets:
            waited = self._advanced(ticket)
            if waited is None:
                ticket.done.set_result(None)
            else:
                left.append(waited)
        self._tickets = left

    def _advanced(self, ticket: _Ticket) -> _Ticket | None:
        """The ticket with what is known by now; None when nothing is left to wait for."""
        if ticket.awaits_renewal:
            if self.renewal.is_under_way:
                return ticket
            ticket = ticket._replace(awaits_renewal=False, traces_through=self._traces.last)
        if not self._traces.is_done_through(ticket.traces_through):
            return ticket
        if ticket.need == "traces":
            return None
        owners: Queue[Any] = self._sessions if ticket.need == "sessions" else self._users
        through = owners.last if ticket.owners_through is None else ticket.owners_through
        return None if owners.is_done_through(through) else ticket._replace(owners_through=through)
