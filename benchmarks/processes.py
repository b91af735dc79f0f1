"""Processes under measurement: started fresh, ended by their own id, with what they used as the kernel counted it."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

HOST = "127.0.0.1"
READY_SECONDS_MAX = 30
READY_POLL_SECONDS = 0.002
END_SECONDS_MAX = 60
END_POLL_SECONDS = 0.01
NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"
"""Not given to what is measured: with it each start compiles all modules anew, for over a quarter of its time."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What a process used, of its own and by children it waited for."""

    exit_code: int
    cpu_seconds: float
    memory_bytes_max: int


class Process:
    """`python -m MODULE ARGUMENTS...`, its output in files of `directory`. Leaving the block kills it if it still runs."""

    def __init__(self, directory: Path, module: str, *arguments: str) -> None:
        self.name = module
        self.out, self._errors = directory / f"{module}.out", directory / f"{module}.err"
        environment = {name: value for name, value in os.environ.items() if name != NO_BYTECODE}
        with self.out.open("wb") as out, self._errors.open("wb") as errors:
            self._popen = subprocess.Popen([sys.executable, "-m", module, *arguments], stdout=out, stderr=errors, env=environment)
        self.pid = self._popen.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._popen.returncode is None:
            os.kill(self.pid, signal.SIGKILL)
            self._popen.wait()

    def stop(self) -> Ended:
        """Ask it to end, and wait."""
        os.kill(self.pid, signal.SIGTERM)
        return self.wait(END_SECONDS_MAX)

    def wait(self, seconds_max: float) -> Ended:
        """Wait for its end. Raises RuntimeError, with what it wrote to stderr, where it fails or takes too long."""
        deadline = time.monotonic() + seconds_max
        while time.monotonic() < deadline:
            pid, status, used = os.wait4(self.pid, os.WNOHANG)
            if pid:
                self._popen.returncode = code = os.waitstatus_to_exitcode(status)
                if code:
                    raise self.failure(f"ended with {code}")
                return Ended(code, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)
            time.sleep(END_POLL_SECONDS)
        raise self.failure(f"did not end within {seconds_max} s")

    def failure(self, what: str) -> RuntimeError:
        return RuntimeError(f"{self.name} {what}\n{self._errors.read_text(errors='replace')}")

    def wait_listening(self, address: str) -> None:
        """Wait until something accepts connections at an address."""
        host, _, port = address.rpartition(":")
        deadline = time.monotonic() + READY_SECONDS_MAX
        while time.monotonic() < deadline:
            try:
                socket.create_connection((host, int(port)), timeout=READY_SECONDS_MAX).close()
            except ConnectionRefusedError:
                if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                    raise self.failure("ended before it listened") from None
                time.sleep(READY_POLL_SECONDS)
            else:
                return
        raise self.failure(f"does not listen on {address}")

    def wait_serving(self, address: str) -> None:
        """Wait until the gRPC health service at an address says SERVING."""
        # A channel that finds nobody waits a second before it tries again, which would be measured: so listening comes first.
        self.wait_listening(address)
        deadline = time.monotonic() + READY_SECONDS_MAX
        with grpc.insecure_channel(address) as channel:
            check = health_pb2_grpc.HealthStub(channel).Check
            while time.monotonic() < deadline:
                answer = check(health_pb2.HealthCheckRequest(), timeout=READY_SECONDS_MAX)
                if answer.status == health_pb2.HealthCheckResponse.SERVING:
                    return
                time.sleep(READY_POLL_SECONDS)
        raise self.failure("is not SERVING")


def memory_bytes(pid: int, kind: str) -> int:
    """A row of /proc/PID/status: VmRSS is all that is resident, RssAnon without mapped files, such as a store's."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(rf"^{kind}:\s+(\d+) kB$", status, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"/proc/{pid}/status has no {kind}")
    return int(found[1]) * 1024


def cpu_seconds(pid: int) -> float:
    """What a process has used so far, in whole ticks of mostly 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    user, system = map(int, fields[11:13])
    return (user + system) / os.sysconf("SC_CLK_TCK")


def free_address() -> str:
    """A loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return f"{HOST}:{probe.getsockname()[1]}"


def serve_arguments(data_dir: Path, otlp: str, query: str) -> list[str]:
    """Arguments of `sessiond` for a daemon on these addresses."""
    options = {"--data-dir": str(data_dir), "--otlp-grpc": otlp, "--query": query, "--otlp-http": "off", "--web": "off"}
    return ["serve", *(word for option in options.items() for word in option)]


def without_index(directory: Path) -> list[str]:
    """More arguments, for one that keeps no search index; their file is in `directory`."""
    config = directory / "without-index.yaml"
    config.write_text("search: {enabled: false}\n")
    return ["--config", str(config)]
