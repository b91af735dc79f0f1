"""The daemon as a process: signals, upkeep, systemd. It starts the parts, and stops them in reverse."""

import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

import structlog

from sessiond.config import Config
from sessiond.core.errors import SessiondError
from sessiond.parts import Parts, put_together, rules_of
from sessiond.storage.lmdb.store import LmdbStore

GRACE_SECONDS: Final = 10.0
"""For calls under way when the daemon stops."""
COLLECTED_AFTER: Final = 100_000
"""Objects made and not freed before the collector looks."""
UPKEEP_SECONDS: Final = 1.0
STALLED_SECONDS: Final = 60.0
"""A step of the writer that takes longer has hung: systemd is no longer told that the daemon is alive."""

log = structlog.get_logger()


class App:
    """The daemon. `run` returns its exit code."""

    def __init__(self, config: Config, reload: Callable[[], Config]) -> None:
        self._config = config
        self._reload = reload
        self._stop = threading.Event()
        self._broken: SessiondError | None = None

    def run(self) -> int:
        """Start, serve until SIGTERM or SIGINT, stop: 0, or 1 where the store broke. Raises SessiondError where it can't start."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        with ExitStack() as running:
            parts = self._start(running)
            _calm_collector()
            _notify("READY=1")
            log.info("ready", otlp_grpc=parts.receiver.address, query=parts.query.address)
            while not self._stop.wait(UPKEEP_SECONDS):
                _keep_up(parts)
            _notify("STOPPING=1")
            log.info("stopping")
        log.info("stopped")
        return 1 if self._broken else 0

    def _start(self, running: ExitStack) -> Parts:
        """Open the store and start all parts; `running` closes them in reverse."""
        config, rules = self._config, rules_of(self._config)
        store = LmdbStore.open(config.store.data_dir, bytes_max=config.store.bytes_max, rules=rules.fingerprint)
        running.callback(store.close)
        parts = put_together(config, store, rules, reload=lambda: rules_of(self._reload()), broken=self._end_broken)
        parts.start(running, GRACE_SECONDS)
        return parts

    def _end_broken(self, error: SessiondError) -> None:
        """The store can't be trusted any more: stop, and be restarted by whoever supervises."""
        log.error("the store broke", reason=str(error))
        self._broken = error
        self._stop.set()


def _keep_up(parts: Parts) -> None:
    """Tell health and systemd how it goes, and let go of what nobody uses."""
    parts.decoders.end_idle()
    parts.decoders.kill_stuck()
    parts.removals.keep_up()
    if parts.indexer:
        parts.indexer.keep_up()
    parts.eraser.keep_up()
    parts.receiver.set_serving(serving=parts.writer.full is None)
    if parts.writer.seconds_at_work() < STALLED_SECONDS:
        _notify("WATCHDOG=1")


def _calm_collector() -> None:
    """Let the collector look rarely, and never at what was there at the start.

    Spans and facts are tuples without cycles, which go by reference count; looking for cycles among them took a tenth of the time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECTED_AFTER, 20, 50)


def _notify(state: str) -> None:
    """Tell systemd, where it asked to be told (sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        try:
            notify.sendto(state.encode(), "\0" + address[1:] if address.startswith("@") else address)
        except OSError as error:
            log.warning("systemd can't be told", error=str(error))


def serve(config: Config, reload: Callable[[], Config]) -> int:
    """Run the daemon with `config`; the process's exit code. A start that fails is told on stderr with what to do.

    `reload` reads the settings again. Raises BadConfig where they can't be used any more.
    """
    try:
        return App(config, reload).run()
    except SessiondError as error:
        print(f"sessiond: {error}", file=sys.stderr)  # noqa: T201  (for the person who started it)
        return 1
