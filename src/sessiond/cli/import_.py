"""`sessiond import`."""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from sessiond.cli import options
from sessiond.cli.lazy import EXIT_FAILED
from sessiond.cli.output import remark
from sessiond.cli.progress import Bar, bar
from sessiond.cli.text import feedback, plural
from sessiond.client import Annotation, Client, Imported, RequestFailed, Score, SpanBatch
from sessiond.files.contents import contents
from sessiond.files.feedback_json import AnyFeedback
from sessiond.files.opened import STDIN, Source, opened
from sessiond.files.written import feedback_beside

PROBLEMS_SHOWN_MAX: Final = 20
"""Of one file: a file of something else has one in each line."""
HELD_MAX: Final = 500
"""Scores and annotations sent at once."""


@click.command("import")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@options.endpoint
@click.pass_context
def import_(ctx: click.Context, *, files: Sequence[str], endpoint: str) -> None:
    """Read spans and feedback from files into the running daemon.

    Takes what `sessiond export` and the OpenTelemetry Collector's file exporter write, JSON lines or protobuf, compressed or not; -
    is standard input. Scores and annotations that an export wrote beside its spans are read with them. Spans keep the times of
    arrival that the file tells, and arrive now where it tells none. Importing the same again changes nothing, so what was cut short
    can be started again. What can't be read or is refused is told with its place, costs only itself, and makes the exit code 1.
    """
    problems = 0
    breaks = False
    with options.asking(endpoint) as client:
        for file in _with_feedback(files):
            with opened(file) as source, bar("imported", source.size) as shown:
                done = _Import(client, source, shown)
                with _telling_how_far(done):
                    done.run()
            click.echo(f"{source.name}: {done.told} imported")
            if done.hidden:
                remark(f"{source.name}: {plural(done.hidden, 'more problem')}, not shown")
            problems += done.problems
            breaks |= done.breaks_off
    if problems:
        remark(f"{plural(problems, 'problem')}; all else was imported{', as far as it can be read' if breaks else ''}")
        ctx.exit(EXIT_FAILED)


def _with_feedback(files: Sequence[str]) -> Iterator[str]:
    """The files, and behind each the one for scores and annotations that an export wrote beside it."""
    for file in files:
        yield file
        beside = feedback_beside(file)
        if file != STDIN and beside not in files and Path(beside).exists():
            yield beside


@contextmanager
def _telling_how_far(done: "_Import") -> Iterator[None]:
    """Where an import can't go on, say how far it came; why is said by whoever ends the command."""
    try:
        yield
    except RequestFailed:
        if done.span_count or done.feedback_count:
            remark(f"{done.name}: {done.told} imported so far; import it again, and what is there already is passed over")
        raise


class _Import:
    """One file on its way in."""

    def __init__(self, client: Client, source: Source, shown: Bar) -> None:
        self._client = client
        self._source = source
        self._shown = shown
        self._places: deque[str] = deque()
        """Of the batches that are under way."""
        self._held: list[tuple[str, AnyFeedback]] = []
        self.span_count = 0
        self.feedback_count = 0
        self.problems = 0
        self.hidden = 0
        """Of the problems."""
        self.breaks_off = False
        """Whether something lies behind what could be read."""

    @property
    def name(self) -> str:
        """Of the file."""
        return self._source.name

    @property
    def told(self) -> str:
        """How much came in."""
        said = f", {feedback(self.feedback_count)}" if self.feedback_count else ""
        return f"{plural(self.span_count, 'span')}{said}"

    def run(self) -> None:
        """Import all of it; what can't be is told on stderr. Raises RequestFailed."""
        for answer in self._client.import_spans(self._batches()):
            place = self._places.popleft()
            self.span_count += answer.accepted_span_count
            self._show(answer.accepted_span_count)
            if answer.rejected_span_count:
                self._tell(place, f"{plural(answer.rejected_span_count, 'span')} refused: {answer.error_message}")
        self._send_held()

    def _batches(self) -> Iterator[SpanBatch]:
        for place, content, problem, breaks_off in contents(self._source):
            if breaks_off:
                self._tell_break(place, problem)
            elif content is None:
                self._tell(place, problem)
            elif isinstance(content, SpanBatch):
                self._places.append(place)
                yield content
            else:
                self._held.append((place, content))
                if len(self._held) == HELD_MAX:
                    self._send_held()

    def _send_held(self) -> None:
        held, self._held = self._held, []
        scores = [(place, item) for place, item in held if isinstance(item, Score)]
        annotations = [(place, item) for place, item in held if isinstance(item, Annotation)]
        stored = self._client.feedback
        self._take_note([place for place, _ in scores], stored.import_scores(item for _, item in scores))
        self._take_note([place for place, _ in annotations], stored.import_annotations(item for _, item in annotations))

    def _take_note(self, places: Sequence[str], parts: Iterator[Imported]) -> None:
        for part in parts:
            self.feedback_count += part.created + part.unchanged
            self._show(part.created + part.unchanged)
            for failure in part.failures:
                self._tell(places[failure.place], failure.message)

    def _show(self, count: int) -> None:
        self._shown.advance(count, done=self._source.meter.byte_count)

    def _tell(self, place: str, problem: str) -> None:
        self.problems += 1
        if self.problems > PROBLEMS_SHOWN_MAX:
            self.hidden += 1
            return
        remark(f"{self.name}, {place}: {problem}")

    def _tell_break(self, place: str, problem: str) -> None:
        """However many problems were told: it costs all that comes behind it."""
        self.problems += 1
        self.breaks_off = True
        remark(f"{self.name}: nothing {f'behind {place}' if place else 'of it'} was imported: {problem}")
