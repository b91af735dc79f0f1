"""An index finds what `core.search.matching` says that it must, ranks it as `core.search.ranking` does, and knows what it is of."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import MS, T0, turn
from sessiond.core.errors import Invalid
from sessiond.core.model import TraceSummary
from sessiond.core.rows.where import Where
from sessiond.core.search.analysis import joined, words
from sessiond.core.search.language import Node, parse
from sessiond.core.search.matching import matches
from sessiond.core.search.ranking import score
from sessiond.search.index import VERSIONS, SearchIndex, State

STORE = b"storehre"
EVERYWHERE = Where()
LETTERS = st.sampled_from(["a", "b", "ab", "Ab", "á", "ba", "東", "京", "都", "ガ", "9", "x_y", "-", ":", "é", " ", " ", " "])
TEXTS = st.lists(LETTERS, max_size=12).map("".join)
DOCUMENTS = st.lists(st.lists(TEXTS, max_size=3), min_size=1, max_size=6)


def quoted(text: str) -> str:
    return f'"{text}"'


LEAVES = st.one_of(
    st.sampled_from(["a", "b", "ab", "AB", "á", "東", "京都", "東京都", "x_y", "a:b", "ab*", "ba*", "x_ab*", "都*"]),
    TEXTS.map(quoted),
)
QUERIES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda two: f"({two[0]} {two[1]})"),
        st.tuples(inner, inner).map(lambda two: f"({two[0]} OR {two[1]})"),
        inner.map(lambda one: f"NOT ({one})"),
    ),
    max_leaves=5,
)


def trace(number: int, session: str | None = None, **more: object) -> TraceSummary:
    return turn(number, session_id=session, **more)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[SearchIndex]:
    found = SearchIndex.open(tmp_path / "search", STORE)
    yield found
    found.rest()


def put(index: SearchIndex, documents: list[list[str]]) -> None:
    for number, pieces in enumerate(documents):
        index.put(trace(number), [joined(piece) for piece in pieces])
    index.commit(1, is_built=True)


def found(
    index: SearchIndex, query: str | Node, where: Where = EVERYWHERE, limit: int = 100, *, by_time: bool = False
) -> list[int]:
    node = parse(query) if isinstance(query, str) else query
    hits = index.view.search(node, where, by_time=by_time, limit=limit).hits
    return [int.from_bytes(hit.trace_id, "big") for hit in hits]


@settings(max_examples=150, deadline=None)
@given(documents=DOCUMENTS, queries=st.lists(QUERIES, min_size=1, max_size=8))
def test_the_index_finds_what_matches(documents: list[list[str]], queries: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        index = SearchIndex.open(Path(folder) / "search", STORE)
        put(index, documents)
        for query in queries:
            try:
                node = parse(query)
            except Invalid:  # it says nothing: signs alone
                continue
            expected = [number for number, pieces in enumerate(documents) if matches(node, [words(piece) for piece in pieces])]
            assert sorted(found(index, node)) == expected, query
        index.rest()


def test_finds_are_ranked_alike_in_the_index_and_beside_it(index: SearchIndex) -> None:
    """The index keeps the length of a document in a byte, so that scores differ by some percent and order does not."""
    documents = [[["rain"] * 3], [["rain"] + ["word"] * 40], [["sun"] * 9], [["rain", "snow"]], [["snow", "rain", "sun"] * 5]]
    for number, document in enumerate(documents):
        index.put(turn(number), [joined(" ".join(piece)) for piece in document])
    index.commit(1, is_built=True)
    for query in ("rain", "rain sun", "sun OR snow", '"snow rain"', "(rain snow) OR sun", "rain NOT sun", "ra*", "ra* sun"):
        node = parse(query)
        hits = {hit.trace_id: hit.score for hit in index.view.search(node, EVERYWHERE, by_time=False, limit=9).hits}
        for number, document in enumerate(documents):
            here, there = score(node, document, index.view.statistics()), hits.get(turn(number).trace_id)
            assert (here is None) == (there is None), query
            assert there is None or here == pytest.approx(there, rel=0.1), query


def test_where_narrows_and_order_is_by_time(index: SearchIndex) -> None:
    rows = [
        turn(1, session_id="a", user_id="u", start_ms=1),
        turn(2, session_id="a", project="p", start_ms=2),
        turn(3, session_id=None, user_id="u", start_ms=3),
    ]
    for row in rows:
        index.put(row, [joined("word")])
    index.commit(1, is_built=True)
    assert found(index, "word", by_time=True) == [3, 2, 1]
    assert found(index, "word", Where(session_id="a"), by_time=True) == [2, 1]
    assert found(index, "word", Where(session_id="a", project="p")) == [2]
    assert found(index, "word", Where(user_id="u"), by_time=True) == [3, 1]
    assert found(index, "word", Where(since_unix_nano=T0 + 2 * MS), by_time=True) == [3, 2]
    assert found(index, "word", Where(until_unix_nano=T0 + 2 * MS)) == [1]
    hits = index.view.search(parse("word"), EVERYWHERE, ("a", "b"), by_time=True, limit=1)
    assert ([hit.start_unix_nano for hit in hits.hits], hits.is_all) == ([T0 + 2 * MS], False)


def test_a_document_is_replaced_and_removed_by_its_trace(index: SearchIndex) -> None:
    index.put(turn(1), [joined("old")])
    index.put(turn(2), [joined("old")])
    index.commit(5, is_built=False)
    index.put(turn(1), [joined("new")])
    index.remove(turn(2).trace_id)
    assert (found(index, "old", by_time=True), index.view.state.through) == ([1, 2], 5)
    index.commit(9, is_built=True)
    assert (found(index, "old"), found(index, "new"), found(index, "NOT x"), index.view.document_count) == ([], [1], [1], 1)
    assert (index.view.state.through, index.view.state.is_built) == (9, True)


def test_an_index_goes_on_where_it_was_committed_if_it_is_of_the_store(tmp_path: Path) -> None:
    first = SearchIndex.open(tmp_path, STORE)
    put(first, [["word"]])
    first.put(turn(5), [joined("word")])
    first.rest()
    again = SearchIndex.open(tmp_path, STORE)
    assert (found(again, "word"), again.view.state) == ([0], first.view.state)
    assert SearchIndex.open(tmp_path, b"another!").view.state == State(b"another!", VERSIONS, 0, is_built=False)


def test_all_traces_are_told_in_pieces(index: SearchIndex) -> None:
    put(index, [["word"]] * 7)
    pieces = list(index.view.trace_ids(3))
    assert [len(piece) for piece in pieces] == [3, 3, 1]
    assert sorted(int.from_bytes(one, "big") for piece in pieces for one in piece) == list(range(7))


@pytest.mark.parametrize("name", ["meta.json", ".managed.json"])
def test_a_damaged_index_is_made_anew(tmp_path: Path, name: str) -> None:
    put(SearchIndex.open(tmp_path, STORE), [["word"]])
    (tmp_path / name).write_bytes(os.urandom(100))
    damaged = SearchIndex.open(tmp_path, STORE)
    assert (damaged.view.state.through, bool(damaged.made_anew)) == (0, True)


def test_a_beginning_that_goes_on_in_very_many_ways_is_found(index: SearchIndex) -> None:
    put(index, [[f"word{number} end"] for number in range(3000)])
    assert len(found(index, "wo*", limit=5000)) == 3000
    assert found(index, '"word17 end"') == [17]
