"""Following the store's changes into the index. Runs in the indexer's process, in a thread of its own.

The store tells what changed by number, and the index remembers up to which number it is: so whatever ends this process, the next
goes on where the last commit was. A trace is one document, made whole again when the trace changes.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

from sessiond.core.model import TraceKey
from sessiond.core.search.analysis import Joined, joined
from sessiond.search.index import SearchIndex
from sessiond.service.searching.turn_pieces import is_of_one, pieces_of
from sessiond.storage.api import Store

TRACES_PER_STEP: Final = 64
"""Traces read at once: a tenth of a second at most, after which it is looked whether to commit."""
COMMIT_SECONDS: Final = 1.0
"""While spans keep coming, what was read becomes visible this often, and no oftener, since each commit is a piece that has to be
merged with others: half of what a search may lag."""
FAR_CHANGES: Final = 50_000
"""With so many changes to read, some twenty seconds of it, nobody can expect to find what is new."""
FAR_COMMIT_SECONDS: Final = 15.0
"""The same as COMMIT_SECONDS while it is so far behind, as when an index is built from nothing."""
REST_SECONDS: Final = 5.0
"""Without a change for so long, what writing takes is given back."""
SWEEP_TRACES: Final = 10_000
"""Documents whose traces are looked for at once."""


class Indexing:
    """Keeps an index in step with a store. `ring` may be called from any thread; `run` is the thread.

    `tell` is called whenever it got on, `tell_missed` with a trace whose words could not be read, and why.
    """

    def __init__(
        self, store: Store, index: SearchIndex, tell: Callable[[], None], tell_missed: Callable[[bytes, Exception], None]
    ) -> None:
        self._store = store
        self._index = index
        self._tell = tell
        self._tell_missed = tell_missed
        self._through = index.view.state.through
        self._swept = 0
        """Removals up to this change are known to be in the index, though the store does not tell them any more."""
        self._pending = False
        self._committed_at = time.monotonic() - COMMIT_SECONDS
        self._rung = threading.Event()

    def ring(self) -> None:
        """Something changed in the store."""
        self._rung.set()

    def run(self) -> None:
        """Follow for ever."""
        while True:
            self._rung.clear()
            self._read()
            due = self._committed_at + COMMIT_SECONDS
            while self._has_news and time.monotonic() < due:
                self._gather(due)
                self._read()
            if self._has_news:
                self._commit(is_built=True)
            if not self._rung.wait(REST_SECONDS):
                self._index.rest()
                self._rung.wait()

    def _gather(self, due: float) -> None:
        """Wait until a commit is due, or enough changed to be read meanwhile: what changes all the time is read once a commit."""
        while (left := due - time.monotonic()) > 0 and self._store.last_change() < self._through + TRACES_PER_STEP:
            self._rung.wait(left)
            self._rung.clear()

    def catch_up(self) -> None:
        """Have everything in the index that changed until now."""
        self._read()
        if self._has_news:
            self._commit(is_built=True)

    @property
    def _has_news(self) -> bool:
        return self._pending or not self._index.view.state.is_built

    def _read(self) -> None:
        """Read all that changed until now; what is committed of it meanwhile is so that no more than this can be lost."""
        while not self._step():
            is_far = self._store.last_change() - self._through > FAR_CHANGES
            pause = FAR_COMMIT_SECONDS if is_far else COMMIT_SECONDS
            if self._pending and time.monotonic() > self._committed_at + pause:
                self._commit(is_built=self._index.view.state.is_built)
        if not self._has_news:
            self._index.note(self._through)
            self._tell()

    def _step(self) -> bool:
        """Read some of what changed; whether that was all."""
        self._sweep_if_needed()
        changes = self._store.traces.changed(self._through, TRACES_PER_STEP)
        for row in changes.rows:
            trace = row.summary
            self._index.put(trace, self._words(trace.trace_id))
        for removal in changes.removed:
            if isinstance(removal.key, TraceKey):
                self._index.remove(removal.key.trace_id)
        self._pending = self._pending or bool(changes.rows or changes.removed)
        self._through = changes.through
        return changes.is_last

    def _words(self, trace_id: bytes) -> list[Joined]:
        """The words of a trace; none where they can't be read, so that one trace does not keep all others from the index."""
        try:
            return [joined(piece.text) for piece in pieces_of(self._store, trace_id)]
        except Exception as error:
            if not is_of_one(error):
                raise
            self._tell_missed(trace_id, error)
            return []

    def _sweep_if_needed(self) -> None:
        """Where the store forgot removals that were not looked at, take out what it does not hold any more."""
        forgotten = self._store.removals_forgotten()
        if forgotten <= max(self._through, self._swept):
            return
        for trace_ids in self._index.view.trace_ids(SWEEP_TRACES):
            for trace_id, row in zip(trace_ids, self._store.traces.held(trace_ids), strict=True):
                if row is None:
                    self._index.remove(trace_id)
                    self._pending = True
        self._swept = forgotten

    def _commit(self, *, is_built: bool) -> None:
        self._index.commit(self._through, is_built=is_built)
        self._pending = False
        self._committed_at = time.monotonic()
        self._tell()
