"""The figures of a session, from those of its traces."""

from itertools import permutations

import pytest

from builders import ARRIVAL, MS, T0, trace_id, turn
from sessiond.core.figures.session import summarize
from sessiond.core.model import NO_USAGE, Costs, SessionKey, SessionSummary, TraceSummary, Usage
from sessiond.core.rows.places import order_of_id
from sessiond.core.spans.usage import NO_CALLS

KEY = SessionKey("default", "s1")


def session(*traces: TraceSummary) -> SessionSummary:
    return summarize(KEY, traces)


def test_a_whole_session():
    traces = [
        turn(
            7,
            start_ms=0,
            end_ms=30,
            user_id="u1",
            llm_duration_nano=5,
            usage=Usage(10, 2, 1, None, 0),
            models=("m",),
            request_models=("m",),
            providers=("openai",),
            services=("web",),
            agents=("x",),
            tools=("search",),
            span_count=3,
            llm_call_count=1,
            tool_call_count=1,
        ),
        turn(
            3,
            start_ms=100,
            end_ms=110,
            llm_duration_nano=7,
            ttft_nano=5,
            tags=("blue",),
            metadata=(("plan", "free"), ("region", "eu")),
            costs=Costs(7, 3, 4, 7, 0, 1),
            usage=Usage(20, 4),
            models=("n", "m"),
            request_models=("n",),
            span_count=4,
            llm_call_count=2,
            error_count=2,
            failed_call_count=1,
            updated_unix_nano=ARRIVAL + 5,
        ),
        turn(
            5,
            start_ms=200,
            end_ms=220,
            tags=("red", "blue"),
            metadata=(("plan", "pro"),),
            user_id="u2",
            usage=NO_CALLS,
            agents=("y", "x"),
            tools=("search", "book"),
        ),
    ]
    expected = SessionSummary(
        project="default",
        session_id="s1",
        user_id="u2",
        user_ids=("u1", "u2"),
        name="turn 7",
        start_unix_nano=T0,
        end_unix_nano=T0 + 220 * MS,
        last_activity_unix_nano=ARRIVAL + 5,
        duration_nano=60 * MS,
        llm_duration_nano=12,
        ttft_nano=5,
        ttft_first_nano=None,
        ttft_max_nano=5,
        ttft_count=1,
        trace_duration_p50_nano=20 * MS,
        trace_duration_p95_nano=29 * MS,
        trace_duration_max_nano=30 * MS,
        usage=Usage(30, 6, 1, None, 0),
        costs=Costs(7, 3, 4, 7, 0, 1),
        first_trace_id=trace_id(7),
        last_trace_id=trace_id(5),
        tags=("blue", "red"),
        metadata=(("plan", "pro"), ("region", "eu")),
        models=("m", "n"),
        request_models=("m", "n"),
        providers=("openai",),
        services=("web",),
        agents=("x", "y"),
        tools=("search", "book"),
        trace_count=3,
        failed_trace_count=1,
        first_failed_trace_id=trace_id(3),
        span_count=8,
        llm_call_count=3,
        tool_call_count=1,
        error_count=2,
        failed_call_count=1,
        list_counts=(),
        turns_received_unix_nano=ARRIVAL,
        annotations=0,
        scores=(),
    )
    for shuffled in permutations(traces):
        assert session(*shuffled) == expected
    assert expected.key == KEY


def test_traces_stand_by_start_then_trace_id():
    found = session(turn(2, user_id="b", models=("y",)), turn(1, user_id="a", models=("x",)), turn(3, start_ms=-1, user_id="c"))
    assert (found.name, found.user_ids, found.user_id, found.models) == ("turn 3", ("c", "a", "b"), "b", ("x", "y"))


@pytest.mark.parametrize(
    ("users", "user_id", "user_ids"),
    [
        ([None, None], None, ()),
        (["a", None], "a", ("a",)),
        ([None, "a"], "a", ("a",)),
        (["a", "b", "a"], "a", ("a", "b")),
        (["b", "a", None], "a", ("b", "a")),
    ],
)
def test_users_are_in_order_of_appearance_and_the_latest_named_one_is_the_user(
    users: list[str | None], user_id: str | None, user_ids: tuple[str, ...]
):
    found = session(*(turn(n, start_ms=n, user_id=user) for n, user in enumerate(users, 1)))
    assert (found.user_id, found.user_ids) == (user_id, user_ids)


@pytest.mark.parametrize(
    ("intervals", "active_ms", "wall_ms"),
    [
        ([(0, 10)], 10, 10),
        ([(0, 10), (3_600_000, 3_600_010)], 20, 3_600_010),
        ([(0, 10), (5, 20)], 20, 20),
        ([(0, 100), (10, 20), (30, 40)], 100, 100),
        ([(0, 10), (10, 20)], 20, 20),
        ([(5, 5), (9, 9)], 0, 4),
    ],
    ids=["one", "a pause of an hour", "overlapping", "inside", "touching", "instants"],
)
def test_active_time_leaves_pauses_out_and_counts_overlaps_once(intervals: list[tuple[int, int]], active_ms: int, wall_ms: int):
    found = session(*(turn(n, start_ms=start, end_ms=end) for n, (start, end) in enumerate(intervals, 1)))
    assert (found.duration_nano, found.end_unix_nano - found.start_unix_nano) == (active_ms * MS, wall_ms * MS)


def test_a_session_ends_with_its_longest_trace_not_its_last():
    assert session(turn(1, start_ms=0, end_ms=500), turn(2, start_ms=10, end_ms=20)).end_unix_nano == T0 + 500 * MS


def test_the_turn_that_failed_first_is_named():
    found = session(turn(9, start_ms=1, error_count=1), turn(4, start_ms=2, error_count=3), turn(1, start_ms=0))
    assert (found.failed_trace_count, found.first_failed_trace_id, found.error_count) == (2, trace_id(9), 4)


def test_a_session_in_which_nothing_failed_names_no_turn():
    found = session(turn(1))
    assert (found.failed_trace_count, found.first_failed_trace_id) == (0, None)


def test_tokens_are_absent_where_no_call_reports_them_and_zero_where_there_is_no_call():
    no_calls, silent, told = (
        turn(1, usage=NO_CALLS),
        turn(2, usage=NO_USAGE, llm_call_count=1),
        turn(3, usage=Usage(5, 1), llm_call_count=1),
    )
    assert session(no_calls).usage == NO_CALLS
    assert session(no_calls, silent).usage == NO_USAGE
    assert session(no_calls, silent, told).usage == Usage(5, 1)


def test_one_trace_is_each_percentile_of_its_session():
    found = session(turn(1, end_ms=7))
    assert (found.trace_duration_p50_nano, found.trace_duration_p95_nano, found.trace_duration_max_nano) == (7 * MS, 7 * MS, 7 * MS)


def test_percentiles_are_over_all_traces():
    found = session(*(turn(n, start_ms=1000 * n, end_ms=1000 * n + n) for n in range(1, 102)))
    assert (found.trace_duration_p50_nano, found.trace_duration_p95_nano, found.trace_duration_max_nano) == (
        51 * MS,
        96 * MS,
        101 * MS,
    )


def test_lists_are_cut_at_a_hundred_and_their_length_is_told():
    traces = [turn(n, start_ms=n, user_id=f"u{n}", tools=(f"t{n}", "search"), models=("m",)) for n in range(1, 131)]
    found = session(*traces)
    assert found.user_ids == tuple(f"u{n}" for n in range(1, 101))
    assert found.tools == ("t1", "search", *(f"t{n}" for n in range(2, 100)))
    assert found.list_counts == (("tools", 131), ("user_ids", 130))
    assert found.user_id == "u130"


def test_a_list_that_a_trace_had_cut_is_told_as_at_least_that_long():
    tools = tuple(f"t{n}" for n in range(100))
    found = session(turn(1, tools=tools, list_counts=(("other_session_ids", 300), ("tools", 250))), turn(2, tools=("t0",)))
    assert (found.tools, found.list_counts) == (tools, (("tools", 250),))


def test_a_thousand_turns_over_years_have_figures():
    year = 365 * 86_400_000
    found = session(*(turn(n, start_ms=n * year, end_ms=n * year + 10) for n in range(1, 1001)))
    assert (found.trace_count, found.duration_nano) == (1000, 10_000 * MS)


@pytest.mark.parametrize("session_id", ["", "a", "ä" * 100, "x" * 1024, "😀" * 1024, "a\0b"])
def test_a_place_in_an_order_is_short_whatever_the_id(session_id: str):
    assert len(order_of_id(SessionKey("p" * 1024, session_id))) <= 145


def test_places_in_an_order_follow_the_id_and_never_meet():
    alike = "x" * 500
    ids = ["", "a", "a\0", "aa", "b", alike + "1", alike + "2"]
    keys = [SessionKey(project, each) for each in ids for project in ("p", "q", "p\0")]
    places = [order_of_id(key) for key in keys]
    assert len(set(places)) == len(keys)
    assert [order_of_id(SessionKey("p", each)) for each in "abc"] == sorted(order_of_id(SessionKey("p", each)) for each in "cba")
