"""`sessiond erase`."""

import sys
from typing import Final, Unpack

import click

from sessiond.cli import options
from sessiond.cli.lazy import EXIT_FAILED, Refused
from sessiond.cli.output import remark
from sessiond.cli.text import feedback, plural
from sessiond.client import Client, EraseConditions, EraseResponse
from sessiond.core.rows.fields import Kind

KINDS: Final[dict[str, Kind]] = {"traces": "trace", "sessions": "session"}
"""What may be erased, and of which kind its rows are."""
IDS: Final = "ids of traces"
EVERYTHING: Final = "--everything"


@click.command()
@click.argument("trace_ids", metavar="[TRACE_ID]...", nargs=-1)
@click.option(
    "--of",
    type=click.Choice(list(KINDS)),
    default="traces",
    show_default=True,
    help="What the conditions are about; sessions go with all their traces.",
)
@options.filtered(lambda ctx: KINDS[ctx.params.get("of", "traces")])
@options.project
@options.session_id
@options.user_id
@options.since
@options.until
@click.option(EVERYTHING, is_flag=True, help="All there is.")
@click.option("--dry-run", is_flag=True, help="Only tell what would be erased.")
@click.option("--yes", is_flag=True, help="Erase without asking.")
@options.endpoint
@click.pass_context
def erase(ctx: click.Context, *, dry_run: bool, yes: bool, endpoint: str, **conditions: Unpack[EraseConditions]) -> None:
    """Erase traces for good, or sessions with all their traces.

    They go with all that was computed of them and with their scores and annotations, and so does each session and user that is left
    without a trace. What is to go: traces by their ids, or what `sessiond traces` lists by the same options; with `--of sessions`
    whole sessions, those that `sessiond sessions` lists.

    Tells what will go, and asks. Where nobody can be asked, give --yes. Exits with 1 where the answer is no.
    """
    _check(ctx, conditions)
    with options.asking(endpoint) as client:
        *_, found = client.erase(**conditions, validate_only=True)
        told = _told(found)
        if dry_run:
            click.echo(f"{told} would be erased")
            return
        if not (found.trace_count or found.session_count or found.feedback_count):
            click.echo("nothing to erase")
            return
        if not yes and not _is_confirmed(told):
            remark("nothing was erased")
            ctx.exit(EXIT_FAILED)
        erased = _erased(client, conditions, found.trace_count)
    click.echo(f"{plural(erased, 'trace') if found.trace_count else feedback(found.feedback_count)} erased")


def _check(ctx: click.Context, conditions: EraseConditions) -> None:
    """Refuse what names nothing, or in more than one way, in the words of the command line."""
    words = {one.name: IDS if one.name == "trace_ids" else one.opts[0] for one in ctx.command.params}
    given = [words[name] for name, value in conditions.items() if value and name != "of"]
    if not given:
        raise click.UsageError(f"say what is to go: {IDS}, a condition such as --session or --filter, or {EVERYTHING}")
    if conditions["of"] != "traces" and (IDS in given or EVERYTHING in given):
        given.append(f"--of {conditions['of']}")
    for alone in (EVERYTHING, IDS):
        others = [one for one in given if one != alone]
        if alone in given and others:
            raise click.UsageError(f"{alone} can't be given with {' and '.join(others)}; give one or the other")


def _told(found: EraseResponse) -> str:
    """Such as `1 session with 3 traces (12 spans, 2 scores and annotations)`."""
    sessions = f"{plural(found.session_count, 'session')} with " if found.session_count else ""
    said = f", {feedback(found.feedback_count)}" if found.feedback_count else ""
    return f"{sessions}{plural(found.trace_count, 'trace')} ({plural(found.span_count, 'span')}{said})"


def _is_confirmed(told: str) -> bool:
    if not sys.stdin.isatty():
        raise Refused(f"{told} would be erased, and nobody can be asked; give --yes to erase, --dry-run to see")
    click.echo(f"{told} will be erased for good.", err=True)
    return click.confirm("Erase?", err=True)


def _erased(client: Client, conditions: EraseConditions, trace_count: int) -> int:
    """Erase, and on a terminal show how far it is; how many traces it were."""
    done = 0
    is_hidden = not sys.stderr.isatty()
    with click.progressbar(length=trace_count, label="traces", file=sys.stderr, hidden=is_hidden) as bar:
        for answer in client.erase(**conditions):
            bar.length = answer.trace_count
            bar.update(answer.erased_trace_count - done)
            done = answer.erased_trace_count
    return done
