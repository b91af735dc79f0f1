"""What the indexer's process answers the daemon: hits of the index, what turns that are not in it yet hold, and excerpts."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from sessiond.core.rows.where import Where
from sessiond.core.search.document import Piece, words_of
from sessiond.core.search.excerpts import Excerpt, excerpts
from sessiond.core.search.language import Node, parse
from sessiond.core.search.ranking import score
from sessiond.search.index import SearchIndex
from sessiond.service.searching.protocol import EXCERPT, MATCH, SEARCH, Asked, Found
from sessiond.service.searching.turn_pieces import is_of_one, pieces_of
from sessiond.storage.api import Store


class Refused(Exception):
    """The index can't take this query: why, in words for whoever asked."""


class Answers:
    """Answers over an index and the store that it is of. Every method may be called beside the thread that writes the index."""

    def __init__(self, store: Store, index: SearchIndex, tell_missed: Callable[[bytes, Exception], None]) -> None:
        self._store = store
        self._index = index
        self._tell_missed = tell_missed

    def answer(self, verb: str, arguments: tuple[Any, ...]) -> tuple[object, ...]:
        """The answer to a request in plain values. Raises Refused."""
        return _VERBS[verb](self, *arguments)

    def search(self, query: str, where: tuple[Any, ...], session_ids: tuple[str, ...], *order: Any) -> Found:  # noqa: ANN401
        """The hits of an `Asked`."""
        asked = Asked(query, Where(*where), session_ids, *order)
        view = self._index.view
        try:
            hits = view.search(_parsed(query), asked.where, asked.session_ids, by_time=asked.by_time, limit=asked.limit)
        except ValueError as error:
            raise Refused(str(error)) from error
        return Found(view.state.through, view.state.is_built, hits.is_all, tuple(hits.hits))

    def match(self, query: str, trace_ids: Sequence[bytes]) -> tuple[tuple[bytes, float], ...]:
        """Those of some traces that a query finds as they are in the store now, each with its score."""
        node, statistics = _parsed(query), self._index.view.statistics()
        scores = ((trace_id, score(node, words_of(self._pieces(trace_id)), statistics)) for trace_id in trace_ids)
        return tuple((trace_id, found) for trace_id, found in scores if found is not None)

    def excerpt(self, query: str, trace_ids: Sequence[bytes]) -> tuple[list[Excerpt], ...]:
        """Of each of some traces what to show of it."""
        node = _parsed(query)
        return tuple(excerpts(node, self._pieces(trace_id)) for trace_id in trace_ids)

    def _pieces(self, trace_id: bytes) -> list[Piece]:
        """What is searched of a trace; nothing where it can't be read any more, so that one trace does not cost all others."""
        try:
            return pieces_of(self._store, trace_id)
        except Exception as error:
            if not is_of_one(error):
                raise
            self._tell_missed(trace_id, error)
            return []


_VERBS: Final[Mapping[str, Callable[..., tuple[object, ...]]]] = {
    SEARCH: Answers.search,
    MATCH: Answers.match,
    EXCERPT: Answers.excerpt,
}


@lru_cache(maxsize=64)  # a search asks several times
def _parsed(query: str) -> Node:
    return parse(query)
