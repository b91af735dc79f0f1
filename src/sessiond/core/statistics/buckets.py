"""Which rows fall into which bucket of time. Buckets are of one length and begin at whole multiples of it since a Monday."""

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Final

from sessiond.core.errors import Invalid

ORIGIN_UNIX_NANO: Final = 4 * 86400 * 10**9
"""Monday, 1970-01-05, UTC: buckets of a week begin on Mondays, and no length that divides it begins elsewhere for that."""
CELLS_MAX: Final = 10_000
"""Buckets, and groups in buckets: at some 350 bytes each an answer stays below the 4 MiB that gRPC clients take by default."""


class Buckets:
    """Takes the times of rows 0, 1, 2, ..., in any order, and tells which rows fall together."""

    def __init__(self, length_nano: int) -> None:
        self._length_nano = length_nano
        self._times: array[int] = array("q")
        self._earliest: int | None = None
        self._latest = 0

    def extend(self, times_unix_nano: Sequence[int]) -> None:
        """Take the times of the next rows. Raises Invalid where they make too many buckets."""
        if times_unix_nano:
            self._times.extend(times_unix_nano)
            earliest = min(times_unix_nano)
            self._earliest = earliest if self._earliest is None else min(self._earliest, earliest)
            self._latest = max(self._latest, *times_unix_nano)
            self.check(len(self.starts))

    @property
    def starts(self) -> range:
        """Where buckets start (unix nanoseconds), from that of the earliest row to that of the latest; empty without rows."""
        if self._earliest is None:
            return range(0)
        return range(self._start(self._earliest), self._latest + 1, self._length_nano)

    def split(self, rows: Sequence[int]) -> Iterator[tuple[int, Sequence[int]]]:
        """(start, those of the rows that fall there), oldest first, of the buckets that have some.

        Sorting takes linear time where rows come by time, as they do: a third of what a look-up for each row takes (measured).
        """
        time_of = self._times.__getitem__
        ordered = sorted(rows, key=time_of)
        begin = 0
        while begin < len(ordered):
            start = self._start(time_of(ordered[begin]))
            end = bisect_left(ordered, start + self._length_nano, begin, key=time_of)
            yield start, ordered[begin:end]
            begin = end

    def check(self, cell_count: int) -> None:
        """Raise Invalid where so many buckets, and groups in buckets, are too many."""
        if cell_count > CELLS_MAX:
            problem = f"makes more than {CELLS_MAX:,} buckets and groups in buckets"
            raise Invalid("bucket", seconds(self._length_nano), problem, hint="take a longer one, fewer groups or less time")

    def _start(self, time_unix_nano: int) -> int:
        return time_unix_nano - (time_unix_nano - ORIGIN_UNIX_NANO) % self._length_nano


def seconds(nano: int) -> str:
    """A length as JSON writes a Duration, such as `3600s`."""
    return f"{nano / 10**9:.9f}".rstrip("0").rstrip(".") + "s"
