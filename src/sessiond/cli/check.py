"""`sessiond check`: of a running daemon, or of a data directory that none holds."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeAlias

import click

from sessiond.cli import options
from sessiond.cli.lazy import EXIT_FAILED
from sessiond.cli.text import clean, looked_at, plural

Checked: TypeAlias = tuple[str, list[str]]
"""How far a check is, in words, and what it found since the one before."""


class Verdict(NamedTuple):
    """The end of a check."""

    progress: str
    problem_count: int


@click.command()
@click.option(
    "--data-dir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Check this data directory, which no daemon may hold; without it the running daemon checks its own.",
)
@options.config
@options.endpoint
@click.pass_context
def check(ctx: click.Context, *, data_dir: Path | None, config: Path | None, endpoint: str) -> None:
    """Compare everything in the store with its span bytes.

    Prints each problem found, and exits with 1 if there is one. --config goes with --data-dir: a running daemon knows its own
    settings.
    """
    if config is not None and data_dir is None:
        raise click.UsageError("--config goes with --data-dir; a running daemon knows its own settings")
    verdict = _told(_of_daemon(endpoint) if data_dir is None else _of_data_dir(data_dir, config))
    click.echo(f"{verdict.progress or 'nothing'} checked: {plural(verdict.problem_count, 'problem')}")
    if verdict.problem_count:
        ctx.exit(EXIT_FAILED)


def _of_daemon(endpoint: str) -> Iterator[Checked]:
    with options.asking(endpoint) as client:
        for answer in client.check():
            counts = (
                answer.checked_trace_count,
                answer.checked_session_count,
                answer.checked_user_count,
                answer.outdated_trace_count,
            )
            yield looked_at(*counts), list(answer.problems)


def _of_data_dir(data_dir: Path, config: Path | None) -> Iterator[Checked]:
    from sessiond.cli.offline import check_data_dir  # noqa: PLC0415 - brings the store, which a check of a daemon does not need

    return check_data_dir(data_dir, config)


def _told(steps: Iterable[Checked]) -> Verdict:
    """Print problems as they are found, and on a terminal how far the check is."""
    progress = ""
    problem_count = 0
    is_watched = sys.stderr.isatty()
    for progress, problems in steps:
        problem_count += len(problems)
        for problem in problems:
            click.echo(clean(problem))
        if is_watched:
            click.echo(f"\r\x1b[K{clean(progress)} checked", nl=False, err=True)
    if is_watched:
        click.echo("\r\x1b[K", nl=False, err=True)
    return Verdict(progress, problem_count)
