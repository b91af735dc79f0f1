"""`sessiond import`."""

from collections import deque
from collections.abc import Iterator, Sequence

import click

from sessiond.cli import options
from sessiond.cli.lazy import EXIT_FAILED
from sessiond.cli.output import remark
from sessiond.cli.progress import Bar, bar
from sessiond.cli.text import plural
from sessiond.client import Client, SpanBatch
from sessiond.files.batches import batches
from sessiond.files.opened import Source, opened


@click.command("import")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@options.endpoint
@click.pass_context
def import_(ctx: click.Context, *, files: Sequence[str], endpoint: str) -> None:
    """Read spans from files into the running daemon.

    Takes what `sessiond export spans` and the OpenTelemetry Collector's file exporter write, JSON lines or protobuf, compressed or
    not; - is standard input. Spans keep the times of arrival that the file tells, and arrive now where it tells none. Importing the
    same again changes nothing, so what was cut short can be started again. What can't be read or is refused is told with its place,
    costs only itself, and makes the exit code 1.
    """
    problems = 0
    with options.asking(endpoint) as client:
        for file in files:
            with opened(file) as source, bar("spans", source.size) as shown:
                problems += _imported(client, source, shown)
            click.echo(f"{source.name}: {plural(shown.count, 'span')} imported")
    if problems:
        remark(f"{plural(problems, 'problem')}; all else was imported")
        ctx.exit(EXIT_FAILED)


def _imported(client: Client, source: Source, shown: Bar) -> int:
    """Import a file, and tell on stderr what could not be; how many such places there were."""
    problems = 0
    places: deque[str] = deque()

    def readable() -> Iterator[SpanBatch]:
        nonlocal problems
        for place, batch, problem in batches(source):
            if batch is None:
                problems += 1
                remark(f"{source.name}, {place}: {problem}" if place else f"{source.name}: {problem}")
            else:
                places.append(place)
                yield batch

    for answer in client.import_spans(readable()):
        place = places.popleft()
        shown.advance(answer.accepted_span_count, done=source.meter.byte_count)
        if answer.rejected_span_count:
            problems += 1
            remark(f"{source.name}, {place}: {plural(answer.rejected_span_count, 'span')} refused: {answer.error_message}")
    return problems
