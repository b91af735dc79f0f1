"""What `storage.api` promises, held against every engine."""

from collections.abc import Iterator

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from builders import ARRIVAL, MS, OTHER_RULES, PRICES, RULES, T0, facts, packed, received, span, trace_id
from sessiond.core.figures import session, trace, user
from sessiond.core.model import NO_TEXTS, SessionKey, Text, Texts, TraceSummary, UserKey
from sessiond.core.rows.numbers import numbers_of, signature_of
from sessiond.core.rows.places import place_of
from sessiond.core.rows.where import Where
from sessiond.service.settling.figures import settled, settled_session, settled_user
from sessiond.storage.api import Appended, Marks, Store, span_pages
from sessiond.storage.packing import Packer

EVERYTHING = Where()
S1 = SessionKey("default", "s1")
FIRST, SECOND = RULES.fingerprint, OTHER_RULES.fingerprint


def settle(store: Store) -> None:
    marks = store.marks()
    owners = store.put_traces([settled(store, RULES, one) for one in marks.traces])
    sessions = {*marks.sessions, *owners.sessions}
    users = {*marks.users, *owners.users}
    store.put_sessions([(key, settled_session(store, key, store.traces_to_settle(key))) for key in sessions])
    store.put_users([(key, settled_user(key, store.traces_to_settle(key))) for key in users])


def put(store: Store, *spans: Span, arrival: int = ARRIVAL) -> Appended:
    appended = store.append(packed(*spans, arrival=arrival))
    settle(store)
    return appended


def stored_bytes(store: Store, number: int = 1) -> list[bytes]:
    return sorted(one.data for page in span_pages(store, trace_id(number)) for one in page)


def trace_numbers(store: Store, where: Where = EVERYTHING, limit: int = 2) -> list[int]:
    return [int.from_bytes(one.trace_id, "big") for one in walk_traces(store, where, limit)]


def walk_traces(store: Store, where: Where, limit: int) -> Iterator[TraceSummary]:
    after = None
    while True:
        page = store.traces.page(where, after, limit)
        yield from (row.summary for row in page.rows if where.holds_for(row.summary))
        if page.after is None:
            return
        after = page.after


def session_ids(store: Store, where: Where = EVERYTHING, limit: int = 2) -> list[str]:
    found, after = [], None
    while True:
        page = store.sessions.page(where, after, limit)
        found += [row.summary.session_id for row in page.rows if where.holds_for(row.summary)]
        if page.after is None:
            return found
        after = page.after


# -- spans -----------------------------------------------------------------------------------------------------------------------


def test_appended_spans_are_there_as_they_came(store: Store) -> None:
    sent = received(span(id=1), span(id=2, parent=1))
    assert store.append(Packer().traces(sent)) == Appended(2, 0, 0, (trace_id(1),))
    assert stored_bytes(store) == sorted(one.data for one in sent)
    assert sorted(store.facts(trace_id(1))) == sorted(one.facts for one in sent)


def test_an_unknown_trace_has_nothing(store: Store) -> None:
    assert list(span_pages(store, trace_id(9))) == [[]]
    assert store.facts(trace_id(9)) == []
    assert store.trace(trace_id(9)) is None
    assert store.session(S1) is None
    assert store.user(UserKey("default", "u")) is None
    assert store.traces_of_session(S1) == []


def test_nothing_appended_changes_nothing(store: Store) -> None:
    assert store.append([]) == Appended(0, 0, 0, ())
    assert store.extent()[:4] == (0, 0, 0, 0)


def test_the_same_span_again_changes_nothing(store: Store) -> None:
    sent = received(span(id=1))
    store.append(Packer().traces(sent))
    settle(store)
    again = packed(span(id=1), arrival=ARRIVAL + 10**9)
    assert store.append([*again, *again]) == Appended(0, 2, 0, ())
    assert store.marks() == Marks()
    assert store.facts(trace_id(1)) == [sent[0].facts]


@pytest.mark.parametrize("together", [True, False])
def test_the_same_span_twice_in_one_append_is_stored_once(store: Store, together: bool) -> None:
    sent = received(span(id=1))
    packer = Packer()
    twice = packer.traces([*sent, *sent]) if together else [*packer.traces(sent), *packer.traces(sent)]
    assert store.append(twice) == Appended(1, 1, 0, (trace_id(1),))
    assert stored_bytes(store) == [sent[0].data]


@pytest.mark.parametrize("winner_first", [True, False])
def test_of_two_versions_the_ended_one_stays_with_the_first_arrival(store: Store, winner_first: bool) -> None:
    ended, running = span(id=1, name="ended"), span(id=1, name="running")
    running.end_time_unix_nano = 0
    order = (ended, running) if winner_first else (running, ended)
    assert [store.append(packed(one, arrival=ARRIVAL + i)).conflicts for i, one in enumerate(order)] == [0, 1]
    assert stored_bytes(store) == [ended.SerializeToString()]
    assert [(one.name, one.received_unix_nano) for one in store.facts(trace_id(1))] == [("ended", ARRIVAL)]


def test_versions_that_end_together_are_decided_by_content_alone(store: Store) -> None:
    versions = [span(id=1, name=name) for name in ("a", "b", "c")]
    largest = max(received(*versions), key=lambda one: one.digest)
    for one in versions:
        store.append(packed(one))
    assert stored_bytes(store) == [largest.data]


def test_a_replaced_span_leaves_its_neighbours_in_place(store: Store) -> None:
    late = span(id=1, name="late", end_ms=99)
    store.append(packed(span(id=1, name="early"), span(id=2, name="beside")))
    store.append(packed(late))
    assert sorted(one.name for one in store.facts(trace_id(1))) == ["beside", "late"]
    assert len(stored_bytes(store)) == 2


def test_a_client_and_a_server_span_may_share_an_id(store: Store) -> None:
    assert put(store, span(id=1, kind=3), span(id=1, kind=2)).stored == 2
    assert store.trace(trace_id(1)).span_count == 2


def test_one_span_id_in_two_traces_is_two_spans(store: Store) -> None:
    put(store, span(id=1, trace=1), span(id=1, trace=2))
    assert store.extent().span_count == 2


def test_spans_come_in_pages_and_none_is_left_out(store: Store) -> None:
    for number in range(1, 9):
        store.append(packed(span(id=number, filler="x" * 300_000)))
    pages = list(span_pages(store, trace_id(1)))
    assert sum(map(len, pages)) == 8
    assert len(stored_bytes(store)) == 8


def test_trace_ids_are_walked_in_order(store: Store) -> None:
    put(store, *(span(trace=number) for number in (3, 1, 2)))
    assert store.trace_ids(None, 2) == [trace_id(1), trace_id(2)]
    assert store.trace_ids(trace_id(2), 2) == [trace_id(3)]
    assert store.trace_ids(trace_id(3), 2) == []


# -- marks and summaries ---------------------------------------------------------------------------------------------------------


def test_an_append_marks_its_trace_and_a_summary_clears_the_mark(store: Store) -> None:
    store.append(packed(span(session="s1", user="u1")))
    assert store.marks() == Marks(traces=(trace_id(1),))
    owners = store.put_traces([settled(store, RULES, trace_id(1))])
    assert owners == Marks(sessions=(S1,), users=(UserKey("default", "u1"),))
    assert store.marks() == owners


def test_summaries_are_read_as_they_were_written(store: Store) -> None:
    spans = [span(id=1, session="s1", user="u1", name="turn"), span(id=2, parent=1, operation="chat", tokens_in=3, tokens_out=4)]
    put(store, *spans)
    turn = trace.summarize(trace_id(1), facts(*spans), PRICES)
    assert store.trace(trace_id(1)) == turn
    assert store.session(S1) == session.summarize(S1, [turn])
    assert store.user(UserKey("default", "u1")) == user.summarize(UserKey("default", "u1"), [turn])


def test_a_late_session_id_moves_the_trace_and_removes_the_session_it_leaves(store: Store) -> None:
    put(store, span(id=1, gen_ai__conversation__id="thread"))
    assert session_ids(store) == ["thread"]
    put(store, span(id=2, parent=1, session="s1"))
    assert session_ids(store) == ["s1"]
    assert store.session(SessionKey("default", "thread")) is None
    assert store.trace(trace_id(1)).other_session_ids == ("thread",)


def test_a_session_that_was_removed_can_come_back(store: Store) -> None:
    put(store, span(trace=1, id=1, gen_ai__conversation__id="thread"))
    put(store, span(trace=1, id=2, session="s1"))
    put(store, span(trace=2, id=3, gen_ai__conversation__id="thread"))
    assert sorted(session_ids(store)) == ["s1", "thread"]


def test_a_user_who_lost_their_last_trace_is_gone(store: Store) -> None:
    put(store, span(id=1, llm__user="old"))
    put(store, span(id=2, user="new"))
    assert store.user(UserKey("default", "old")) is None
    assert store.user(UserKey("default", "new")).trace_count == 1
    assert store.extent().user_count == 1


def test_the_same_session_id_in_two_projects_is_two_sessions(store: Store) -> None:
    put(store, span(trace=1, session="s1", sessiond__project="p1"), span(trace=2, session="s1", sessiond__project="p2"))
    assert [store.session(SessionKey(project, "s1")).trace_count for project in ("p1", "p2")] == [1, 1]
    assert session_ids(store, Where(session_id="s1")) == ["s1", "s1"]
    assert session_ids(store, Where(project="p2", session_id="s1")) == ["s1"]


def test_ids_of_any_length_and_letters_are_kept_whole(store: Store) -> None:
    names = ["x" * 1000, "x" * 999 + "y", "naïve 🙂", "a\x00b", " spaced inside "]
    for number, name in enumerate(names, 1):
        put(store, span(trace=number, session=name))
    assert sorted(session_ids(store)) == sorted(name.strip() for name in names)


def test_traces_of_a_session_come_in_order_of_start_then_id(store: Store) -> None:
    put(store, *(span(trace=number, session="s1", start_ms=start) for number, start in ((4, 5), (1, 9), (3, 5), (2, 1))))
    assert [int.from_bytes(one.trace_id, "big") for one in store.traces_of_session(S1)] == [2, 3, 4, 1]


def test_whoever_settles_gets_the_traces_as_they_are_stored(store: Store) -> None:
    ann = UserKey("default", "ann")

    def stored() -> bool:
        of_session, of_user = store.traces_of_session(S1), store.traces_of_user(ann)
        return (store.traces_to_settle(S1), store.traces_to_settle(ann)) == (of_session, of_user) and bool(of_session)

    put(store, *(span(trace=number, id=1, session="s1", user="ann", start_ms=9 - number) for number in (1, 2, 3)))
    assert stored()
    put(store, span(trace=2, id=2, start_ms=1), span(trace=4, session="s1", user="bob"))
    assert stored()
    put(store, span(trace=3, id=1, session="s2", user="ann", start_ms=6, end_ms=20))
    assert stored()
    store.erase([trace_id(1)], None)
    assert stored()
    assert [len(store.traces_to_settle(SessionKey("default", name))) for name in ("s1", "s2", "none")] == [2, 1, 0]


# -- lists -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_traces_are_listed_latest_start_first(store: Store, limit: int) -> None:
    put(store, *(span(trace=number, start_ms=start) for number, start in ((1, 5), (2, 9), (3, 5), (4, 1))))
    assert trace_numbers(store, limit=limit) == [2, 3, 1, 4]


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_sessions_are_listed_latest_activity_first(store: Store, limit: int) -> None:
    for number, arrival in ((1, 5), (2, 9), (3, 5)):
        put(store, span(trace=number, session=f"s{number}"), arrival=ARRIVAL + arrival)
    assert session_ids(store, limit=limit) == ["s2", "s3", "s1"]


@pytest.mark.parametrize(
    ("where", "numbers"),
    [
        (Where(session_id="s1"), [2, 1]),
        (Where(session_id="none"), []),
        (Where(user_id="ann"), [3, 1]),
        (Where(user_id="ann", session_id="s1"), [1]),
        (Where(project="p2"), [4]),
        (Where(project="none"), []),
        (Where(project="default", user_id="bob"), [2]),
        (Where(since_unix_nano=T0 + 3 * MS), [4, 3]),
        (Where(session_id="s1", since_unix_nano=T0 + 2 * MS), [2]),
    ],
)
def test_filters_restrict_traces_together(store: Store, where: Where, numbers: list[int]) -> None:
    put(
        store,
        span(trace=1, start_ms=1, session="s1", user="ann"),
        span(trace=2, start_ms=2, session="s1", user="bob"),
        span(trace=3, start_ms=3, session="s2", user="ann"),
        span(trace=4, start_ms=4, sessiond__project="p2"),
    )
    assert trace_numbers(store, where, limit=1) == numbers


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        (Where(user_id="ann"), ["s2", "s1"]),
        (Where(user_id="bob"), ["s1"]),
        (Where(user_id="ann", session_id="s2"), ["s2"]),
        (Where(project="p2"), ["s3"]),
        (Where(since_unix_nano=ARRIVAL + 2), ["s3", "s2"]),
    ],
)
def test_filters_restrict_sessions_together(store: Store, where: Where, ids: list[str]) -> None:
    put(store, span(trace=1, start_ms=1, session="s1", user="ann"), arrival=ARRIVAL)
    put(store, span(trace=2, start_ms=2, session="s1", user="bob"), arrival=ARRIVAL + 1)
    put(store, span(trace=3, start_ms=3, session="s2", user="ann"), arrival=ARRIVAL + 2)
    put(store, span(trace=4, start_ms=4, session="s3", sessiond__project="p2"), arrival=ARRIVAL + 3)
    assert session_ids(store, where, limit=1) == ids


def test_a_page_goes_on_where_it_ended_however_rows_change(store: Store) -> None:
    for number in range(1, 6):
        put(store, span(trace=number, session=f"s{number}"), arrival=ARRIVAL + number)
    page = store.sessions.page(EVERYTHING, None, 2)
    assert [row.summary.session_id for row in page.rows] == ["s5", "s4"]
    put(store, span(trace=4, session="s4"), arrival=ARRIVAL + 100)
    rest = store.sessions.page(EVERYTHING, page.after, 10)
    assert [row.summary.session_id for row in rest.rows] == ["s3", "s2", "s1"]


def test_changes_come_in_order_and_only_the_last_of_each_row(store: Store) -> None:
    for number in (1, 2, 3):
        put(store, span(trace=number, session=f"s{number}"))
    before = store.last_change()
    put(store, span(trace=2, session="s2"))
    put(store, span(trace=1, session="s1"))
    put(store, span(trace=2, session="s2"))
    first = store.sessions.changed(before, 1)
    assert [row.summary.session_id for row in first.rows] == ["s1"]
    assert not first.is_last
    second = store.sessions.changed(first.through, 1)
    assert [(row.summary.session_id, row.summary.span_count) for row in second.rows] == [("s2", 3)]
    assert second.is_last
    assert [row.summary.trace_id for row in store.traces.changed(before, 9).rows] == [trace_id(1), trace_id(2)]
    assert store.sessions.changed(store.last_change(), 9) == ([], [], store.last_change(), True)


def test_the_last_changes_have_been_looked_at_up_to_the_last_of_any_kind(store: Store) -> None:
    put(store, span(trace=1, session="s1", user="u"))
    for listing in (store.traces, store.sessions, store.users):
        changes = listing.changed(0, 9)
        assert (len(changes.rows), changes.through, changes.is_last) == (1, store.last_change(), True)


def test_a_session_and_a_user_that_lose_all_traces_are_told_as_removed(store: Store) -> None:
    put(store, span(trace=1, id=1, gen_ai__conversation__id="weak", user="ann"))
    before = store.last_change()
    put(store, span(trace=1, id=2, start_ms=-1, session="strong", user="bob"))
    sessions, users = store.sessions.changed(before, 9), store.users.changed(before, 9)
    assert [row.summary.session_id for row in sessions.rows] == ["strong"]
    assert [row.summary.user_id for row in users.rows] == ["bob"]
    (session_gone,), (user_gone,) = sessions.removed, users.removed
    assert (session_gone.key, user_gone.key) == (SessionKey("default", "weak"), UserKey("default", "ann"))
    assert before < session_gone.change <= store.last_change()
    assert store.traces.changed(before, 9).removed == []


def test_rows_and_removals_come_in_one_order_of_changes(store: Store) -> None:
    put(store, span(trace=1, id=1, gen_ai__conversation__id="weak"))
    put(store, span(trace=1, id=2, start_ms=-1, session="strong"))
    told: list[object] = []
    through, is_last = 0, False
    while not is_last:
        changes = store.sessions.changed(through, 1)
        told += [row.summary.session_id for row in changes.rows] + [removal.key.session_id for removal in changes.removed]
        through, is_last = changes.through, changes.is_last
    assert sorted(told) == ["strong", "weak"]


def test_removals_are_told_until_they_are_forgotten(store: Store) -> None:
    put(store, span(trace=1, id=1, gen_ai__conversation__id="weak"))
    put(store, span(trace=1, id=2, start_ms=-1, session="strong"))
    (removed,) = store.sessions.changed(0, 9).removed
    store.forget_removals(removed.change - 1)
    assert store.sessions.changed(0, 9).removed == [removed]
    store.forget_removals(removed.change)
    assert store.sessions.changed(0, 9).removed == []
    assert store.removals_forgotten() == removed.change


def test_removals_are_forgotten_some_at_a_time_and_never_those_of_later_changes(store: Store) -> None:
    put(store, *(span(trace=number, id=number, session=f"s{number}", start_ms=number) for number in range(1, 6)))
    before = store.last_change()
    for number in (1, 2, 3):
        store.erase([trace_id(number)], None)
        settle(store)
    through = store.last_change()
    for number in (4, 5):
        store.erase([trace_id(number)], None)
        settle(store)

    def told() -> list[int]:
        return sorted(one.change for listing in (store.traces, store.sessions) for one in listing.changed(0, 99).removed)

    every = told()
    assert len(every) == 10
    assert [store.forget_removals(through, 4), store.removals_forgotten(), told()] == [True, every[3], every[4:]]
    assert [store.forget_removals(through, 4), store.removals_forgotten(), told()] == [False, through, every[6:]]
    assert [store.forget_removals(before, 4), store.removals_forgotten(), told()] == [False, through, every[6:]]


def test_a_mark_on_what_has_no_summary_leaves_no_removal(store: Store) -> None:
    store.append(packed(span(trace=1, session="s1", user="u")))
    marks = store.put_traces([settled(store, RULES, trace_id(1))])
    assert (marks.sessions, marks.users) == ((S1,), (UserKey("default", "u"),))
    store.append(packed(span(trace=1, start_ms=-9, session="s2", user="v")))
    settle(store)
    assert store.sessions.changed(0, 9).removed == store.users.changed(0, 9).removed == []


def test_rows_are_found_by_their_keys_in_the_order_asked_for(store: Store) -> None:
    put(store, span(trace=1, session="s1", user="ada"), span(trace=2, session="s2"))
    traces = store.traces.held([trace_id(2), trace_id(9), trace_id(1), trace_id(2)])
    assert [row and row.summary for row in traces] == [store.trace(trace_id(2)), None, *map(store.trace, map(trace_id, (1, 2)))]
    sessions = store.sessions.held([SessionKey("default", "none"), S1])
    assert [row and row.summary for row in sessions] == [None, store.session(S1)]
    users = store.users.held([UserKey("default", "ada"), UserKey("other", "ada")])
    assert [row and row.summary for row in users] == [store.user(UserKey("default", "ada")), None]
    (listed,) = (row for row in store.traces.page(EVERYTHING, None, 9).rows if row.summary.trace_id == trace_id(2))
    held = traces[0]
    assert held is not None
    assert (held.place, held.change, held.signature, held.numbers) == (
        listed.place,
        listed.change,
        listed.signature,
        listed.numbers,
    )


def test_a_trace_that_was_never_settled_has_no_row(store: Store) -> None:
    store.append(packed(span(trace=1)))
    assert store.traces.held([trace_id(1)]) == [None]
    settle(store)


def test_a_row_carries_its_place_its_numbers_and_its_signature(store: Store) -> None:
    put(store, span(session="s1", user="u", operation="chat", model="m", tokens_in=5, tags=["blue"], metadata='{"plan": "pro"}'))
    for kind, listing in (("trace", store.traces), ("session", store.sessions), ("user", store.users)):
        for row in (*listing.page(EVERYTHING, None, 9).rows, *listing.changed(0, 9).rows):
            assert row.place == place_of(row.summary)
            assert list(row.numbers) == numbers_of(kind, row.summary)
            assert row.signature == signature_of(kind, row.summary) != 0
            assert 0 < row.change <= store.last_change()


@pytest.mark.parametrize(
    ("where", "users"),
    [
        (EVERYTHING, ["u3", "u2", "u1", "u1"]),
        (Where(project="p2"), ["u1"]),
        (Where(user_id="u1"), ["u1", "u1"]),
        (Where(since_unix_nano=T0 + 20 * MS), ["u3", "u2"]),
        (Where(until_unix_nano=T0 + 20 * MS), ["u1", "u1"]),
        (Where(user_id="nobody"), []),
    ],
)
def test_users_are_listed_by_when_they_were_last_seen(store: Store, where: Where, users: list[str]) -> None:
    put(store, span(trace=1, start_ms=1, user="u1"))
    put(store, span(trace=2, start_ms=2, user="u1", sessiond__project="p2"))
    put(store, span(trace=3, start_ms=30, user="u3"), span(trace=4, start_ms=20, user="u2"))
    found, after = [], None
    while True:
        page = store.users.page(where, after, 1)
        found += [row.summary.user_id for row in page.rows if where.holds_for(row.summary)]
        if page.after is None:
            break
        after = page.after
    assert found == users


def test_a_user_of_many_traces_is_listed_once(store: Store) -> None:
    put(store, span(trace=1, start_ms=1, user="u1"))
    put(store, span(trace=2, start_ms=2, user="u1"))
    assert [row.summary.trace_count for row in store.users.page(EVERYTHING, None, 9).rows] == [2]


@pytest.mark.parametrize("until", [0, 1, 2, 3, 9])
def test_an_end_of_time_restricts_traces(store: Store, until: int) -> None:
    put(store, *(span(trace=number, start_ms=number) for number in (1, 2, 3)))
    assert trace_numbers(store, Where(until_unix_nano=T0 + until * MS)) == [number for number in (3, 2, 1) if number < until]


def test_the_extent_counts_what_is_held(store: Store) -> None:
    put(store, span(trace=1, session="s1", user="u1"), span(trace=1), span(trace=2, user="u1"))
    assert store.extent()[:4] == (3, 2, 1, 1)


# -- rules -----------------------------------------------------------------------------------------------------------------------


def keyed(number: int = 1, **more: object) -> Span:
    """A span that belongs to a session by OTHER_RULES alone."""
    return span(trace=number, id=number, chat__key=f"s{number}", **more)


def bound(store: Store, number: int = 1) -> set[str]:
    """The session ids that a trace's facts carry."""
    return {value for one in store.facts(trace_id(number)) for _, value in one.sessions}


def test_an_empty_store_has_nothing_outdated_and_may_be_confirmed(store: Store) -> None:
    store.set_rules(SECOND)
    assert store.rules == SECOND
    assert store.outdated() == ([], None)
    store.confirm_rules()
    assert not store.may_be_outdated()


def test_traces_of_other_rules_are_outdated_until_they_are_renewed(store: Store) -> None:
    store.set_rules(FIRST)
    put(store, keyed(1), keyed(2))
    store.set_rules(SECOND)
    store.append(packed(span(trace=3)))
    assert store.may_be_outdated()
    assert store.outdated() == ([trace_id(1), trace_id(2)], None)
    assert store.outdated_among([trace_id(2), trace_id(3), trace_id(9)]) == [trace_id(2)]
    store.renew([trace_id(1)], OTHER_RULES.facts)
    assert store.outdated() == ([trace_id(2)], None)
    assert (bound(store, 1), bound(store, 2)) == ({"s1"}, set())


def test_renewing_marks_the_trace_and_its_new_summary_moves_it(store: Store) -> None:
    store.set_rules(FIRST)
    put(store, keyed(1))
    assert store.marks() == Marks()
    store.set_rules(SECOND)
    store.renew([trace_id(1)], OTHER_RULES.facts)
    assert store.marks() == Marks(traces=(trace_id(1),))
    settle(store)
    assert session_ids(store) == ["s1"]


def test_a_span_that_cannot_be_read_again_keeps_its_facts_and_is_no_longer_outdated(store: Store) -> None:
    store.set_rules(FIRST)
    put(store, span(id=1))
    before = store.facts(trace_id(1))
    store.set_rules(SECOND)
    store.renew([trace_id(1)], lambda _: None)
    assert store.facts(trace_id(1)) == before
    assert store.outdated() == ([], None)


def test_spans_of_a_trace_from_before_and_after_a_change_of_rules_make_it_outdated(store: Store) -> None:
    store.set_rules(FIRST)
    put(store, keyed(1))
    store.set_rules(SECOND)
    put(store, span(trace=1, id=2, parent=1))
    assert store.outdated_among([trace_id(1)]) == [trace_id(1)]
    store.renew([trace_id(1)], OTHER_RULES.facts)
    assert (store.outdated(), bound(store)) == (([], None), {"s1"})


def test_a_version_that_loses_leaves_its_neighbours_of_their_rules(store: Store) -> None:
    store.set_rules(FIRST)
    put(store, keyed(1), span(trace=1, id=2, parent=1))
    store.set_rules(SECOND)
    put(store, keyed(1, end_ms=99))
    assert store.outdated_among([trace_id(1)]) == [trace_id(1)]


def test_a_marked_trace_that_was_never_settled_may_be_of_other_rules_and_is_renewed(store: Store) -> None:
    store.set_rules(FIRST)
    store.append(packed(keyed(1)))
    store.set_rules(SECOND)
    assert store.outdated_among(store.marks().traces) == [trace_id(1)]
    store.renew([trace_id(1)], OTHER_RULES.facts)
    assert store.marks() == Marks(traces=(trace_id(1),))
    settle(store)
    assert session_ids(store) == ["s1"]


def test_outdated_traces_are_found_page_by_page(store: Store) -> None:
    store.set_rules(FIRST)
    put(store, *(keyed(number) for number in (1, 2, 4)))
    store.set_rules(SECOND)
    put(store, span(trace=3))
    first, after = store.outdated(None, 3)
    rest, end = store.outdated(after, 3)
    assert (first, rest, end) == ([trace_id(1), trace_id(2)], [trace_id(4)], None)


def test_rules_are_confirmed_until_others_come(store: Store) -> None:
    store.set_rules(FIRST)
    store.confirm_rules()
    put(store, keyed(1))
    assert not store.may_be_outdated()
    store.set_rules(FIRST)
    assert not store.may_be_outdated()
    store.set_rules(SECOND)
    assert store.may_be_outdated()


def test_the_first_rules_again_are_not_confirmed_after_others_were_in_force(store: Store) -> None:
    store.set_rules(FIRST)
    store.confirm_rules()
    store.set_rules(SECOND)
    put(store, keyed(1))
    store.set_rules(FIRST)
    assert store.may_be_outdated()
    assert store.outdated() == ([trace_id(1)], None)
    store.renew([trace_id(1)], RULES.facts)
    store.confirm_rules()
    assert not store.may_be_outdated()
    assert bound(store) == set()


def test_renewing_keeps_first_arrivals_and_bytes(store: Store) -> None:
    store.set_rules(FIRST)
    put(store, keyed(1))
    put(store, keyed(1, end_ms=99), arrival=ARRIVAL + 9)
    before = stored_bytes(store)
    store.set_rules(SECOND)
    store.renew([trace_id(1)], OTHER_RULES.facts)
    assert stored_bytes(store) == before
    assert [one.received_unix_nano for one in store.facts(trace_id(1))] == [ARRIVAL]


def test_a_renewed_trace_still_knows_its_spans(store: Store) -> None:
    store.set_rules(FIRST)
    put(store, keyed(1))
    store.set_rules(SECOND)
    store.renew([trace_id(1)], OTHER_RULES.facts)
    settle(store)
    assert store.append(packed(keyed(1))) == Appended(0, 1, 0, ())
    assert store.append(packed(span(id=1, end_ms=99))).conflicts == 1


# -- texts -----------------------------------------------------------------------------------------------------------------------


def asked(text: str, **more: object) -> Span:
    """A call whose user says `text`."""
    return span(id=1, operation="chat", input__value=text, **more)


def test_texts_are_kept_beside_the_summary_in_the_order_asked_for(store: Store) -> None:
    put(store, asked("hello", output__value="hi"), span(trace=2))
    both = Texts(Text("hello", 5), Text("hi", 2))
    assert store.texts([trace_id(2), trace_id(1), trace_id(9), trace_id(1)]) == [NO_TEXTS, both, NO_TEXTS, both]
    assert store.texts([]) == []


def test_a_text_appears_changes_and_disappears_with_the_span_that_carries_it(store: Store) -> None:
    put(store, span(id=1))
    assert store.texts([trace_id(1)]) == [NO_TEXTS]
    for end_ms, text in ((20, "first"), (30, "second")):
        put(store, asked(text, end_ms=end_ms))
        assert store.texts([trace_id(1)]) == [Texts(Text(text, len(text)))]
    put(store, span(id=1, end_ms=40))
    assert store.texts([trace_id(1)]) == [NO_TEXTS]


def test_a_trace_that_was_never_settled_has_no_text(store: Store) -> None:
    store.append(packed(asked("hello")))
    assert store.texts([trace_id(1)]) == [NO_TEXTS]
