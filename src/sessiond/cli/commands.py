"""The table of commands, and `main` over it."""

from typing import Final

import click

from sessiond.cli.lazy import Command, LazyGroup

COMMANDS: Final = {
    "serve": Command("sessiond.cli.serve:serve", "Receive spans and answer questions, until SIGTERM or Ctrl-C."),
    "sessions": Command("sessiond.cli.sessions:sessions", "List sessions, latest activity first."),
    "session": Command("sessiond.cli.sessions:session", "Show one session, its turns and what went wrong over them."),
    "traces": Command("sessiond.cli.traces:traces", "List traces, latest start first."),
    "trace": Command("sessiond.cli.traces:trace", "Show one trace and its spans as a tree."),
    "search": Command("sessiond.cli.search:search", "Find turns by what was said and done in them."),
    "score": Command("sessiond.cli.score:score", "Score a session, trace or span; list, change and import scores."),
    "annotate": Command("sessiond.cli.annotate:annotate", "Write a note on a session, trace or span; list and change notes."),
    "explain": Command("sessiond.cli.explain:explain", "Show where each figure of a trace comes from."),
    "tail": Command("sessiond.cli.tail:tail", "Show sessions as they change, until Ctrl-C."),
    "users": Command("sessiond.cli.users:users", "List users, last seen first."),
    "user": Command("sessiond.cli.users:user", "Show one user and their latest sessions."),
    "stats": Command("sessiond.cli.stats:stats", "Show counts, costs and percentiles, by time and by label."),
    "status": Command("sessiond.cli.status:status", "Show how the daemon is and what it holds."),
    "check": Command("sessiond.cli.check:check", "Compare everything in the store with its span bytes."),
    "export": Command("sessiond.cli.export:export", "Write sessions, traces, users, spans or feedback to a file."),
    "import": Command("sessiond.cli.import_:import_", "Read spans and feedback from files into the running daemon."),
    "reprice": Command("sessiond.cli.reprice:reprice", "Read the configured prices again, and make every cost again."),
    "erase": Command("sessiond.cli.erase:erase", "Erase traces for good, or sessions with all their traces."),
    "rebuild": Command("sessiond.cli.offline:rebuild", "Make everything but span bytes, arrival times and feedback again."),
    "completion": Command("sessiond.cli.completion:completion", "Print what makes a shell complete commands, options and fields."),
    "version": Command("sessiond.cli.status:version", "Show the version."),
}
"""In the order of `sessiond --help`."""


@click.group(cls=LazyGroup, commands_table=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Sessions out of OpenTelemetry traces: receive spans, keep them, and ask for conversations with true figures."""
