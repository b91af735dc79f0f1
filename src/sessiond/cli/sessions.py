"""`sessiond sessions` and `sessiond session`."""

import time

import click
from google.protobuf.timestamp_pb2 import Timestamp

from sessiond.cli import listing, options
from sessiond.cli.facts import session_facts
from sessiond.cli.output import layout_of_stdout, show, show_json
from sessiond.cli.render import block
from sessiond.client.rows import session_row


@click.command()
@options.project
@options.session_id
@options.user_id
@options.since
@options.limit
@options.as_json
@options.endpoint
def sessions(
    *, project: str, session_id: str, user_id: str, since: Timestamp | None, limit: int, as_json: bool, endpoint: str
) -> None:
    """List sessions, latest activity first."""
    with options.asking(endpoint) as client:
        found = client.sessions(project=project, session_id=session_id, user_id=user_id, since=since, limit=limit + 1)
        is_restricted = bool(project or session_id or user_id or since)
        empty = (
            "No session matches; ask for fewer conditions, or without any to see all."
            if is_restricted
            else "No sessions yet. Send spans with a session id on them to the OTLP address that `sessiond status` shows;"
            " `sessiond traces` lists what came without one."
        )
        listing.write(found, listing.SESSIONS, limit, as_json=as_json, when_empty=empty)


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
        listing.write(turns, listing.TURNS, limit, as_json=as_json, when_empty="Its turns are gone.")
