"""The one thread that writes. Appends that wait are committed together, and their senders released when all of it is on disk."""

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Final, NamedTuple, TypeVar

import structlog

from sessiond.core.errors import Busy, Damaged, SessiondError, StoreBroken, StoreFull
from sessiond.core.model import SessionKey
from sessiond.service.bell import Bell
from sessiond.service.settling.pace import Pace
from sessiond.service.settling.renewal import Renewed
from sessiond.service.settling.rules import Rules
from sessiond.service.settling.settle import Need, Settler, Waiting
from sessiond.storage.api import Appended, Erased, Marks, Store
from sessiond.storage.packing import PackedTrace
from sessiond.telemetry import Telemetry

COMMIT_SPANS_MAX: Final = 8192
"""Spans in one transaction: LMDB's own bound is memory, ours the tenth of a second that the first waits for the last."""
COMMIT_BYTES_MAX: Final = 16 << 20
RETRY_SECONDS: Final = 1.0
"""Pause after settling failed for want of space."""

DAMAGED_SHOWN: Final = 5
"""Traces that the log names where spans of more can't be stored: the check names all."""

Result = TypeVar("Result")

log = structlog.get_logger()


class _Waiting(NamedTuple):
    """An append and who waits for it."""

    traces: Sequence[PackedTrace]
    span_count: int
    size: int
    done: Future[Appended]


class _Ticket(NamedTuple):
    """Who waits until what was acknowledged is settled, and these traces are renewed (None: all)."""

    need: Need
    renewed: Sequence[bytes] | None
    done: Future[None]


class _Task(NamedTuple):
    """Something short that only this thread may do, and who waits for its result."""

    do: Callable[[], Any]
    done: Future[Any]


class Writer:
    """Owns the store's writing side between `start` and `stop`. Every other method may be called from any thread."""

    def __init__(
        self, store: Store, settler: Settler, telemetry: Telemetry, *, queue_bytes_max: int, broken: Callable[[StoreBroken], None]
    ) -> None:
        self._store = store
        self._settler = settler
        self._telemetry = telemetry
        self._queue_bytes_max = queue_bytes_max
        self._broken = broken
        self._changed = threading.Condition()
        self.pace = Pace(settler)
        self.settled_bell = Bell()
        """Rung when something was settled."""
        self._queue: deque[_Waiting] = deque()
        self._queue_bytes = 0
        self._tickets: list[_Ticket] = []
        self._tasks: list[_Task] = []
        self._stopping = False
        self._full: StoreFull | None = None
        self._full_to_settle: StoreFull | None = None
        """What settling met; as long as it is the reason, spans are taken again when settling goes on."""
        self._at_work_since: float | None = None
        self._thread = threading.Thread(target=self._run, name="writer")

    def start(self) -> None:
        """Begin to write, and to free what traces take that were being erased when the process ended."""
        self._given_task(self._sweep_on)
        self._thread.start()

    def stop(self) -> None:
        """Take no more, commit what was taken, and end the thread. Marks that are left are settled after the next start."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join()

    def append(self, traces: Sequence[PackedTrace]) -> Future[Appended]:
        """Queue spans; the future is done when they are on disk.

        Raises Busy where the queue is full or the daemon stops.
        """
        size = sum(packed.byte_count for packed in traces)
        waiting = _Waiting(traces, sum(packed.span_count for packed in traces), size, Future())
        with self._changed:
            if self._stopping:
                raise Busy("sessiond is stopping", hint="send the request again")
            if self._queue and self._queue_bytes + size > self._queue_bytes_max:
                raise Busy("the queue of spans to be written is full", hint="send the request again")
            self._queue.append(waiting)
            self._queue_bytes += size
            self._changed.notify()
        return waiting.done

    def settled(self, need: Need, renewed: Sequence[bytes] | None = ()) -> Future[None]:
        """Done when everything acknowledged before this call that `need` depends on is settled.

        Some traces are `renewed` before; None: all of them, however long that takes.
        """
        done: Future[None] = Future()
        with self._changed:
            if self._stopping:
                raise Busy("sessiond is stopping", hint="ask again")
            self._tickets.append(_Ticket(need, renewed, done))
            self._changed.notify()
        return done

    @property
    def queue_bytes(self) -> int:
        """Bytes waiting to be written."""
        return self._queue_bytes

    @property
    def full(self) -> StoreFull | None:
        """Why the store takes no spans at present, if so."""
        return self._full

    def waiting(self) -> Waiting:
        """How much waits to be settled."""
        return self._settler.waiting()

    @property
    def rules(self) -> Rules:
        """What figures are made by."""
        return self._settler.rules

    def change_rules(self, rules: Rules) -> Future[int]:
        """Let figures be made by other rules, and what is stored be renewed.

        Done when they are in force, with how many traces are to be looked at: 0 where no rule changed and nothing is to be renewed.
        """
        return self._given_task(lambda: self._change_rules(rules))

    def forget_removals(self, through: int) -> Future[None]:
        """Have the store tell removals up to a change no more; done when the first of them are forgotten."""
        return self._given_task(lambda: self._forget_removals(through))

    def marking(self, do: Callable[[], Marks]) -> Future[None]:
        """Have something short done on this thread, by which the store changes; what it marks is settled as what appends mark."""
        return self._given_task(lambda: self._settler.note_marks(do()))

    def erase(
        self, trace_ids: Sequence[bytes], erased_unix_nano: int | None, sessions: Sequence[SessionKey] = ()
    ) -> Future[Erased]:
        """As `Store.erase`, and spans that wait for the disk count as later ones. All that waits for it waits for this too."""
        return self._given_task(lambda: self._erase(trace_ids, erased_unix_nano, sessions))

    def sweep(self) -> Future[bool]:
        """Have the store free some of the space of erased traces; the result is whether there may be more."""
        return self._given_task(self._sweep)

    def forget_erased(self, before_unix_nano: int, count_max: int) -> Future[int]:
        """Have the store take spans of traces again that were erased before a time or are too many; how many it forgot."""
        return self._given_task(lambda: self._store.forget_erased(before_unix_nano, count_max))

    def _given_task(self, do: Callable[[], Result]) -> Future[Result]:
        done: Future[Result] = Future()
        with self._changed:
            if self._stopping:
                raise Busy("sessiond is stopping", hint="ask again")
            self._tasks.append(_Task(do, done))
            self._changed.notify()
        return done

    @property
    def is_renewing(self) -> bool:
        """Whether some facts may be of other rules, and are being renewed."""
        return not self._stopping and self._settler.renewal.is_under_way

    @property
    def is_moving(self) -> bool:
        """Whether while that goes on, traces may turn out to belong elsewhere than where they are found."""
        return not self._stopping and self._settler.renewal.moves

    def renewed(self) -> Renewed | None:
        """How far what is stored is renewed; None where nothing is to be."""
        return self._settler.renewal.progress()

    def seconds_at_work(self) -> float:
        """How long the thread has been at its present step, 0 where it has nothing to do: what a watchdog wants to know."""
        since = self._at_work_since
        return 0.0 if since is None else time.monotonic() - since

    # -- on the thread -------------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while self._step():
                self._at_work_since = None
        except StoreBroken as error:
            self._end_broken(error)
        except Exception as error:
            log.exception("the writer failed")
            self._end_broken(StoreBroken(f"the writer failed: {error!r}"))

    def _step(self) -> bool:
        """Commit what waits and settle a slice; whether to go on."""
        with self._changed:
            self._changed.wait_for(self._has_work, timeout=self._idle_seconds())
            self._at_work_since = time.monotonic()
            appends = self._take()
            tickets, self._tickets = self._tickets, []
            tasks, self._tasks = self._tasks, []
            if self._stopping and not appends:
                self._release(tickets, tasks)
                return False
        try:
            for task in tasks:
                _do(task)
            if appends:
                self._commit(appends)
        except Exception as error:
            _refuse(appends, error)
            _refuse(tasks, error)
            raise
        finally:
            for ticket in tickets:
                self._settler.wait_for(ticket.need, ticket.done, ticket.renewed)
        self._settle()
        return True

    def _has_work(self) -> bool:
        return bool(self._queue or self._tickets or self._stopping or self._tasks)

    def _idle_seconds(self) -> float | None:
        """How long to wait for work before settling; None: until there is some."""
        seconds = self.pace.seconds_until_step()
        return max(seconds, RETRY_SECONDS) if seconds is not None and self._full else seconds

    def _change_rules(self, rules: Rules) -> int:
        self._settler.change_rules(rules)
        renewed = self.renewed()
        return renewed.of if renewed else 0

    def _erase(self, trace_ids: Sequence[bytes], erased_unix_nano: int | None, sessions: Sequence[SessionKey]) -> Erased:
        erased = self._store.erase(trace_ids, erased_unix_nano, sessions)
        self._settler.forget(erased)
        self.pace.wrote()
        self.settled_bell.ring()
        return erased

    def _sweep(self) -> bool:
        """Pages are free when this ends: a store that was full takes spans again, unless it holds too much still."""
        has_more = self._store.sweep()
        self._take_spans_if_room()
        return has_more

    def _sweep_on(self) -> None:
        """Sweep a slice, and the next one after what waits for the disk by then."""
        if self._store.sweep():
            with suppress(Busy):  # it stops
                self._given_task(self._sweep_on)

    def _forget_removals(self, through: int) -> None:
        """Forget some, and the next ones after what waits for the disk by then."""
        if self._store.forget_removals(through):
            with suppress(Busy):  # it stops
                self.forget_removals(through)

    def _take_spans_if_room(self) -> None:
        if self._full is not None:
            extent = self._store.extent()
            if extent.used_bytes <= extent.bytes_max:
                self._take_spans_again()

    def _take_spans_again(self) -> None:
        if self._full is not None:
            log.info("the store takes spans again")
        self._full = None

    def _take(self) -> list[_Waiting]:
        """The appends for the next transaction, in order."""
        taken: list[_Waiting] = []
        spans = size = 0
        while self._queue:
            first = self._queue[0]
            if taken and (spans + first.span_count > COMMIT_SPANS_MAX or size + first.size > COMMIT_BYTES_MAX):
                break
            taken.append(self._queue.popleft())
            spans += first.span_count
            size += first.size
            self._queue_bytes -= first.size
        return taken

    def _commit(self, appends: list[_Waiting]) -> None:
        began = time.monotonic()
        try:
            appended = self._store.append([packed for waiting in appends for packed in waiting.traces])
        except StoreBroken as error:
            _refuse(appends, error)
            raise
        except Exception as error:  # noqa: BLE001  (whatever it is, those who wait must hear of it)
            if not isinstance(error, SessiondError) and len(appends) > 1:
                self._commit_apart(appends)
            else:
                self._fail(appends, error)
            return
        self._take_spans_again()
        self._settler.note(appended.traces)
        self.pace.wrote()
        if appended.damaged:
            self._tell_damaged(appended.damaged)
        self._telemetry.committed(
            stored=appended.stored,
            duplicates=appended.duplicates,
            conflicts=appended.conflicts,
            seconds=time.monotonic() - began,
        )
        for waiting in appends:
            waiting.done.set_result(appended)

    def _tell_damaged(self, traces: Collection[bytes]) -> None:
        some = [trace_id.hex() for trace_id in sorted(traces)[:DAMAGED_SHOWN]]
        reason = str(Damaged(f"what is stored of {len(traces)} traces can't be read"))
        log.error("spans refused", reason=reason, traces=some)
        self._telemetry.failed(f"{reason}: {', '.join(some)}")

    def _commit_apart(self, appends: list[_Waiting]) -> None:
        """One of them can't be stored: find out which, so that only its sender is refused."""
        try:
            for waiting in appends:
                self._commit([waiting])
        except StoreBroken as error:
            _refuse(appends, error)
            raise

    def _fail(self, appends: list[_Waiting], error: Exception) -> None:
        if isinstance(error, StoreFull):
            if self._full is None:
                log.error("the store takes no spans", reason=str(error))
            self._full = error
        else:
            log.error("spans could not be stored", exc_info=error)
        self._telemetry.failed(str(error))
        _refuse(appends, error)

    def _settle(self) -> None:
        """Settle a slice where someone waits or there is nothing else to do, and more where marks have piled up."""
        try:
            while self.pace.is_time(appends_wait=bool(self._queue)):
                if not self._settler.step(self.pace.patience(), traces=self.pace.wants_traces()):
                    return
                if self._full is self._full_to_settle:
                    self._take_spans_if_room()
                self.pace.stepped()
                self.settled_bell.ring()
                self._at_work_since = time.monotonic()
                if not self.pace.is_behind():
                    return
        except StoreFull as error:
            if self._full is None:
                self._full = self._full_to_settle = error
            self._telemetry.failed(str(error))
            self._settler.give_up(error)

    def _end_broken(self, error: StoreBroken) -> None:
        with self._changed:
            self._stopping = True
            appends, self._queue = list(self._queue), deque()
            self._release(self._tickets, self._tasks)
        _refuse(appends, error)
        self._telemetry.failed(str(error))
        self._broken(error)

    def _release(self, tickets: list[_Ticket], tasks: list[_Task]) -> None:
        for ticket in tickets:
            ticket.done.set_result(None)
        for task in tasks:
            task.done.set_exception(Busy("sessiond is stopping", hint="ask again"))
        self._settler.give_up()


def _do(task: _Task) -> None:
    """Do a task; what fails is for those who wait to hear of, and where the store can't be trusted any more, for all."""
    try:
        result = task.do()
    except (StoreFull, Damaged) as error:
        task.done.set_exception(error)
    except BaseException as error:
        task.done.set_exception(error)
        raise
    else:
        task.done.set_result(result)


def _refuse(those: Iterable[_Waiting | _Task], error: Exception) -> None:
    """Tell those who still wait why their spans are not stored, or what they wanted is not done."""
    for waiting in those:
        if not waiting.done.done():
            waiting.done.set_exception(error)
