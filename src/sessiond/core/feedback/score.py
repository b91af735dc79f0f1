"""A score: one judgement, by name."""

from collections.abc import Mapping
from math import isfinite
from typing import Any, Final, Literal, NamedTuple, TypeAlias, get_args

from sessiond.core.errors import Invalid
from sessiond.core.feedback import checked
from sessiond.core.feedback.target import Target, check_target, place_of, target_of
from sessiond.core.model import Metadata, SessionKey

ScoreSource = Literal["human", "evaluator", "api"]
"""Who judged: a person, a program made for judging, or any other program."""
SOURCES: Final[tuple[ScoreSource, ...]] = get_args(ScoreSource)
ScoreValue: TypeAlias = float | bool | str
"""A number, a yes or no, or a category. Whole numbers are floats too."""
NUMBER_MAX: Final = float(2**53)
"""A number lies within this, either side of 0: as far as doubles tell whole numbers apart, and sums of many stay finite."""


class Score(NamedTuple):
    """One score as it is stored."""

    id: str
    target: Target
    name: str
    value: ScoreValue
    source: ScoreSource = "api"
    comment: str = ""
    metadata: Metadata = ()
    author: str = ""
    create_unix_nano: int = 0
    update_unix_nano: int = 0
    """When its content was last given."""

    @property
    def content(self) -> tuple[object, ...]:
        """All that its maker says. Equal contents are the same score given again. A yes is not the number 1."""
        return (type(self.value), *self[:-2])

    @property
    def place(self) -> bytes:
        """Where it stands in lists, which show the latest first."""
        return place_of(self.create_unix_nano, self.id)

    @classmethod
    def of_row(cls, row: tuple[Any, ...]) -> "Score":
        """The score from the plain tuples that a codec made of it."""
        return cls._make((row[0], target_of(row[1]), *row[2:]))


def checked_score(score: Score) -> Score:
    """The score, its number a float and its metadata in order. Raises Invalid where something of it is out of bounds."""
    checked.feedback_id("score_id", score.id)
    check_target(score.target)
    checked.word("name", score.name)
    checked.prose("comment", score.comment)
    checked.optional_word("author", score.author)
    checked.check_metadata(score.metadata)
    checked.check_times(score.create_unix_nano, score.update_unix_nano)
    return score._replace(value=_checked_value(score.value), metadata=tuple(sorted(score.metadata)))


def _checked_value(value: ScoreValue) -> ScoreValue:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        checked.word("category", value)
        return value
    if not isfinite(value) or abs(value) > NUMBER_MAX:
        raise Invalid("number", value, f"must be a number from -{NUMBER_MAX:.0f} to {NUMBER_MAX:.0f}")
    return float(value) + 0.0  # no negative zero: it would be equal to 0 and another content in the store


def is_stale(score: Score, turns_received_unix_nano: int | None) -> bool:
    """Whether a session went on after it was scored: one of its traces was first received later than the score's last update.

    `turns_received_unix_nano` is when the latest of the session's traces was first received, None where there is none. What comes
    late of a trace that was known does not count, and a score of a trace or span is never stale.
    """
    is_of_session = isinstance(score.target, SessionKey)
    return is_of_session and turns_received_unix_nano is not None and turns_received_unix_nano > score.update_unix_nano


def updated_score(old: Score, changes: Mapping[str, Any], now_unix_nano: int) -> Score:
    """The old score with other values in some fields, given now: what it is of and its name stay. Raises Invalid."""
    return checked_score(old._replace(**changes, update_unix_nano=max(now_unix_nano, old.create_unix_nano)))
