"""What an index can narrow a walk by, told from restrictions that must all hold. It may say less than they do, never more."""

from collections.abc import Iterable, Mapping
from typing import Final

from sessiond.core.filter.literals import Pattern
from sessiond.core.filter.restriction import Comparator, Restriction
from sessiond.core.identity import CLOCK_SKEW_MAX_NANO
from sessiond.core.rows.fields import Kind
from sessiond.core.rows.where import Where

_UNIX_NANO_MAX: Final = 2**63 - 1
"""No row is placed later: what an index key can take, and some centuries ahead."""

_NAMES: Final[Mapping[tuple[Kind, str, str], str]] = {
    ("trace", "project", "="): "project",
    ("trace", "session_id", "="): "session_id",
    ("trace", "user_id", "="): "user_id",
    ("session", "project", "="): "project",
    ("session", "session_id", "="): "session_id",
    ("session", "user_id", "="): "user_id",
    ("session", "user_ids", ":"): "user_id",
    ("user", "project", "="): "project",
    ("user", "user_id", "="): "user_id",
}
"""(kind, field, comparator) -> the part of a Where that says the same."""


_TIMES: Final[Mapping[tuple[Kind, str], tuple[int | None, int | None]]] = {
    ("trace", "start_time"): (0, 0),
    ("trace", "end_time"): (None, 0),
    ("session", "last_activity_time"): (0, 0),
    ("session", "start_time"): (CLOCK_SKEW_MAX_NANO, None),
    ("session", "end_time"): (CLOCK_SKEW_MAX_NANO, None),
    ("user", "last_seen_time"): (0, 0),
    ("user", "first_seen_time"): (0, None),
}
"""(kind, field) -> how much earlier than the time the row's place may lie, and how much later; None: any amount. A trace lies at
its start, a session at its last activity, which its figures' times pass by an hour at most (`identity.interval`), a user at the
latest end."""


def where_of(kind: Kind, restrictions: Iterable[Restriction], where: Where = Where()) -> Where:  # noqa: B008  (a value)
    """`where`, narrowed by restrictions that must all hold."""
    for restriction in restrictions:
        where = _narrowed(where, kind, restriction)
    return where


def _narrowed(where: Where, kind: Kind, restriction: Restriction) -> Where:
    column, comparator, value = restriction
    if isinstance(value, int):
        return _within_times(where, comparator, value, *_TIMES.get((kind, column.name), (None, None)))
    name = _NAMES.get((kind, column.name, comparator))
    if name is None or not isinstance(value, Pattern) or value.is_prefix or getattr(where, name) is not None:
        return where
    return Where(**{**where._asdict(), name: value.text})


def _within_times(where: Where, comparator: Comparator, value: int, earlier: int | None, later: int | None) -> Where:
    if comparator in ("=", ">", ">=") and earlier is not None:
        since = value - earlier + (comparator == ">")
        where = where._replace(since_unix_nano=max(where.since_unix_nano or 0, min(since, _UNIX_NANO_MAX)))
    if comparator in ("=", "<", "<=") and later is not None:
        until = value + later + (comparator != "<")
        if until <= _UNIX_NANO_MAX:
            known = _UNIX_NANO_MAX if where.until_unix_nano is None else where.until_unix_nano
            where = where._replace(until_unix_nano=min(known, max(until, 0)))
    return where
