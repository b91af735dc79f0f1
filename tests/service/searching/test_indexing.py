"""Following a store's changes into an index, without a process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from builders import RULES, packed, span, trace_id, turn
from sessiond.core.errors import Damaged
from sessiond.core.rows.where import Where
from sessiond.core.search.analysis import joined
from sessiond.core.search.document import Piece
from sessiond.core.search.language import parse
from sessiond.search.index import SearchIndex
from sessiond.service.searching import indexing
from sessiond.service.searching.indexing import Indexing
from sessiond.service.settling.settle import Settler
from sessiond.storage.api import Store
from sessiond.storage.lmdb.store import LmdbStore


class Followed:
    """A store, its index, and what follows the one into the other."""

    def __init__(self, folder: Path) -> None:
        self.store = LmdbStore.open(folder / "data", bytes_max=1 << 28, rules=RULES.fingerprint)
        self.settler = Settler(self.store, RULES)
        self.path = folder / "search"
        self.told: list[int] = []
        self.missed: list[tuple[bytes, str]] = []
        self.open()

    def open(self) -> None:
        """As a process does that is started."""
        self.index = SearchIndex.open(self.path, self.store.identity)
        self.indexing = Indexing(
            self.store,
            self.index,
            lambda: self.told.append(self.index.view.state.through),
            lambda trace_id, error: self.missed.append((trace_id, repr(error))),
        )

    def send(self, *numbers: int, session: str = "s", name: str = "weather", end_ms: int = 10) -> None:
        for number in numbers:
            sent = span(trace=number, id=number, name=name, session=session, end_ms=end_ms)
            marked = self.store.append(packed(sent)).traces
            self.settler.note(marked)
        self.settler.settle_all()

    def found(self, query: str = "weather", where: Where = Where()) -> list[int]:  # noqa: B008  (a value)
        hits = self.index.view.search(parse(query), where, by_time=True, limit=1000).hits
        return sorted(int.from_bytes(hit.trace_id, "big") for hit in hits)


@pytest.fixture
def followed(tmp_path: Path) -> Iterator[Followed]:
    found = Followed(tmp_path)
    yield found
    found.index.rest()
    found.store.close()


def test_what_changed_is_in_the_index_and_nothing_is_read_twice(followed: Followed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "TRACES_PER_STEP", 3)
    followed.send(*range(1, 11))
    followed.indexing.catch_up()
    assert (followed.found(), followed.told[-1]) == (list(range(1, 11)), followed.store.last_change())
    followed.send(11)
    followed.send(2, name="rain", end_ms=20)
    followed.indexing.catch_up()
    assert followed.found("rain") == [2]
    assert followed.found() == [1, *range(3, 12)]
    count = len(followed.told)
    followed.indexing.catch_up()
    assert (len(followed.told), followed.index.view.state.through) == (count + 1, followed.store.last_change())


def test_an_index_shows_what_it_read_once_it_is_nearly_current(followed: Followed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "TRACES_PER_STEP", 1)
    monkeypatch.setattr(indexing, "FAR_CHANGES", 5)
    monkeypatch.setattr(indexing, "FAR_COMMIT_SECONDS", 1e9)
    monkeypatch.setattr(indexing, "COMMIT_SECONDS", 0.0)
    for number in range(1, 11):
        followed.send(number, session=f"s{number}")
    followed.indexing.catch_up()
    last = followed.store.last_change()
    assert len(followed.told) > 2
    assert followed.told[0] >= last - 5
    assert followed.told[-1] == last


def test_a_process_that_died_before_a_commit_left_nothing_out(followed: Followed) -> None:
    followed.send(1, 2)
    followed.indexing.catch_up()
    followed.send(3)
    followed.index.put(turn(99), [joined("weather")])  # never committed
    followed.index.rest()
    followed.open()
    assert followed.found() == [1, 2]
    followed.indexing.catch_up()
    assert followed.found() == [1, 2, 3]


def test_a_trace_that_moves_is_found_in_its_new_session_alone(followed: Followed) -> None:
    followed.send(1, session="a")
    followed.indexing.catch_up()
    followed.send(1, session="b", end_ms=20)
    followed.indexing.catch_up()
    assert (followed.found(where=Where(session_id="a")), followed.found(where=Where(session_id="b"))) == ([], [1])


def test_where_removals_were_forgotten_what_is_gone_is_looked_for(followed: Followed) -> None:
    followed.send(1, 2)
    followed.indexing.catch_up()
    followed.index.put(turn(7), [joined("weather")])  # as of a trace that is no more
    followed.index.commit(1, is_built=True)
    assert followed.found() == [1, 2, 7]
    followed.index.rest()
    followed.open()
    followed.store.forget_removals(followed.store.last_change())
    followed.indexing.catch_up()
    assert followed.found() == [1, 2]


@pytest.mark.parametrize("error", [RecursionError("too deep"), Damaged("a rotten row")], ids=["unread", "damaged"])
def test_a_trace_that_cannot_be_read_is_told_and_keeps_no_other_from_the_index(
    followed: Followed, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    read, odd = indexing.pieces_of, trace_id(2)

    def pieces_of(store: Store, wanted: bytes) -> list[Piece]:
        if wanted == odd:
            raise error
        return read(store, wanted)

    monkeypatch.setattr(indexing, "pieces_of", pieces_of)
    followed.send(1, 2, 3)
    followed.indexing.catch_up()
    assert (followed.found(), followed.missed) == ([1, 3], [(odd, repr(error))])
    assert (followed.index.view.document_count, followed.told[-1]) == (3, followed.store.last_change())


def test_an_empty_store_makes_an_index_that_is_built(followed: Followed) -> None:
    followed.indexing.catch_up()
    assert (followed.index.view.state.is_built, followed.index.view.document_count) == (True, 0)


def test_an_unknown_trace_is_no_document(followed: Followed) -> None:
    assert followed.store.traces.held([trace_id(5)]) == [None]
