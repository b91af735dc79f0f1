import pytest

from builders import MS, trace_id, turn
from sessiond.core.model import NO_TEXTS, Costs, Text, Texts, Usage
from sessiond.core.turns.figures import TurnFigures, figures_of


def asked(text: str, length: int | None = None) -> Texts:
    return Texts(Text(text, len(text) if length is None else length))


def test_each_turn_stands_against_the_median_of_those_that_have_the_figure():
    traces = [
        turn(1, end_ms=10, costs=Costs(100), usage=Usage(10, 5), ttft_nano=MS),
        turn(2, end_ms=20, costs=Costs(200), usage=Usage(20, None), ttft_nano=2 * MS),
        turn(3, end_ms=80, costs=Costs(None), usage=Usage(None, None)),
        turn(4, end_ms=20, costs=Costs(800), usage=Usage(70, 10), ttft_nano=9 * MS),
    ]
    found = figures_of(traces, [NO_TEXTS] * 4, [10, 20, None, 70], [True] * 4)
    assert found == [
        TurnFigures(trace_id(1), 0.5, 0.75, 0.5, 0.5, 10, None),
        TurnFigures(trace_id(2), 1.0, 1.0, 1.0, 1.0, 20, 10),
        TurnFigures(trace_id(3), None, None, 4.0, None, None, None),
        TurnFigures(trace_id(4), 4.0, 4.0, 1.0, 4.5, 70, 50),
    ]


def test_two_turns_have_no_middle():
    found = figures_of([turn(1), turn(2, end_ms=90)], [NO_TEXTS] * 2, [None, None], [True] * 2)
    assert [one.duration_ratio for one in found] == [None, None]


def test_a_median_of_nothing_is_no_measure():
    found = figures_of(
        [turn(at, costs=Costs(cost)) for at, cost in enumerate((0, 0, 5), 1)], [NO_TEXTS] * 3, [None] * 3, [True] * 3
    )
    assert [one.cost_ratio for one in found] == [None] * 3


def test_the_turn_before_the_repeated_question_is_marked():
    texts = [asked("How do I cancel my subscription?"), asked("How can I cancel the subscription?"), asked("thanks")]
    again = [figures_of([turn(1), turn(2), turn(3)], texts, [None] * 3, [True, asks, True]) for asks in (True, False)]
    assert [[one.asked_again for one in turns] for turns in again] == [[True, False, False], [False, False, False]]


@pytest.mark.parametrize("length", [1001, 40_000])
def test_texts_that_are_at_hand_in_part_only_are_not_compared(length: int):
    long = asked("How do I cancel my subscription, which began last year?", length)
    assert not any(one.asked_again for one in figures_of([turn(1), turn(2)], [long, long], [None] * 2, [True] * 2))


def test_a_prompt_may_shrink():
    found = figures_of([turn(1), turn(2), turn(3)], [NO_TEXTS] * 3, [900, None, 300], [True] * 3)
    assert [one.prompt_growth_tokens for one in found] == [None, None, -600]
