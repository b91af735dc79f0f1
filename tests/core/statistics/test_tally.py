"""Statistics against a naive computation of the same, and their bounds."""

from collections import Counter
from statistics import quantiles

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import MS, T0, turn
from sessiond.core.errors import Invalid
from sessiond.core.figures import session, user
from sessiond.core.figures.costs import NO_CALLS
from sessiond.core.model import Costs, SessionKey, Usage, UserKey
from sessiond.core.rows.numbers import numbers_of
from sessiond.core.statistics import buckets, label_sets, tally
from sessiond.core.statistics.answer import Distribution, Group, Statistics, Stats
from sessiond.core.statistics.breakdown import Breakdown

MINUTE = 60 * 10**9
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY
LABELS = ("a", "b", "c", "d", "é")


class Row:
    """A row whose summary may be read once at most, and only where it must."""

    def __init__(self, kind, summary, *, is_sealed=False):
        self.numbers = numbers_of(kind, summary)
        self._summary = summary
        self._is_sealed = is_sealed

    @property
    def summary(self):
        assert not self._is_sealed, "nothing needs more than the numbers"
        return self._summary


def stats_of(rows, *, kind="trace", **asked):
    counted = tally.Tally(Breakdown.asked(kind, **asked))
    for row in rows:
        counted.add(Row(kind, row, is_sealed=asked.get("group_by", "") in ("", "status")))
    return counted.result()


# -- the naive way -------------------------------------------------------------------------------------------------------------


def spread(values):
    """As a Distribution, its percentiles within the rounding to whole units."""
    known = sorted(value for value in values if value is not None)
    if not known:
        return Distribution()
    cuts = quantiles(known, n=100, method="inclusive") if len(known) > 1 else known * 99
    p50, p95, p99 = (pytest.approx(cuts[place - 1], abs=1, rel=1e-12) for place in (50, 95, 99))
    return Distribution(len(known), sum(known), known[0], p50, p95, p99, known[-1])


def known_sum(values):
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def together(row):
    parts = (row.usage.input_tokens, row.usage.output_tokens)
    return known_sum(parts)


def has_failed(row):
    return row.error_count > 0 if hasattr(row, "error_count") else row.failed_trace_count > 0


def naive_statistics(kind, rows):
    found = Statistics(
        count=len(rows),
        failed_count=sum(map(has_failed, rows)),
        input_tokens=known_sum(row.usage.input_tokens for row in rows),
        output_tokens=known_sum(row.usage.output_tokens for row in rows),
        trace_count=len(rows) if kind == "trace" else sum(row.trace_count for row in rows),
        unpriced_call_count=sum(row.costs.unpriced_call_count for row in rows),
        cost_nano=spread(row.costs.total_nano for row in rows),
        total_tokens=spread(map(together, rows)),
    )
    if kind == "user":
        return found
    durations = [row.duration_nano if kind == "session" else row.end_unix_nano - row.start_unix_nano for row in rows]
    return found._replace(duration_nano=spread(durations), ttft_nano=spread(row.ttft_nano for row in rows))


def labels(row, group_by):
    if group_by == "status":
        return ("error" if has_failed(row) else "ok",)
    if group_by.startswith("metadata."):
        return tuple(value for key, value in row.metadata if f"metadata.{key}" == group_by and value)
    found = getattr(row, group_by)
    return found if isinstance(found, tuple) else (found,) if found else ()


def naive_groups(kind, rows, group_by, top):
    """Each group that has rows, with those."""
    groups = [(label, "", [row for row in rows if label in labels(row, group_by)]) for label in top]
    groups.append(("", "others", [row for row in rows if set(labels(row, group_by)) - set(top)]))
    groups.append(("", "none", [row for row in rows if not labels(row, group_by)]))
    return tuple(Group(label, rest, naive_statistics(kind, found)) for label, rest, found in groups if found)


def started(kind, row):
    return row.first_seen_unix_nano if kind == "user" else row.start_unix_nano


def naive(kind, rows, *, bucket_nano=0, group_by="", group_limit=0):
    counts = Counter(label for row in rows for label in labels(row, group_by)) if group_by else Counter()
    top = [label for label, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))][: group_limit or 20]
    groups = naive_groups(kind, rows, group_by, top) if group_by else ()
    found = []
    if bucket_nano and rows:
        monday = 4 * DAY
        places = [(started(kind, row) - monday) // bucket_nano for row in rows]
        for place in range(min(places), max(places) + 1):
            here = [row for row, at in zip(rows, places, strict=True) if at == place]
            parts = naive_groups(kind, here, group_by, top) if group_by else ()
            found.append((monday + place * bucket_nano, naive_statistics(kind, here), parts))
    return Stats(naive_statistics(kind, rows), groups, tuple(found), len(counts))


# -- rows ----------------------------------------------------------------------------------------------------------------------

LABEL_LISTS = st.lists(st.sampled_from(LABELS), unique=True, max_size=3).map(tuple)
COUNTS = st.none() | st.integers(0, 10**6) | st.just(2**40)
TRACES = st.builds(
    lambda start, length, **more: turn(start_ms=start, end_ms=start + length, **more),
    st.sampled_from([0, 1, 59_999]) | st.integers(-(10**8), 10**8),
    st.integers(0, 10**6),
    trace_id=st.binary(min_size=16, max_size=16),
    usage=st.builds(Usage, COUNTS, COUNTS),
    costs=st.builds(lambda total, unpriced: Costs(total, unpriced_call_count=unpriced), COUNTS, st.integers(0, 3)),
    ttft_nano=COUNTS,
    error_count=st.integers(0, 2),
    models=LABEL_LISTS,
    tags=LABEL_LISTS,
    tools=LABEL_LISTS,
    user_id=st.none() | st.sampled_from(LABELS),
    name=st.just("") | st.sampled_from(LABELS),
    metadata=st.sampled_from([(), (("plan", "a"),), (("plan", ""),), (("plan", "b"), ("zone", "a")), (("zone", "b"),)]),
)
TURNS = st.lists(TRACES, min_size=1, max_size=3)
ROWS = {
    "trace": TRACES,
    "session": TURNS.map(lambda traces: session.summarize(SessionKey("default", "s1"), traces)),
    "user": TURNS.map(lambda traces: user.summarize(UserKey("default", "u1"), traces)),
}
GROUPED_BY = {
    "trace": ["", "models", "tags", "user_id", "name", "status", "project", "metadata.plan"],
    "session": ["", "tools", "user_id", "status", "metadata.plan"],
    "user": ["", "models", "tools", "user_id", "project"],
}


@st.composite
def asked_over_rows(draw):
    kind = draw(st.sampled_from(["trace", "session", "user"]))
    asked = {
        "bucket_nano": draw(st.sampled_from([0, HOUR, 5000 * 10**9, DAY, WEEK])),
        "group_by": draw(st.sampled_from(GROUPED_BY[kind])),
        "group_limit": draw(st.sampled_from([0, 1, 2, 3])),
    }
    return kind, draw(st.lists(ROWS[kind], max_size=25)), asked


@settings(deadline=None, max_examples=200)
@given(asked_over_rows())
def test_statistics_are_those_of_a_naive_computation(case):
    kind, rows, asked = case
    assert stats_of(rows, kind=kind, **asked) == naive(kind, rows, **asked)


@settings(deadline=None, max_examples=30)
@given(st.lists(TRACES, max_size=20), st.randoms())
def test_statistics_do_not_depend_on_order(traces, random):
    shuffled = traces[:]
    random.shuffle(shuffled)
    asked = {"bucket_nano": DAY, "group_by": "tags", "group_limit": 2}
    assert stats_of(shuffled, **asked) == stats_of(traces, **asked)


def test_more_rows_than_wait_together_are_counted():
    traces = [turn(start_ms=number, end_ms=number + number % 7) for number in range(3 * tally.WAITING_MAX + 1)]
    assert stats_of(traces, bucket_nano=MINUTE) == naive("trace", traces, bucket_nano=MINUTE)


def test_without_rows_there_are_no_groups_and_no_buckets():
    total = Statistics(0, 0, None, None, 0, 0, *[Distribution()] * 4)
    assert stats_of([], bucket_nano=MINUTE, group_by="models") == Stats(total)
    assert stats_of([], kind="user").total == total._replace(duration_nano=None, ttft_nano=None)


def test_a_figure_that_no_row_has_is_not_0():
    found = stats_of([turn(), turn(costs=NO_CALLS, usage=Usage(0))]).total
    assert (found.input_tokens, found.output_tokens, found.ttft_nano) == (0, None, Distribution())
    assert stats_of([turn(costs=Costs())]).total.cost_nano == Distribution()


def test_a_row_of_several_labels_counts_under_each_and_once_among_the_others():
    traces = [turn(1, models=("a", "b", "c")), turn(2, models=("a",)), turn(3, models=("d", "b")), turn(4)]
    found = stats_of(traces, group_by="models", group_limit=1)
    assert [(group.label, group.rest, group.statistics.count) for group in found.groups] == [
        ("a", "", 2),
        ("", "others", 2),
        ("", "none", 1),
    ]
    assert found.group_count == 4


def test_buckets_leave_no_gap_and_weeks_begin_on_monday():
    monday = 1_767_571_200 * 10**9  # 2026-01-05
    traces = [
        turn(start_unix_nano=start, end_unix_nano=start, models=("a",)) for start in (monday + 3 * WEEK, monday + WEEK - 1, monday)
    ]
    found = stats_of(traces, bucket_nano=WEEK, group_by="models").buckets
    assert [(bucket.start_unix_nano - monday, bucket.total.count, len(bucket.groups)) for bucket in found] == [
        (0, 2, 1),
        (WEEK, 0, 0),
        (2 * WEEK, 0, 0),
        (3 * WEEK, 1, 1),
    ]


def test_sums_stay_within_64_bits():
    assert stats_of([turn(usage=Usage(2**62)), turn(usage=Usage(2**62))]).total.input_tokens == 2**62


# -- bounds --------------------------------------------------------------------------------------------------------------------


def test_too_many_rows_are_refused_with_a_way_out(monkeypatch):
    monkeypatch.setattr(tally, "ROWS_MAX", 3)
    assert stats_of([turn()] * 3).total.count == 3
    with pytest.raises(Invalid, match=r"filter: 3 rows are the most that statistics are made of.*; narrow the filter or the time"):
        stats_of([turn()] * 4)


def test_too_many_labels_are_refused(monkeypatch):
    monkeypatch.setattr(label_sets, "LABELS_MAX", 3)
    enough = [turn(tags=("a", "b")), turn(tags=("a", "b")), turn(tags=("c",))]
    assert stats_of(enough, group_by="tags").group_count == 3
    with pytest.raises(Invalid, match="group_by: 'tags' has too many different labels; narrow the filter or the time"):
        stats_of([*enough, turn(tags=("a",))], group_by="tags")


def test_too_many_buckets_are_refused_as_soon_as_they_are_known():
    counted = tally.Tally(Breakdown.asked("trace", bucket_nano=MINUTE))
    for number in range(tally.WAITING_MAX - 1):
        counted.add(Row("trace", turn(start_ms=number * 10**9)))
    with pytest.raises(Invalid, match=r"bucket: '60s' makes more than 10,000 buckets.*; take a longer one"):
        counted.add(Row("trace", turn()))


def test_groups_in_buckets_are_bounded_together_with_them(monkeypatch):
    monkeypatch.setattr(buckets, "CELLS_MAX", 4)
    traces = [turn(start_ms=0, models=("a",)), turn(start_ms=60_000, models=("a",))]
    assert len(stats_of(traces, bucket_nano=MINUTE, group_by="models").buckets) == 2
    with pytest.raises(Invalid, match="bucket: '60s' makes more than 4 buckets and groups in buckets"):
        stats_of([*traces, turn(models=("b",))], bucket_nano=MINUTE, group_by="models")


def test_times_begin_where_the_clock_of_the_tests_stands():
    (bucket,) = stats_of([turn()], bucket_nano=MINUTE).buckets
    assert bucket.start_unix_nano == T0 - T0 % MINUTE
    assert bucket.total.duration_nano == Distribution(1, *[10 * MS] * 6)
