"""Running the indexer's process, and speaking with it: the daemon's end of the pipe.

Taking spans in never waits for it. It is started when there is something to index, or somebody searches; when it dies another is
started, after a pause that grows while it keeps dying, and from nothing where the index itself may be what kills it.
"""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import IO, Any, Final, NamedTuple, cast

import structlog

from sessiond.core.errors import Busy, Invalid
from sessiond.service.bell import Bell
from sessiond.service.receiving.decode import read_frame, write_frame
from sessiond.service.searching.lag import NOTE_SECONDS, Lag
from sessiond.service.searching.protocol import FAILED, FINGERPRINT, MISSED, REFUSED, RING, TOLD, Standing, packed, unpacked

ANSWER_SECONDS_MAX: Final = 20.0
"""How long a search waits for an answer: less than clients wait for us, so that they hear why."""
ASKED_MAX: Final = 64
"""Questions that wait for the process at once: it answers one after the other."""
STALLED_SECONDS: Final = 60.0
"""A process that owes answers and gives none for so long hangs, and is ended."""
PAUSE_SECONDS_MAX: Final = 60.0
DEATHS_BEFORE_ANEW: Final = 3
"""Deaths in a row after which the index is made anew: it may be what it dies of."""
END_SECONDS: Final = 5.0
LOOK_SECONDS: Final = 1.0
"""Between two looks whether there is a process to tell of what changed."""
IDLE_SECONDS: Final = 60.0
"""Between two looks for changes that no bell told of."""

log = structlog.get_logger()


class Place(NamedTuple):
    """What the process works on."""

    data_dir: Path
    bytes_max: int
    path: Path
    """Directory of the index."""

    def command(self, *, anew: bool) -> list[str]:
        """The command line of the process."""
        return [
            sys.executable, "-m", "sessiond.indexer",
            str(self.data_dir), str(self.bytes_max), str(self.path), *(["anew"] if anew else []),
        ]  # fmt: skip


class State(NamedTuple):
    """How it is with the index."""

    is_running: bool
    standing: Standing | None
    """Where it stood last; None where it was not started."""
    behind_seconds: float
    deaths: int
    """Of the process, since the daemon's start."""
    failure: str
    """Why it does not run, or what it died of last; "" if it never did."""


class _Died(Exception):
    """The process ended before it answered."""


class Indexer:
    """The process, as the daemon sees it. Every method may be called from any thread."""

    def __init__(self, place: Place, bell: Bell, last_change: Callable[[], int], forget_dead_readers: Callable[[], None]) -> None:
        self._place = place
        self._bell = bell
        self._last_change = last_change
        self._forget_dead_readers = forget_dead_readers
        self._lag = Lag()
        self._numbers = count(TOLD + 1)
        self._sending = threading.Lock()
        self._lock = threading.Lock()
        self._is_up = threading.Condition(self._lock)
        self._started: subprocess.Popen[bytes] | None = None
        """The process that runs, ready or not."""
        self._process: subprocess.Popen[bytes] | None = None
        """The same once it is ready."""
        self._asked: dict[int, Future[tuple[str, tuple[Any, ...]]]] = {}
        self._standing: Standing | None = None
        self._owed = 0
        """Answers that the process has yet to give, those that nobody waits for any more too."""
        self._heard_at = 0.0
        """When it gave the last, or began to owe."""
        self._deaths = 0
        self._failure = ""
        self._wanted = threading.Event()
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=run, name=name) for run, name in ((self._live, "indexer"), (self._ring, "indexer bell"))
        ]

    def start(self) -> None:
        """Begin to follow the store."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End the process, and the threads here."""
        self._stopping.set()
        self._wanted.set()
        self._bell.ring()
        with self._lock:
            started = self._started
            self._is_up.notify_all()
        if started is not None:
            _end(started)
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def keep_up(self) -> None:
        """End a process that hangs. To be called every now and then."""
        with self._lock:
            process, hangs = self._process, bool(self._owed) and time.monotonic() - self._heard_at > STALLED_SECONDS
        if process is not None and hangs:
            log.warning("the indexer hangs and is ended")
            process.kill()

    def state(self) -> State:
        """How it is."""
        with self._lock:
            through = self._standing.through if self._standing else 0
            behind = self._lag.seconds(time.monotonic(), through)
            return State(self._process is not None, self._standing, behind, self._deaths, self._failure)

    def ask(self, verb: str, *arguments: object) -> tuple[Any, ...]:
        """What the process answers. Raises Busy where there is no answer to be had now, Invalid where it can't take the query."""
        deadline = time.monotonic() + ANSWER_SECONDS_MAX
        self._wanted.set()
        while True:
            try:
                outcome, what = self._answer(verb, arguments, deadline)
            except _Died:
                if time.monotonic() < deadline and not self._stopping.is_set():
                    continue  # another is started
                raise self._unavailable() from None
            except TimeoutError as error:
                raise self._unavailable() from error
            if outcome == REFUSED:
                raise Invalid("query", arguments[0], f"can't be searched for: {what[0]}", hint="make its prefixes longer")
            if outcome == FAILED:
                log.error("the indexer failed to answer", reason=what[0])
                raise Busy("the search failed; the log says how", hint="search again")
            return what

    def _unavailable(self) -> Busy:
        state = self.state()
        told = f": {state.failure}" if state.failure and not state.is_running else ""
        return Busy(f"the search index does not answer{told}", hint="search again; `sessiond status` tells how it is")

    def _answer(self, verb: str, arguments: tuple[object, ...], deadline: float) -> tuple[str, tuple[Any, ...]]:
        number, answer = next(self._numbers), Future[tuple[str, tuple[Any, ...]]]()
        with self._is_up:
            if not self._is_up.wait_for(lambda: self._process is not None or self._stopping.is_set(), deadline - time.monotonic()):
                raise TimeoutError
            process = self._process
            if process is None:
                raise _Died
            if len(self._asked) >= ASKED_MAX:
                raise Busy(f"{ASKED_MAX} searches are under way", hint="search again")
            if not self._owed:
                self._heard_at = time.monotonic()
            self._owed += 1
            self._asked[number] = answer
        try:
            self._send(process, (number, verb, arguments))
            return answer.result(max(0.0, deadline - time.monotonic()))
        finally:
            with self._lock:
                self._asked.pop(number, None)

    def _send(self, process: subprocess.Popen[bytes], message: tuple[object, ...]) -> None:
        with self._sending:
            try:
                write_frame(cast("IO[bytes]", process.stdin), packed(message))
            except (OSError, ValueError) as error:  # it is gone, or its pipe was closed
                raise _Died from error

    # -- on the threads ------------------------------------------------------------------------------------------------------

    def _ring(self) -> None:
        """Tell the process when something was settled."""
        rung, told = self._bell.rung, 0
        while not self._stopping.is_set():
            change = self._last_change()
            self._lag.note(time.monotonic(), change)
            with self._lock:
                process = self._process
            if change > told and process is not None:
                with suppress(_Died):
                    self._send(process, (TOLD, RING, ()))
                    told = change
            elif change > told:
                self._wanted.set()
            self._bell.wait(rung, LOOK_SECONDS if change > told else IDLE_SECONDS)
            rung = self._bell.rung
            self._stopping.wait(NOTE_SECONDS)

    def _live(self) -> None:
        """Keep a process running, from when one is wanted."""
        self._wanted.wait()
        deaths_in_a_row = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            is_anew = bool(deaths_in_a_row) and deaths_in_a_row % DEATHS_BEFORE_ANEW == 0
            if is_anew:
                self._standing = None
            through = self._standing.through if self._standing else 0
            self._run_process(anew=is_anew)
            if self._stopping.is_set():
                return
            with self._lock:
                self._deaths += 1
                got_on = self._standing is not None and self._standing.through > through
            deaths_in_a_row = 1 if got_on or time.monotonic() - began > PAUSE_SECONDS_MAX else deaths_in_a_row + 1
            log.warning("the indexer died and is started again", reason=self._failure, deaths_in_a_row=deaths_in_a_row)
            self._forget_dead_readers()
            if deaths_in_a_row > 1:
                self._stopping.wait(min(PAUSE_SECONDS_MAX, 2.0 ** (deaths_in_a_row - 2)))

    def _run_process(self, *, anew: bool) -> None:
        """Start a process and hear what it says until it ends."""
        with self._lock:
            if self._stopping.is_set():  # nobody would end it
                return
            try:
                self._started = process = subprocess.Popen(  # noqa: S603  (this program's own module)
                    self._place.command(anew=anew),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    process_group=0,  # Ctrl-C is meant for the daemon, which ends this one when it is done
                )
            except OSError as error:  # there are too many processes, or too little memory
                self._failure = f"it could not be started: {error}"
                return
        told = ""
        try:
            told = self._hear(process)
        finally:
            with self._lock:
                self._started = self._process = None
                self._owed = 0
                asked, self._asked = self._asked, {}
            for answer in asked.values():
                answer.set_exception(_Died())
            _end(process)
            cast("IO[bytes]", process.stdout).close()  # here alone, where nobody reads it any more
        self._failure = told or f"it ended with exit code {process.returncode}"

    def _hear(self, process: subprocess.Popen[bytes]) -> str:
        """Hear what the process says until it ends; what it says that it dies of, if so."""
        told = ""
        while (frame := read_frame(cast("IO[bytes]", process.stdout))) is not None:
            number, outcome, what = unpacked(frame)
            if number != TOLD:
                self._take(number, (outcome, what))
            elif outcome == MISSED:
                log.error("the words of a trace could not be read, so no search finds or shows them", trace=what[0], reason=what[1])
            elif outcome == FAILED:
                told = str(what[0])
            else:
                told = told or self._stands(process, what)
        return told

    def _stands(self, process: subprocess.Popen[bytes], what: tuple[Any, ...]) -> str:
        """Note where the process stands, after its greeting; why it is not taken, if so."""
        if self._process is None:
            return self._greet(process, *what)
        self._standing = Standing(*what)
        self._lag.reached(self._standing.through)
        return ""

    def _take(self, number: int, told: tuple[str, tuple[Any, ...]]) -> None:
        """Give an answer to whoever waits for it."""
        with self._lock:
            self._owed -= 1
            self._heard_at = time.monotonic()
            answer = self._asked.pop(number, None)
        if answer is not None:
            answer.set_result(told)

    def _greet(self, process: subprocess.Popen[bytes], fingerprint: str, made_anew: str = "") -> str:
        """The process is ready: take it, or say why not."""
        if fingerprint != FINGERPRINT:
            process.kill()
            return "the installed sessiond is another than the one that runs; restart it"
        if made_anew:
            log.warning("the search index can't be used and is made anew", reason=made_anew)
            self._standing = None
        with self._is_up:
            self._process = process
            self._is_up.notify_all()
        self._bell.ring()
        return ""


def _end(process: subprocess.Popen[bytes]) -> None:
    """Close its standard input and see it end."""
    with suppress(OSError):
        cast("IO[bytes]", process.stdin).close()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
