"""The daemon for tests: as a process of its own (`Daemon`), and as its parts in this process (`parts`)."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple, Self, cast

import grpc
import yaml
from grpc_health.v1 import health_pb2, health_pb2_grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse
from pydantic import ByteSize

from builders import RULES
from sessiond.config import Config, Query, Receiver, Search, StoreSettings
from sessiond.core.errors import StoreBroken
from sessiond.core.model import ReceivedSpan
from sessiond.parts import put_together
from sessiond.server.listen import Listener
from sessiond.server.receiver import TRACE_SERVICE
from sessiond.service.asking.follow import Followers
from sessiond.service.asking.query import Queries
from sessiond.service.receiving.ingest import Ingest
from sessiond.service.settling.rules import Rules
from sessiond.service.upkeep.erase import Eraser
from sessiond.service.writer import Writer
from sessiond.storage.api import Appended, Store
from sessiond.storage.lmdb.store import LmdbStore
from sessiond.storage.packing import PackedTrace, Packer
from sessiond.telemetry import Telemetry
from sessiond.wire._pb.v1 import admin_service_pb2 as admin_pb
from sessiond.wire._pb.v1 import (
    admin_service_pb2_grpc,
    feedback_service_pb2_grpc,
    session_service_pb2_grpc,
)
from sessiond.wire._pb.v1 import session_service_pb2 as pb
from sessiond.wire._pb.v1.resources_pb2 import Session, Trace

DEADLINE_SECONDS = 20.0
"""For what takes milliseconds: a test that waits so long has failed."""
LOOPBACK = "127.0.0.1:0"
EXPORT = f"/{TRACE_SERVICE}/Export"
STORE_BYTES_MAX = 1 << 28

_starts = count(1)


def until(holds: Callable[[], object], what: str = "") -> None:
    """Return when `holds()` is true; fail if that takes longer than the deadline."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"never came: {what or holds}"
        time.sleep(0.005)


def merged(settings: dict[str, dict[str, Any]], more: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Sections of settings with `more` over them."""
    return {section: {**settings.get(section, {}), **more.get(section, {})} for section in {**settings, **more}}


# -- a client ------------------------------------------------------------------------------------------------------------------


class Sender:
    """Exports to an address over one channel."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.insecure_channel(address)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()

    def export(
        self, request: ExportTraceServiceRequest | bytes, compression: grpc.Compression | None = None
    ) -> ExportTraceServiceResponse:
        """The answer to a request, or to bytes that pose as one. Raises grpc.RpcError."""
        body = request if isinstance(request, bytes) else request.SerializeToString()
        answer = self._channel.unary_unary(EXPORT)(body, compression=compression, timeout=DEADLINE_SECONDS)
        return ExportTraceServiceResponse.FromString(answer)

    def begin(self, request: ExportTraceServiceRequest) -> grpc.Future:
        """The same without waiting: `result()` is the answer's bytes."""
        return self._channel.unary_unary(EXPORT).future(request.SerializeToString(), timeout=DEADLINE_SECONDS)

    def say_nothing(self) -> bytes:
        """Call, send no message at all, and hang up."""
        return self._channel.stream_unary(EXPORT)(iter(()), timeout=DEADLINE_SECONDS)


class Asker:
    """Asks the query service at an address over one channel."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.insecure_channel(address)
        self.api = session_service_pb2_grpc.SessionServiceStub(self._channel)
        self.admin = admin_service_pb2_grpc.AdminServiceStub(self._channel)
        self.feedback = feedback_service_pb2_grpc.FeedbackServiceStub(self._channel)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()

    def sessions(self, **where: Any) -> list[Session]:
        """Every session, by StreamSessions."""
        request = pb.StreamSessionsRequest(**where)
        return [row for message in self.api.StreamSessions(request, timeout=DEADLINE_SECONDS) for row in message.sessions]

    def traces(self, **where: Any) -> list[Trace]:
        """Every trace, by StreamTraces."""
        request = pb.StreamTracesRequest(**where)
        return [row for message in self.api.StreamTraces(request, timeout=DEADLINE_SECONDS) for row in message.traces]

    def session(self, session_id: str, project: str = "") -> tuple[Session, list[Trace]]:
        """A session and its traces."""
        request = pb.GetSessionRequest(session_id=session_id, project=project)
        first, *rest = self.api.GetSession(request, timeout=DEADLINE_SECONDS)
        return first.session, [trace for message in rest for trace in message.traces]

    def trace(self, trace_id: bytes, *, raw: bool = False) -> list[pb.GetTraceResponse]:
        """A trace's messages."""
        return list(self.api.GetTrace(pb.GetTraceRequest(trace_id=trace_id.hex(), raw=raw), timeout=DEADLINE_SECONDS))

    def status(self) -> admin_pb.GetStatusResponse:
        """How the daemon is."""
        return self.admin.GetStatus(admin_pb.GetStatusRequest(), timeout=DEADLINE_SECONDS)


def health_of(address: str) -> str:
    """What the health service at an address says; "UNREACHABLE" where none answers."""
    with grpc.insecure_channel(address) as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=DEADLINE_SECONDS)
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.UNAVAILABLE  # noqa: PT017  (any other answer is a failure)
            return "UNREACHABLE"
    return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)


# -- the process ---------------------------------------------------------------------------------------------------------------


class Ended(NamedTuple):
    """How a daemon ended."""

    code: int
    stderr: str


class Daemon:
    """A running daemon. As a context manager it is killed at the end, if it was not stopped before."""

    def __init__(self, process: subprocess.Popen[bytes], log_file: Path) -> None:
        self.process = process
        self._log_file = log_file
        self.otlp_grpc = ""
        self.query = ""

    @classmethod
    def start(cls, folder: Path, data_dir: Path | None = None, **settings: dict[str, Any]) -> Self:
        """Start one on free loopback ports and wait until its health service says SERVING.

        Its files are in `folder`, its store in `data_dir` (`folder`/data unless given); `settings` are sections of the
        configuration.
        """
        number = next(_starts)
        config_file, log_file = folder / f"config-{number}.yaml", folder / f"log-{number}"
        own = {
            "receiver": {"otlp_grpc": LOOPBACK},
            "query": {"address": LOOPBACK},
            "store": {"data_dir": str(data_dir or folder / "data")},
            "log": {"format": "json"},
        }
        config_file.write_text(yaml.safe_dump(merged(own, settings)))
        with log_file.open("wb") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-m", "sessiond", "serve", "--config", str(config_file)],
                stdout=stderr,
                stderr=stderr,
                start_new_session=True,  # so that a test can signal it with its children, as a terminal or systemd does
            )
        daemon = cls(process, log_file)
        try:
            daemon._await_ready()
        except BaseException:
            daemon.kill()
            raise
        return daemon

    def _await_ready(self) -> None:
        until(lambda: self.process.poll() is not None or self._ready() is not None, "the log line `ready`")
        ready = self._ready()
        assert ready is not None, f"the daemon ended with {self.process.returncode}: {self.stderr}"
        self.otlp_grpc, self.query = ready["otlp_grpc"], ready["query"]
        for address in (self.otlp_grpc, self.query):
            until(lambda address=address: health_of(address) == "SERVING", f"health of {address}")

    def _ready(self) -> dict[str, str] | None:
        return next((line for line in self.log_lines() if line.get("event") == "ready"), None)

    def log_lines(self) -> list[dict[str, Any]]:
        """The log as far as it is, without a line that is not complete yet."""
        return [json.loads(line) for line in self.stderr.split("\n")[:-1] if line.startswith("{")]

    @property
    def stderr(self) -> str:
        """All that it wrote, to stderr or stdout."""
        return self._log_file.read_text()

    def sender(self) -> Sender:
        """A client of its receiver."""
        return Sender(self.otlp_grpc)

    def asker(self) -> Asker:
        """A client of its query service."""
        return Asker(self.query)

    def children(self) -> list[int]:
        """The ids of the processes that it started and that still run."""
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        return [int(child) for task in tasks for child in task.read_text().split()]

    def stop(self) -> Ended:
        """Send SIGTERM, and return how it ended."""
        self.process.send_signal(signal.SIGTERM)
        return self.ended()

    def kill(self) -> Ended:
        """Send SIGKILL, and return how it ended."""
        self.process.kill()
        return self.ended()

    def ended(self) -> Ended:
        """Wait for its end."""
        return Ended(self.process.wait(DEADLINE_SECONDS), self.stderr)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.kill()


def runs(process_id: int) -> bool:
    """Whether a process is there and not merely waiting for its parent to notice its end."""
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def sessiond(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command `sessiond` to its end."""
    command = [sys.executable, "-m", "sessiond", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False)


# -- the parts -----------------------------------------------------------------------------------------------------------------


class GatedStore:
    """A store whose appends wait while its gate is closed, and fail as `failing` says; all else is the inner store's."""

    def __init__(self, inner: Store) -> None:
        self._inner = inner
        self._gate = threading.Event()
        self._gate.set()
        self.begun: list[list[ReceivedSpan]] = []
        """The spans of each append, from its begin."""
        self.failing: Callable[[Sequence[ReceivedSpan]], Exception | None] = lambda _: None

    def close_gate(self) -> None:
        """Let the next append wait."""
        self._gate.clear()

    def open_gate(self) -> None:
        """Let appends through."""
        self._gate.set()

    def fail_with(self, *errors: Exception | None) -> None:
        """Let the next appends fail, one error each; None lets one through."""
        left = list(errors)
        self.failing = lambda _: left.pop(0) if left else None

    def append(self, traces: Sequence[PackedTrace]) -> Appended:
        spans = [span for packed in traces for span in Packer().unpack(packed)]
        self.begun.append(spans)
        assert self._gate.wait(DEADLINE_SECONDS)
        error = self.failing(spans)
        if error is not None:
            raise error
        return self._inner.append(traces)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class Parts(NamedTuple):
    """The daemon's parts, running."""

    store: GatedStore
    telemetry: Telemetry
    writer: Writer
    ingest: Ingest
    queries: Queries
    followers: Followers
    eraser: Eraser
    receiver: Listener
    query: Listener
    broken: list[StoreBroken]
    """What the writer told when the store broke."""

    def append(self, spans: Sequence[ReceivedSpan]) -> Future[Appended]:
        """Queue spans at the writer."""
        return self.writer.append(Packer().traces(spans))


@contextmanager
def parts(
    data_dir: Path,
    *,
    bytes_max: int = STORE_BYTES_MAX,
    queue_bytes_max: int = 64 << 20,
    requests_bytes_max: int = 64 << 20,
    message_bytes_max: int = 4 << 20,
    spans_max: int = 100_000,
    refuse_erased_seconds: int = 3600,
    rules: Rules = RULES,
    reload: Callable[[], Rules] = lambda: RULES,
    has_index: bool = False,
) -> Iterator[Parts]:
    """Both servers on free loopback ports over an LMDB store in `data_dir`; `reload` gives the rules to reprice by.

    What is there is searched with `has_index` alone: it takes a process.
    """
    config = Config(
        receiver=Receiver(
            otlp_grpc=LOOPBACK,
            message_bytes_max=ByteSize(message_bytes_max),
            spans_max=spans_max,
            threads=16,
            requests_bytes_max=ByteSize(requests_bytes_max),
            queue_bytes_max=ByteSize(queue_bytes_max),
            refuse_erased_seconds=refuse_erased_seconds,
        ),
        query=Query(address=LOOPBACK, threads=8, followers_max=4),
        store=StoreSettings(data_dir=data_dir, bytes_max=ByteSize(bytes_max)),
        search=Search(enabled=has_index),
    )
    broken: list[StoreBroken] = []
    with ExitStack() as running:
        store = GatedStore(LmdbStore.open(data_dir, bytes_max=bytes_max, rules=rules.fingerprint))
        running.callback(store.close)
        made = put_together(config, cast(LmdbStore, store), rules, reload=reload, broken=broken.append)
        made.start(running, grace_seconds=1.0)
        running.callback(store.open_gate)
        yield Parts(
            store,
            made.telemetry,
            made.writer,
            made.ingest,
            made.queries,
            made.followers,
            made.eraser,
            made.receiver,
            made.query,
            broken,
        )
