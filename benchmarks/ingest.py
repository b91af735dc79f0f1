"""How fast spans are taken in, beside two rulers measured in the same run: `python -m benchmarks.ingest`.

  echo      grpcio alone: the same bytes on the same method, answered at once (benchmarks/echo.py)
  bare      the least that a durable span store in Python must do (benchmarks/bare.py)
  sessiond  the daemon, until everything sent is acknowledged and every summary settled; without its search index, of which
            benchmarks/indexing.py tells

Machines differ, and the same machine differs from hour to hour; so what counts are the ratios between rulers of one round. Each
run is a fresh process on a fresh store, is sent the same bytes by a process of its own, and is checked to hold all of them after.
"""

import argparse
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.load import Load, write_load
from benchmarks.machine import describe
from benchmarks.rulers import RULERS, Measured, measure

SPANS = 200_000
ROUNDS = 3
RATIOS = (("sessiond", "bare"), ("bare", "echo"))

_ROW = "{:>5}  {:<8} {:>9} {:>9} {:>7} {:>7} {:>7} {:>7} {:>7} {:>9} {:>8}"
_HEAD = _ROW.format("round", "ruler", "spans/s", "acked/s", "p50 ms", "p95 ms", "max ms", "CPU s", "sender", "peak MiB", "disk MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spans", type=int, default=SPANS, help=f"spans to send in each run, at least (default {SPANS})")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"rounds, each with every ruler (default {ROUNDS})")
    parser.add_argument(
        "--dir", type=Path, default=Path(tempfile.gettempdir()), help="where stores are made (default: %(default)s)"
    )
    arguments = parser.parse_args()
    print(describe(arguments.dir))
    with tempfile.TemporaryDirectory(prefix="sessiond-bench-", dir=arguments.dir) as base:
        load = write_load(Path(base) / "load", spans_min=arguments.spans)
        _print_load(load)
        _print_ratios(_rounds(load, Path(base), arguments.rounds))


def _rounds(load: Load, base: Path, count: int) -> list[dict[str, Measured]]:
    """Every ruler in turn, `count` times; each row is printed as soon as it is known."""
    print(f"\n{_HEAD}")
    rounds: list[dict[str, Measured]] = []
    for number in range(1, count + 1):
        rounds.append({})
        for ruler in RULERS:
            measured = rounds[-1][ruler] = measure(ruler, load, base)
            print(_row(number, ruler, measured), flush=True)
    return rounds


def _row(number: int, ruler: str, measured: Measured) -> str:
    latency = measured.request_seconds
    return _ROW.format(
        number,
        ruler,
        f"{measured.spans_per_second:,.0f}",
        f"{measured.span_count / measured.acknowledged_seconds:,.0f}",
        *(f"{latency[int(share * (len(latency) - 1))] * 1000:.1f}" for share in (0.5, 0.95, 1)),
        f"{measured.server.cpu_seconds:.2f}",
        f"{measured.sender.cpu_seconds:.2f}",
        f"{measured.server.memory_bytes_max / 2**20:.0f}",
        f"{measured.disk_bytes / 2**20:.0f}",
    )


def _print_load(load: Load) -> None:
    print(
        f"{load.span_count:,} spans of {load.byte_count / load.span_count:,.0f} bytes in {load.request_count:,} requests: "
        f"{load.trace_count:,} traces, {load.session_count:,} sessions"
    )


def _print_ratios(rounds: list[dict[str, Measured]]) -> None:
    print("\nmedian spans/s")
    for ruler in RULERS:
        print(f"  {ruler:<14} {median(measured[ruler].spans_per_second for measured in rounds):>9,.0f}")
    print("median of each round's ratio")
    for one, other in RATIOS:
        ratios = [measured[one].spans_per_second / measured[other].spans_per_second for measured in rounds]
        print(f"  {one + '/' + other:<14} {median(ratios):>9.3f}   (rounds: {', '.join(f'{ratio:.3f}' for ratio in ratios)})")


if __name__ == "__main__":
    main()
