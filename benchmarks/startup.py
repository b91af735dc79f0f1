"""What a daemon costs that does nothing: `python -m benchmarks.startup`.

Start is from the creation of the process until the health service answers SERVING, on an empty store, with the packages' bytecode
compiled by a run that is not counted. Memory is what is resident two seconds later (VmRSS), when nothing has been asked of it.
"""

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.machine import describe
from benchmarks.processes import Process, free_address, memory_bytes, serve_arguments

RUNS = 7
IDLE_SECONDS = 2.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=RUNS, help=f"starts that are counted (default {RUNS})")
    runs = parser.parse_args().runs
    print(describe(Path(tempfile.gettempdir())))
    _start()
    seconds, resident_bytes = zip(*(_start() for _ in range(runs)), strict=True)
    print(f"start to ready   median {median(seconds) * 1000:,.0f} ms ({min(seconds) * 1000:,.0f} to {max(seconds) * 1000:,.0f})")
    print(f"resident, idle   median {median(resident_bytes) / 2**20:.1f} MiB ({runs} runs)")


def _start() -> tuple[float, int]:
    """Start a daemon and end it: (seconds until ready, bytes resident when idle)."""
    with tempfile.TemporaryDirectory(prefix="sessiond-start-") as directory:
        otlp, query = free_address(), free_address()
        began = time.monotonic()
        with Process(Path(directory), "sessiond", *serve_arguments(Path(directory) / "data", otlp, query)) as daemon:
            daemon.wait_serving(query)
            seconds = time.monotonic() - began
            time.sleep(IDLE_SECONDS)
            resident_bytes = memory_bytes(daemon.pid, "VmRSS")
            daemon.stop()
    return seconds, resident_bytes


if __name__ == "__main__":
    main()
