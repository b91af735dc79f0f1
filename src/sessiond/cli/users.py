"""`sessiond users` and `sessiond user`."""

import time
from typing import Unpack

import click

from sessiond.cli import listing, options
from sessiond.cli.facts import user_facts
from sessiond.cli.output import layout_of_stdout, show, show_json
from sessiond.cli.render import block
from sessiond.client import UserConditions
from sessiond.client.rows import user_row


@click.command()
@options.project
@click.option("--since", type=options.SinceType(), help="Only who first came at or after a time, or at most so long ago.")
@click.option("--until", type=options.SinceType(), help="Only who first came before a time, or longer ago than so long.")
@options.filtered("user")
@options.ordered("user")
@options.limit
@options.as_json
@options.endpoint
def users(*, limit: int, as_json: bool, endpoint: str, **conditions: Unpack[UserConditions]) -> None:
    """List users, last seen first."""
    with options.asking(endpoint) as client:
        found = client.users(**conditions, limit=limit + 1)
        listing.write(found, listing.USERS, limit, as_json=as_json, when_empty=listing.none_of(listing.USERS, conditions))


@click.command()
@click.argument("user_id", metavar="ID")
@click.option("--project", default="", metavar="NAME", help="The user's project; `default` where not given.")
@options.limit
@options.as_json
@options.endpoint
def user(*, user_id: str, project: str, limit: int, as_json: bool, endpoint: str) -> None:
    """Show one user and their latest sessions.

    With --json the first line is the user, and each further one a session. `sessiond traces --user ID` lists their traces.
    """
    with options.asking(endpoint) as client:
        found = client.user(user_id, project=project)
        if as_json:
            show_json(user_row(found))
        else:
            show(block(user_facts(found, time.time_ns())), "", layout=layout_of_stdout())
        theirs = client.sessions(project=found.project, user_id=user_id, limit=limit + 1)
        listing.write(theirs, listing.SESSIONS, limit, as_json=as_json, when_empty="None of their turns is of a session.")
