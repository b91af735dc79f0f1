"""`sessiond tail`."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Generic, NamedTuple, TypeVar, Unpack

import click
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from sessiond.cli import options
from sessiond.cli.lines import GONE_LINE, SESSION_LINE, TRACE_LINE
from sessiond.cli.output import layout_of_stdout, note, show, show_json
from sessiond.cli.render import Column, line
from sessiond.cli.text import duration
from sessiond.client import Client, FollowConditions, Gone, Session, Trace, Update
from sessiond.client.rows import Row, row, session_row, trace_row

LATEST: Final = 10
"""Rows shown before the changes, so that these have something to stand below."""
SHOWN_MAX: Final = 100_000
"""Rows that are remembered as shown, some 300 bytes each. Of one that was shown before these it is not told that it is gone."""
HINT: Final = "; "
"""What follows it in a daemon's message is for whoever has to do something; here that is done."""

Item = TypeVar("Item", bound=Message)
Key = tuple[str, str]


class Kind(NamedTuple, Generic[Item]):
    """How rows of one kind are asked for, told apart and written."""

    latest: Callable[..., Iterator[Item]]
    follow: Callable[..., Iterator[Update[Item]]]
    key: Callable[[Item], Key]
    gone_key: Callable[[Gone], Key]
    row: Callable[[Item], Row]
    line: Sequence[Column[Item]]


SESSIONS: Final = Kind[Session](
    Client.sessions,
    Client.follow_sessions,
    lambda session: (session.project, session.session_id),
    lambda gone: (gone.project, gone.id),
    session_row,
    SESSION_LINE,
)
TRACES: Final = Kind[Trace](
    Client.traces,
    Client.follow_traces,
    lambda trace: ("", trace.trace_id),
    lambda gone: ("", gone.id),
    trace_row,
    TRACE_LINE,
)


@click.command()
@click.option("--traces", is_flag=True, help="Traces instead of sessions.")
@click.option("--all", "everything", is_flag=True, help="First all that there are, not only the latest ten.")
@click.option("--changes-only", is_flag=True, help="First nothing.")
@options.project
@options.session_id
@options.user_id
@options.filtered(lambda ctx: "trace" if ctx.params.get("traces") else "session")
@options.as_json
@options.endpoint
def tail(
    *,
    traces: bool,
    everything: bool,
    changes_only: bool,
    as_json: bool,
    endpoint: str,
    **conditions: Unpack[FollowConditions],
) -> None:
    """Show sessions as they change, until Ctrl-C.

    First the latest ten, then a line for each that is new or changed, and for one shown before that is gone. A
    connection that breaks is made again, and stderr says so. With --json what is gone is {"gone": ...}.
    """
    if everything and changes_only:
        raise click.UsageError("--all and --changes-only exclude each other")
    kind: Kind[Any] = TRACES if traces else SESSIONS
    with options.asking(endpoint, when_interrupted=0) as client:
        shown = Tail(kind, as_json=as_json)
        updates = kind.follow(client, changes_only=not everything, **conditions)
        if not everything and not changes_only:
            while not (began := next(updates)).caught_up:
                shown.tell(began)
            # From here on changes are told: none falls between the list and them.
            for item in reversed(list(kind.latest(client, limit=LATEST, **conditions))):
                shown.show(item)
            shown.tell(began)
        for update in updates:
            shown.tell(update)


class Tail(Generic[Item]):
    """What is shown of one kind, and what was."""

    def __init__(self, kind: Kind[Item], *, as_json: bool) -> None:
        self._kind = kind
        self._as_json = as_json
        self._shown: OrderedDict[Key, int] = OrderedDict()
        """Of each row a digest of what was shown of it; shown last stands last."""

    def show(self, item: Item) -> None:
        """Write a row, but for one that was written like this already: a new start tells all of them again."""
        key = self._kind.key(item)
        digest = hash(item.SerializeToString(deterministic=True))
        if self._shown.pop(key, None) != digest:
            self._write(self._kind.row(item), self._kind.line, item)
        self._shown[key] = digest
        if len(self._shown) > SHOWN_MAX:
            self._shown.popitem(last=False)

    def tell(self, update: Update[Item]) -> None:
        """Write what changed, and note on stderr what became of the connection."""
        if update.broken:
            note(f"{update.broken.message.partition(HINT)[0]}; trying again")
        if update.restarted:
            note("starting again: what changed meanwhile may be missing")
        if update.stalled:
            behind = duration(update.stalled.total_seconds() * 1000)
            note(f"{behind} behind: of what changed meanwhile only the latest is shown")
        for gone in update.gone:
            self._forget(gone)
        for item in update.rows:
            self.show(item)

    def _forget(self, gone: Gone) -> None:
        if self._shown.pop(self._kind.gone_key(gone), None) is not None:
            self._write({"gone": row(gone)}, GONE_LINE, (gone, Timestamp(seconds=int(time.time()))))

    def _write(self, as_row: Row, columns: Sequence[Column[Any]], told: object) -> None:
        if self._as_json:
            show_json(as_row)
        else:
            layout = layout_of_stdout()
            show(line(columns, told, layout), layout=layout)
