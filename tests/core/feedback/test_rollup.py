"""How rows sum up feedback: of whatever order, cut or not, and as one would count by hand."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import ARRIVAL, PRICES, facts, score, span, summary, trace_id, turn
from sessiond.core.feedback.rollup import CATEGORIES_MAX, Feedback, merged, shown, summed
from sessiond.core.feedback.score import Score
from sessiond.core.feedback.target import TraceTarget
from sessiond.core.figures import session, trace
from sessiond.core.fold import LIST_MAX
from sessiond.core.model import ScoreSum, SessionKey

S1 = SessionKey("default", "s1")
VALUES = st.one_of(st.floats(-(2.0**53), 2.0**53), st.booleans(), st.sampled_from([f"c{number:02}" for number in range(30)]))
SCORES = st.lists(st.builds(score, name=st.sampled_from([f"n{number:03}" for number in range(120)]), value=VALUES), max_size=60)
FACTS = facts(span(id=1))
FEW_NAMES = st.lists(st.builds(score, name=st.sampled_from(["a", "b"]), value=VALUES), max_size=60)


def test_numbers_have_a_mean_a_yes_is_1_and_categories_are_counted():
    values: list[Any] = [0.5, True, False, 1.0, "bad", "good", "bad"]
    (found,) = summed(score(value=value) for value in values)
    assert found == ScoreSum("helpful", 7, 4, 2.5, (("bad", 2), ("good", 1)))
    assert found.mean == 0.625
    assert summed([score(value="bad")])[0].mean is None
    assert summed([]) == ()


@given(SCORES, st.randoms(use_true_random=False))
def test_no_order_of_scores_gives_another_sum(scores: list[Score], chance: Any):
    shuffled = scores.copy()
    chance.shuffle(shuffled)
    assert summed(shuffled) == summed(scores)


@given(FEW_NAMES, st.lists(st.integers(0, 4), min_size=60, max_size=60), st.randoms(use_true_random=False))
def test_sums_of_parts_are_the_sum_of_the_whole_however_it_was_parted(scores: list[Score], parts: list[int], chance: Any):
    sums = [summed(one for one, part in zip(scores, parts, strict=False) if part == number) for number in range(5)]
    whole = merged(sums)
    chance.shuffle(sums)
    assert merged(sums) == whole
    direct = summed(scores)
    assert [(one[:3], one.categories) for one in whole] == [(one[:3], one.categories) for one in direct]
    for one in whole:
        exact = sum(Fraction(float(each.value)) for each in scores if each.name == one.name and not isinstance(each.value, str))
        assert abs(Fraction(one.total) - exact) <= 1 + abs(exact) / 2**40


def test_sums_are_rounded_once_whatever_their_order():
    parts = [[ScoreSum("a", 1, 1, total, ())] for total in (2.0**53, 1.0, 1.0)]
    assert merged(parts) == merged(parts[::-1]) == (ScoreSum("a", 3, 3, 2.0**53 + 2, ()),)


@given(SCORES, SCORES)
def test_cutting_before_a_merge_shows_the_same(some: list[Score], others: list[Score]):
    assert shown(merged([shown(summed(some)), shown(summed(others))])) == shown(merged([summed(some), summed(others)]))


def test_a_row_holds_so_many_names_and_categories_and_tells_of_more():
    scores = [score(name=f"n{number:03}") for number in range(LIST_MAX + 5)]
    scores += [score(name="n000", value=f"c{number:02}") for number in range(CATEGORIES_MAX + 3)]
    found = trace.summarize(trace_id(1), FACTS, PRICES, Feedback(scores, 3))
    assert [one.name for one in found.scores] == [f"n{number:03}" for number in range(LIST_MAX)]
    assert dict(found.list_counts) == {"scores": LIST_MAX + 5}
    assert (found.scores[0].score_count, len(found.scores[0].categories)) == (CATEGORIES_MAX + 4, CATEGORIES_MAX)
    assert found.annotations == 3
    whole = session.summarize(S1, [found, turn(2, scores=summed([score(name="z")]))])
    assert (len(whole.scores), dict(whole.list_counts)) == (LIST_MAX, {"scores": LIST_MAX + 5})


def test_a_session_has_its_own_scores_and_those_of_its_traces():
    own = [score(value=0.5), score(name="verdict", value="bad")]
    traces = [
        turn(1, scores=summed([score("x", TraceTarget(trace_id(1)), value=1.0)]), annotations=2),
        turn(2, scores=summed([score("y", TraceTarget(trace_id(2)), name="verdict", value="good")]), annotations=1),
        turn(3),
    ]
    found = session.summarize(S1, traces, Feedback([one._replace(update_unix_nano=ARRIVAL) for one in own], 4))
    assert found.scores == (
        ScoreSum("helpful", 2, 2, 1.5, ()),
        ScoreSum("verdict", 2, 0, 0.0, (("bad", 1), ("good", 1))),
    )
    assert found.annotations == 7


@pytest.mark.parametrize(
    ("first_received", "stale"),
    [([10, 20], 0), ([10, 21], 1), ([21, 10], 1), ([10, 41], 2), ([41, 41], 2), ([20, 20], 0)],
)
def test_a_sessions_score_is_stale_once_a_turn_was_first_received_after_it(first_received: list[int], stale: int):
    traces = [turn(number, received_unix_nano=at, updated_unix_nano=at + 1000) for number, at in enumerate(first_received, 1)]
    scores = [score("a", update_unix_nano=20), score("b", update_unix_nano=40)]
    found = session.summarize(S1, traces, Feedback(scores))
    assert (found.scores[0].score_count, found.scores[0].stale_count) == (2, stale)
    assert found.turns_received_unix_nano == max(first_received)


def test_late_spans_of_known_turns_make_no_score_stale():
    early = summary(span(id=1), arrival=10)
    late = summary(span(id=1), span(id=2, parent=1), arrival=10)._replace(updated_unix_nano=50)
    for one in (early, late):
        assert session.summarize(S1, [one], Feedback([score(update_unix_nano=20)])).scores[0].stale_count == 0


def test_scores_of_traces_are_never_stale():
    one = turn(1, scores=summed([score("x", TraceTarget(trace_id(1)), update_unix_nano=1)]))
    assert session.summarize(S1, [one, turn(2)]).scores[0].stale_count == 0
