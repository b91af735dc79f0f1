"""The rows of the table that look elsewhere than at an attribute's value: at the span's own fields, at events, at conditions.

Each adds to the best values that `core.spans.reading` found, under the order of its row, and only where no better row has spoken.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from sessiond.core.conventions import TABLE, Meaning, Row, When
from sessiond.core.model import SpanView
from sessiond.core.spans.first_token import within
from sessiond.core.spans.reading import ABSENT, Best, Waiting
from sessiond.core.values import as_text

SCOPES_CACHED: Final = 1024
"""Pairs of meaning and scope remembered; a fleet has some ten instrumentations."""

_FIELDS: Final[Mapping[str, Callable[[SpanView], str]]] = {
    "name": lambda span: span.name,
    "status.code": lambda span: str(span.status_code),
    "status.message": lambda span: span.status_message,
}

_SPAN_ROWS: Final[Mapping[Meaning, tuple[tuple[int, Row, re.Pattern[str]], ...]]] = {
    meaning: tuple((rank, row, re.compile(row.pattern, re.DOTALL)) for rank, row in enumerate(rows) if row.place == "span")
    for meaning, rows in TABLE.items()
}
_EVENT_ROWS: Final = [
    (meaning, rank, row) for meaning, rows in TABLE.items() for rank, row in enumerate(rows) if row.place == "event"
]
_BY_EVENT: Final[Mapping[str, list[tuple[Meaning, int]]]] = {
    name: [(meaning, rank) for meaning, rank, row in _EVENT_ROWS if row.key == name]
    for name in {row.key for *_, row in _EVENT_ROWS if not row.path}
}
"""Rows that an event's name and time are enough for."""
_BY_EVENT_ATTRIBUTE: Final = [entry for entry in _EVENT_ROWS if entry[2].path]


def put(best: Best, meaning: Meaning, order: int, value: Any) -> None:  # noqa: ANN401  (what a value is depends on its meaning)
    """Keep the value unless a better key has given one."""
    if order < best[meaning][0]:
        best[meaning] = (order, value)


def holds(when: When, best: Best, span: SpanView, scope: str) -> bool:
    """Whether a row's condition is met, as far as is known now."""
    if not scope.startswith(when.scope_prefix):
        return False
    if when.usage and best["input_tokens"] is ABSENT and best["output_tokens"] is ABSENT:
        return False
    if when.operation is not None and best["operation"][1] != when.operation:
        return False
    if when.span_type is None:
        return True
    read_span_rows("span_type", best, span, scope)
    return bool(best["span_type"][1] == when.span_type)


@lru_cache(SCOPES_CACHED)
def _span_rows_of(meaning: Meaning, scope: str) -> tuple[tuple[int, Row, re.Pattern[str]], ...]:
    """The rows but for those that ask for another scope; so that most spans have none to try."""
    return tuple(each for each in _SPAN_ROWS[meaning] if each[1].when is None or scope.startswith(each[1].when.scope_prefix))


def read_span_rows(meaning: Meaning, best: Best, span: SpanView, scope: str) -> None:
    """Ask the span's own fields."""
    for rank, row, pattern in _span_rows_of(meaning, scope):
        if best[meaning][0] < rank:
            return
        if row.when is not None and not holds(row.when, best, span, scope):
            continue
        matched = pattern.search(_FIELDS[row.key](span))
        value = matched and (row.value or as_text(matched.group(pattern.groups) if row.pattern else matched.string))
        if value:
            best[meaning] = (rank, value)
            return


def admit(waiting: Waiting, best: Best, span: SpanView, scope: str) -> None:
    """Let the rows that wait speak whose condition is met; those that ask for usage last, since others may bring it."""
    for after_usage in (False, True):
        for meaning, order, value in waiting:
            if best[meaning][0] < order:
                continue
            when = TABLE[meaning][order].when
            if when is not None and when.usage == after_usage and holds(when, best, span, scope):
                best[meaning] = (order, value)


def read_event_times(best: Best, span: SpanView, *, first_token: bool) -> None:
    """Ask the names and times of the span's events; for the first token only where the span is a call that has none yet."""
    start, end = span.start_unix_nano, span.end_unix_nano
    for name, time in span.event_times():
        for meaning, rank in _BY_EVENT.get(name, ()):
            if meaning != "first_token":
                put(best, meaning, rank, True)
            elif first_token and within(time - start, start, end):
                # Of several events under one name the earliest.
                best[meaning] = min(best[meaning], (rank, time - start))


def read_event_attributes(best: Best, span: SpanView) -> None:
    """Ask the attributes of the span's events, the first of each name that says something."""
    if all(best[meaning][0] < rank for meaning, rank, _ in _BY_EVENT_ATTRIBUTE):
        return
    for event in span.events():
        for meaning, rank, row in _BY_EVENT_ATTRIBUTE:
            value = as_text(event.attributes.get(row.path)) if event.name == row.key else None
            if value is not None:
                put(best, meaning, rank, value)
