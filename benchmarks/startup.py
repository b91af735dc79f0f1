"""What a daemon costs that does nothing: `python -m benchmarks.startup`.

Start is from the creation of the process until the health service answers SERVING, on an empty store, with the packages' bytecode
compiled by a run that is not counted. Memory is what is resident two seconds later (VmRSS), when nothing has been asked of it.
"""

import argparse
import re
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.machine import describe
from benchmarks.processes import Process, free_address, serve_arguments

RUNS = 7
IDLE_SECONDS = 2.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=RUNS, help=f"starts that are counted (default {RUNS})")
    runs = parser.parse_args().runs
    print(describe(Path(tempfile.gettempdir())))
    _start()
    seconds, memory_bytes = zip(*(_start() for _ in range(runs)), strict=True)
    print(f"start to ready   median {median(seconds) * 1000:,.0f} ms ({min(seconds) * 1000:,.0f} to {max(seconds) * 1000:,.0f})")
    print(f"resident, idle   median {median(memory_bytes) / 2**20:.1f} MiB ({runs} runs)")


def _start() -> tuple[float, int]:
    """Start a daemon and end it: (seconds until ready, bytes resident when idle)."""
    with tempfile.TemporaryDirectory(prefix="sessiond-start-") as directory:
        otlp, query = free_address(), free_address()
        began = time.monotonic()
        with Process(Path(directory), "sessiond", *serve_arguments(Path(directory) / "data", otlp, query)) as daemon:
            daemon.wait_serving(query)
            seconds = time.monotonic() - began
            time.sleep(IDLE_SECONDS)
            memory_bytes = _resident_bytes(daemon.pid)
            daemon.stop()
    return seconds, memory_bytes


def _resident_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"/proc/{pid}/status has no VmRSS")
    return int(found[1]) * 1024


if __name__ == "__main__":
    main()
