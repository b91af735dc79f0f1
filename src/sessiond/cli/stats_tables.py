"""Statistics as a person reads them: a block of totals, then tables of distributions, by label, and by time."""

from collections.abc import Callable, Iterator, Sequence
from math import ceil
from typing import Final, NamedTuple

from google.protobuf.timestamp_pb2 import Timestamp
from rich.table import Table
from rich.text import Text

from sessiond.cli.bars import Glyphs, bar, trend
from sessiond.cli.columns import tokens
from sessiond.cli.output import Layout
from sessiond.cli.render import Column, Fact, block, count, failures, table, text
from sessiond.cli.text import ABSENT, dollars, duration, number, plural
from sessiond.client import Distribution, Statistics, StatsBucket, StatsGroup, StatsResponse

BAR_WIDTH: Final = 20
TREND_WIDTH: Final = 24
LABEL_WIDTH_MAX: Final = 40
BUCKETS_SHOWN: Final = 1000
"""More than a person reads; --json has them all."""
_DAY_SECONDS: Final = 86400


class Line(NamedTuple):
    """A line of a table by label or by time."""

    label: Text
    statistics: Statistics
    trend: str = ""
    """How many rows the label has over time."""


class Spread(NamedTuple):
    """A line of the table of distributions."""

    label: str
    found: Distribution
    render: Callable[[float], str]


def shown(answer: StatsResponse, of: str, by: str, layout: Layout, glyphs: Glyphs) -> Iterator[Table | str]:
    """All of an answer that has rows. `of` is the plural of what was counted, `by` what it was grouped by."""
    yield block(_totals(answer.total, of))
    yield ""
    yield table(_SPREAD_COLUMNS, list(_spreads(answer.total)), layout)
    if answer.groups:
        yield ""
        yield _lines_table(by, of, list(_by_label(answer, by, glyphs)), layout, glyphs)
    if answer.buckets:
        yield ""
        yield from _more_before(len(answer.buckets) - BUCKETS_SHOWN)
        yield _lines_table("from (utc)", of, list(_by_time(answer.buckets[-BUCKETS_SHOWN:])), layout, glyphs)


def _totals(total: Statistics, of: str) -> Iterator[Fact]:
    rate = f", {total.failed_count:,} failed ({total.error_rate:.1%})"
    yield Fact(of, Text(number(total.count)).append(rate, "bold red" if total.failed_count else ""))
    if of != "traces":
        yield Fact("turns", count(total.trace_count))
    unpriced = f" ({plural(total.unpriced_call_count, 'call')} without a price)" if total.unpriced_call_count else ""
    yield Fact("cost", _cost(total).append(unpriced))
    yield Fact("tokens in / out", tokens(total))


def _spreads(total: Statistics) -> Iterator[Spread]:
    if total.HasField("duration_ms"):
        yield Spread("duration", total.duration_ms, duration)
    if total.HasField("ttft_ms"):
        yield Spread("first token", total.ttft_ms, duration)
    yield Spread("cost", total.cost_usd, dollars)
    yield Spread("tokens", total.total_tokens, lambda value: number(round(value)))


def _by_label(answer: StatsResponse, by: str, glyphs: Glyphs) -> Iterator[Line]:
    labelled = sum(group.rest == StatsGroup.REST_UNSPECIFIED for group in answer.groups)
    rests = {
        StatsGroup.REST_OTHERS: f"({plural(answer.group_count - labelled, 'other')})",
        StatsGroup.REST_NONE: f"(no {by})",
    }
    for group in answer.groups:
        label = text(rests[group.rest], "dim") if group.rest in rests else text(group.label)
        over_time = trend([_count_in(bucket, group) for bucket in answer.buckets], TREND_WIDTH, glyphs)
        yield Line(label, group.statistics, over_time)


def _count_in(bucket: StatsBucket, group: StatsGroup) -> int:
    return next((one.statistics.count for one in bucket.groups if (one.label, one.rest) == (group.label, group.rest)), 0)


def _by_time(buckets: Sequence[StatsBucket]) -> Iterator[Line]:
    has_days = all(bucket.start_time.seconds % _DAY_SECONDS == 0 for bucket in buckets)
    for bucket in buckets:
        yield Line(Text(_utc(bucket.start_time, "%Y-%m-%d" if has_days else "%Y-%m-%d %H:%M")), bucket.total)


def _utc(time: Timestamp, form: str) -> str:
    return time.ToDatetime().strftime(form)


def _more_before(hidden_count: int) -> Iterator[str]:
    if hidden_count > 0:
        yield f"{hidden_count:,} steps before these; --json shows all"


def _lines_table(label: str, of: str, lines: Sequence[Line], layout: Layout, glyphs: Glyphs) -> Table:
    most = max(line.statistics.count for line in lines)
    columns = [
        Column[Line](label.upper(), lambda line: line.label, width_max=LABEL_WIDTH_MAX),
        Column[Line](of.upper(), lambda line: count(line.statistics.count), justify="right"),
        Column[Line]("", lambda line: _bar(line.statistics, most, glyphs), rank=3),
        *([Column[Line]("OVER TIME", lambda line: Text(line.trend), rank=4)] if lines[0].trend else []),
        Column[Line]("FAILED", lambda line: failures(line.statistics.failed_count), rank=1, justify="right"),
        Column[Line]("COST", lambda line: _cost(line.statistics), rank=2, justify="right"),
        Column[Line]("TOKENS IN / OUT", lambda line: tokens(line.statistics), rank=6, justify="right"),
        *(_DURATIONS if lines[0].statistics.HasField("duration_ms") else []),
    ]
    return table(columns, lines, layout)


def _bar(found: Statistics, most: int, glyphs: Glyphs) -> Text:
    """How many rows there are; in red, at the end, those that failed."""
    line = bar(found.count, most, BAR_WIDTH, glyphs)
    well = len(line) - ceil(len(line) * found.error_rate)
    return Text.assemble((line[:well], "cyan"), (line[well:], "red"))


def _cost(found: Statistics) -> Text:
    """In dollars; with a `+` where it is not all, since some calls have no price."""
    more = "+" if found.unpriced_call_count and found.cost_usd.count else ""
    return Text(dollars(found.cost_usd.total if found.cost_usd.count else None) + more)


def _cell(found: Distribution, name: str, render: Callable[[float], str]) -> Text:
    return Text(render(getattr(found, name)) if found.HasField(name) else ABSENT)


def _spread_column(name: str, rank: int = 0) -> Column[Spread]:
    return Column(name.upper(), lambda spread: _cell(spread.found, name, spread.render), rank=rank, justify="right")


_SPREAD_COLUMNS: Final = (
    Column[Spread]("", lambda spread: Text(spread.label, "bold")),
    Column[Spread]("ROWS", lambda spread: count(spread.found.count), rank=3, justify="right"),
    _spread_column("mean", rank=1),
    _spread_column("p50"),
    _spread_column("p95"),
    _spread_column("p99"),
    _spread_column("max", rank=2),
)
_DURATIONS: Final = (
    Column[Line]("DURATION P50", lambda line: _cell(line.statistics.duration_ms, "p50", duration), rank=5, justify="right"),
    Column[Line]("P95", lambda line: _cell(line.statistics.duration_ms, "p95", duration), rank=5, justify="right"),
    Column[Line]("FIRST TOKEN P50", lambda line: _cell(line.statistics.ttft_ms, "p50", duration), rank=7, justify="right"),
)
