"""The indexer's process put together: it holds the full-text index, and reads the store beside the daemon, which starts it.

It ends when the daemon closes the pipe, or is gone. Requests come on standard input, answers go to standard output.
"""

import fcntl
import gc
import os
import signal
import sys
import threading
from pathlib import Path
from typing import IO, Final

from sessiond.search.index import SearchIndex
from sessiond.service.receiving.decode import read_frame, write_frame
from sessiond.service.searching.answering import Answers, Refused
from sessiond.service.searching.indexing import Indexing
from sessiond.service.searching.protocol import FAILED, FINGERPRINT, MISSED, OK, REFUSED, RING, TOLD, Standing, packed, unpacked
from sessiond.storage.lmdb.store import LmdbStore

NICENESS: Final = 10
"""Taking spans in and answering go first: with nothing else to do, a core is still used whole."""
COLLECTED_AFTER: Final = 100_000
"""Objects made and not freed before the collector looks: what is read of spans is tuples without cycles (as in app.py)."""
SWITCH_SECONDS: Final = 0.001
"""A search waits no longer than this for the thread that makes documents."""


def main() -> None:
    """Serve until the daemon lets go. Arguments: the store's directory, its quota, the index's directory, and `anew` or nothing."""
    data_dir, bytes_max, path, *anew = sys.argv[1:]
    for number in (signal.SIGINT, signal.SIGTERM):  # meant for the daemon, which then closes the pipe
        signal.signal(number, signal.SIG_IGN)
    os.nice(NICENESS)
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.freeze()
    gc.set_threshold(COLLECTED_AFTER, 20, 50)
    _wait_alone(Path(path))
    store = LmdbStore.beside(Path(data_dir), bytes_max=int(bytes_max))
    index = (SearchIndex.create if anew else SearchIndex.open)(Path(path), store.identity)
    _Process(store, index).run()
    os._exit(0)  # whatever the other thread does: the index is as of its last commit


def _wait_alone(path: Path) -> None:
    """Wait until no other process has the index, such as that of a daemon which was just killed; it is ours for life then."""
    lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)


class _Process:
    """The two threads: this one answers, another follows the store."""

    def __init__(self, store: LmdbStore, index: SearchIndex) -> None:
        self._requests: IO[bytes] = sys.stdin.buffer
        self._answers: IO[bytes] = sys.stdout.buffer
        self._writing = threading.Lock()
        self._index = index
        self._answering = Answers(store, index, self._tell_missed)
        self._indexing = Indexing(store, index, self._tell, self._tell_missed)

    def run(self) -> None:
        """Answer until the pipe is closed."""
        self._send(TOLD, OK, (FINGERPRINT, self._index.made_anew))
        threading.Thread(target=self._follow, name="indexing", daemon=True).start()
        while (frame := read_frame(self._requests)) is not None:
            number, verb, arguments = unpacked(frame)
            if verb == RING:
                self._indexing.ring()
            else:
                self._answer(number, verb, arguments)

    def _answer(self, number: int, verb: str, arguments: tuple[object, ...]) -> None:
        try:
            self._send(number, OK, self._answering.answer(verb, arguments))
        except Refused as refused:
            self._send(number, REFUSED, (str(refused),))
        except Exception as error:  # noqa: BLE001  (it is told to whoever asked; the next may be answered)
            self._send(number, FAILED, (repr(error),))

    def _follow(self) -> None:
        try:
            self._indexing.run()
        except BaseException as error:  # noqa: BLE001  (tantivy's panics are no Exception; the daemon starts another process)
            self._send(TOLD, FAILED, (repr(error),))
            os._exit(1)

    def _tell(self) -> None:
        view = self._index.view
        state = view.state
        self._send(TOLD, OK, Standing(state.through, state.is_built, view.document_count, self._index.byte_count()))

    def _tell_missed(self, trace_id: bytes, error: Exception) -> None:
        self._send(TOLD, MISSED, (trace_id.hex(), repr(error)))

    def _send(self, number: int, outcome: str, what: tuple[object, ...]) -> None:
        with self._writing:
            try:
                write_frame(self._answers, packed((number, outcome, what)))
            except BrokenPipeError:  # the daemon is gone
                os._exit(0)


if __name__ == "__main__":
    main()
