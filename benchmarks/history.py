"""A store with a month behind it, made without a daemon: `python -m benchmarks.history --data-dir DIR`.

100,000 sessions of 1,000 users, with ten turns each on average and five spans a turn, that came in over thirty days; beside them
one session of 100 turns and one trace of 30,000 spans. They go through the daemon's own parts, at made-up times of arrival: read
and packed in processes beside, appended and settled here. The same number of sessions gives the same store.

DIR.json, beside the store, tells what is in it: a finished store is used as it is, one that was stopped half way is gone on with,
and one of another format or of other rules is made again.
"""

import argparse
import json
import os
import shutil
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from benchmarks.sessions import SEED, Commit, commits, span_count
from sessiond.config import Config
from sessiond.prices import GenaiPriceBook
from sessiond.service.settling.rules import Rules
from sessiond.service.settling.settle import TRACES_PER_SLICE, Settler
from sessiond.storage.lmdb.environment import STORE_FILE
from sessiond.storage.lmdb.keys import FORMAT
from sessiond.storage.lmdb.store import LmdbStore
from sessiond.storage.packing import PackedTrace, Packer

SESSIONS: Final = 100_000
VERSION: Final = 1
"""Of what sessions and turns are made of: raised when the same number of sessions would give other spans."""
AHEAD_PER_PROCESS: Final = 3
"""Commits that are made or wait while another is appended, some two megabytes each."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a store holds, as it is told beside it."""

    asked_count: int
    """Sessions asked for; the long one and that of the large trace come on top."""
    recipe: str
    """Stands for all else that decides what the store will be."""
    commit_count: int = 0
    span_count: int = 0
    trace_count: int = 0
    session_count: int = 0
    user_count: int = 0
    is_finished: bool = False


def history(data_dir: Path, asked_count: int) -> Held:
    """Have a history in `data_dir`: what is missing is made now.

    Ends the process where something else is there, which is left alone.
    """
    rules = Rules(GenaiPriceBook())
    held = _held(data_dir, Held(asked_count, _recipe(rules)))
    if held.is_finished:
        return held
    began, spans_before = time.monotonic(), held.span_count
    store = LmdbStore.open(data_dir, bytes_max=Config().store.bytes_max, rules=rules.fingerprint)
    with closing(store), _progress() as progress:
        held = _Making(data_dir, store, Settler(store, rules), progress).run(held)
    _print_made(data_dir, held.span_count - spans_before, time.monotonic() - began)
    return held


def _held(data_dir: Path, wanted: Held) -> Held:
    """What is there of what is wanted."""
    path = _note(data_dir)
    if not path.exists():
        if data_dir.exists() and any(data_dir.iterdir()):
            raise SystemExit(f"{data_dir} is not empty, and there is no {path.name} that says it was made here")
        return wanted
    held = Held(**json.loads(path.read_text()))
    if held.asked_count != wanted.asked_count:
        raise SystemExit(f"{data_dir} was made for {held.asked_count} sessions: ask for as many, or name another directory")
    if held.recipe == wanted.recipe:
        return held
    path.unlink()
    shutil.rmtree(data_dir)
    return wanted


def _recipe(rules: Rules) -> str:
    return blake2b(repr((VERSION, SEED, FORMAT, rules.fingerprint)).encode(), digest_size=8).hexdigest()


def _note(data_dir: Path) -> Path:
    return data_dir.with_name(f"{data_dir.name}.json")


class _Making:
    """A store in the making. What its note says may be a commit behind the store: to append that one again changes nothing."""

    def __init__(self, data_dir: Path, store: LmdbStore, settler: Settler, progress: Progress) -> None:
        self._note = _note(data_dir)
        self._store = store
        self._settler = settler
        self._progress = progress

    def run(self, held: Held) -> Held:
        """Append and settle what is missing."""
        self._settler.settle_all()  # nothing there is of other rules: known from here on, and not looked for at each slice
        held = self._append(held)
        self._settle_owners()
        extent = self._store.extent()
        held = replace(
            held,
            span_count=extent.span_count,
            trace_count=extent.trace_count,
            session_count=extent.session_count,
            user_count=extent.user_count,
            is_finished=True,
        )
        self._write(held)
        return held

    def _append(self, held: Held) -> Held:
        """Append, and settle traces while they are at hand."""
        bar = self._progress.add_task("spans", total=span_count(held.asked_count), completed=held.span_count)
        for traces in _packed(commits(held.asked_count)[held.commit_count :]):
            appended = self._store.append(traces)
            self._settler.note(appended.traces)
            self._settle_traces(at_least=TRACES_PER_SLICE)
            held = replace(held, commit_count=held.commit_count + 1, span_count=held.span_count + appended.stored)
            self._write(held)
            self._progress.update(bar, completed=held.span_count)
        self._settle_traces(at_least=1)
        return held

    def _settle_traces(self, *, at_least: int) -> None:
        """Settle them if there are enough; the large trace, which comes in many commits, waits for others."""
        if self._settler.waiting().traces >= at_least:
            while self._settler.waiting().traces:
                self._settler.step()

    def _settle_owners(self) -> None:
        """Settle sessions and users: once, when all their traces are there."""
        total = sum(self._settler.waiting())
        bar = self._progress.add_task("sessions and users", total=total)
        while any(self._settler.waiting()):
            self._settler.step()
            self._progress.update(bar, completed=total - sum(self._settler.waiting()))

    def _write(self, held: Held) -> None:
        part = self._note.with_suffix(".part")
        part.write_text(json.dumps(asdict(held), indent=2) + "\n")
        part.replace(self._note)


def _packed(commits: Iterable[Commit]) -> Iterator[list[PackedTrace]]:
    """What commits hold, in order: some are made ahead, in as many processes as there are cores."""
    processes = len(os.sched_getaffinity(0))
    # Spawned, not forked: this process has an LMDB environment open, which must not be in another.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_end_with_parent) as pool:
        ahead: deque[Future[list[PackedTrace]]] = deque()
        for commit in commits:
            ahead.append(pool.submit(_pack, commit))
            if len(ahead) > processes * AHEAD_PER_PROCESS:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _pack(commit: Commit) -> list[PackedTrace]:
    return Packer().traces(commit())


def _end_with_parent() -> None:
    """Let this process end when the one that started it was killed: by itself it would wait for work for ever."""

    def end() -> None:
        if parent := parent_process():
            parent.join()
            os._exit(1)

    Thread(target=end, daemon=True).start()


class _Rate(ProgressColumn):
    """How many a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed or 0:,.0f}/s")


def _progress() -> Progress:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn()
    return Progress(*columns, console=Console(stderr=True))


def _print_made(data_dir: Path, spans: int, seconds: float) -> None:
    mebibytes = (data_dir / STORE_FILE).stat().st_blocks * 512 / 2**20
    print(f"{data_dir}: {spans:,} spans in {seconds:,.0f} s ({spans / seconds:,.0f}/s), {mebibytes:,.0f} MiB", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data-dir", type=Path, required=True, help="the store's directory: empty, not there yet, or one made before"
    )
    parser.add_argument("--sessions", type=int, default=SESSIONS, help=f"sessions (default {SESSIONS})")
    arguments = parser.parse_args()
    held = history(arguments.data_dir, arguments.sessions)
    print(f"{held.session_count:,} sessions, {held.trace_count:,} traces, {held.span_count:,} spans, {held.user_count:,} users")


if __name__ == "__main__":
    main()
