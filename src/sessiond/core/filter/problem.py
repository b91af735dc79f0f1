"""What is wrong with a filter or an order: always with the place, and where possible with what to write instead."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

from sessiond.core.errors import Invalid

SHOWN_MAX: Final = 60
"""Characters of what is wrong that are repeated."""


def problem(what: str, at: int, why: str, *, hint: str = "", field: str = "filter") -> Invalid:
    """The text from character `at` on can't be used."""
    return Invalid(field, what[:SHOWN_MAX], f"at character {at} {why}", hint=hint)


def near(name: str, names: Iterable[str]) -> str:
    """A hint at the names that are like one; all of them where none is."""
    known = list(names)
    found = get_close_matches(name, known, n=3, cutoff=0.5)
    return f"did you mean {' or '.join(found)}?" if found else f"there are {', '.join(known)}"
