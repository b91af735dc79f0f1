"""A whole filter: which rows match, what an index can narrow by, and thresholds that only the rows themselves tell."""

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from sessiond.core.fields import Field, Kind
from sessiond.core.filter.grammar import And, Comparison, Not, Or, Tree, Value, parse
from sessiond.core.filter.literals import as_time
from sessiond.core.filter.problem import problem
from sessiond.core.filter.terms import (
    BEYOND,
    COMPARE,
    NUMBER,
    Row,
    Term,
    Test,
    call_of,
    field_of,
    is_numeric,
    number_term,
    term_of,
    value_getter,
)
from sessiond.core.where import Where

_PERCENTILE: Final = re.compile(r"p(\d{1,2}(?:\.\d{1,6})?)")
_NEVER: Final = Term(lambda _: False, NUMBER)
_LATE_NANO: Final = 3600 * 10**9
"""A start more than this after its span's arrival is taken as the arrival; so nothing was active much before it started."""


class Percentile(NamedTuple):
    """A threshold: the value at `share` (0 to 1) of all values of a numeric field."""

    field: Field[Any]
    share: float
    kind: Kind

    def value_of(self, row: Row) -> int | None:
        """The row's value of the field."""
        get, _ = value_getter(self.field, self.kind)
        value: int | None = get(row)
        return value


class _Threshold(NamedTuple):
    """A term that compares a field with a percentile."""

    field: Field[Any]
    comparator: str
    percentile: Percentile


class Filter:
    """What rows of a kind must be like. Immutable. Build it with `parse_filter`."""

    def __init__(self, text: str, kind: Kind, terms: Sequence[Term], thresholds: Sequence[_Threshold], where: Where) -> None:
        self.text = text
        self.where = where
        """What an index can narrow by: all rows that match are among those for which it holds."""
        self._kind: Kind = kind
        self._terms = tuple(terms)
        self._thresholds = tuple(thresholds)
        self.looks_beyond = any(term.cost == BEYOND for term in terms)
        """Whether it looks at more of a row than its numbers, signature and summary."""
        self.matches = _all([term.test for term in sorted(terms, key=lambda term: term.cost)])
        """Whether a row matches. Not for a filter whose percentiles are not fixed."""

    @property
    def percentiles(self) -> tuple[Percentile, ...]:
        """The thresholds to be found out, in order: each over the rows that match `without_percentiles`."""
        return tuple(threshold.percentile for threshold in self._thresholds)

    def without_percentiles(self) -> "Filter":
        """The other terms."""
        return Filter(self.text, self._kind, self._terms, (), self.where)

    def fixed(self, values: Sequence[int | None]) -> "Filter":
        """The same with the values of its percentiles; None matches nothing: no row has the figure."""
        if not self._thresholds:
            return self
        known = [
            _NEVER if value is None else number_term(one.field, self._kind, COMPARE[one.comparator], value)
            for one, value in zip(self._thresholds, values, strict=True)
        ]
        return Filter(self.text, self._kind, (*self._terms, *known), (), self.where)

    def within(
        self,
        *,
        project: str | None = None,
        session_id: str | None = None,
        user_id: str | None = None,
        since_unix_nano: int | None = None,
        until_unix_nano: int | None = None,
    ) -> "Filter":
        """The same for rows of a project, session (not of users) and user, that started, or of users were first seen, in some time.

        A session is of a user if one of its traces is. None does not restrict.
        """
        ids = {"project": project, "session_id": session_id, "user_ids" if self._kind == "session" else "user_id": user_id}
        bounds = {">=": since_unix_nano, "<": until_unix_nano}
        narrowed = _Narrowing(self._kind, self.where)
        terms = list(self._terms)
        for name, wanted in ids.items():
            if wanted is not None:
                comparison = Comparison((name,), ":" if name == "user_ids" else "=", Value(wanted, 0, True), 0)
                terms.append(term_of(comparison, self._kind))
                narrowed.by_id(name, wanted)
        start = _START[self._kind]
        field = field_of((start,), 0, self._kind)
        for comparator, nano in bounds.items():
            if nano is not None:
                terms.append(number_term(field, self._kind, COMPARE[comparator], nano))
                narrowed.by_time(start, comparator, nano)
        return Filter(self.text, self._kind, terms, self._thresholds, narrowed.where)


def parse_filter(text: str, kind: Kind) -> Filter:
    """A filter over rows of a kind in the syntax of AIP-160; empty: all match. Raises Invalid with the place of what is wrong."""
    terms, thresholds = [], []
    narrowed = _Narrowing(kind, Where())
    for part in _conjuncts(parse(text)):
        if isinstance(part, Comparison) and call_of(part):
            thresholds.append(_threshold(part, kind))
            continue
        terms.append(_compiled(part, kind))
        if isinstance(part, Comparison):
            narrowed.by_comparison(part)
    return Filter(text, kind, terms, thresholds, narrowed.where)


def _all(tests: Sequence[Test]) -> Test:
    """One test of all. A scan asks it a million times, most often with one or two tests."""
    match tests:
        case []:
            return lambda _: True
        case [test]:
            return test
        case [first, second]:
            return lambda row: first(row) and second(row)
        case _:
            return lambda row: all(test(row) for test in tests)


def _conjuncts(tree: Tree) -> Iterator[Tree]:
    """The parts that must all hold."""
    if isinstance(tree, And):
        for part in tree.parts:
            yield from _conjuncts(part)
    else:
        yield tree


def _compiled(tree: Tree, kind: Kind) -> Term:
    """A tree as one test."""
    match tree:
        case Comparison():
            call = call_of(tree)
            if call is not None:
                raise problem(
                    f"{call.name}(...)", call.at, "stands inside OR or NOT", hint="percentiles go beside other terms, with AND"
                )
            return term_of(tree, kind)
        case Not(inner):
            term = _compiled(inner, kind)
            return Term(lambda row: not term.test(row), term.cost)
        case And(parts):
            terms = sorted((_compiled(part, kind) for part in parts), key=lambda term: term.cost)
            return Term(lambda row: all(term.test(row) for term in terms), terms[-1].cost)
        case Or(parts):
            terms = sorted((_compiled(part, kind) for part in parts), key=lambda term: term.cost)
            return Term(lambda row: any(term.test(row) for term in terms), terms[-1].cost)


def _threshold(comparison: Comparison, kind: Kind) -> _Threshold:
    field = field_of(comparison.path, comparison.at, kind)
    call = call_of(comparison)
    assert call is not None  # noqa: S101  (whoever calls has looked)
    share = _share(call.name)
    if share is None:
        raise problem(
            f"{call.name}(...)", call.at, "is no function", hint="there are p50(FIELD), p95(FIELD) and the like, and median(FIELD)"
        )
    of = field_of(call.path, call.at, kind)
    if not is_numeric(field) or comparison.comparator not in COMPARE:
        raise problem(
            field.name, comparison.at, "can't be compared with a percentile", hint="percentiles are numbers: > >= < <= = !="
        )
    if of.type != field.type:
        raise problem(of.name, call.at, f"is no figure like {field.name}", hint=f"write {call.name}({field.name})")
    return _Threshold(field, comparison.comparator, Percentile(of, float(share), kind))


def _share(name: str) -> Decimal | None:
    """What a function's name says: `p95` is 0.95."""
    if name == "median":
        return Decimal("0.5")
    found = _PERCENTILE.fullmatch(name)
    return Decimal(found[1]) / 100 if found and Decimal(found[1]) else None


# -- what an index can narrow by -----------------------------------------------------------------------------------------------

_START: Final[Mapping[Kind, str]] = {"trace": "start_time", "session": "start_time", "user": "first_seen_time"}
_PLACE: Final[Mapping[Kind, str]] = {"trace": "start_time", "session": "last_activity_time", "user": "last_seen_time"}
"""By what rows of a kind are listed."""


class _Narrowing:
    """Collects what terms that must all hold say about the rows' places. It may say less than they do, never more."""

    def __init__(self, kind: Kind, where: Where) -> None:
        self._kind: Kind = kind
        self.where = where

    def by_comparison(self, comparison: Comparison) -> None:
        (name, *inner), value = comparison.path, comparison.value
        if inner or not isinstance(value, Value) or value.has_star:
            return
        if comparison.comparator == (":" if name == "user_ids" else "="):
            self.by_id(name, value.text)
        if name in {_START[self._kind], _PLACE[self._kind]} and comparison.comparator != ":":
            self.by_time(name, comparison.comparator, as_time(value))

    def by_id(self, name: str, wanted: str) -> None:
        """A project, session or user is given; of several the first counts."""
        match name:
            case "project" if self.where.project is None:
                self.where = self.where._replace(project=wanted)
            case "session_id" if self.where.session_id is None:
                self.where = self.where._replace(session_id=wanted)
            case "user_id" | "user_ids" if self.where.user_id is None:
                self.where = self.where._replace(user_id=wanted)

    def by_time(self, name: str, comparator: str, nano: int) -> None:
        """A bound of the start or of the place. Of a start, only an early bound says something about another place."""
        is_place = name == _PLACE[self._kind]
        if comparator in {">", ">=", "="}:
            since = nano if is_place else max(0, nano - _LATE_NANO)
            self.where = self.where._replace(since_unix_nano=max(since, self.where.since_unix_nano or 0))
        if comparator in {"<", "<=", "="} and is_place:
            until = nano + 1  # one too many for <, which the test itself leaves out
            self.where = self.where._replace(until_unix_nano=min(until, self.where.until_unix_nano or until))
