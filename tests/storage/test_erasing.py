"""What `storage.api` promises of erasing, held against every engine."""

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from builders import ARRIVAL, MS, RULES, T0, annotation, packed, score, span, span_id, trace_id
from sessiond.core.feedback.target import Subject, TraceTarget, subject_of
from sessiond.core.model import NO_TEXTS, SessionKey, TraceKey, UserKey
from sessiond.core.rows.where import Where
from sessiond.service.settling.settle import Settler
from sessiond.storage.api import Appended, Erased, Erasure, Extent, Marks, Removal, Store, span_pages

EVERYTHING = Where()
NOW = ARRIVAL + 10**9
S1, ANN = SessionKey("default", "s1"), UserKey("default", "ann")


def settle(store: Store) -> None:
    Settler(store, RULES).settle_all()


def put(store: Store, *spans: Span) -> Appended:
    appended = store.append(packed(*spans))
    settle(store)
    return appended


def erase(store: Store, *numbers: int, remember: bool = True) -> Erased:
    return store.erase([trace_id(number) for number in numbers], NOW if remember else None)


def held(store: Store) -> tuple[list[bytes], list[str], list[str]]:
    """Everything that lists show."""
    return (
        [row.summary.trace_id for row in store.traces.page(EVERYTHING, None, 99).rows],
        [row.summary.session_id for row in store.sessions.page(EVERYTHING, None, 99).rows],
        [row.summary.user_id for row in store.users.page(EVERYTHING, None, 99).rows],
    )


def swept(store: Store) -> Extent:
    """What is held when all space is freed that can be."""
    while store.sweep():
        pass
    return store.extent()


# -- what goes -------------------------------------------------------------------------------------------------------------------


def test_nothing_is_found_of_an_erased_trace(store: Store) -> None:
    put(store, span(id=1, session="s1", user="ann", operation="chat", input__value="hello"), span(id=2, parent=1))
    assert erase(store, 1) == Erased((trace_id(1),), Marks((), (S1,), (ANN,)))
    assert list(span_pages(store, trace_id(1))) == [[]]
    assert (store.facts(trace_id(1)), store.trace(trace_id(1)), store.texts([trace_id(1)])) == ([], None, [NO_TEXTS])
    assert (store.trace_ids(), store.traces_of_session(S1), store.traces_of_user(ANN)) == ([], [], [])
    assert store.traces.page(EVERYTHING, None, 9).rows == []
    assert store.marks() == Marks((), (S1,), (ANN,))
    settle(store)
    assert held(store) == ([], [], [])
    assert swept(store)[:4] == (0, 0, 0, 0)


def test_what_else_a_session_and_a_user_have_stays(store: Store) -> None:
    put(store, *(span(trace=number, id=number, session="s1", user="ann", start_ms=number) for number in (1, 2, 3)))
    erase(store, 2)
    settle(store)
    assert [trace.trace_id for trace in store.traces_of_session(S1)] == [trace_id(1), trace_id(3)]
    assert (store.session(S1).trace_count, store.user(ANN).trace_count) == (2, 2)
    assert store.session(S1).start_unix_nano == T0 + MS


def test_unknown_traces_are_left_out(store: Store) -> None:
    put(store, span(trace=1))
    assert erase(store, 9) == Erased((), Marks())
    assert erase(store, 1, 9, 1).traces == (trace_id(1),)
    assert erase(store, 1) == Erased((), Marks())
    assert store.erase([], NOW) == Erased((), Marks())
    assert [one.trace_id for one in store.erasures()] == [trace_id(1)]
    assert [store.is_erased(trace_id(number)) for number in (1, 9)] == [True, False]


def test_a_trace_that_was_never_settled_is_erased_with_its_mark_and_nobody_is_told(store: Store) -> None:
    store.append(packed(span(id=1, session="s1", input__value="hello")))
    assert erase(store, 1) == Erased((trace_id(1),), Marks())
    assert (store.marks(), store.fresh_texts(trace_id(1)), store.facts(trace_id(1))) == (Marks(), None, [])
    assert store.traces.changed(0, 9).removed == []


def test_a_trace_that_changed_since_it_was_settled_marks_whom_it_belonged_to(store: Store) -> None:
    put(store, span(id=1, session="s1"))
    store.append(packed(span(id=1, session="s2", end_ms=99)))
    assert erase(store, 1).marks == Marks((), (S1,), ())
    settle(store)
    assert held(store) == ([], [], [])


def test_an_outdated_trace_is_not_looked_for_any_more(store: Store) -> None:
    put(store, span(trace=1), span(trace=2))
    store.set_rules(b"rules--2")
    erase(store, 1)
    assert store.outdated() == ([trace_id(2)], None)
    assert store.outdated_among([trace_id(1)]) == []
    store.set_rules(RULES.fingerprint)
    store.renew([trace_id(2)], RULES.facts)
    settle(store)


def test_feedback_goes_with_its_trace_and_that_of_a_session_with_its_last_one(store: Store) -> None:
    put(store, span(trace=1, id=1, session="s1"), span(trace=2, id=2, session="s1"), span(trace=3, id=3, session="s2"))
    s2, first = SessionKey("default", "s2"), TraceTarget(trace_id(1))
    store.put_feedback(
        [
            *(
                score(f"{target}", target)
                for target in (first, TraceTarget(trace_id(1), span_id(1)), TraceTarget(trace_id(2)), S1, s2)
            ),
            *(annotation(f"{target}", target) for target in (first, S1, s2)),
        ]
    )
    settle(store)

    def left() -> list[Subject]:
        items = (*store.scores.page(None, None, 99)[0], *store.annotations.page(None, None, 99)[0])
        return sorted({subject_of(item.target) for item in items}, key=str)

    erase(store, 1)
    assert left() == [S1, s2, trace_id(2)]
    settle(store)
    assert (store.session(S1).annotations, len(store.trace(trace_id(2)).scores)) == (1, 1)
    erase(store, 2)
    assert left() == [s2]


def test_feedback_of_a_session_that_goes_on_with_a_trace_that_is_not_settled_yet_stays(store: Store) -> None:
    project = SessionKey("shop", "s1")
    put(store, span(trace=1, id=1, session="s1"), span(trace=2, id=2, session="s1", sessiond__project="shop"), span(trace=3, id=3))
    store.put_feedback([score("a", S1), annotation("b", S1), score("c", project), annotation("d", SessionKey("default", "s9"))])
    settle(store)
    store.append(packed(span(trace=4, id=4, session="s1"), span(trace=5, id=5, session="s9"), span(trace=6, id=6)))
    store.erase([trace_id(1), trace_id(2)], NOW, [SessionKey("default", "s9")])
    settle(store)
    assert (store.session(S1).trace_count, len(store.session(S1).scores), store.session(S1).annotations) == (1, 1, 1)
    assert (store.scores.of(project), store.annotations.count(SessionKey("default", "s9"))) == ([], 1)


def test_feedback_on_what_was_never_received_goes_where_it_is_named(store: Store) -> None:
    put(store, span(trace=1, id=1, session="s1"))
    unknown = SessionKey("default", "unknown")
    store.put_feedback([score("a", TraceTarget(trace_id(9))), score("b", S1), annotation("c", unknown), annotation("d", S1)])
    settle(store)
    assert store.erase([trace_id(9)], NOW, [unknown, S1]) == Erased((), Marks())
    assert [one.id for one in (*store.scores.of(S1), *store.annotations.of(S1))] == ["b", "d"]  # it has a trace
    assert (store.scores.page(None, None, 9)[0], store.annotations.page(None, None, 9)[0]) == (
        store.scores.of(S1),
        store.annotations.of(S1),
    )
    assert store.erasures() == []


# -- who is told -----------------------------------------------------------------------------------------------------------------


def test_whoever_follows_is_told_that_traces_sessions_and_users_are_no_more(store: Store) -> None:
    put(store, span(trace=1, session="s1", user="ann"), span(trace=2, start_ms=5))
    before = store.last_change()
    erase(store, 1)
    settle(store)
    changes = store.traces.changed(before, 9)
    assert (changes.rows, changes.is_last, changes.through) == ([], True, store.last_change())
    assert changes.removed == [Removal(before + 1, TraceKey("default", trace_id(1)))]
    assert [removal.key for removal in store.sessions.changed(before, 9).removed] == [S1]
    assert [removal.key for removal in store.users.changed(before, 9).removed] == [ANN]


def test_removals_of_traces_come_in_their_order_a_few_at_a_time(store: Store) -> None:
    put(store, *(span(trace=number) for number in (1, 2, 3)))
    before = store.last_change()
    for number in (2, 3, 1):
        erase(store, number)
    told, through, is_last = [], before, False
    while not is_last:
        changes = store.traces.changed(through, 2)
        told += [int.from_bytes(removal.key.trace_id, "big") for removal in changes.removed]
        through, is_last = changes.through, changes.is_last
    assert told == [2, 3, 1]
    store.forget_removals(before + 2)
    assert [int.from_bytes(removal.key.trace_id, "big") for removal in store.traces.changed(before, 9).removed] == [1]


def test_a_list_goes_on_where_it_was_when_traces_behind_and_ahead_of_it_are_gone(store: Store) -> None:
    put(store, *(span(trace=number, start_ms=number) for number in range(1, 7)))
    first = store.traces.page(EVERYTHING, None, 2)
    erase(store, 5, 4)
    rest = store.traces.page(EVERYTHING, first.after, 9)
    assert [int.from_bytes(row.summary.trace_id, "big") for row in (*first.rows, *rest.rows)] == [6, 5, 3, 2, 1]


# -- what is sent again ----------------------------------------------------------------------------------------------------------


def test_spans_of_an_erased_trace_are_refused_known_and_new_ones(store: Store) -> None:
    put(store, span(trace=1, id=1, session="s1"))
    erase(store, 1)
    late = packed(span(trace=1, id=1, session="s1"), span(trace=1, id=2, parent=1), span(trace=2, id=3))
    assert store.append(late) == Appended(1, 0, 0, (trace_id(2),), 2, frozenset({trace_id(1)}))
    settle(store)
    assert held(store) == ([trace_id(2)], [], [])


def test_every_version_of_a_refused_span_counts(store: Store) -> None:
    put(store, span(trace=1, id=1))
    erase(store, 1)
    twice = packed(span(trace=1), span(trace=1))
    assert store.append([*twice, *packed(span(trace=1, end_ms=99))]) == Appended(0, 0, 0, (), 3, frozenset({trace_id(1)}))


def test_an_erased_trace_that_is_not_remembered_comes_back_as_new(store: Store) -> None:
    put(store, span(trace=1, id=1, session="s1"), span(trace=1, id=2, parent=1))
    erase(store, 1, remember=False)
    assert store.erasures() == []
    assert put(store, span(trace=1, id=1, session="s1")) == Appended(1, 0, 0, (trace_id(1),))
    assert (held(store)[:2], store.trace(trace_id(1)).span_count) == (([trace_id(1)], ["s1"]), 1)


def test_erased_traces_are_forgotten_by_time(store: Store) -> None:
    put(store, *(span(trace=number) for number in (1, 2, 3)))
    for number in (3, 1, 2):
        store.erase([trace_id(number)], NOW + number)
    assert store.forget_erased(NOW + 2, 99) == 1
    assert store.erasures() == [Erasure(trace_id(2), NOW + 2), Erasure(trace_id(3), NOW + 3)]
    assert put(store, span(trace=1), span(trace=2)).refused == 1
    assert store.forget_erased(NOW + 2, 99) == 0


def test_beyond_a_number_those_erased_first_are_forgotten(store: Store) -> None:
    put(store, *(span(trace=number) for number in (1, 2, 3, 4)))
    for number in (4, 1, 3, 2):
        store.erase([trace_id(number)], NOW - number)
    assert [store.forget_erased(0, 1, limit=2), store.forget_erased(0, 1, limit=2), store.forget_erased(0, 1)] == [2, 1, 0]
    assert [one.trace_id for one in store.erasures()] == [trace_id(1)]


def test_erasures_are_listed_page_by_page_and_taken_over_by_another_store(store: Store) -> None:
    told = [Erasure(trace_id(number), NOW + number) for number in (1, 2, 3)]
    store.remember_erased(told[:2])
    store.remember_erased([told[2], told[0]._replace(unix_nano=NOW)])
    store.remember_erased([told[0]])
    assert [store.erasures(None, 2), store.erasures(trace_id(2), 2), store.erasures(trace_id(3), 2)] == [told[:2], told[2:], []]
    assert store.append(packed(span(trace=2))).refused == 1


# -- space -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cost", [1, 9, 10, 11, 25])
def test_a_large_trace_is_gone_at_once_and_its_space_bit_by_bit(store: Store, cost: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sessiond.storage.lmdb.erase.SWEEP_COST_MAX", cost)
    for number in range(1, 30):
        store.append(packed(span(trace=1, id=number)))
    put(store, span(trace=2, id=77))
    erase(store, 1)
    assert (store.facts(trace_id(1)), held(store)[0]) == ([], [trace_id(2)])
    assert [problem for page in store.check() for problem in page] == []
    assert swept(store)[:2] == (1, 1)
    assert not store.sweep()
    assert len(store.facts(trace_id(2))) == 1
