"""How fast questions are answered from a store with a month behind it: `python -m benchmarks.queries`.

The store is made first (benchmarks/history.py), unless it is there: some gigabytes, and some minutes; so is its search index
(benchmarks/searching.py). Each question is asked of a daemon of its own with its defaults, but that it keeps the index only to be
searched: once without counting and then again and again, by a Python client in this process; the clock stops when the whole answer
is there as messages.

  rows          in an answer; of statistics, those that they are over
  CPU ms        the daemon's processor time for an answer
  before, peak  MiB of the daemon's own memory when it has just started, and at most while it was asked; what it maps of the store
                is not in them
  wanted, met   a bound, and whether it was kept; flat: peak is at most 16 MiB above before
"""

import argparse
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.asking import Measured, measure
from benchmarks.history import SESSIONS, history
from benchmarks.machine import describe
from benchmarks.questions import RATIOS, Question, questions
from benchmarks.searching import index

ROUNDS: Final = 200
DIRECTORY: Final = "SESSIOND_BENCH_DIR"

_ROW: Final = "{:<31} {:>7} {:>5} {:>9} {:>9} {:>9} {:>9} {:>8} {:>7} {:>6}  {:<18} {}"
_HEAD: Final = _ROW.format(
    "question", "rows", "asked", "p50 ms", "p95 ms", "max ms", "rows/s", "CPU ms", "before", "peak", "wanted", "met"
).rstrip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=SESSIONS, help=f"sessions in the store (default {SESSIONS})")
    parser.add_argument(
        "--rounds", type=int, default=ROUNDS, help=f"times a question is asked, at most; slow ones less often (default {ROUNDS})"
    )
    parser.add_argument(
        "--data-dir",
        type=Path,
        help=f"the store, made there if it is not, and kept. Default: history-SESSIONS in the directory that ${DIRECTORY} names, "
        "kept too; where that is not set, one in the temporary directory, removed at the end",
    )
    arguments = parser.parse_args()
    with _kept(arguments.data_dir, arguments.sessions) as data_dir:
        data_dir.parent.mkdir(parents=True, exist_ok=True)
        print(describe(data_dir.parent))
        held = history(data_dir, arguments.sessions)
        print(f"{held.session_count:,} sessions, {held.trace_count:,} traces, {held.span_count:,} spans, {held.user_count:,} users")
        index(data_dir)
        _print_ratios(_asked(questions(held.session_count), data_dir, arguments.rounds))


@contextmanager
def _kept(data_dir: Path | None, session_count: int) -> Iterator[Path]:
    """Where the store is, and stays if somebody named a place for it."""
    kept = os.environ.get(DIRECTORY)
    if data_dir:
        yield data_dir
    elif kept:
        yield Path(kept) / f"history-{session_count}"
    else:
        with tempfile.TemporaryDirectory(prefix="sessiond-bench-") as base:
            yield Path(base) / "history"


def _asked(asking: list[Question], data_dir: Path, rounds: int) -> dict[str, Measured]:
    """Each question's answers; its row is printed as soon as it is known."""
    print(f"\n{_HEAD}")
    answers: dict[str, Measured] = {}
    for question in asking:
        answers[question.name] = measured = _measured(question, data_dir, rounds)
        print(_row(question, measured), flush=True)
    return answers


def _measured(question: Question, data_dir: Path, rounds: int) -> Measured:
    with tempfile.TemporaryDirectory(prefix="sessiond-bench-") as directory:
        measured = measure(question.ask, data_dir, Path(directory), rounds=rounds, has_index=question.has_index)
    if measured.rows < question.rows_min:
        raise RuntimeError(f"{question.name}: {measured.rows} rows in the answer, where there must be {question.rows_min}")
    return measured


def _row(question: Question, measured: Measured) -> str:
    target = question.target
    return _ROW.format(
        question.name,
        f"{measured.rows:,}",
        len(measured.seconds),
        *(f"{measured.share_seconds(share) * 1000:,.1f}" for share in (0.5, 0.95, 1)),
        f"{measured.rows_per_second:,.0f}" if question.is_stream else "",
        f"{measured.cpu_seconds * 1000:,.1f}",
        *(f"{size / 2**20:.0f}" for size in (measured.before_bytes, measured.peak_bytes)),
        target.words if target else "",
        "" if target is None else "yes" if target.is_met(measured) else "no",
    ).rstrip()


def _print_ratios(answers: dict[str, Measured]) -> None:
    print("\nratios of p50")
    for one, other in RATIOS:
        ratio = answers[one].share_seconds(0.5) / answers[other].share_seconds(0.5)
        print(f"  {f'{one} / {other}':<58} {ratio:>6.2f}")


if __name__ == "__main__":
    main()
