"""The figures of a user, from the traces that are theirs."""

from itertools import permutations

from builders import MS, T0, turn
from sessiond.core.figures.user import summarize
from sessiond.core.model import NO_USAGE, Costs, TraceSummary, Usage, UserKey, UserSummary
from sessiond.core.spans.usage import NO_CALLS

KEY = UserKey("default", "u1")


def user(*traces: TraceSummary) -> UserSummary:
    return summarize(KEY, traces)


def test_a_whole_user():
    traces = [
        turn(
            1,
            start_ms=5,
            end_ms=900,
            session_id="s1",
            usage=Usage(10, 2),
            costs=Costs(70, 30, 40, 70, 0, 0),
            models=("m",),
            providers=("openai",),
            tools=("search",),
        ),
        turn(
            2,
            start_ms=100,
            end_ms=110,
            session_id="s2",
            usage=Usage(20, None, 3),
            costs=Costs(11, 11, None, 0, 11, 2),
            models=("n", "m"),
            error_count=2,
        ),
        turn(3, start_ms=200, end_ms=210, session_id="s1", usage=NO_CALLS, tools=("book", "search")),
        turn(4, start_ms=300, end_ms=310, session_id=None, usage=NO_USAGE, costs=Costs(unpriced_call_count=1), providers=("aws",)),
    ]
    expected = UserSummary(
        project="default",
        user_id="u1",
        first_seen_unix_nano=T0 + 5 * MS,
        last_seen_unix_nano=T0 + 900 * MS,
        session_count=2,
        trace_count=4,
        failed_trace_count=1,
        cost_mean_nano=27,
        cost_median_nano=11,
        usage=Usage(30, 2, 3),
        costs=Costs(81, 41, 40, 70, 11, 3),
        models=("m", "n"),
        providers=("openai", "aws"),
        tools=("search", "book"),
        list_counts=(),
    )
    for shuffled in permutations(traces):
        assert user(*shuffled) == expected
    assert expected.key == KEY


def test_a_user_without_calls_used_no_tokens_and_one_whose_calls_report_none_is_not_known_to():
    assert [user(turn(1, usage=NO_CALLS)).usage, user(turn(1, usage=NO_CALLS), turn(2, usage=NO_USAGE)).usage] == [
        NO_CALLS,
        NO_USAGE,
    ]


def test_a_user_of_traces_without_a_session_has_no_sessions():
    assert user(turn(1, session_id=None), turn(2, session_id=None)).session_count == 0


def test_lists_are_cut_at_a_hundred_and_their_length_is_told():
    found = user(*(turn(n, start_ms=n, tools=(f"t{n}",), models=("m",)) for n in range(1, 131)))
    assert (found.tools, found.list_counts) == (tuple(f"t{n}" for n in range(1, 101)), (("tools", 130),))


def test_a_list_that_a_trace_had_cut_is_told_as_at_least_that_long_but_not_those_that_a_user_has_not():
    found = user(turn(1, tools=("a",), list_counts=(("agents", 300), ("tools", 250))))
    assert found.list_counts == (("tools", 250),)
