"""Many rows on stdout: as a table for people, or as JSON while they arrive."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Generic, NamedTuple, TypeVar

from sessiond.cli import columns
from sessiond.cli.output import layout_of_stdout, remark, show, show_json
from sessiond.cli.render import Column, table
from sessiond.client import Session, Trace, User, rows
from sessiond.client.rows import Row

Item = TypeVar("Item")


class Kind(NamedTuple, Generic[Item]):
    """How rows of one kind are written."""

    noun: str
    row: Callable[[Item], Row]
    columns: Callable[[Sequence[Item], int], Sequence[Column[Item]]]
    none_yet: str
    """What to do where there is none at all."""


SESSIONS = Kind[Session](
    "session",
    rows.session_row,
    columns.session_columns,
    "No sessions yet. Send spans with a session id on them to the OTLP address that `sessiond status` shows; `sessiond traces`"
    " lists what came without one.",
)
TRACES = Kind[Trace](
    "trace",
    rows.trace_row,
    columns.trace_columns,
    "No traces yet. Send spans to the OTLP address that `sessiond status` shows.",
)
USERS = Kind[User](
    "user",
    rows.user_row,
    columns.user_columns,
    "No users yet. Send spans with a user id on them to the OTLP address that `sessiond status` shows.",
)


def none_of(kind: Kind[Item], conditions: Mapping[str, object]) -> str:
    """What to say where no row came: whether it was the conditions."""
    if any(value for name, value in conditions.items() if name != "order_by"):
        return f"No {kind.noun} matches; ask for fewer conditions, or without any to see all."
    return kind.none_yet


def write(found: Iterator[Item], kind: Kind[Item], limit: int, *, as_json: bool, when_empty: str) -> None:
    """Write the first `limit` rows, and remark if there are more, or none."""
    first = next(found, None)
    if first is None:
        remark(when_empty)
        return
    shown = chain([first], islice(found, limit - 1))
    if as_json:
        for item in shown:
            show_json(kind.row(item))
    else:
        _show_table(list(shown), kind)
    if next(found, None) is not None:
        remark(f"{limit:,} shown; --limit N for more")


def _show_table(items: Sequence[Item], kind: Kind[Item]) -> None:
    layout = layout_of_stdout()
    show(table(kind.columns(items, time.time_ns()), items, layout), layout=layout)
