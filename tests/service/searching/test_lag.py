"""How far behind an index is."""

from sessiond.service.searching.lag import NOTES_MAX, Lag


def test_an_index_is_behind_since_the_first_change_that_it_does_not_have() -> None:
    lag = Lag()
    for now, change in ((1.0, 10), (2.0, 20), (3.0, 30)):
        lag.note(now, change)
    assert [lag.seconds(5.0, through) for through in (0, 9, 10, 25, 30, 40)] == [4.0, 4.0, 3.0, 2.0, 0.0, 0.0]
    lag.reached(20)
    assert [lag.seconds(5.0, through) for through in (20, 30)] == [2.0, 0.0]


def test_changes_close_together_are_one_note_of_the_first_time() -> None:
    lag = Lag()
    for now, change in ((1.0, 10), (1.01, 11), (1.02, 12), (1.2, 12), (1.3, 13)):
        lag.note(now, change)
    assert [lag.seconds(2.0, through) for through in (11, 12)] == [1.0, 0.7]


def test_an_index_that_is_further_behind_than_notes_reach_is_told_by_the_oldest() -> None:
    lag = Lag()
    for number in range(2 * NOTES_MAX):
        lag.note(float(number), number + 1)
    assert lag.seconds(2.0 * NOTES_MAX, 0) == 2.0 * NOTES_MAX
    assert lag.seconds(2.0 * NOTES_MAX, 2 * NOTES_MAX) == 0.0
