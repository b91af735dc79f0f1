"""Statistics against a naive computation of the same."""

from builders import T0, turn
from sessiond.core.breakdown import Breakdown
from sessiond.core.model import Costs, Usage
from sessiond.core.numbers import numbers_of
from sessiond.core.stats import Distribution
from sessiond.core.tally import Tally


class Row:
    def __init__(self, kind, summary):
        self.numbers = numbers_of(kind, summary)
        self.summary = summary


def stats_of(traces, **asked):
    tally = Tally(Breakdown.asked("trace", **asked))
    for trace in traces:
        tally.add(Row("trace", trace))
    return tally.result()


def test_nothing():
    found = stats_of([], bucket_nano=60 * 10**9, group_by="models")
    assert (found.total.count, found.total.duration_nano, found.groups, found.buckets) == (0, Distribution(), (), ())


def test_a_few():
    traces = [
        turn(1, models=("a", "b"), usage=Usage(1, None), costs=Costs(5)),
        turn(2, start_ms=120_000, end_ms=120_001, models=("b",), error_count=1),
        turn(3),
    ]
    found = stats_of(traces, bucket_nano=60 * 10**9, group_by="models", group_limit=1)
    assert [(g.label, g.rest, g.statistics.count) for g in found.groups] == [("b", "", 2), ("", "others", 1), ("", "none", 1)]
    assert [(b.start_unix_nano - T0, b.total.count) for b in found.buckets] == [(-20 * 10**9, 2), (40 * 10**9, 0), (100 * 10**9, 1)]
