"""A daemon of its own for the demonstration, and the command line over it; both as a user would start them."""

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

READY_SECONDS_MAX: Final = 10.0
READY_POLL_SECONDS: Final = 0.05
STOP_SECONDS_MAX: Final = 10.0
COMMAND_SECONDS_MAX: Final = 10.0
LOG_FILE: Final = "daemon.log"


class Daemon:
    """`sessiond serve` on free ports and in `directory`, from `__enter__` to `stop`; leaving the block without `stop` kills it."""

    def __init__(self, directory: Path) -> None:
        self.otlp, self.query = _free_address(), _free_address()
        self._log = directory / LOG_FILE
        self._arguments = ["--data-dir", str(directory / "data"), "--otlp-grpc", self.otlp, "--query", self.query]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen([sys.executable, "-m", "sessiond", "serve", *self._arguments], stderr=log)
        try:
            self._wait_ready(self._process)
        except BaseException:
            self._kill()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._kill()

    def stop(self) -> int:
        """End it as a supervisor would, with SIGTERM; its exit code."""
        assert self._process is not None, "the daemon runs inside its block only"
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(STOP_SECONDS_MAX)

    def show(self, *arguments: str) -> None:
        """Run `sessiond ARGUMENTS...` with its command line above what it writes."""
        print(f"\n$ sessiond {shlex.join(arguments)}", flush=True)
        subprocess.run(self._command(arguments), env=self._environment(), check=True, timeout=COMMAND_SECONDS_MAX)

    def rows(self, *arguments: str) -> list[dict[str, Any]]:
        """What `sessiond ARGUMENTS... --json` writes."""
        command = self._command([*arguments, "--json"])
        ran = subprocess.run(
            command, env=self._environment(), check=True, timeout=COMMAND_SECONDS_MAX, stdout=subprocess.PIPE, text=True
        )
        return [json.loads(line) for line in ran.stdout.splitlines()]

    def log(self) -> str:
        """What it has logged."""
        return self._log.read_text(errors="replace")

    def _command(self, arguments: list[str] | tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "sessiond", *arguments]

    def _environment(self) -> dict[str, str]:
        return os.environ | {"SESSIOND_ENDPOINT": self.query}

    def _wait_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + READY_SECONDS_MAX
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise RuntimeError(f"sessiond ended with {process.returncode}:\n{self.log()}")
            if _is_serving(self.query):
                return
            time.sleep(READY_POLL_SECONDS)
        raise RuntimeError(f"sessiond is not ready after {READY_SECONDS_MAX} s:\n{self.log()}")

    def _kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()


def _is_serving(address: str) -> bool:
    """What the health service says; False where nobody answers. A fresh channel each time, since one that failed waits a second."""
    with grpc.insecure_channel(address) as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=1)
        except grpc.RpcError:
            return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def _free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"
