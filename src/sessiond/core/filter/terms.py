"""Restrictions -> predicates over rows, and how predicates are joined so that a row is dropped by the cheapest that can."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from operator import eq, ge, gt, le, lt, ne, or_
from typing import Any, Final, NamedTuple, TypeAlias

from sessiond.core.filter.column import Column, Rank, Row
from sessiond.core.filter.literals import Operand, Pattern, number_of
from sessiond.core.filter.restriction import Comparator, Restriction
from sessiond.core.rows.numbers import ABSENT, label_bit

Predicate: TypeAlias = Callable[[Row], bool]
Test: TypeAlias = Callable[[Any], bool]
"""Of a value that is there."""


class Term(NamedTuple):
    """What a row must be like."""

    rank: Rank
    test: Predicate
    bits: int = 0
    """Bits that the signature of every row has for which the test holds: the test may be left out for others."""


NEVER: Final = Term(Rank.NUMBERS, lambda _: False)


def term_of(restriction: Restriction) -> Term:
    """The predicate of a restriction whose value is known: no percentile."""
    column, comparator, value = restriction
    if comparator == "present":
        return Term(column.rank, _where_present(column), column.bits)
    if not isinstance(value, Operand):
        raise TypeError(value)
    if column.number is not None:
        return Term(column.rank, _number_test(column.number, _HOLDS[comparator], value))
    test = _score_test(comparator, value) if column.type == "score" else _test(column, comparator, value)
    return Term(column.rank, _value_test(column, test), column.bits | _bits(column, comparator, value))


def all_of(terms: Iterable[Term]) -> Term:
    """What holds where all terms do, cheap ones asked first."""
    terms = list(terms)
    bits = reduce(or_, (term.bits for term in terms), 0)
    if bits:
        terms.append(Term(Rank.SIGNATURE, lambda row: row.signature & bits == bits))
    tests = _by_rank(terms)
    return Term(_dearest(terms), tests[0] if len(tests) == 1 else _all(tests))


def any_of(terms: Iterable[Term]) -> Term:
    """What holds where one of the terms does, cheap ones asked first."""
    terms = [all_of([term]) for term in terms]
    return Term(_dearest(terms), _any(_by_rank(terms)))


def none_of(term: Term) -> Term:
    """What holds where the term does not."""
    rank, test, _ = all_of([term])
    return Term(rank, lambda row: not test(row))


def _by_rank(terms: Iterable[Term]) -> tuple[Predicate, ...]:
    return tuple(term.test for term in sorted(terms, key=lambda term: term.rank))


def _dearest(terms: Iterable[Term]) -> Rank:
    return max((term.rank for term in terms), default=Rank.NUMBERS)


def _all(tests: Sequence[Predicate]) -> Predicate:
    def holds(row: Row) -> bool:
        for test in tests:  # noqa: SIM110  (a generator for all() costs as much as three tests)
            if not test(row):
                return False
        return True

    return holds


def _any(tests: Sequence[Predicate]) -> Predicate:
    def holds(row: Row) -> bool:
        for test in tests:  # noqa: SIM110  (as in _all)
            if test(row):
                return True
        return False

    return holds


# -- one term ------------------------------------------------------------------------------------------------------------------

_HOLDS: Final[Mapping[Comparator, Callable[[Any, Any], bool]]] = {"=": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}


def _where_present(column: Column) -> Predicate:
    get = column.get
    return lambda row: get(row) is not None


def _number_test(index: int, holds: Callable[[Any, Any], bool], bound: Operand) -> Predicate:
    """As `_value_test`, without the call that gets the value: a scan asks a million rows."""
    return lambda row: (found := row.numbers[index]) != ABSENT and holds(found, bound)


def _value_test(column: Column, test: Test) -> Predicate:
    get = column.get
    return lambda row: (found := get(row)) is not None and test(found)


def _test(column: Column, comparator: Comparator, value: Operand) -> Test:
    """What a value that is there must be like."""
    if not isinstance(value, Pattern):
        holds = _HOLDS[comparator]
        return _as_number(holds, value) if column.type == "string" else lambda found: holds(found, value)
    if column.type == "strings":
        return _has_entry(value)
    if column.type in ("map", "counts", "scores"):
        has_key = _has_entry(value)
        return lambda entries: has_key([key for key, *_ in entries])
    if comparator == ":":
        inside = value.text.casefold()
        return lambda found: inside in found.casefold()
    if value.is_prefix:
        begins, beginning = comparator == "=", value.text
        return lambda found: found.startswith(beginning) is begins
    holds, text = _HOLDS[comparator], value.text
    return lambda found: holds(found, text)


def _score_test(comparator: Comparator, value: Operand) -> Test:
    """A number is compared with the mean; of a category it is asked whether it was given."""
    if not isinstance(value, Pattern):
        holds = _HOLDS[comparator]
        return lambda found: (mean := found.mean) is not None and holds(mean, value)
    has_category, is_wanted = _has_entry(value), comparator != "!="
    return lambda found: bool(found.categories) and has_category([name for name, _ in found.categories]) is is_wanted


def _as_number(holds: Callable[[Any, Any], bool], bound: Operand) -> Test:
    """A text compared as the number that it is; one that is none does not match."""
    return lambda found: (number := number_of(found)) is not None and holds(number, bound)


def _has_entry(wanted: Pattern) -> Test:
    text = wanted.text
    if not wanted.is_prefix:
        return lambda entries: text in entries
    return lambda entries: any(entry.startswith(text) for entry in entries)


def _bits(column: Column, comparator: Comparator, value: Operand) -> int:
    """The bit of a label that is asked for whole; 0 where the term says nothing of the signature."""
    whole = (":",) if column.type in ("strings", "scores") else ("=", ":") if column.type == "score" else ("=",)
    asks_whole = isinstance(value, Pattern) and not value.is_prefix and comparator in whole
    field = column.label_field
    return label_bit(field, value.text) if field and asks_whole and isinstance(value, Pattern) else 0
