"""`sessiond export`."""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import IO, Final, Literal, NamedTuple, TypeAlias, Unpack

import click

from sessiond.cli import options
from sessiond.cli.lazy import Failed, Refused
from sessiond.cli.output import remark
from sessiond.cli.progress import Bar, bar
from sessiond.cli.text import feedback, plural
from sessiond.client import Client, FeedbackBatch, FollowConditions, GetStatusResponse, SpanBatch, StatsOf
from sessiond.client.rows import Row, session_row, trace_row, user_row
from sessiond.core.rows.fields import FIELDS, Kind
from sessiond.files import feedback_json
from sessiond.files.feedback_json import AnyFeedback
from sessiond.files.frames import framed
from sessiond.files.otlp_json import line_of
from sessiond.files.parquet import NotInstalled, write_parquet
from sessiond.files.written import COMPRESSED, STDOUT, feedback_beside, is_stream, written

What: TypeAlias = Literal["sessions", "traces", "users", "spans", "feedback"]
FormatName: TypeAlias = Literal["jsonl", "parquet", "protobuf"]

KINDS: Final[Mapping[StatsOf, Kind]] = {"sessions": "session", "traces": "trace", "users": "user"}
WHAT: Final[tuple[What, ...]] = ("sessions", "traces", "users", "spans", "feedback")


class Format(NamedTuple):
    """How a file is written."""

    endings: tuple[str, ...]
    """Of names of files that mean it, before the end that tells of compression."""
    what: tuple[What, ...]
    """What can be written so."""


FORMATS: Final[Mapping[FormatName, Format]] = {
    "jsonl": Format((".jsonl", ".json"), WHAT),
    "parquet": Format((".parquet",), ("sessions", "traces", "users")),
    "protobuf": Format((".binpb", ".pb"), ("spans",)),
}
_ENDINGS: Final = ", ".join(format_.endings[0] for format_ in FORMATS.values())


@click.command()
@click.argument("what", type=click.Choice(WHAT))
@click.argument("file", type=click.Path(dir_okay=False))
@click.option(
    "--format",
    "format_",
    type=click.Choice(list(FORMATS)),
    help=f"How it is written; where not given, by the end of the name: {_ENDINGS}.",
)
@click.option(
    "--of",
    type=click.Choice(list(KINDS)),
    default="traces",
    show_default=True,
    help="Of spans and feedback: what the conditions are about. Of sessions and users come those of all their traces.",
)
@options.filtered(lambda ctx: KINDS.get(ctx.params.get("what", ""), KINDS[ctx.params.get("of", "traces")]))
@options.project
@options.session_id
@options.user_id
@options.since
@options.until
@options.endpoint
def export(
    *, what: What, file: str, format_: FormatName | None, of: StatsOf, endpoint: str, **conditions: Unpack[FollowConditions]
) -> None:
    """Write sessions, traces, users, spans or feedback to a file.

    What matches: the figures of sessions, traces or users, as JSON lines or Parquet; or spans with their times of arrival, as OTLP
    in JSON lines or protobuf, which `sessiond import` and an OpenTelemetry Collector read; or feedback, scores and annotations, as
    JSON lines. Beside a file of spans the feedback on them is written to FILE.feedback.jsonl, if there is any. A FILE that ends in
    .zst is compressed; - is standard output. A file is there when all of it is.
    """
    chosen = _format(what, file, format_)
    with options.asking(endpoint) as client:
        total = None if any(conditions.values()) else _count(client.status(), what)
        told: list[str] = []
        with written(file) as stream:
            with bar(what, total) as shown:
                if what == "feedback":
                    _write_feedback(client.export_feedback(of=of, **conditions), stream, shown)
                elif what == "spans":
                    _write_spans(client.export_spans(of=of, **conditions), chosen, stream, shown)
                else:
                    _write_rows(shown.each(_rows(client, what, conditions)), KINDS[what], chosen, stream)
            told.append(f"{_counted(shown.count, what)} exported")
            if what == "spans" and not is_stream(file):  # within, so that spans never stand there without it
                told += _export_feedback(client.export_feedback(of=of, **conditions), feedback_beside(file))
    for line in told:
        remark(line)


def _format(what: What, file: str, given: FormatName | None) -> FormatName:
    """The format that is meant. Raises Refused where it is not told, or not one for this."""
    name = file.removesuffix(COMPRESSED)
    meant: FormatName | None = next((one for one, format_ in FORMATS.items() if name.endswith(format_.endings)), None)
    chosen = given or ("jsonl" if file == STDOUT else meant)
    if chosen is None:
        raise Refused(f"{file}: its name does not tell how to write it; give --format, or a name that ends in {_ENDINGS}")
    if what not in FORMATS[chosen].what:
        raise Refused(f"{chosen} is for {', '.join(FORMATS[chosen].what)}, not for {what}; give another --format or name")
    return chosen


def _counted(count: int, what: What) -> str:
    return feedback(count) if what == "feedback" else plural(count, what.removesuffix("s"))


def _count(status: GetStatusResponse, what: What) -> int | None:
    """How many there are of all, where that is known."""
    counts: Mapping[What, int] = {
        "sessions": status.session_count,
        "traces": status.trace_count,
        "users": status.user_count,
        "spans": status.span_count,
    }
    return counts.get(what)


def _rows(client: Client, what: StatsOf, conditions: FollowConditions) -> Iterator[Row]:
    if what == "sessions":
        return map(session_row, client.sessions(**conditions))
    if what == "traces":
        return map(trace_row, client.traces(**conditions))
    if conditions["session_id"] or conditions["user_id"]:
        raise Refused("users are not found by --session or --user; give a --filter, such as 'user_id = \"u1\"'")
    return map(
        user_row,
        client.users(
            project=conditions["project"], since=conditions["since"], until=conditions["until"], filter=conditions["filter"]
        ),
    )


def _write_rows(rows: Iterable[Row], kind: Kind, format_: FormatName, stream: IO[bytes]) -> None:
    if format_ == "parquet":
        try:
            write_parquet(rows, FIELDS[kind], stream)
        except NotInstalled as error:
            raise Failed("Parquet needs pyarrow; install it with `pip install 'sessiond[parquet]'`, or write .jsonl") from error
    else:
        for row in rows:
            stream.write(json.dumps(row).encode() + b"\n")


def _write_spans(batches: Iterable[SpanBatch], format_: FormatName, stream: IO[bytes], shown: Bar) -> None:
    for batch in batches:
        stream.write(framed(batch.SerializeToString()) if format_ == "protobuf" else line_of(batch).encode() + b"\n")
        shown.advance(len(batch.received_unix_nanos))


def _write_feedback(batches: Iterable[FeedbackBatch], stream: IO[bytes], shown: Bar) -> None:
    for batch in batches:
        items: Iterable[AnyFeedback] = chain(batch.scores, batch.annotations)
        for item in shown.each(items):
            stream.write(feedback_json.line_of(item).encode() + b"\n")


def _export_feedback(batches: Iterator[FeedbackBatch], file: str) -> Iterator[str]:
    """Write a file of feedback, and tell of it; where there is none, see that none of an export before stands there."""
    first = next(batches, None)
    if first is None:
        Path(file).unlink(missing_ok=True)
        return
    with written(file) as stream, bar("scores and annotations", None) as shown:
        _write_feedback(chain([first], batches), stream, shown)
    yield f"{_counted(shown.count, 'feedback')} exported to {file}"
