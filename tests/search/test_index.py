"""An index finds what `core.search.matching` says that it must."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessiond.core.model import TraceSummary
from sessiond.core.search.analysis import words
from sessiond.core.search.language import Node, parse
from sessiond.core.search.matching import matches
from sessiond.core.search.ranking import score
from sessiond.core.where import Where
from sessiond.search.index import SearchIndex
from tests.builders import turn

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
        index.put(trace(number), [words(piece) for piece in pieces])
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
            except Exception:
                continue
            expected = [number for number, pieces in enumerate(documents) if matches(node, [words(piece) for piece in pieces])]
            assert sorted(found(index, node)) == expected, query
        index.rest()
