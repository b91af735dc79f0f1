"""Of very many rows in any order, the few that come first: bounded in number and in bytes, whatever the rows are."""

from operator import itemgetter
from typing import Any, Final, Generic, TypeVar

from sessiond.core.model import SessionSummary, TraceSummary, UserSummary
from sessiond.storage.api import Row

BYTES_MAX: Final = 8 << 20
"""Stored bytes of the rows that are held; parsed, as they are shown, they take some three times that."""

Summary = TypeVar("Summary", TraceSummary, SessionSummary, UserSummary)


class Foremost(Generic[Summary]):
    """Takes rows with their sort keys, no two of which are the same, and holds those of the smallest, at least one."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._held: list[tuple[Any, Row[Summary]]] = []
        self._bytes = 0
        self._bound: Any = None
        """A key from which on rows are left out; None: all are held."""

    def add(self, key: object, row: Row[Summary]) -> None:
        """Hold a row, if it may be among the foremost."""
        if self._bound is not None and key >= self._bound:
            return
        self._held.append((key, row))
        self._bytes += row.size
        if len(self._held) > 2 * self._count or self._bytes > BYTES_MAX:
            self._cut(BYTES_MAX // 2)

    def rows(self) -> tuple[list[Row[Summary]], Any]:
        """The rows in order, and the last one's key where others were left out, else None."""
        self._cut(BYTES_MAX)
        return [row for _, row in self._held], None if self._bound is None else self._held[-1][0]

    def _cut(self, bytes_max: int) -> None:
        """Let go of rows from the first that is too many, or with which those before are too many bytes."""
        self._held.sort(key=itemgetter(0))
        kept = size = 0
        for _, row in self._held[: self._count]:
            size += row.size
            if kept and size > bytes_max:
                break
            kept += 1
        if kept < len(self._held):
            self._bound = self._held[kept][0]
            del self._held[kept:]
        self._bytes = sum(row.size for _, row in self._held)
