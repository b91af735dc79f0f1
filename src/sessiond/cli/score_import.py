"""`sessiond score --import`: a file of JSON lines, of which a bad line costs itself."""

import sys
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from sessiond.cli.output import show_json
from sessiond.cli.text import clean, plural
from sessiond.client import Client, RequestFailed, Score
from sessiond.client.feedback.lines import LINE_CHARACTERS_MAX, score_of_line

_BYTES_A_LINE_MAX: Final = 4 * LINE_CHARACTERS_MAX


class _Import:
    """How far an import is."""

    def __init__(self, client: Client, file: Path, *, as_json: bool) -> None:
        self._client = client
        self._file = file
        self._as_json = as_json
        self._lines = array("q")
        """The line of each score that was given to the client."""
        self._read_bytes = 0
        self.created = 0
        self.unchanged = 0
        self.failed = 0

    def run(self) -> None:
        """Import all of it. Raises RequestFailed."""
        size = self._file.stat().st_size
        shown = 0
        with click.progressbar(length=size, label="scores", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
            for part in self._client.feedback.import_scores(self._scores()):
                self.created += part.created
                self.unchanged += part.unchanged
                for place, _, message in part.failures:
                    self._fail(self._lines[place], message)
                bar.update(self._read_bytes - shown)
                shown = self._read_bytes

    def _scores(self) -> Iterator[Score]:
        """The scores of the file's good lines."""
        with self._file.open("rb") as lines:
            number = 0
            while line := lines.readline(_BYTES_A_LINE_MAX):
                number += 1
                self._read_bytes += len(line)
                if not line.strip():
                    continue
                try:
                    score = score_of_line(line.decode())
                except ValueError as error:  # UnicodeDecodeError is one
                    self._fail(number, str(error))
                    continue
                self._lines.append(number)
                yield score

    def _fail(self, line: int, message: str) -> None:
        self.failed += 1
        if self._as_json:
            show_json({"line": line, "message": message})
        else:
            cleared = "\r\x1b[K" if sys.stderr.isatty() else ""
            click.echo(f"{cleared}{clean(str(self._file))}:{line}: {clean(message)}", err=True)


def import_file(client: Client, file: Path, *, as_json: bool) -> int:
    """Store the scores of a file; how many lines could not be. Tells of these line by line, and of the rest as a sum.

    Raises RequestFailed, with a hint that to import again is safe.
    """
    importing = _Import(client, file, as_json=as_json)
    try:
        importing.run()
    except RequestFailed as failure:
        again = f"{plural(importing.created, 'score')} stored so far; import the file again: what is stored is not stored twice"
        raise RequestFailed(failure.message, code=failure.code, hint=again) from failure
    told = [f"{plural(importing.created, 'score')} imported"]
    if importing.unchanged:
        told.append(f"{importing.unchanged:,} stored already")
    if importing.failed:
        told.append(f"{plural(importing.failed, 'line')} left out")
    click.echo(", ".join(told), err=as_json)
    return importing.failed
