"""`sessiond stats`."""

import re
import sys
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Final

import click
from google.protobuf.timestamp_pb2 import Timestamp

from sessiond.cli import options
from sessiond.cli.bars import glyphs_for
from sessiond.cli.output import layout_of_stdout, remark, show, show_json
from sessiond.cli.stats_tables import shown
from sessiond.client import StatsOf, StatsResponse
from sessiond.client.rows import Row, row
from sessiond.core.rows.fields import Kind
from sessiond.core.statistics.breakdown import BUCKET_MAX_NANO, BUCKET_MIN_NANO

KINDS: Final[Mapping[str, Kind]] = {"traces": "trace", "sessions": "session", "users": "user"}
"""What may be counted, and of which kind its rows are."""
FIELDS: Final = {
    "model": "models",
    "request_model": "request_models",
    "provider": "providers",
    "service": "services",
    "agent": "agents",
    "tool": "tools",
    "tag": "tags",
    "user": "user_id",
}
"""What `--by` calls a field, where that is not its name."""
_LENGTH: Final = re.compile(r"([0-9]{1,6})([mhdw])")
_UNITS: Final = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_LENGTH_MIN: Final = timedelta(microseconds=BUCKET_MIN_NANO // 1000)
_LENGTH_MAX: Final = timedelta(microseconds=BUCKET_MAX_NANO // 1000)


class LengthType(click.ParamType[timedelta]):
    """A length of time that steps may have."""

    name = "LENGTH"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        found = _LENGTH.fullmatch(str(value))
        if found is None:
            self.fail(f"{value!r} is no length such as 15m, 1h, 1d or 1w", param, ctx)
        length = int(found[1]) * _UNITS[found[2]]
        if not _LENGTH_MIN <= length <= _LENGTH_MAX:
            self.fail(f"{value!r} is not from a minute to a week", param, ctx)
        return length


@click.command()
@click.option("--of", type=click.Choice(list(KINDS)), default="traces", show_default=True, help="What is counted.")
@options.filtered(lambda ctx: KINDS[ctx.params.get("of", "traces")])
@options.project
@options.session_id
@options.user_id
@options.since
@options.until
@click.option("--bucket", type=LengthType(), help="Also by time, in steps of a minute to a week (15m, 1h, 1d, 1w).")
@click.option(
    "--by",
    default="",
    metavar="FIELD",
    help="Also by model, request_model, provider, service, agent, tool, tag, user, name, status, project or metadata.KEY.",
)
@options.as_json
@options.endpoint
def stats(
    *,
    of: StatsOf,
    filter: str,  # noqa: A002  (the option's name)
    project: str,
    session_id: str,
    user_id: str,
    since: Timestamp | None,
    until: Timestamp | None,
    bucket: timedelta | None,
    by: str,
    as_json: bool,
    endpoint: str,
) -> None:
    """Show counts, costs and percentiles, by time and by label.

    Sessions go by their start, users by when they were first seen. With --json the first line is the total, then one object a line:
    groups, then steps of time.
    """
    with options.asking(endpoint) as client:
        answer = client.stats(
            of=of,
            project=project,
            session_id=session_id,
            user_id=user_id,
            since=since,
            until=until,
            filter=filter,
            bucket=bucket,
            group_by=FIELDS.get(by, by),
        )
    if as_json:
        for each in _rows(answer):
            show_json(each)
    elif answer.total.count:
        layout = layout_of_stdout()
        show(*shown(answer, of, by, layout, glyphs_for(sys.stdout.encoding)), layout=layout)
    else:
        remark(f"No {of} match.")


def _rows(answer: StatsResponse) -> Iterator[Row]:
    yield row(answer.total) | {"group_count": answer.group_count}
    yield from map(row, answer.groups)
    yield from map(row, answer.buckets)
