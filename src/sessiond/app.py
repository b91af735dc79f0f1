"""The daemon put together: the one place that names every part. Stop is the reverse of start."""

import gc
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from importlib.metadata import version
from typing import Final, NamedTuple

import structlog
from grpc_reflection.v1alpha import reflection

from sessiond.config import Config
from sessiond.core.errors import SessiondError
from sessiond.core.spans.normalize import ExtraKeys
from sessiond.prices import GenaiPriceBook
from sessiond.server.admin import AdminService, Identity
from sessiond.server.feedback import FeedbackService
from sessiond.server.listen import Listener, bind
from sessiond.server.receiver import trace_service
from sessiond.server.sessions import SessionService
from sessiond.server.transfer import TransferService
from sessiond.service.asking.follow import Followers
from sessiond.service.asking.freshness import Freshness
from sessiond.service.asking.query import Queries
from sessiond.service.asking.removals import Removals
from sessiond.service.asking.seen import Sight
from sessiond.service.feedback.changes import Changes
from sessiond.service.feedback.items import ANNOTATION, SCORE, Items, Staleness
from sessiond.service.receiving.decoders import Decoders
from sessiond.service.receiving.ingest import Ingest
from sessiond.service.searching.indexer import Indexer, Place
from sessiond.service.searching.searches import Searches
from sessiond.service.settling.reprice import reprice
from sessiond.service.settling.rules import Rules
from sessiond.service.settling.settle import Settler
from sessiond.service.transfer import Transfer
from sessiond.service.upkeep.check import check
from sessiond.service.upkeep.erase import Eraser
from sessiond.service.writer import Writer
from sessiond.storage.api import Store
from sessiond.storage.lmdb.keys import FORMAT
from sessiond.storage.lmdb.store import LmdbStore
from sessiond.telemetry import Telemetry
from sessiond.wire._pb.v1 import (
    admin_service_pb2_grpc,
    feedback_service_pb2_grpc,
    session_service_pb2_grpc,
    transfer_service_pb2_grpc,
)

GRACE_SECONDS: Final = 10.0
"""For calls under way when the daemon stops."""
COLLECTED_AFTER: Final = 100_000
"""Objects made and not freed before the collector looks."""
UPKEEP_SECONDS: Final = 1.0
SEARCH_DIR: Final = "search"
"""Folder in the data directory that holds the search index: it may be thrown away while no daemon runs."""
STALLED_SECONDS: Final = 60.0
"""A step of the writer that takes longer has hung: systemd is no longer told that the daemon is alive."""

log = structlog.get_logger()


class _Running(NamedTuple):
    """The parts that want something done now and then."""

    writer: Writer
    decoders: Decoders
    removals: Removals
    indexer: Indexer | None
    eraser: Eraser


class App:
    """The daemon. `run` returns its exit code."""

    def __init__(self, config: Config, reload: Callable[[], Config]) -> None:
        self._config = config
        self._reload = reload
        self._stop = threading.Event()
        self._broken: SessiondError | None = None
        self._listeners: list[Listener] = []

    def run(self) -> int:
        """Start, serve until SIGTERM or SIGINT, stop: 0, or 1 where the store broke. Raises SessiondError where it can't start."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        with ExitStack() as parts:
            running = self._start(parts)
            _calm_collector()
            _notify("READY=1")
            log.info(
                "ready", **{name: listener.address for name, listener in zip(("otlp_grpc", "query"), self._listeners, strict=True)}
            )
            while not self._stop.wait(UPKEEP_SECONDS):
                self._keep_up(running)
            _notify("STOPPING=1")
            log.info("stopping")
        log.info("stopped")
        return 1 if self._broken else 0

    def _start(self, parts: ExitStack) -> _Running:
        """Open the store, start the writer, bind and start both servers; `parts` closes them in reverse."""
        config = self._config
        telemetry = Telemetry()
        rules = rules_of(config)
        store = LmdbStore.open(config.store.data_dir, bytes_max=config.store.bytes_max, rules=rules.fingerprint)
        parts.callback(store.close)
        settler = Settler(store, rules)
        writer = Writer(store, settler, telemetry, queue_bytes_max=config.receiver.queue_bytes_max, broken=self._end_broken)
        decoders = Decoders(rules.keys)
        ingest = Ingest(
            writer, decoders, telemetry, spans_max=config.receiver.spans_max, bytes_max=config.receiver.requests_bytes_max
        )
        sight = Sight(store, idle_nano=config.sessions.idle_seconds * 10**9)
        freshness = Freshness(writer)
        queries = Queries(store, freshness, lambda: writer.rules, sight)
        followers = Followers(store, queries, writer, sight, count_max=config.query.followers_max)
        indexer = indexer_of(config, store, writer)
        searches = Searches(store, Freshness(writer), sight, queries, indexer) if indexer else None
        receiver = bind(
            "otlp_grpc",
            config.receiver.otlp_grpc,
            [trace_service(ingest)],
            threads=config.receiver.threads,
            message_bytes_max=config.receiver.message_bytes_max,
        )
        query = bind(
            "query",
            config.query.address,
            [],
            threads=config.query.threads + config.query.followers_max,
            message_bytes_max=config.receiver.message_bytes_max,
        )
        self._listeners = [receiver, query]
        session_service_pb2_grpc.add_SessionServiceServicer_to_server(SessionService(queries, followers, searches), query.server)
        feedback_service_pb2_grpc.add_FeedbackServiceServicer_to_server(feedback_service(store, writer, freshness), query.server)
        transfer_service_pb2_grpc.add_TransferServiceServicer_to_server(
            TransferService(Transfer(store, queries), ingest), query.server
        )
        identity = Identity(
            version=version("sessiond"),
            start_unix_nano=time.time_ns(),
            data_dir=str(config.store.data_dir.resolve()),
            store_format=FORMAT,
            addresses={"otlp_grpc": receiver.address, "query": query.address},
        )
        eraser = Eraser(store, queries, writer, refuse_seconds=config.receiver.refuse_erased_seconds)
        admin = AdminService(
            identity,
            store,
            writer,
            telemetry,
            check=lambda: check(store, lambda: writer.rules),
            reprice=lambda: reprice(writer, lambda: rules_of(self._reload())),
            indexer=indexer,
            eraser=eraser,
        )
        admin_service_pb2_grpc.add_AdminServiceServicer_to_server(admin, query.server)
        if config.query.reflection:
            services = ("SessionService", "FeedbackService", "TransferService", "AdminService")
            names = (*(f"sessiond.v1.{name}" for name in services), reflection.SERVICE_NAME)
            reflection.enable_server_reflection(names, query.server)
        writer.start()
        parts.callback(writer.stop)
        parts.callback(decoders.stop)
        if indexer:
            indexer.start()
            parts.callback(indexer.stop)
        for listener in (query, receiver):
            listener.start()
            parts.callback(listener.stop, GRACE_SECONDS)
        parts.callback(followers.stop)
        return _Running(writer, decoders, Removals(store, writer), indexer, eraser)

    def _keep_up(self, running: _Running) -> None:
        """Tell health and systemd how it goes, and let go of what nobody uses."""
        running.decoders.end_idle()
        running.decoders.kill_stuck()
        running.removals.keep_up()
        if running.indexer:
            running.indexer.keep_up()
        running.eraser.keep_up()
        self._listeners[0].set_serving(serving=running.writer.full is None)
        if running.writer.seconds_at_work() < STALLED_SECONDS:
            _notify("WATCHDOG=1")

    def _end_broken(self, error: SessiondError) -> None:
        """The store can't be trusted any more: stop, and be restarted by whoever supervises."""
        log.error("the store broke", reason=str(error))
        self._broken = error
        self._stop.set()


def feedback_service(store: Store, writer: Writer, freshness: Freshness) -> FeedbackService:
    """The service of scores and annotations over a store and its writer."""
    changes = Changes(store, writer)
    scores = Items(SCORE, store, changes, freshness)
    annotations = Items(ANNOTATION, store, changes, freshness)
    return FeedbackService(scores, annotations, Staleness(store, freshness))


def rules_of(config: Config) -> Rules:
    """What figures are made by, as it is configured."""
    prices = GenaiPriceBook(override.value() for override in config.prices.overrides)
    keys = config.conventions
    return Rules(prices, ExtraKeys(keys.session_keys, keys.user_keys, keys.metadata_keys))


def indexer_of(config: Config, store: LmdbStore, writer: Writer) -> Indexer | None:
    """What keeps the search index of a store, if it is configured."""
    if not config.search.enabled:
        return None
    place = Place(config.store.data_dir, config.store.bytes_max, config.store.data_dir / SEARCH_DIR)
    return Indexer(place, writer.settled_bell, store.last_change, store.forget_dead_readers)


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
