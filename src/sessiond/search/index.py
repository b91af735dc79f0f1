"""The index in a directory: one document a trace, and one that says of which store and up to which change it is.

The two are committed together, so an index is never of another change than it says. Everything here runs in the indexer's process:
one thread writes, any may search.
"""

import shutil
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgpack
from tantivy import Document, Index, IndexWriter, Order, Query, Schema, SchemaBuilder, Searcher, TextAnalyzerBuilder, Tokenizer

from sessiond.core.model import TraceSummary
from sessiond.core.rows.where import Where
from sessiond.core.search import analysis, document
from sessiond.core.search.analysis import Joined
from sessiond.core.search.language import Node
from sessiond.core.search.ranking import Statistics
from sessiond.search.queries import KEY, START, STATE_KEY, TEXT, everything, narrowed, query_of, state, term

VERSION: Final = 1
"""Of the layout below: an index of another is made anew."""
WRITER_BYTES: Final = 32 << 20
"""What tantivy gathers before it writes a segment, of the 15 MB that it asks for at least."""
HITS_PER_LOOK: Final = 20_000
"""Hits whose values are read at once."""

_TOKENIZER: Final = "tokens"
_TEXT_FIELDS: Final = (KEY, "project", "session", "user")
_NUMBERS: Final = ("high", "low", START, "length")
"""Two halves of the trace's id, its start, its tokens."""
_ID: Final = struct.Struct(">QQ")


class State(NamedTuple):
    """What an index says of itself."""

    store: bytes
    """The identity of the store that it is of."""
    versions: tuple[int, int, int]
    through: int
    """Everything up to this change of the store is in it."""
    is_built: bool
    """Whether it has once caught up since it was made."""


class Hit(NamedTuple):
    """A trace that a query finds."""

    trace_id: bytes
    score: float
    """0 where hits are wanted by time."""
    start_unix_nano: int


class Hits(NamedTuple):
    """Some hits in order, and whether these are all."""

    hits: list[Hit]
    is_all: bool


VERSIONS: Final = (VERSION, analysis.VERSION, document.VERSION)


@dataclass(frozen=True, slots=True)
class View:
    """The index as of one commit. May be searched from any thread, and stays as it is while documents are written."""

    state: State
    _schema: Schema
    _searcher: Searcher

    @property
    def document_count(self) -> int:
        """Traces in it."""
        return max(0, self._searcher.num_docs - 1)

    def search(self, node: Node, where: Where, session_ids: Sequence[str] = (), *, by_time: bool, limit: int) -> Hits:
        """The best hits that `where` holds for, at most `limit`, or the latest; of equal score in no promised order.

        With `session_ids` only in these.

        Raises ValueError where the index refuses, which it does of a sequence that could go on in too many ways.
        """
        query = narrowed(self._schema, query_of(self._schema, node), where, session_ids)
        order: dict[str, Any] = {"order_by_field": START, "order": Order.Desc} if by_time else {}
        found = self._searcher.search(query, limit + 1, count=False, **order).hits
        hits: list[Hit] = []
        for at in range(0, min(len(found), limit), HITS_PER_LOOK):
            some = found[at : min(limit, at + HITS_PER_LOOK)]
            scores = [0.0] * len(some) if by_time else [score for score, _ in some]
            hits += self._read(scores, [address for _, address in some])
        return Hits(hits, len(found) <= limit)

    def trace_ids(self, limit: int) -> Iterator[list[bytes]]:
        """The traces of all documents, `limit` at a time."""
        for offset in range(0, self.document_count, limit):
            found = self._searcher.search(everything(self._schema), limit, count=False, offset=offset).hits
            yield [hit.trace_id for hit in self._read([0.0] * len(found), [address for _, address in found])]

    def statistics(self) -> Statistics:
        """What finds that are not in the index are ranked by, to be ranked as it ranks: it counts the one that holds its state."""
        total = self._searcher.aggregate(Query.all_query(), {"sum": {"sum": {"field": "length"}}})["sum"]["value"]
        count = self._searcher.num_docs
        return Statistics(count, total / count, lambda token: self._searcher.doc_freq(TEXT, token))

    def _read(self, scores: Sequence[float], addresses: list[Any]) -> list[Hit]:
        high, low, start = (self._searcher.fast_field_values(name, addresses) for name in _NUMBERS[:3])
        return [
            Hit(_ID.pack(one, other), score, int(at or 0)) for one, other, score, at in zip(high, low, scores, start, strict=True)
        ]


class SearchIndex:
    """An index in a directory; `open` it. Its writing side is taken up when something is put, and given back by `rest`."""

    def __init__(self, path: Path, index: Index, schema: Schema) -> None:
        self._path = path
        self._index = index
        self._schema = schema
        self._writer: IndexWriter | None = None
        self.made_anew = ""
        """Why the one that was there could not be used, if one was."""
        self.view = self._read_view()
        """As of the last commit."""

    @classmethod
    def open(cls, path: Path, store: bytes) -> "SearchIndex":
        """The index in `path`, if it is sound, of this version and of this store; else a new, empty one, which says why."""
        if not path.exists():
            return cls.create(path, store)
        try:
            found = cls._at(path)
            why = "" if found.view.state[:2] == (store, VERSIONS) else "it is of another store or version"
        except Exception as error:  # noqa: BLE001  (whatever is wrong with it, it can be made again)
            why = repr(error)
        return cls.create(path, store, why) if why else found

    @classmethod
    def create(cls, path: Path, store: bytes, why: str = "") -> "SearchIndex":
        """A new, empty index in `path`, whatever is there; `why` what is there can't be used."""
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        path.mkdir(parents=True)
        schema = _schema()
        index = _with_tokenizer(Index(schema, path=str(path)))
        writer = index.writer(WRITER_BYTES, 1)
        writer.add_document(_state_document(State(store, VERSIONS, 0, is_built=False)))
        writer.commit()
        writer.wait_merging_threads()
        created = cls._at(path)
        created.made_anew = why
        return created

    @classmethod
    def _at(cls, path: Path) -> "SearchIndex":
        return cls(path, _with_tokenizer(Index.open(str(path))), _schema())

    def put(self, trace: TraceSummary, pieces: Sequence[Joined]) -> None:
        """Have a trace's document be these pieces, from the next commit on."""
        writer = self._writing()
        key = trace.trace_id.hex()
        writer.delete_documents_by_term(KEY, key)
        high, low = _ID.unpack(trace.trace_id)
        numbers = (high, low, trace.start_unix_nano, sum(length for _, length in pieces))
        new = Document()
        for name, value in zip(_TEXT_FIELDS, (key, *map(_optional_term, _owners(trace))), strict=True):
            if value is not None:
                new.add_text(name, value)
        for name, number in zip(_NUMBERS, numbers, strict=True):
            new.add_unsigned(name, number)
        for text, _ in pieces:
            new.add_text(TEXT, text)
        writer.add_document(new)

    def remove(self, trace_id: bytes) -> None:
        """Have a trace be in it no more, from the next commit on."""
        self._writing().delete_documents_by_term(KEY, trace_id.hex())

    def commit(self, through: int, *, is_built: bool) -> None:
        """Make what was put and removed durable and visible, as all that changed in the store up to `through`."""
        writer = self._writing()
        writer.delete_documents_by_term(KEY, STATE_KEY)
        writer.add_document(_state_document(self.view.state._replace(through=through, is_built=is_built)))
        writer.commit()
        self._index.reload()
        self.view = self._read_view()

    def note(self, through: int) -> None:
        """Nothing that is searched changed between the last commit and `through`, so the index is of that too; not durable."""
        self.view = replace(self.view, state=self.view.state._replace(through=through))

    def byte_count(self) -> int:
        """Bytes on disk."""
        return sum(file.stat().st_size for file in self._path.iterdir() if file.is_file())

    def rest(self) -> None:
        """Give back what writing takes, some tens of megabytes, until something is put again."""
        if self._writer is not None:
            self._writer.wait_merging_threads()
            self._writer = None

    def _writing(self) -> IndexWriter:
        if self._writer is None:
            self._writer = self._index.writer(WRITER_BYTES, 1)
        return self._writer

    def _read_view(self) -> View:
        searcher = self._index.searcher()
        ((_, address),) = searcher.search(state(self._schema), 1).hits
        store, versions, through, is_built = msgpack.unpackb(searcher.doc(address)[STATE_KEY][0], use_list=False)
        return View(State(store, versions, through, is_built), self._schema, searcher)


def _schema() -> Schema:
    builder = SchemaBuilder()
    builder.add_text_field(TEXT, tokenizer_name=_TOKENIZER, index_option="position")
    for name in _TEXT_FIELDS:
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for name in _NUMBERS:
        builder.add_unsigned_field(name, fast=True, indexed=name == START)
    builder.add_bytes_field(STATE_KEY, stored=True)
    return builder.build()


def _with_tokenizer(index: Index) -> Index:
    """An index of tokens that come joined by blanks. A view of it is made at a commit, not by a thread that watches."""
    index.register_tokenizer(_TOKENIZER, TextAnalyzerBuilder(Tokenizer.whitespace()).build())
    index.config_reader("manual")
    index.reload()
    return index


def _state_document(state: State) -> Document:
    new = Document()
    new.add_text(KEY, STATE_KEY)
    new.add_bytes(STATE_KEY, msgpack.packb(state))
    return new


def _owners(trace: TraceSummary) -> tuple[str | None, ...]:
    return trace.project, trace.session_id, trace.user_id


def _optional_term(name: str | None) -> str | None:
    return None if name is None else term(name)
