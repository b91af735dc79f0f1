"""What is asked of a store with a month behind it, and how fast the answer is wanted."""

from collections.abc import Callable
from typing import Final, NamedTuple

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from grpc_health.v1 import health_pb2, health_pb2_grpc

from benchmarks.asking import Ask, Daemon, Measured, repeatedly
from benchmarks.following import follow
from benchmarks.searching import searches
from benchmarks.sessions import (
    BESIDE_UNIX_NANO,
    DAY_NANO,
    LARGE_TRACE_ID,
    LARGE_TRACE_SPANS,
    LONG_SESSION_ID,
    LONG_SESSION_TURNS,
    USER_ID,
)
from benchmarks.turns import MODELS
from sessiond.wire._pb.v1 import session_service_pb2 as pb

PAGE_SIZE: Final = 50
ANSWER_SECONDS_MAX: Final = 600
FLAT_BYTES_MAX: Final = 16 << 20
"""Memory is flat where an answer adds no more: some messages of 1 MiB under way, and what an allocator keeps."""


class Target(NamedTuple):
    """What is wanted of an answer."""

    words: str
    is_met: Callable[[Measured], bool]


class Question(NamedTuple):
    """Something asked. Without a target its time is stated as it is."""

    name: str
    ask: Ask
    rows_min: int = 1
    """An answer with fewer is wrong."""
    target: Target | None = None
    is_stream: bool = False
    """Answered with all rows there are, so that rows a second mean something."""
    has_index: bool = False
    """Whether it is asked of a daemon that keeps the search index."""


def _is_flat(measured: Measured) -> bool:
    return measured.peak_bytes - measured.before_bytes <= FLAT_BYTES_MAX


def below_ms(bound: int) -> Target:
    return Target(f"p50 < {bound} ms", lambda measured: measured.share_seconds(0.5) * 1000 < bound)


def rows_per_second(bound: int) -> Target:
    return Target(f"{bound:,} rows/s, flat", lambda measured: measured.rows_per_second >= bound and _is_flat(measured))


FLAT: Final = Target("flat", _is_flat)


RATIOS: Final = (
    ("sessions: first page", "an empty call"),
    ("stats: a day, by hour and model", "stats: a day"),
    ("sessions: any filter and order", "sessions: all, streamed"),
    ("trace of 30,000 spans, raw", "trace of 30,000 spans"),
)


def questions(session_count: int) -> list[Question]:
    """All of them, in the order in which they are asked, of a store that holds so many sessions at least."""
    model = MODELS[0][1]
    return [
        Question("an empty call", repeatedly(_health)),
        Question("sessions: first page", _sessions(), target=below_ms(5)),
        Question(
            "sessions: of a user, by cost",
            _sessions(filter=f'user_id = "{USER_ID}" AND models:"{model}"', order_by="cost_usd desc"),
            target=below_ms(50),
        ),
        Question("session of 100 traces", repeatedly(_session), LONG_SESSION_TURNS, below_ms(15)),
        Question("sessions: all, streamed", repeatedly(_all_sessions), session_count, rows_per_second(20_000), is_stream=True),
        Question("trace of 30,000 spans", _trace(raw=False), LARGE_TRACE_SPANS, FLAT, is_stream=True),
        Question("trace of 30,000 spans, raw", _trace(raw=True), LARGE_TRACE_SPANS, FLAT, is_stream=True),
        Question("stats: a day", _stats(), LONG_SESSION_TURNS, below_ms(200)),
        Question(
            "stats: a day, by hour and model",
            _stats(bucket_seconds=3600, group_by="models"),
            LONG_SESSION_TURNS,
            below_ms(200),
        ),
        Question(
            "sessions: any filter and order",
            _sessions(filter="duration_ms > p95(duration_ms)", order_by="total_tokens desc"),
        ),
        Question("sessions: by metadata", _sessions(filter='metadata.plan = "team"', order_by="total_tokens desc")),
        Question(
            "traces: any filter and order",
            _traces(filter="input_tokens > 5000 AND status = error", order_by="duration_ms desc"),
        ),
        Question("follow: from ack to seen", follow),
        *(
            Question(name, ask, target=None if bound is None else below_ms(bound), has_index=True)
            for name, (ask, bound) in searches().items()
        ),
    ]


# -- how each is asked ---------------------------------------------------------------------------------------------------------


def _health(daemon: Daemon) -> int:
    """What gRPC itself costs, and a query that settles nothing and reads nothing."""
    health_pb2_grpc.HealthStub(daemon.channel).Check(health_pb2.HealthCheckRequest(), timeout=ANSWER_SECONDS_MAX)
    return 1


def _sessions(filter: str = "", order_by: str = "") -> Ask:  # noqa: A002  (the field's name)
    request = pb.ListSessionsRequest(page_size=PAGE_SIZE, filter=filter, order_by=order_by)
    return repeatedly(lambda daemon: len(daemon.sessions.ListSessions(request, timeout=ANSWER_SECONDS_MAX).sessions))


def _traces(filter: str = "", order_by: str = "") -> Ask:  # noqa: A002  (the field's name)
    request = pb.ListTracesRequest(page_size=PAGE_SIZE, filter=filter, order_by=order_by)
    return repeatedly(lambda daemon: len(daemon.sessions.ListTraces(request, timeout=ANSWER_SECONDS_MAX).traces))


def _stats(*, bucket_seconds: int = 0, group_by: str = "") -> Ask:
    """Over the traces of a day, which are its rows: the day on which the long session and the large trace began."""
    since, until = (Timestamp(seconds=at // 10**9) for at in (BESIDE_UNIX_NANO, BESIDE_UNIX_NANO + DAY_NANO))
    bucket = Duration(seconds=bucket_seconds)
    request = pb.StatsRequest(of=pb.STATS_OF_TRACES, since=since, until=until, bucket=bucket, group_by=group_by)
    return repeatedly(lambda daemon: daemon.sessions.Stats(request, timeout=ANSWER_SECONDS_MAX).total.count)


def _session(daemon: Daemon) -> int:
    answers = daemon.sessions.GetSession(pb.GetSessionRequest(session_id=LONG_SESSION_ID), timeout=ANSWER_SECONDS_MAX)
    return sum(len(answer.traces) for answer in answers)


def _all_sessions(daemon: Daemon) -> int:
    answers = daemon.sessions.StreamSessions(pb.StreamSessionsRequest(), timeout=ANSWER_SECONDS_MAX)
    return sum(len(answer.sessions) for answer in answers)


def _trace(*, raw: bool) -> Ask:
    request = pb.GetTraceRequest(trace_id=LARGE_TRACE_ID.hex(), raw=raw)
    return repeatedly(lambda daemon: sum(map(_span_count, daemon.sessions.GetTrace(request, timeout=ANSWER_SECONDS_MAX))))


def _span_count(answer: pb.GetTraceResponse) -> int:
    """The spans themselves, in either form."""
    scopes = (scope for resource in answer.traces_data.resource_spans for scope in resource.scope_spans)
    return len(answer.raw_spans) + sum(len(scope.spans) for scope in scopes)
