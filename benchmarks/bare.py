"""Ruler 2, `python -m benchmarks.bare ADDRESS DIRECTORY`: a bare pipeline, the least that a durable span store in Python must do.

It decodes ten attributes of each span, numbers the traces, and keeps in LMDB, with its default durability, one compressed chunk of
span bytes and one row of facts for each trace and commit, and each span's hash. One thread writes, committing together all that
waits; a request is acknowledged once it is on disk. There are no indexes, no summaries and no resources, no duplicate is looked for
and nothing refused. Of sessiond it uses nothing.

The writer decodes too. Decoding in the handlers' threads, to go on while the writer waits for the disk, was slower (59 to 64 k
spans/s against 68 to 72 k on two cores): the writer lets the interpreter go at every chunk it compresses, and has to wait for it.
"""

import sys
from concurrent.futures import Future
from hashlib import blake2b
from pathlib import Path
from threading import Condition, Thread
from typing import Any, Final, NamedTuple

import grpc
import lmdb
import msgpack
import zstandard
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from benchmarks.serving import serve

TEXT_KEYS: Final = (
    "session.id",
    "user.id",
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "gen_ai.request.model",
    "gen_ai.response.model",
    "gen_ai.tool.name",
    "gen_ai.agent.name",
)
NUMBER_KEYS: Final = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")

TREES: Final = ("trace_ids", "chunks", "facts", "hashes")
MAP_BYTES: Final = 64 << 30
ZSTD_LEVEL: Final = 1
HASH_BYTES: Final = 16
NUMBER_BYTES: Final = 8


class Decoded(NamedTuple):
    """A span's bytes and what was read from them; `facts` holds the ids, times and the ten attributes."""

    trace_id: bytes
    span_id: bytes
    data: bytes
    digest: bytes
    facts: tuple[object, ...]


class Waiting(NamedTuple):
    """A request's body, and who waits for it to be on disk."""

    body: bytes
    done: Future[None]


# -- decoding ------------------------------------------------------------------------------------------------------------------


OPTIONAL, REPEATED, MESSAGE, BYTES, STRING, BOOL, INT32, INT64, DOUBLE, FIXED64 = (
    FieldDescriptorProto.LABEL_OPTIONAL,
    FieldDescriptorProto.LABEL_REPEATED,
    FieldDescriptorProto.TYPE_MESSAGE,
    FieldDescriptorProto.TYPE_BYTES,
    FieldDescriptorProto.TYPE_STRING,
    FieldDescriptorProto.TYPE_BOOL,
    FieldDescriptorProto.TYPE_INT32,
    FieldDescriptorProto.TYPE_INT64,
    FieldDescriptorProto.TYPE_DOUBLE,
    FieldDescriptorProto.TYPE_FIXED64,
)
MESSAGES: Final = {
    "Request": [("parts", 1, REPEATED, MESSAGE, ".bare.Resource")],
    "Resource": [("parts", 2, REPEATED, MESSAGE, ".bare.Scope")],
    "Scope": [("parts", 2, REPEATED, BYTES, None)],
    "Value": [
        ("string_value", 1, OPTIONAL, BYTES, None),
        ("bool_value", 2, OPTIONAL, BOOL, None),
        ("int_value", 3, OPTIONAL, INT64, None),
        ("double_value", 4, OPTIONAL, DOUBLE, None),
        ("array_value", 5, OPTIONAL, BYTES, None),
        ("kvlist_value", 6, OPTIONAL, BYTES, None),
        ("bytes_value", 7, OPTIONAL, BYTES, None),
    ],
    "Span": [
        ("trace_id", 1, OPTIONAL, BYTES, None),
        ("span_id", 2, OPTIONAL, BYTES, None),
        ("trace_state", 3, OPTIONAL, BYTES, None),
        ("parent_span_id", 4, OPTIONAL, BYTES, None),
        ("name", 5, OPTIONAL, BYTES, None),
        ("kind", 6, OPTIONAL, INT32, None),
        ("start_time_unix_nano", 7, OPTIONAL, FIXED64, None),
        ("end_time_unix_nano", 8, OPTIONAL, FIXED64, None),
        ("attributes", 9, REPEATED, MESSAGE, ".bare.Span.AttributesEntry"),
        ("events", 11, REPEATED, BYTES, None),
        ("links", 13, REPEATED, BYTES, None),
        ("status", 15, OPTIONAL, BYTES, None),
    ],
}
"""OTLP as far as it is read: a request down to its spans, which stay bytes; and a span, whose attributes are a map."""


def _classes(*names: str) -> list[type[Any]]:
    file = FileDescriptorProto(name="bare.proto", package="bare", syntax="proto3")
    for message, fields in MESSAGES.items():
        described = file.message_type.add(name=message)
        for name, number, label, kind, of in fields:
            described.field.add(name=name, number=number, label=label, type=kind, type_name=of)
    entry = described.nested_type.add(name="AttributesEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, label=OPTIONAL, type=STRING)
    entry.field.add(name="value", number=2, label=OPTIONAL, type=MESSAGE, type_name=".bare.Value")
    pool = DescriptorPool()
    pool.Add(file)
    return [GetMessageClass(pool.FindMessageTypeByName(f"bare.{name}")) for name in names]


Request, Span = _classes("Request", "Span")


def decode(body: bytes) -> list[Decoded]:
    """The spans of a request. Raises DecodeError."""
    return [_decoded(data) for resource in Request.FromString(body).parts for scope in resource.parts for data in scope.parts]


def _decoded(data: bytes) -> Decoded:
    span = Span.FromString(data)
    span_id, found = span.span_id, span.attributes
    facts = (
        span_id,
        span.parent_span_id,
        span.kind,
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        *[found[key].string_value if key in found else None for key in TEXT_KEYS],
        *[found[key].int_value if key in found else None for key in NUMBER_KEYS],
    )
    return Decoded(span.trace_id, span_id, data, blake2b(data, digest_size=HASH_BYTES).digest(), facts)


# -- writing -------------------------------------------------------------------------------------------------------------------


class Writer:
    """Group commit: one thread that writes whatever waits in one transaction, and releases those who wait when it is on disk."""

    def __init__(self, directory: Path) -> None:
        self._env = lmdb.open(str(directory), map_size=MAP_BYTES, max_dbs=len(TREES))
        self._trees = {name: self._env.open_db(name.encode()) for name in TREES}
        self._compressor = zstandard.ZstdCompressor(level=ZSTD_LEVEL)
        self._commits = 0
        self._traces = 0
        self._queue: list[Waiting] = []
        self._changed = Condition()
        self._stopping = False
        self._thread = Thread(target=self._run, name="writer")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Commit what waits, and close."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join()
        self._env.close()

    def append(self, body: bytes) -> Future[None]:
        """Queue a request. The handlers' threads bound the queue and a commit, since each waits for its own request."""
        waiting = Waiting(body, Future())
        with self._changed:
            self._queue.append(waiting)
            self._changed.notify()
        return waiting.done

    def _run(self) -> None:
        while taken := self._take():
            try:
                self._commit(taken)
            except (lmdb.Error, DecodeError) as error:
                for waiting in taken:
                    waiting.done.set_exception(error)
            else:
                for waiting in taken:
                    waiting.done.set_result(None)

    def _take(self) -> list[Waiting]:
        """Wait for something to write, and take all of it; empty at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._stopping)
            taken, self._queue = self._queue, []
            return taken

    def _commit(self, taken: list[Waiting]) -> None:
        by_trace: dict[bytes, list[Decoded]] = {}
        for waiting in taken:
            for span in decode(waiting.body):
                by_trace.setdefault(span.trace_id, []).append(span)
        self._commits += 1
        commit = self._commits.to_bytes(NUMBER_BYTES, "big")
        chunks, facts, hashes = [], [], []
        with self._env.begin(write=True) as txn:
            trace_ids = self._trees["trace_ids"]
            for trace_id, spans in by_trace.items():
                number = txn.get(trace_id, db=trace_ids)
                if number is None:
                    self._traces += 1
                    number = self._traces.to_bytes(NUMBER_BYTES, "big")
                    txn.put(trace_id, number, db=trace_ids)
                key = number + commit
                chunks.append((key, self._compressor.compress(msgpack.packb([span.data for span in spans]))))
                facts.append((key, msgpack.packb([span.facts for span in spans])))
                hashes += [(number + span.span_id, span.digest) for span in spans]
            for tree, rows in (("chunks", chunks), ("facts", facts), ("hashes", hashes)):
                with txn.cursor(db=self._trees[tree]) as cursor:
                    cursor.putmulti(rows)


def stored(directory: Path) -> tuple[int, int]:
    """(spans, traces) in a store that nobody has open."""
    with lmdb.open(str(directory), readonly=True, max_dbs=len(TREES)) as env:
        trees = {name: env.open_db(name.encode(), create=False) for name in TREES}
        with env.begin() as txn:
            return txn.stat(trees["hashes"])["entries"], txn.stat(trees["trace_ids"])["entries"]


def main() -> None:
    address, directory = sys.argv[1:]
    writer = Writer(Path(directory))
    writer.start()

    def export(body: bytes, _: grpc.ServicerContext) -> bytes:
        writer.append(body).result()
        return b""

    serve(address, export)
    writer.stop()


if __name__ == "__main__":
    main()
