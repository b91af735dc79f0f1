"""`sessiond sessions` and `sessiond session`."""

import time
from typing import Unpack

import click
from rich.text import Text

from sessiond.cli import listing, options
from sessiond.cli.facts import session_facts
from sessiond.cli.feedback import NOTES_SHOWN, show_notes
from sessiond.cli.output import layout_of_stdout, remark, show, show_json
from sessiond.cli.render import block, table
from sessiond.cli.transcript import told
from sessiond.cli.turns import columns_of, turns_of, went_wrong
from sessiond.client import Client, Conditions, Conversation, Session, TranscriptEntry
from sessiond.client.rows import row, session_row, trace_row


@click.command()
@options.project
@options.session_id
@options.user_id
@options.since
@options.until
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
@click.option("--messages", is_flag=True, help="Show what was said: each turn's messages, tool calls and results.")
@click.option("--full", is_flag=True, help="With --messages, long texts up to 256 KiB, arguments and results up to 64 KiB.")
@options.limit
@options.as_json
@options.endpoint
def session(*, session_id: str, project: str, messages: bool, full: bool, limit: int, as_json: bool, endpoint: str) -> None:
    """Show one session, its turns and what went wrong over them.

    A figure that is twice the session's median or more is marked. With --json the first line is the session with what went wrong,
    and each further one a trace with how it stands to the others, in order of start; with --messages too, each line is a message.
    """
    if full and not messages:
        raise click.UsageError("--full is for --messages")
    with options.asking(endpoint) as client:
        conversation = client.conversation(session_id, project=project, transcript=messages)
        if not as_json:
            _show_facts(conversation.session, client)
            _show_messages(conversation, limit, is_full=full) if messages else _show_turns(conversation, limit)
            _show_what_went_wrong(conversation)
        elif messages:
            _write_messages(conversation, limit)
        else:
            _write_turns(conversation, limit)
    if len(conversation.traces) > limit:
        remark(f"{limit:,} shown; --limit N for more")


def _write_turns(conversation: Conversation, limit: int) -> None:
    show_json({**session_row(conversation.session), "findings": [row(finding) for finding in conversation.findings]})
    for turn in turns_of(conversation)[:limit]:
        show_json({**row(turn.figures), **trace_row(turn.trace)})


def _write_messages(conversation: Conversation, limit: int) -> None:
    shown = {trace.trace_id for trace in conversation.traces[:limit]}
    for entry in conversation.transcript:
        if entry.turn_trace_id in shown:
            show_json(row(entry))


def _show_facts(found: Session, client: Client) -> None:
    show(block(session_facts(found, time.time_ns())), "", layout=layout_of_stdout())
    if found.annotations:
        show_notes(client.feedback.annotations(project=found.project, session_id=found.session_id, limit=NOTES_SHOWN))


def _show_turns(conversation: Conversation, limit: int) -> None:
    layout, turns = layout_of_stdout(), turns_of(conversation)[:limit]
    show(table(columns_of(turns, time.time_ns()), turns, layout), layout=layout)


def _show_messages(conversation: Conversation, limit: int, *, is_full: bool) -> None:
    by_turn: dict[str, list[TranscriptEntry]] = {}
    for entry in conversation.transcript:
        by_turn.setdefault(entry.turn_trace_id, []).append(entry)
    for turn in turns_of(conversation)[:limit]:
        said = told(turn, by_turn.get(turn.trace.trace_id, ()), is_full=is_full)
        show(*([""] if turn.number > 1 else []), *said, layout=layout_of_stdout())


def _show_what_went_wrong(conversation: Conversation) -> None:
    wrong = list(went_wrong(conversation))
    if wrong:
        show("", Text("what went wrong", "bold"), *wrong, layout=layout_of_stdout())
