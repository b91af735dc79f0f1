"""`sessiond sessions` and `sessiond session`."""

import time
from typing import Unpack

import click

from sessiond.cli import listing, options
from sessiond.cli.facts import session_facts
from sessiond.cli.feedback import NOTES_SHOWN, show_notes
from sessiond.cli.output import layout_of_stdout, show, show_json
from sessiond.cli.render import block
from sessiond.client import Conditions
from sessiond.client.rows import session_row


@click.command()
@options.project
@options.session_id
@options.user_id
@options.since
@options.filtered("session")
@options.ordered("session")
@options.limit
@options.as_json
@options.endpoint
def sessions(*, limit: int, as_json: bool, endpoint: str, **conditions: Unpack[Conditions]) -> None:
    """List sessions, latest activity first."""
    with options.asking(endpoint) as client:
        found = client.sessions(**conditions, limit=limit + 1)
        listing.write(found, listing.SESSIONS, limit, as_json=as_json, when_empty=listing.none_of(listing.SESSIONS, conditions))


@click.command()
@click.argument("session_id", metavar="ID")
@click.option("--project", default="", metavar="NAME", help="The session's project; `default` where not given.")
@options.limit
@options.as_json
@options.endpoint
def session(*, session_id: str, project: str, limit: int, as_json: bool, endpoint: str) -> None:
    """Show one session and its turns.

    With --json the first line is the session, and each further one a trace, in order of start.
    """
    with options.asking(endpoint) as client:
        found, turns = client.session(session_id, project=project)
        if as_json:
            show_json(session_row(found))
        else:
            show(block(session_facts(found, time.time_ns())), "", layout=layout_of_stdout())
            if found.annotations:
                show_notes(client.feedback.annotations(project=found.project, session_id=found.session_id, limit=NOTES_SHOWN))
        listing.write(turns, listing.TURNS, limit, as_json=as_json, when_empty=listing.TURNS.none_yet)
