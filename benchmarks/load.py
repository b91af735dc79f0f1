"""The load: agent traces as OTLP requests, serialised once into a file, so that every ruler and round is sent the same bytes.

A request holds 512 spans, which is what an SDK's batch processor exports: 64 whole traces of 8 spans, about 1 KB a span. Ten traces
make a session, and 100 sessions are under way at a time with their turns alternating, so that a session is touched again and again.
Trace ids are random, which is what a store has to cope with.

Nothing is made while a clock runs. Making the file holds one request in memory, sending it holds all of them.
"""

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans

from benchmarks.traces import SPANS_PER_TRACE, agent_trace, attributes

SPANS_PER_REQUEST = 512
TRACES_PER_REQUEST = SPANS_PER_REQUEST // SPANS_PER_TRACE
TRACES_PER_SESSION = 10
LIVE_SESSIONS = 100
USERS = 1000
SPANS_MAX = 2_000_000
"""A sender holds the load in memory: 2 GB at most."""

SEED = 20_260_105
FIRST_START_UNIX_NANO = 1_767_600_000 * 10**9
TRACE_INTERVAL_NANO = 20 * 10**6

_RESOURCE = {
    "service.name": "travel-assistant",
    "service.version": "2.4.1",
    "deployment.environment.name": "production",
    "telemetry.sdk.name": "opentelemetry",
    "telemetry.sdk.language": "python",
}
_LENGTH = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Load:
    """A load in a file, and what a receiver must hold once all of it is taken."""

    path: Path
    request_count: int
    span_count: int
    trace_count: int
    session_count: int
    byte_count: int


def write_load(path: Path, *, spans_min: int) -> Load:
    """Make a load of at least `spans_min` spans, in whole requests. The same number gives the same bytes."""
    if not 0 < spans_min <= SPANS_MAX:
        raise SystemExit(f"the number of spans must be between 1 and {SPANS_MAX}")
    chance = random.Random(SEED)
    request_count = -(-spans_min // SPANS_PER_REQUEST)
    trace_count = request_count * TRACES_PER_REQUEST
    with path.open("wb") as file:
        for first in range(0, trace_count, TRACES_PER_REQUEST):
            body = _request(chance, range(first, first + TRACES_PER_REQUEST)).SerializeToString()
            file.write(_LENGTH.pack(len(body)) + body)
        byte_count = file.tell() - request_count * _LENGTH.size
    return Load(
        path=path,
        request_count=request_count,
        span_count=request_count * SPANS_PER_REQUEST,
        trace_count=trace_count,
        session_count=len(set(map(_session_at, range(trace_count)))),
        byte_count=byte_count,
    )


def read_load(path: Path) -> Iterator[bytes]:
    """The requests of a load, in order."""
    with path.open("rb") as file:
        while head := file.read(_LENGTH.size):
            yield file.read(_LENGTH.unpack(head)[0])


def _session_at(place: int) -> int:
    """The session of the trace at a place in the load: blocks of sessions, whose turns alternate."""
    block, within = divmod(place, LIVE_SESSIONS * TRACES_PER_SESSION)
    return block * LIVE_SESSIONS + within % LIVE_SESSIONS


def _request(chance: random.Random, places: range) -> ExportTraceServiceRequest:
    spans = [
        span
        for place in places
        for span in agent_trace(
            chance,
            session_id=f"session-{_session_at(place):08}",
            user_id=f"user-{_session_at(place) % USERS:04}",
            start_unix_nano=FIRST_START_UNIX_NANO + place * TRACE_INTERVAL_NANO,
        )
    ]
    scope = InstrumentationScope(name="opentelemetry.instrumentation.genai", version="1.2.0")
    resource = Resource(attributes=attributes(_RESOURCE))
    return ExportTraceServiceRequest(
        resource_spans=[ResourceSpans(resource=resource, scope_spans=[ScopeSpans(scope=scope, spans=spans)])]
    )
