"""A request for statistics -> what is asked; statistics -> the message that answers it."""

from collections.abc import Mapping
from typing import Final

from sessiond.core.errors import Invalid
from sessiond.core.rows.fields import Kind
from sessiond.core.statistics.answer import Bucket, Distribution, Group, Rest, Statistics, Stats
from sessiond.core.statistics.breakdown import Breakdown
from sessiond.wire._pb.v1 import session_service_pb2 as pb
from sessiond.wire.api import NANO_PER_MILLI, NANO_PER_USD, timestamp

KINDS: Final[Mapping[int, Kind]] = {
    pb.STATS_OF_UNSPECIFIED: "trace",
    pb.STATS_OF_TRACES: "trace",
    pb.STATS_OF_SESSIONS: "session",
    pb.STATS_OF_USERS: "user",
}
_RESTS: Final[Mapping[Rest, pb.StatsGroup.Rest]] = {
    "": pb.StatsGroup.REST_UNSPECIFIED,
    "others": pb.StatsGroup.REST_OTHERS,
    "none": pb.StatsGroup.REST_NONE,
}


def breakdown(request: pb.StatsRequest) -> Breakdown:
    """What a request asks for, apart from which rows. Raises Invalid."""
    kind = KINDS.get(request.of)
    if kind is None:
        raise Invalid("of", request.of, "is no StatsOf")
    bucket_nano = request.bucket.seconds * 10**9 + request.bucket.nanos
    return Breakdown.asked(kind, bucket_nano=bucket_nano, group_by=request.group_by, group_limit=request.group_limit)


def stats_message(stats: Stats) -> pb.StatsResponse:
    """The answer: durations in milliseconds, costs in dollars."""
    return pb.StatsResponse(
        total=_statistics(stats.total),
        groups=map(_group, stats.groups),
        buckets=map(_bucket, stats.buckets),
        group_count=stats.group_count,
    )


def _bucket(bucket: Bucket) -> pb.StatsBucket:
    return pb.StatsBucket(
        start_time=timestamp(bucket.start_unix_nano), total=_statistics(bucket.total), groups=map(_group, bucket.groups)
    )


def _group(group: Group) -> pb.StatsGroup:
    return pb.StatsGroup(label=group.label, rest=_RESTS[group.rest], statistics=_statistics(group.statistics))


def _statistics(found: Statistics) -> pb.Statistics:
    return pb.Statistics(
        count=found.count,
        failed_count=found.failed_count,
        error_rate=found.failed_count / found.count if found.count else None,
        input_tokens=found.input_tokens,
        output_tokens=found.output_tokens,
        trace_count=found.trace_count,
        unpriced_call_count=found.unpriced_call_count,
        duration_ms=_distribution(found.duration_nano, NANO_PER_MILLI),
        ttft_ms=_distribution(found.ttft_nano, NANO_PER_MILLI),
        cost_usd=_distribution(found.cost_nano, NANO_PER_USD),
        total_tokens=_distribution(found.total_tokens, 1),
    )


def _distribution(found: Distribution | None, unit: int) -> pb.Distribution | None:
    """In a unit that is so many of the core's."""
    if found is None:
        return None

    def shown(value: int | None, rows: int = 1) -> float | None:
        return None if value is None else value / (rows * unit)

    return pb.Distribution(
        count=found.count,
        total=shown(found.total),
        mean=shown(found.total, found.count),
        min=shown(found.min),
        p50=shown(found.p50),
        p95=shown(found.p95),
        p99=shown(found.p99),
        max=shown(found.max),
    )
