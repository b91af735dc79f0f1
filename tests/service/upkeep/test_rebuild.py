"""Rebuild: a new store answers as the old one, from its span bytes and their first arrivals."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import builders
from builders import RULES, packed, received, span, trace_id
from daemon import STORE_BYTES_MAX
from sessiond.core.model import SessionKey, StoredSpan, Text, Texts, UserKey
from sessiond.core.rows.where import Where
from sessiond.service.settling.settle import Settler
from sessiond.service.upkeep.check import check
from sessiond.service.upkeep.rebuild import Rebuilt, rebuild
from sessiond.service.writer import COMMIT_SPANS_MAX
from sessiond.storage.api import Marks, SettledTrace, Store, span_pages
from sessiond.storage.lmdb.store import LmdbStore
from sessiond.storage.packing import Packer

SECOND = 10**9


@pytest.fixture
def old(tmp_path: Path) -> Iterator[LmdbStore]:
    store = LmdbStore.open(tmp_path / "old", bytes_max=STORE_BYTES_MAX)
    yield store
    store.close()


@pytest.fixture
def new(tmp_path: Path) -> Iterator[LmdbStore]:
    store = LmdbStore.open(tmp_path / "new", bytes_max=STORE_BYTES_MAX)
    yield store
    store.close()


def spans_of(store: Store, number: int) -> list[StoredSpan]:
    return sorted(span for page in span_pages(store, trace_id(number)) for span in page)


def answers(store: Store) -> dict[str, object]:
    """Everything a store is asked for, without the numbers of changes, which are its own."""
    numbers = [int.from_bytes(one) for one in store.trace_ids()]
    return {
        "traces": [row.summary for row in store.traces.page(Where(), None, 1000).rows],
        "sessions": [row.summary for row in store.sessions.page(Where(), None, 1000).rows],
        "texts": store.texts(store.trace_ids()),
        "traces of s": store.traces_of_session(SessionKey("default", "s")),
        "users": [store.user(UserKey("default", name)) for name in ("u", "v", "w")],
        "spans": {number: spans_of(store, number) for number in numbers},
        "facts": {number: sorted(map(repr, store.facts(trace_id(number)))) for number in numbers},
        "extent": store.extent()[:4],
        "marks": store.marks(),
    }


def test_the_new_store_answers_as_the_old_and_keeps_first_arrivals(old: LmdbStore, new: LmdbStore) -> None:
    first = span(trace=1, id=1, session="s", user="u")
    changed = span(trace=1, id=1, session="s", user="u", end_ms=30)
    for arrival, spans in (
        (0, [first, span(trace=2, id=1, user="v"), span(trace=3, id=1, session="gone", sessiond__project="p")]),
        (7, [changed, span(trace=1, id=2, parent=1, operation="chat", model="m", tokens_in=2, tokens_out=3, input__value="hi")]),
        (9, [first, span(trace=4, id=1, session="s", user="w", error="no", start_ms=50)]),
    ):
        old.append(packed(*spans, arrival=builders.ARRIVAL + arrival * SECOND))
    Settler(old, RULES).settle_all()
    told = list(rebuild(old, new, RULES))
    assert told[-1] == Rebuilt(5, [])
    assert answers(new) == answers(old)
    assert sorted(span.received_unix_nano - builders.ARRIVAL for span in spans_of(new, 1)) == [0, 7 * SECOND]
    assert [problem for one in check(new, lambda: RULES) for problem in one.problems] == []


def test_marks_of_the_old_store_need_not_be_settled(old: LmdbStore, new: LmdbStore) -> None:
    old.append(packed(span(trace=1, id=1, session="s", user="u")))
    list(rebuild(old, new, RULES))
    Settler(old, RULES).settle_all()
    assert answers(new) == answers(old)
    assert new.marks() == Marks()


def test_erased_traces_are_remembered_by_the_new_store(old: LmdbStore, new: LmdbStore) -> None:
    old.append(packed(*(span(trace=number, session="s") for number in (1, 2, 3))))
    old.erase([trace_id(1), trace_id(2)], builders.ARRIVAL)
    Settler(old, RULES).settle_all()
    list(rebuild(old, new, RULES))
    assert (answers(new), new.erasures()) == (answers(old), old.erasures())
    assert new.append(packed(span(trace=2, id=7))).refused == 1


def test_an_empty_store_gives_an_empty_store(old: LmdbStore, new: LmdbStore) -> None:
    assert list(rebuild(old, new, RULES)) == [Rebuilt(0, [])]
    assert answers(new) == answers(old)


def test_more_spans_than_fit_a_transaction_are_all_copied(old: LmdbStore, new: LmdbStore) -> None:
    count = COMMIT_SPANS_MAX + 10
    old.append(packed(*(span(trace=1 + number % 3, id=number + 1, session="s") for number in range(count))))
    Settler(old, RULES).settle_all()
    assert [one.spans for one in rebuild(old, new, RULES)] == [COMMIT_SPANS_MAX, count]
    assert answers(new) == answers(old)


def test_wrong_summaries_are_made_right(old: LmdbStore, new: LmdbStore) -> None:
    old.append(packed(span(trace=1, id=1, session="s", user="u")))
    Settler(old, RULES).settle_all()
    right = answers(old)
    wrong = old.trace(trace_id(1))
    assert wrong is not None
    texts = Texts(Text("wrong", 5))
    old.put_traces([SettledTrace(wrong._replace(name="wrong", session_id="wrong"), texts)])
    Settler(old, RULES).settle_all()
    list(rebuild(old, new, RULES))
    assert answers(new) == right


def test_a_span_that_can_not_be_read_is_left_out_and_told(old: LmdbStore, new: LmdbStore) -> None:
    good, bad = received(span(trace=1, id=1, session="s")), received(span(trace=2, id=1, session="s"))
    old.append(Packer().traces([*good, bad[0]._replace(data=b"\xff\xff")]))
    assert list(rebuild(old, new, RULES)) == [Rebuilt(1, ["a span's bytes are not a Span message"])]
    assert new.trace_ids() == [trace_id(1)]
