"""The daemon's parts over one store: the one place that names every one of them."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from importlib.metadata import version
from typing import Final, NamedTuple

from grpc_reflection.v1alpha import reflection

from sessiond.config import Config
from sessiond.core.errors import StoreBroken
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
from sessiond.storage.lmdb.keys import FORMAT
from sessiond.storage.lmdb.store import LmdbStore
from sessiond.telemetry import Telemetry
from sessiond.wire._pb.v1.admin_service_pb2_grpc import add_AdminServiceServicer_to_server
from sessiond.wire._pb.v1.feedback_service_pb2_grpc import add_FeedbackServiceServicer_to_server
from sessiond.wire._pb.v1.session_service_pb2_grpc import add_SessionServiceServicer_to_server
from sessiond.wire._pb.v1.transfer_service_pb2_grpc import add_TransferServiceServicer_to_server

SEARCH_DIR: Final = "search"
"""Folder in the data directory that holds the search index: it may be thrown away while no daemon runs."""
SERVICES: Final = ("SessionService", "FeedbackService", "TransferService", "AdminService")


class Parts(NamedTuple):
    """What runs between `start` and the end of the stack that it was given."""

    telemetry: Telemetry
    writer: Writer
    decoders: Decoders
    ingest: Ingest
    queries: Queries
    followers: Followers
    eraser: Eraser
    removals: Removals
    indexer: Indexer | None
    receiver: Listener
    query: Listener

    def start(self, running: ExitStack, grace_seconds: float) -> None:
        """Start the writer, then what answers; `running` stops them in reverse, and leaves calls under way `grace_seconds`."""
        self.writer.start()
        running.callback(self.writer.stop)
        running.callback(self.decoders.stop)
        if self.indexer:
            self.indexer.start()
            running.callback(self.indexer.stop)
        for listener in (self.query, self.receiver):
            listener.start()
            running.callback(listener.stop, grace_seconds)
        running.callback(self.followers.stop)


def put_together(
    config: Config, store: LmdbStore, rules: Rules, *, reload: Callable[[], Rules], broken: Callable[[StoreBroken], None]
) -> Parts:
    """All parts over an open store, both servers bound; nothing runs yet. Raises Occupied where an address can't be bound.

    `reload` gives the rules to reprice by, as they are configured then; `broken` is told that the store can't be trusted any more.
    """
    telemetry = Telemetry()
    writer = Writer(store, Settler(store, rules), telemetry, queue_bytes_max=config.receiver.queue_bytes_max, broken=broken)
    decoders = Decoders(rules.keys)
    ingest = Ingest(writer, decoders, telemetry, spans_max=config.receiver.spans_max, bytes_max=config.receiver.requests_bytes_max)
    sight = Sight(store, idle_nano=config.sessions.idle_seconds * 10**9)
    freshness = Freshness(writer)
    queries = Queries(store, freshness, lambda: writer.rules, sight)
    followers = Followers(store, queries, writer, sight, count_max=config.query.followers_max)
    eraser = Eraser(store, queries, writer, refuse_seconds=config.receiver.refuse_erased_seconds)
    indexer = _indexer(config, store, writer)
    searches = Searches(store, freshness, sight, queries, indexer) if indexer else None
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
    admin = AdminService(
        _identity(config, receiver, query),
        store,
        writer,
        telemetry,
        check=lambda: check(store, lambda: writer.rules),
        reprice=lambda: reprice(writer, reload),
        indexer=indexer,
        eraser=eraser,
    )
    add_SessionServiceServicer_to_server(SessionService(queries, followers, searches), query.server)
    add_FeedbackServiceServicer_to_server(_feedback(store, writer, freshness), query.server)
    add_TransferServiceServicer_to_server(TransferService(Transfer(store, queries), ingest), query.server)
    add_AdminServiceServicer_to_server(admin, query.server)
    if config.query.reflection:
        names = (*(f"sessiond.v1.{name}" for name in SERVICES), reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, query.server)
    removals = Removals(store, writer)
    return Parts(telemetry, writer, decoders, ingest, queries, followers, eraser, removals, indexer, receiver, query)


def rules_of(config: Config) -> Rules:
    """What figures are made by, as it is configured."""
    prices = GenaiPriceBook(override.value() for override in config.prices.overrides)
    keys = config.conventions
    return Rules(prices, ExtraKeys(keys.session_keys, keys.user_keys, keys.metadata_keys))


def _indexer(config: Config, store: LmdbStore, writer: Writer) -> Indexer | None:
    if not config.search.enabled:
        return None
    place = Place(config.store.data_dir, config.store.bytes_max, config.store.data_dir / SEARCH_DIR)
    return Indexer(place, writer.settled_bell, store.last_change, store.forget_dead_readers)


def _feedback(store: LmdbStore, writer: Writer, freshness: Freshness) -> FeedbackService:
    changes = Changes(store, writer)
    scores = Items(SCORE, store, changes, freshness)
    annotations = Items(ANNOTATION, store, changes, freshness)
    return FeedbackService(scores, annotations, Staleness(store, freshness))


def _identity(config: Config, receiver: Listener, query: Listener) -> Identity:
    return Identity(
        version=version("sessiond"),
        start_unix_nano=time.time_ns(),
        data_dir=str(config.store.data_dir.resolve()),
        store_format=FORMAT,
        addresses={"otlp_grpc": receiver.address, "query": query.address},
    )
