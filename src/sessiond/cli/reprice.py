"""`sessiond reprice`."""

import sys

import click

from sessiond.cli import options
from sessiond.cli.text import plural


@click.command()
@options.endpoint
def reprice(*, endpoint: str) -> None:
    """Read the configured prices again, and make every cost again.

    The daemon reads its settings file again and takes nothing but the prices from it. Where neither they nor the price table
    changed, there is nothing to do. Queries see the new costs at once; ending this command does not end the work.
    """
    done = 0
    with (
        options.asking(endpoint) as client,
        click.progressbar(length=0, label="traces", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar,
    ):
        for answer in client.reprice():
            bar.length = answer.trace_count
            bar.update(answer.renewed_trace_count - done)
            done = answer.renewed_trace_count
    click.echo(f"{plural(done, 'trace')} repriced" if done else "no price changed")
