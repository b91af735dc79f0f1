"""`sessiond traces` and `sessiond trace`."""

import time
from typing import Unpack

import click

from sessiond.cli import listing, options
from sessiond.cli.facts import trace_facts
from sessiond.cli.feedback import NOTES_SHOWN, show_notes
from sessiond.cli.output import layout_of_stdout, show, show_json
from sessiond.cli.render import block
from sessiond.cli.tree import span_tree
from sessiond.client import Client, Conditions
from sessiond.client.rows import row, trace_row


@click.command()
@options.project
@options.session_id
@options.user_id
@options.since
@options.until
@options.filtered("trace")
@options.ordered("trace")
@options.limit
@options.as_json
@options.endpoint
def traces(*, limit: int, as_json: bool, endpoint: str, **conditions: Unpack[Conditions]) -> None:
    """List traces, latest start first."""
    with options.asking(endpoint) as client:
        found = client.traces(**conditions, limit=limit + 1)
        listing.write(found, listing.TRACES, limit, as_json=as_json, when_empty=listing.none_of(listing.TRACES, conditions))


@click.command()
@click.argument("trace_id", metavar="ID")
@click.option("--raw", is_flag=True, help="Each span byte for byte as it came: one JSON object a line, its bytes in base64.")
@options.as_json
@options.endpoint
def trace(*, trace_id: str, raw: bool, as_json: bool, endpoint: str) -> None:
    """Show one trace and its spans as a tree.

    With --json the first line is the trace, and each further one a span with its figures, in order of start.
    """
    with options.asking(endpoint) as client:
        _show_raw(client, trace_id) if raw else _show_trace(client, trace_id, as_json=as_json)


def _show_raw(client: Client, trace_id: str) -> None:
    for span in client.raw_trace(trace_id):
        show_json(row(span))


def _show_trace(client: Client, trace_id: str, *, as_json: bool) -> None:
    found, spans = client.trace(trace_id)
    if as_json:
        show_json(trace_row(found))
        for span in spans:
            show_json(row(span))
    else:
        show(block(trace_facts(found, time.time_ns())), "", layout=layout_of_stdout())
        if found.annotations:
            show_notes(client.feedback.annotations(trace_id=found.trace_id, limit=NOTES_SHOWN))
        show(span_tree(spans), layout=layout_of_stdout())
