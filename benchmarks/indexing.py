"""What the search index costs taking spans in, and whether it keeps up: `python -m benchmarks.indexing`.

The load of benchmarks/ingest.py is sent to a daemon without an index and to one with, in turn: as fast as it is taken, and then at
half of that rate. Each run is a fresh daemon on a fresh store.

  acked/s     spans acknowledged a second
  p50, p95    of the time that a request waits for its acknowledgement
  daemon s    processor time of the daemon itself
  all s       the same with its decoders and its indexer
  behind      the most seconds that the index was behind while spans came, looked at four times a second
  after       seconds from the last acknowledgement until the index had everything
"""

import argparse
import json
import tempfile
import threading
import time
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

from benchmarks.asking import Daemon, running_process
from benchmarks.load import Load, write_load
from benchmarks.machine import describe
from benchmarks.processes import Process, cpu_seconds
from benchmarks.searching import is_current
from benchmarks.send import Sent

SPANS: Final = 200_000
ROUNDS: Final = 3
SEND_SECONDS_MAX: Final = 600
LOOK_SECONDS: Final = 0.25

_ROW: Final = "{:>5}  {:<5} {:<8} {:>9} {:>7} {:>7} {:>9} {:>7} {:>7} {:>7}"
_HEAD: Final = _ROW.format("round", "rate", "index", "acked/s", "p50 ms", "p95 ms", "daemon s", "all s", "behind", "after")


class Measured(NamedTuple):
    """One run."""

    spans_per_second: float
    request_seconds: list[float]
    daemon_seconds: float
    all_seconds: float
    behind_seconds: float
    after_seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spans", type=int, default=SPANS, help=f"spans to send in each run, at least (default {SPANS})")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"rounds, each with every run (default {ROUNDS})")
    arguments = parser.parse_args()
    print(describe(Path(tempfile.gettempdir())))
    with tempfile.TemporaryDirectory(prefix="sessiond-bench-") as base:
        load = write_load(Path(base) / "load", spans_min=arguments.spans)
        print(f"\n{_HEAD}")
        _print_ratios([_round(number, load, Path(base)) for number in range(1, arguments.rounds + 1)])


def _round(number: int, load: Load, base: Path) -> dict[tuple[str, bool], Measured]:
    """Every run once; each row is printed as soon as it is known."""
    found: dict[tuple[str, bool], Measured] = {}
    for rate in ("max", "half"):
        for has_index in (False, True):
            per_second = 0.0
            if rate == "half":
                per_second = found["max", False].spans_per_second / 2 * load.request_count / load.span_count
            with tempfile.TemporaryDirectory(dir=base) as directory:
                found[rate, has_index] = measured = _measure(load, Path(directory), per_second, has_index=has_index)
            print(_row(number, rate, measured, has_index=has_index), flush=True)
    return found


def _measure(load: Load, directory: Path, per_second: float, *, has_index: bool) -> Measured:
    with running_process(directory / "data", directory, has_index=has_index) as (process, daemon, otlp):
        watch = _Watch(daemon)
        with Process(directory, "benchmarks.send", str(load.path), otlp, "--per-second", str(per_second)) as sender:
            sender.wait(SEND_SECONDS_MAX)
            sent = Sent(**json.loads(sender.out.read_text()))
        behind = watch.stop()
        while has_index and not (is_current(status := daemon.status().search) and status.trace_count == load.trace_count):
            time.sleep(LOOK_SECONDS / 10)
        after, own = time.monotonic() - sent.last_acknowledgement, cpu_seconds(daemon.pid)
        ended = process.stop()
    rate = load.span_count / (sent.last_acknowledgement - sent.first_send)
    return Measured(rate, sorted(sent.request_seconds), own, ended.cpu_seconds, behind, after if has_index else 0.0)


class _Watch:
    """How far behind the index is at most, until `stop`."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._ended = threading.Event()
        self._most = 0.0
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> float:
        self._ended.set()
        self._thread.join()
        return self._most

    def _run(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            self._most = max(self._most, self._daemon.status().search.behind.ToNanoseconds() / 1e9)


def _row(number: int, rate: str, measured: Measured, *, has_index: bool) -> str:
    times = measured.request_seconds
    return _ROW.format(
        number,
        rate,
        "with" if has_index else "without",
        f"{measured.spans_per_second:,.0f}",
        *(f"{times[int(share * (len(times) - 1))] * 1000:.1f}" for share in (0.5, 0.95)),
        f"{measured.daemon_seconds:.2f}",
        f"{measured.all_seconds:.2f}",
        *(f"{seconds:.1f}" if has_index else "" for seconds in (measured.behind_seconds, measured.after_seconds)),
    ).rstrip()


def _print_ratios(rounds: list[dict[tuple[str, bool], Measured]]) -> None:
    print("\nmedian of each round's ratio, with the index to without")
    for words, rate, field in (
        ("spans/s, as fast as they are taken", "max", "spans_per_second"),
        ("spans/s, at half of that", "half", "spans_per_second"),
        ("processor time of the daemon, at half", "half", "daemon_seconds"),
    ):
        ratios = [getattr(measured[rate, True], field) / getattr(measured[rate, False], field) for measured in rounds]
        print(f"  {words:<40} {median(ratios):>6.3f}   (rounds: {', '.join(f'{ratio:.3f}' for ratio in ratios)})")


if __name__ == "__main__":
    main()
