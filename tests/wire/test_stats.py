"""Requests for statistics -> what is asked, and statistics -> the message that answers."""

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from sessiond.core.errors import Invalid
from sessiond.core.statistics.answer import Bucket, Distribution, Group, Statistics, Stats
from sessiond.core.statistics.breakdown import Breakdown
from sessiond.core.statistics.buckets import CELLS_MAX
from sessiond.wire import stats
from sessiond.wire._pb.v1 import session_service_pb2 as pb

SOME = Statistics(
    count=3,
    failed_count=1,
    input_tokens=10,
    output_tokens=None,
    trace_count=7,
    unpriced_call_count=2,
    cost_nano=Distribution(2, 3_000_000_001, 1, 1_500_000_000, 2_850_000_000, 2_970_000_000, 3_000_000_000),
    total_tokens=Distribution(3, 10, 1, 3, 6, 6, 6),
    duration_nano=Distribution(1, *[2_500_000] * 6),
    ttft_nano=Distribution(),
)
NONE = Statistics(0, 0, None, None, 0, 0, Distribution(), Distribution())


@pytest.mark.parametrize(
    ("of", "kind"),
    [
        (pb.STATS_OF_UNSPECIFIED, "trace"),
        (pb.STATS_OF_TRACES, "trace"),
        (pb.STATS_OF_SESSIONS, "session"),
        (pb.STATS_OF_USERS, "user"),
    ],
)
def test_what_is_asked(of, kind):
    request = pb.StatsRequest(of=of, bucket=Duration(seconds=90, nanos=5), group_by="models", group_limit=3)
    assert stats.breakdown(request) == Breakdown(kind, 90_000_000_005, "models", 3)
    assert stats.breakdown(pb.StatsRequest(of=of)) == Breakdown(kind)


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (pb.StatsRequest(of=99), "of"),
        (pb.StatsRequest(bucket=Duration(seconds=59, nanos=999_999_999)), "bucket"),
        (pb.StatsRequest(bucket=Duration(seconds=-60)), "bucket"),
        (pb.StatsRequest(group_by="model"), "group_by"),
        (pb.StatsRequest(group_limit=-1), "group_limit"),
    ],
)
def test_what_can_not_be_asked_is_named(request_, field):
    with pytest.raises(Invalid) as caught:
        stats.breakdown(request_)
    assert caught.value.field == field


def test_an_answer_is_in_milliseconds_and_dollars():
    found = Stats(
        SOME,
        (Group("a", "", SOME), Group("", "others", NONE), Group("", "none", NONE)),
        (Bucket(1_500_000_000, SOME, (Group("a", "", SOME),)), Bucket(61_500_000_000, NONE, ())),
        12,
    )
    some = pb.Statistics(
        count=3,
        failed_count=1,
        error_rate=1 / 3,
        input_tokens=10,
        trace_count=7,
        unpriced_call_count=2,
        duration_ms=pb.Distribution(count=1, total=2.5, mean=2.5, min=2.5, p50=2.5, p95=2.5, p99=2.5, max=2.5),
        ttft_ms=pb.Distribution(),
        cost_usd=pb.Distribution(count=2, total=3.000000001, mean=1.5000000005, min=1e-9, p50=1.5, p95=2.85, p99=2.97, max=3),
        total_tokens=pb.Distribution(count=3, total=10, mean=10 / 3, min=1, p50=3, p95=6, p99=6, max=6),
    )
    none = pb.Statistics(cost_usd=pb.Distribution(), total_tokens=pb.Distribution())
    assert stats.stats_message(found) == pb.StatsResponse(
        total=some,
        groups=[
            pb.StatsGroup(label="a", statistics=some),
            pb.StatsGroup(rest=pb.StatsGroup.REST_OTHERS, statistics=none),
            pb.StatsGroup(rest=pb.StatsGroup.REST_NONE, statistics=none),
        ],
        buckets=[
            pb.StatsBucket(
                start_time=Timestamp(seconds=1, nanos=500_000_000), total=some, groups=[pb.StatsGroup(label="a", statistics=some)]
            ),
            pb.StatsBucket(start_time=Timestamp(seconds=61, nanos=500_000_000), total=none),
        ],
        group_count=12,
    )


def test_the_largest_answer_is_below_what_clients_take_by_default():
    full = Distribution(2**31, *[123_456_789] * 6)
    large = Statistics(*[2**34] * 6, full, full, full, full)
    found = Stats(large, (), tuple(Bucket(2**60 + n, large, ()) for n in range(CELLS_MAX)))
    assert stats.stats_message(found).ByteSize() < 4 << 20
