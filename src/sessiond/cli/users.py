"""`sessiond user`."""

import time

import click

from sessiond.cli import options
from sessiond.cli.facts import user_facts
from sessiond.cli.output import layout_of_stdout, show, show_json
from sessiond.cli.render import block
from sessiond.client.rows import user_row


@click.command()
@click.argument("user_id", metavar="ID")
@click.option("--project", default="", metavar="NAME", help="The user's project; `default` where not given.")
@options.as_json
@options.endpoint
def user(*, user_id: str, project: str, as_json: bool, endpoint: str) -> None:
    """Show one user.

    `sessiond sessions --user ID` lists their sessions, `sessiond traces --user ID` their traces.
    """
    with options.asking(endpoint) as client:
        found = client.user(user_id, project=project)
    if as_json:
        show_json(user_row(found))
    else:
        show(block(user_facts(found, time.time_ns())), layout=layout_of_stdout())
