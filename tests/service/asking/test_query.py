"""Queries: pages and streams over rows that change, page tokens, and what is told of what is not there."""

import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgpack
import pytest

import builders
from builders import received, span, trace_id
from daemon import DEADLINE_SECONDS, Parts, parts
from sessiond.core.errors import Busy, Invalid, NotFound
from sessiond.core.model import Cost, SessionKey
from sessiond.service.asking import foremost, freshness, query
from sessiond.service.asking.freshness import Freshness
from sessiond.service.asking.query import PAGE_SIZE, PAGE_SIZE_MAX, STREAM_PAGE, Queries
from sessiond.service.asking.question import Question, Within, ask_sessions, ask_traces, ask_users
from sessiond.service.asking.seen import Sight
from sessiond.service.asking.tokens import write_token

IDLE_NANO = 10**9


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Parts]:
    with parts(tmp_path / "data") as found:
        yield found


def put(running: Parts, *spans: Any, arrival: int = builders.ARRIVAL) -> None:
    running.append(received(*spans, arrival=arrival)).result(DEADLINE_SECONDS)


def put_sessions(running: Parts, *numbers: int) -> None:
    """Sessions s1, s2, ..., each of one trace of its number that arrived and started in the order of the numbers."""
    for number in numbers:
        put(running, span(trace=number, id=number, session=f"s{number}", start_ms=number), arrival=builders.ARRIVAL + number)
        running.queries.page(ask_sessions(), 1, "")


def change(running: Parts, number: int) -> None:
    """Another span in a trace, and so in its session, which does not move it in either list."""
    put(running, span(trace=number, id=1000 + number, parent=number, start_ms=number), arrival=builders.ARRIVAL + number)
    running.queries.page(ask_sessions(), 1, "")


def pages(listed: Callable[[str], tuple[list[Any], str]], between: Callable[[], None]) -> list[list[Any]]:
    """Every page; after the first, `between` happens."""
    found, token = listed("")
    walked = [found]
    between()
    while token:
        found, token = listed(token)
        walked.append(found)
    return walked


def test_a_walk_over_sessions_at_rest_gives_each_once_latest_activity_first(running: Parts) -> None:
    put_sessions(running, *range(1, 8))
    walked = pages(lambda token: running.queries.page(ask_sessions(), 3, token), lambda: None)
    assert [[row.session_id for row in page] for page in walked] == [["s7", "s6", "s5"], ["s4", "s3", "s2"], ["s1"]]


def test_sessions_that_change_during_a_walk_come_at_its_end_and_nothing_is_skipped(running: Parts) -> None:
    put_sessions(running, *range(1, 8))

    def between() -> None:
        change(running, 6)
        change(running, 2)
        put_sessions(running, 8)

    walked = pages(lambda token: running.queries.page(ask_sessions(), 3, token), between)
    assert [(row.session_id, row.span_count) for page in walked for row in page] == [
        *(("s7", 1), ("s6", 1), ("s5", 1), ("s4", 1), ("s3", 1), ("s1", 1)),
        *(("s6", 2), ("s2", 2), ("s8", 1)),
    ]


def test_traces_that_change_during_a_walk_come_at_its_end_and_nothing_is_skipped(running: Parts) -> None:
    put_sessions(running, *range(1, 8))

    def between() -> None:
        change(running, 6)
        change(running, 2)
        put_sessions(running, 8)

    walked = pages(lambda token: running.queries.page(ask_traces(), 3, token), between)
    assert [(int.from_bytes(row.trace_id), row.span_count) for page in walked for row in page] == [
        *((7, 1), (6, 1), (5, 1), (4, 1), (3, 1), (1, 1)),
        *((6, 2), (2, 2), (8, 1)),
    ]


def test_a_session_whose_activity_moves_it_up_during_a_walk_is_not_skipped(running: Parts) -> None:
    put_sessions(running, *range(1, 8))

    def between() -> None:
        put(running, span(trace=1, id=99, parent=1), arrival=builders.ARRIVAL + 10**9)

    walked = pages(lambda token: running.queries.page(ask_sessions(), 3, token), between)
    assert [(row.session_id, row.span_count) for page in walked for row in page] == [
        *((f"s{number}", 1) for number in range(7, 1, -1)),
        ("s1", 2),
    ]


def test_a_session_that_changes_again_and_again_ends_a_walk_all_the_same(running: Parts) -> None:
    put_sessions(running, 1, 2)
    walked, token = running.queries.page(ask_sessions(), 1, "")
    for number in range(3):
        put(running, span(trace=1, id=100 + number, parent=1), arrival=builders.ARRIVAL + 1)
        more, token = running.queries.page(ask_sessions(), 1, token)
        walked += more
    while token:
        more, token = running.queries.page(ask_sessions(), 1, token)
        walked += more
    assert [row.session_id for row in walked][:2] == ["s2", "s1"]
    assert {row.session_id for row in walked} == {"s1", "s2"}
    assert walked[-1].span_count == 4


@pytest.mark.parametrize("question", [ask_sessions(), ask_traces()], ids=["sessions", "traces"])
def test_a_row_that_changes_during_a_stream_comes_at_its_end(running: Parts, question: Question[Any]) -> None:
    rows = 2 * STREAM_PAGE + 10
    spans = [received(span(trace=n, id=n, session=f"s{n}", start_ms=n), arrival=builders.ARRIVAL + n) for n in range(1, rows + 1)]
    running.append([one for some in spans for one in some]).result(DEADLINE_SECONDS)
    stream = running.queries.stream(question)
    walked = next(stream)
    change(running, rows)
    change(running, 5)
    walked += [row for page in stream for row in page]
    assert [(row.received_unix_nano if question.kind == "trace" else row.last_activity_unix_nano) for row in walked] == [
        builders.ARRIVAL + number for number in (*range(rows, 5, -1), *range(4, 0, -1), rows, 5)
    ]
    assert [row.span_count for row in walked] == [*[1] * (rows - 1), 2, 2]


def test_a_row_that_changes_during_a_sorted_stream_comes_once_and_at_its_end(
    running: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query, "SORTED_PAGE", 2)
    put_sessions(running, *range(1, 8))
    stream = running.queries.stream(ask_sessions(order_by="session_id"))
    walked = next(stream)
    change(running, 5)
    change(running, 1)
    walked += [row for page in stream for row in page]
    assert [(row.session_id, row.span_count) for row in walked] == [
        *[("s1", 1), ("s2", 1), ("s3", 1), ("s4", 1), ("s6", 1), ("s7", 1)],
        *[("s5", 2), ("s1", 2)],
    ]


def test_a_session_that_turns_idle_during_a_walk_by_state_is_not_skipped(running: Parts) -> None:
    put_sessions(running, 1, 2, 3)
    now = [builders.ARRIVAL + 2 + IDLE_NANO]
    sight = Sight(running.store, idle_nano=IDLE_NANO, clock=lambda: now[0])
    queries = Queries(running.store, Freshness(running.writer), lambda: builders.RULES, sight)
    question = ask_sessions(order_by="state desc, last_activity_time desc")
    walked = pages(lambda token: queries.page(question, 1, token), lambda: now.__setitem__(0, now[0] + 1))
    assert [row.session_id for page in walked for row in page] == ["s1", "s3", "s2"]


@pytest.mark.parametrize("question", [ask_sessions(), ask_traces()], ids=["sessions", "traces"])
def test_a_row_that_changes_after_a_statistic_looked_at_it_counts_once(running: Parts, question: Question[Any]) -> None:
    put_sessions(running, 1, 2, 3)
    began = running.store.last_change()
    each = running.queries.walk(question, lambda: True).each(question.filter, began)
    seen = [next(each)]
    change(running, 3)
    put_sessions(running, 4)
    seen += each
    assert [(row.summary.span_count, row.summary.start_unix_nano // builders.MS % 1000) for row in seen] == [
        *((1, 3), (1, 2), (1, 1)),
        (1, 4),
    ]


def test_page_size_0_is_the_default_and_a_larger_one_than_the_most_is_the_most(running: Parts) -> None:
    put(running, *(span(trace=number, session=f"s{number}") for number in range(1, PAGE_SIZE_MAX + 2)))
    for question in (ask_sessions(), ask_traces()):
        assert [
            len(running.queries.page(question, size, "")[0]) for size in (0, 1, 7, PAGE_SIZE_MAX, PAGE_SIZE_MAX + 1, 2**31 - 1)
        ] == [
            *(PAGE_SIZE, 1, 7),
            *[PAGE_SIZE_MAX] * 3,
        ]


def test_a_negative_page_size_is_refused(running: Parts) -> None:
    for question in (ask_sessions(), ask_traces(), ask_users()):
        with pytest.raises(Invalid, match="page_size: -1 must not be negative"):
            running.queries.page(question, -1, "")


def test_a_page_that_ends_with_the_last_row_leads_to_an_end(running: Parts) -> None:
    put_sessions(running, 1, 2)
    walked = pages(lambda token: running.queries.page(ask_sessions(), 2, token), lambda: None)
    assert [row.session_id for page in walked for row in page] == ["s2", "s1"]


def test_the_page_size_may_change_during_a_walk(running: Parts) -> None:
    put_sessions(running, *range(1, 8))
    first, token = running.queries.page(ask_sessions(), 2, "")
    rest, end = running.queries.page(ask_sessions(), 100, token)
    assert ([row.session_id for row in (*first, *rest)], end) == ([f"s{number}" for number in range(7, 0, -1)], "")


def test_a_token_is_good_after_a_restart(tmp_path: Path) -> None:
    with parts(tmp_path / "data") as running:
        put_sessions(running, *range(1, 5))
        first, token = running.queries.page(ask_sessions(), 2, "")
    with parts(tmp_path / "data") as running:
        rest, _ = running.queries.page(ask_sessions(), 2, token)
    assert [row.session_id for row in (*first, *rest)] == ["s4", "s3", "s2", "s1"]


@pytest.mark.parametrize(
    "question",
    [
        *(ask_sessions(Within(project="p")), ask_sessions(Within(session_id="s1")), ask_sessions(Within(user_id="u"))),
        *(ask_sessions(Within(since_unix_nano=1)), ask_sessions(Within(project=""))),
        *(ask_sessions(filter="span_count > 0"), ask_sessions(order_by="cost_usd"), ask_users()),
    ],
    ids=["project", "session", "user", "since", "empty project", "filter", "order", "kind"],
)
def test_a_token_of_another_query_is_refused(running: Parts, question: Question[Any]) -> None:
    put_sessions(running, 1, 2)
    _, token = running.queries.page(ask_sessions(), 1, "")
    with pytest.raises(Invalid, match="belongs to another request; give the one of the answer before, with the same request"):
        running.queries.page(question, 1, token)


def test_a_token_of_the_other_list_is_refused(running: Parts) -> None:
    put_sessions(running, 1, 2)
    _, sessions = running.queries.page(ask_sessions(), 1, "")
    _, traces = running.queries.page(ask_traces(), 1, "")
    with pytest.raises(Invalid, match="belongs to another request"):
        running.queries.page(ask_traces(), 1, sessions)
    with pytest.raises(Invalid, match="belongs to another request"):
        running.queries.page(ask_sessions(), 1, traces)


def test_a_token_of_another_store_is_refused(running: Parts, tmp_path: Path) -> None:
    put_sessions(running, 1, 2)
    _, token = running.queries.page(ask_sessions(), 1, "")
    with parts(tmp_path / "other") as other, pytest.raises(Invalid, match="belongs to another request"):
        other.queries.page(ask_sessions(), 1, token)


def test_a_sorted_walk_over_rows_too_large_to_hold_gives_each_once(running: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foremost, "BYTES_MAX", 3000)  # some three rows
    put_sessions(running, *range(1, 21))
    expected = [f"s{number}" for number in range(1, 21)]
    question = ask_sessions(order_by="start_time")
    streamed = list(running.queries.stream(question))
    assert [row.session_id for page in streamed for row in page] == expected
    assert max(map(len, streamed)) <= 6
    walked = pages(lambda token: running.queries.page(question, 15, token), lambda: None)
    assert [row.session_id for page in walked for row in page] == expected


def test_a_percentile_between_two_counts_parts_them_on_every_page(running: Parts) -> None:
    for number, spans in enumerate((1, 2, 2, 1), 1):
        put(running, *(span(trace=number, id=10 * number + of, start_ms=number) for of in range(spans)))
    expected = {"<": [4, 1], "<=": [4, 1], ">": [3, 2], ">=": [3, 2], "=": [], "!=": [4, 3, 2, 1]}
    for comparator, numbers in expected.items():
        question = ask_traces(filter=f"span_count {comparator} median(span_count)")
        walked = pages(lambda token, question=question: running.queries.page(question, 1, token), lambda: None)
        assert [row.trace_id for page in walked for row in page] == list(map(trace_id, numbers)), comparator


def test_a_walk_by_long_labels_goes_on(running: Parts) -> None:
    tags = [f"{number:03}" + "\u732b" * 1000 for number in range(100)]
    for number in (1, 2):
        put(running, *(span(trace=number, id=number * 200 + at, tag__tags=[tag]) for at, tag in enumerate(tags)))
    question = ask_traces(order_by="tags, name")
    walked = pages(lambda token: running.queries.page(question, 1, token), lambda: None)
    assert [len(row.tags) for page in walked for row in page] == [100, 100]


@pytest.mark.parametrize("token", ["x", "!!!!", "é", "\x00", "A" * 10_000, "3f____8=", "oA==", "kA==", "gA=="])
def test_what_is_no_token_is_refused(running: Parts, token: str) -> None:
    put_sessions(running, 1, 2)
    with pytest.raises(Invalid, match="is not one of ours"):
        running.queries.page(ask_sessions(), 1, token)


def test_a_token_cut_anywhere_is_refused(running: Parts) -> None:
    put_sessions(running, 1, 2)
    _, token = running.queries.page(ask_sessions(), 1, "")
    for end in range(1, len(token.rstrip("=")) - 1):
        with pytest.raises(Invalid):
            running.queries.page(ask_sessions(), 1, token[:end])


BEGAN = 1
AFTER = b"place"


@pytest.mark.parametrize(
    "fields",
    [
        (-1, AFTER, None, ()),
        (BEGAN, None, -1, ()),
        (float("inf"), None, None, ()),
        (float("nan"), None, None, ()),
        (BEGAN, 40_000_000, None, ()),
        (BEGAN, -1, None, ()),
        (BEGAN, "after", None, ()),
        (BEGAN, AFTER, {}, ()),
        (BEGAN, AFTER, None, {}),
        (BEGAN, AFTER, None, (1,)),
        (BEGAN, AFTER, None, (Decimal("1.5"),)),
        (BEGAN, AFTER, None, (msgpack.ExtType(1, b"NaN"),)),
        (BEGAN, AFTER, None, (msgpack.ExtType(2, b"1"),)),
        (Decimal("1.5"), AFTER, None, ()),
        (BEGAN, AFTER, None, (), None),
        (None, AFTER, None, ()),
        (BEGAN, b"x" * 600, None, ()),
        (2**64 - 1, AFTER, None, ()),
        (BEGAN, None, 2**64 - 1, ()),
        (),
    ],
    ids=lambda fields: repr(fields)[:40],
)
def test_a_forged_token_is_refused_as_the_callers_mistake(running: Parts, fields: tuple[Any, ...]) -> None:
    put_sessions(running, 1, 2)
    forged = write_token((running.store.identity, *ask_sessions().asked), fields)
    with pytest.raises(Invalid, match="page_token"):
        running.queries.page(ask_sessions(), 1, forged)


@pytest.mark.parametrize(
    "fields",
    [(BEGAN, b"", None), (BEGAN, b"\xff" * 24, None), (2**62, AFTER, None), (BEGAN, None, 2**62), (BEGAN, AFTER)],
    ids=["empty place", "place above all", "late begin", "late change", "short"],
)
def test_a_forged_token_of_the_right_form_breaks_nothing(running: Parts, fields: tuple[Any, ...]) -> None:
    put_sessions(running, 1, 2)
    forged = write_token((running.store.identity, *ask_sessions().asked), fields)
    running.queries.page(ask_sessions(), 1, forged)
    assert [row.session_id for row in running.queries.page(ask_sessions(), 0, "")[0]] == ["s2", "s1"]
    assert running.broken == []


def test_a_session_and_its_traces_come_in_order_of_start(running: Parts) -> None:
    put(running, span(trace=2, session="s", start_ms=20), span(trace=1, session="s", start_ms=30), span(trace=3, session="t"))
    found, traces = running.queries.session(SessionKey("default", "s"))
    assert (found.session_id, found.trace_count) == ("s", 2)
    assert [trace.trace_id for trace in traces] == [trace_id(2), trace_id(1)]


def test_a_session_that_is_not_there_is_named_with_what_to_do(running: Parts) -> None:
    put(running, span(trace=1, session="s"))
    with pytest.raises(NotFound) as caught:
        running.queries.session(SessionKey("other", "s"))
    assert (
        str(caught.value)
        == "there is no session 's' in project 'other'; give another project, or see `sessiond sessions` for those there are"
    )


def test_a_trace_that_is_not_there_is_named_with_what_to_do(running: Parts) -> None:
    with pytest.raises(NotFound) as caught:
        running.queries.trace(trace_id(255))
    assert str(caught.value) == f"there is no trace {'0' * 30}ff; `sessiond traces` lists those there are"


def test_a_trace_shows_which_of_its_spans_count(running: Parts) -> None:
    put(
        running,
        span(id=1, operation="invoke_agent", tokens_in=5, tokens_out=7, end_ms=40),
        span(id=2, parent=1, operation="chat", model="gpt-4o-mini", tokens_in=5, tokens_out=7, start_ms=1),
        span(id=3, parent=1, operation="execute_tool", start_ms=20),
    )
    summary, figures = running.queries.trace(trace_id(1))
    assert summary.usage[:2] == (5, 7)
    costs = {int.from_bytes(one.facts.span_id): one.priced and one.priced.cost for one in figures}
    assert costs == {1: None, 2: Cost(4950, 750, 4200), 3: None}


def test_a_session_is_live_within_the_idle_time_after_its_last_span(running: Parts) -> None:
    now = time.time_ns()
    put(running, span(trace=1, session="live"), arrival=now)
    put(running, span(trace=2, session="idle"), arrival=now - 301 * 10**9)
    found, _ = running.queries.page(ask_sessions(), 0, "")
    assert {row.session_id: running.queries.is_live(row) for row in found} == {"live": True, "idle": False}


def test_a_query_that_waits_too_long_is_told_to_ask_again(running: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freshness, "SETTLE_SECONDS_MAX", 0.01)
    running.store.close_gate()
    running.append(received(span(trace=1)))
    with pytest.raises(Busy, match="what was received before this query is still being settled; ask again"):
        running.queries.page(ask_traces(), 0, "")
