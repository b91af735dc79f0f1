"""A filter as a whole: text -> which rows match, what an index can narrow by, and the percentiles that must be known first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Final, cast

from sessiond.core.filter.column import Rank, named
from sessiond.core.filter.grammar import And, Bare, Call, Comparison, Node, Not, parse
from sessiond.core.filter.lexer import Misread
from sessiond.core.filter.literals import Pattern
from sessiond.core.filter.narrowing import where_of
from sessiond.core.filter.restriction import Comparator, Percentile, Restriction, read, refused
from sessiond.core.filter.terms import NEVER, Predicate, Term, all_of, any_of, none_of, term_of
from sessiond.core.rows.fields import Kind
from sessiond.core.rows.where import Where


def parse_filter(text: str, kind: Kind) -> "Filter":
    """The filter over rows of a kind that a text of docs/filters.md says; an empty one matches all.

    Raises Invalid for anything else: it names the piece and its character, from 1, and what would be right.
    """
    try:
        return _filter(text, kind, _conjuncts(parse(text)))
    except Misread as misread:
        raise misread.of("filter") from None


@dataclass(frozen=True, eq=False)
class Filter:
    """Which rows are wanted. `terms` and `thresholds` must all hold."""

    kind: Kind
    text: str
    where: Where
    """What every row that matches fulfils, as far as an index can tell."""
    terms: tuple[Term, ...]
    thresholds: tuple[Restriction, ...] = ()
    """Comparisons with percentiles that are not known yet."""
    looks_beyond: bool = False
    """Whether `matches`, now or with percentiles fixed, or a percentile's `value_of` look at more of a row than its numbers,
    signature and summary."""

    @property
    def is_empty(self) -> bool:
        """Whether all rows match, once percentiles are fixed."""
        return not self.terms and not self.thresholds

    @cached_property
    def matches(self) -> Predicate:
        """Whether a row is wanted. Raises ValueError while there are `percentiles`: of such a filter see `fixed`."""
        if self.thresholds:
            raise ValueError(self.text)
        return all_of(self.terms).test

    @property
    def percentiles(self) -> tuple[Percentile, ...]:
        """What must be computed over the rows that `without_percentiles` matches, before it is known which match this one."""
        return tuple(cast("Percentile", threshold.value) for threshold in self.thresholds)

    def without_percentiles(self) -> "Filter":
        """The same but for comparisons with percentiles."""
        return replace(self, thresholds=())

    def fixed(self, thresholds: Sequence[int | Decimal | None]) -> "Filter":
        """The same with the value of each of `percentiles`, in the field's unit; None, where no row had one, matches no row.

        Raises ValueError where there are more or fewer than `percentiles`; without any, this is the filter itself.
        """
        if not self.thresholds and not thresholds:
            return self
        known = (
            NEVER if value is None else term_of(threshold._replace(value=value))
            for threshold, value in zip(self.thresholds, thresholds, strict=True)
        )
        return replace(self, terms=(*self.terms, *known), thresholds=())

    def within(
        self,
        *,
        project: str | None = None,
        session_id: str | None = None,
        user_id: str | None = None,
        since_unix_nano: int | None = None,
        until_unix_nano: int | None = None,
    ) -> "Filter":
        """The same, and all of these that are given must hold too.

        `session_id` is not for users. `user_id` is a trace's user, one of a session's. Times are those of the start of a trace or
        session, and of when a user was first seen: at or after `since_unix_nano`, before `until_unix_nano`.
        """
        wanted: tuple[tuple[str, Comparator, Pattern | int | None], ...] = (
            ("project", "=", _whole(project)),
            ("session_id", "=", _whole(session_id)),
            (_START[self.kind], ">=", since_unix_nano),
            (_START[self.kind], "<", until_unix_nano),
        )
        more = [Restriction(named(name, self.kind), comparator, value) for name, comparator, value in wanted if value is not None]
        terms, where = [*map(term_of, more)], where_of(self.kind, more, self.where)
        if user_id is not None:
            ways = [Restriction(named(name, self.kind), comparator, Pattern(user_id)) for name, comparator in _USER[self.kind]]
            terms.append(any_of(map(term_of, ways)))
            where = where_of(self.kind, ways[:1], where)  # an index finds both ways
        return replace(self, where=where, terms=(*terms, *self.terms))


_USER: Final[dict[Kind, tuple[tuple[str, Comparator], ...]]] = {
    "trace": (("user_id", "="),),
    "session": (("user_ids", ":"), ("user_id", "=")),
    "user": (("user_id", "="),),
}
"""How a row says that it is of a user. A session's list of many is cut, and its latest user may not be in it."""
_START: Final[dict[Kind, str]] = {"trace": "start_time", "session": "start_time", "user": "first_seen_time"}


def _whole(text: str | None) -> Pattern | None:
    return None if text is None else Pattern(text)


def _filter(text: str, kind: Kind, conjuncts: Iterable[Node]) -> Filter:
    restrictions: list[Restriction] = []
    others: list[Term] = []
    for node in conjuncts:  # in their order, so that of several mistakes the first is told
        if isinstance(node, Comparison):
            restrictions.append(read(node, kind))
        else:
            others.append(_term(node, kind))
    known = [restriction for restriction in restrictions if not isinstance(restriction.value, Percentile)]
    terms = (*map(term_of, known), *others)
    thresholds = tuple(restriction for restriction in restrictions if isinstance(restriction.value, Percentile))
    looks_beyond = Rank.BEYOND in (*(term.rank for term in terms), *_ranks(thresholds))
    return Filter(kind, text, where_of(kind, known), terms, thresholds, looks_beyond)


def _ranks(thresholds: Iterable[Restriction]) -> Iterable[Rank]:
    for column, _, value in thresholds:
        yield column.rank
        if isinstance(value, Percentile):
            yield value.column.rank


def _conjuncts(node: Node) -> Iterable[Node]:
    """The parts that must all hold, those in parentheses too."""
    if not isinstance(node, And):
        yield node
        return
    for part in node.parts:
        yield from _conjuncts(part)


def _term(node: Node, kind: Kind) -> Term:
    """The predicate of a tree. Raises Misread."""
    if isinstance(node, Comparison):
        return term_of(_without_percentile(node, kind))
    if isinstance(node, Bare):
        raise refused(node, kind)
    if isinstance(node, Not):
        return none_of(_term(node.inner, kind))
    join = all_of if isinstance(node, And) else any_of
    return join([_term(part, kind) for part in node.parts])


def _without_percentile(comparison: Comparison, kind: Kind) -> Restriction:
    restriction = read(comparison, kind)
    if isinstance(comparison.value, Call):
        name = comparison.value.name
        problem = "is a percentile inside OR or NOT: which rows it is of could not be told"
        raise Misread(name.text, name.position, problem, hint="join it to the rest by AND")
    return restriction
