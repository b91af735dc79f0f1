"""Summaries of traces that were put lately, for the sessions and users that are settled of them next.

Each is wanted twice within a second, and to read it back takes longer than its part in computing both (measured).
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final, NamedTuple

from sessiond.core.model import TraceSummary

BYTES_MAX: Final = 2 << 20
"""Bytes of the rows whose summaries are held: some 3,700 traces of the benchmark, whose daemon peaks some 10 MiB higher (measured).
Beyond it the first that was put goes."""


class Put(NamedTuple):
    """A trace's summary as it was put, and the bytes of its row."""

    summary: TraceSummary
    size: int


class SettledTraces:
    """Held by trace number. What it gives is what the store would to the thread that writes."""

    def __init__(self) -> None:
        self._held: OrderedDict[bytes, Put] = OrderedDict()
        self._bytes = 0

    def get(self, prefix: bytes) -> TraceSummary | None:
        """The summary under a trace's number, where it is held."""
        put = self._held.get(prefix)
        return None if put is None else put.summary

    def add(self, traces: Mapping[bytes, Put]) -> None:
        """Hold what is on disk now."""
        for prefix, put in traces.items():
            before = self._held.pop(prefix, None)
            self._held[prefix] = put
            self._bytes += put.size - (before.size if before else 0)
        while self._bytes > BYTES_MAX:
            _, first = self._held.popitem(last=False)
            self._bytes -= first.size

    def clear(self) -> None:
        """Hold nothing: what was erased is to be nowhere."""
        self._held.clear()
        self._bytes = 0
