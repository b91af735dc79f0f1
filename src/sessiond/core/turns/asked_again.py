"""Whether a user asks again what they asked before, in mostly the same words of any language (docs/turns.md).

Nothing is known here of what words mean: a question in all other words is not seen, and one with another name in it must not be.
"""

import re
from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Final

SIMILAR_MIN: Final = 0.6
"""Of Dice's coefficient. Of 32 pairs that ask the same, in eleven languages, 22 are found, and of 70 that do not, none (those of
tests/core/turns/test_asked_again.py): a false alarm costs more than a miss."""
WEIGHT_MIN: Final = 18
"""Of both texts: "yes please" and "tell me more" are said again and mean something else each time."""
REPEATED_WEIGHT_MIN: Final = 24
"""Of one text said twice: "thank you very much" is below it, "What is the weather in Lisbon?" is not."""
SLOT_UNITS_MAX: Final = 4
"""Of what stands in another's place: a name of four words, or of four characters where these are not parted."""
SLOT_WEIGHT_MIN: Final = 3
"""Of a word that stands in another's place and makes it another question: "do" and "my" do not."""
PREFIX_MIN, PREFIX_SHARE_MIN = 3, 2 / 3
"""Letters with which both begin, and their share of the shorter, of two words that are forms of one: "cancel", "cancelled"."""
UNITS_MAX: Final = 400
"""Of a text that is compared: a longer one is a document. Comparing takes the square of it at worst."""

_HAN: Final = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_KANA: Final = "\u3040-\u30ff"
_SPACELESS: Final = f"{_HAN}{_KANA}\u0e00-\u0eff"
_UNIT: Final = re.compile(rf"\d+|[{_SPACELESS}]|[^\W\d_{_SPACELESS}]+")
_WEIGHTS: Final = ((re.compile(f"[{_HAN}]"), 3), (re.compile(f"[{_KANA}\uac00-\ud7af]"), 2))
"""Letters of an alphabet that a character counts as; any other is one."""


def asks_again(before: str, after: str) -> bool:
    """Whether the second text asks what the first did."""
    one, other = units(before), units(after)
    least = REPEATED_WEIGHT_MIN if sorted(one) == sorted(other) else WEIGHT_MIN
    if min(_weight(one), _weight(other)) < least or max(len(one), len(other)) > UNITS_MAX:
        return False
    if _has_other_numbers(one, other) or similarity(one, other) < SIMILAR_MIN:
        return False
    return not _is_other_slot(one, other)


def units(text: str) -> list[str]:
    """The words and numbers of a text, without case; of scripts that put no blanks between words, the characters."""
    return _UNIT.findall(text.casefold())


def similarity(one: Sequence[str], other: Sequence[str]) -> float:
    """Dice's coefficient over the pieces of both, from 0 to 1."""
    a, b = _pieces(one), _pieces(other)
    total = a.total() + b.total()
    return 2 * (a & b).total() / total if total else 0.0


def _pieces(found: Sequence[str]) -> Counter[str]:
    """Runs of three letters, with a blank at both ends of a word, so that forms of a word are alike.

    Of what is written without blanks each character and, twice, each two beside each other.
    """
    pieces: Counter[str] = Counter()
    before = ""
    for unit in found:
        if re.match(f"[{_SPACELESS}]", unit):
            pieces[unit] += 1
            if before:
                pieces[before + unit] += 2
            before = unit
        else:
            before = ""
            pieces.update(_runs(unit))
    return pieces


def _runs(word: str) -> list[str]:
    size = 2 if re.match("[\uac00-\ud7af]", word) else 3
    padded = f" {word} "
    return [padded[at : at + size] for at in range(len(padded) - size + 1)]


def _weight(found: Sequence[str]) -> int:
    return sum(_weight_of(letter) for unit in set(found) for letter in unit)


def _weight_of(letter: str) -> int:
    return next((weight for letters, weight in _WEIGHTS if letters.match(letter)), 1)


def _has_other_numbers(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether each has a number that the other has not: "order 1041", "order 1042"."""
    a, b = ({unit for unit in found if unit.isdecimal()} for found in (one, other))
    return bool(a - b) and bool(b - a)


def _is_other_slot(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether one text is the other with a word changed for another, and otherwise as it was but for a light or an added word."""
    changes = [
        (one[i:j], other[k:m])
        for change, i, j, k, m in SequenceMatcher(None, one, other, autojunk=False).get_opcodes()
        if change != "equal"
    ]
    slots = [_is_slot(a, b) and not (_are_in(a, other) or _are_in(b, one)) for a, b in changes]
    return any(slots) and all(
        is_slot or len(a) + len(b) <= 1 or _is_light(a, b) for is_slot, (a, b) in zip(slots, changes, strict=True)
    )


def _is_slot(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether these are names for two things: short, and not alike."""
    return (
        min(len(one), len(other)) > 0
        and max(len(one), len(other)) <= SLOT_UNITS_MAX
        and not _is_light(one, other)
        and not _are_alike("".join(one), "".join(other))
    )


def _is_light(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether a word stands in another's place that names nothing."""
    return 0 < min(_weight(one), _weight(other)) < SLOT_WEIGHT_MIN


def _are_in(found: Sequence[str], text: Sequence[str]) -> bool:
    """Whether each of some units is in a text, perhaps in another form."""
    return all(any(_are_alike(unit, word) for word in text) for unit in found)


def _are_alike(one: str, other: str) -> bool:
    """Whether two words are one, or forms of one."""
    shared = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return one == other or shared >= max(PREFIX_MIN, PREFIX_SHARE_MIN * min(len(one), len(other)))
