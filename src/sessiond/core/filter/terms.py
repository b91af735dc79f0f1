"""One comparison -> a test of rows, and how dear the test is."""

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, cast

from sessiond.core.fields import FIELDS, AnySummary, Field, Kind
from sessiond.core.filter import literals
from sessiond.core.filter.grammar import Call, Comparison, Value
from sessiond.core.filter.literals import Number
from sessiond.core.filter.problem import near, problem
from sessiond.core.numbers import ABSENT, NUMBERS, label_bit
from sessiond.core.seen import Seen

Row = Seen[AnySummary]
Test = Callable[[Row], bool]
Compare = Callable[[Any, Any], bool]

NUMBER, LABEL, SUMMARY, BEYOND = range(4)
"""What a test looks at, in the order of what that costs: tests that rule rows out cheaply go first. Beyond it lie its texts and
the time."""

COMPARE: Final[Mapping[str, Compare]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_LABELLED: Final = frozenset({"models", "request_models", "providers", "services", "agents", "tools", "tags", "user_ids"})
_NUMERIC: Final = frozenset({"milliseconds", "usd", "count", "time"})


class Term(NamedTuple):
    """A test of rows. An absent value passes none but `NOT`."""

    test: Test
    cost: int


def field_of(path: tuple[str, ...], at: int, kind: Kind, about: str = "filter") -> Field[Any]:
    """The field that a path names, or names something in. Raises Invalid."""
    name, *inner = path
    fields = {field.name: field for field in FIELDS[kind] if field.served}
    field = fields.get(name)
    if field is None:
        raise problem(name, at, f"is no field of a {kind}", hint=near(name, fields), field=about)
    if inner and field.type not in {"map", "counts"}:
        raise problem(
            ".".join(path), at, f"names something inside {name}, which holds one value", hint=f"write {name}", field=about
        )
    return field


def term_of(comparison: Comparison, kind: Kind) -> Term:
    """What a comparison means, but for one with a percentile. Raises Invalid."""
    field, value = field_of(comparison.path, comparison.at, kind), comparison.value
    assert isinstance(value, Value)  # noqa: S101  (whoever calls has looked)
    if comparison.comparator == ":" and value.has_star and not value.text:
        return _presence(comparison, field, kind)
    if field.type in {"map", "counts"}:
        return _inside(comparison, field, value)
    _check_comparator(comparison, field)
    return _OF_TYPE[field.type](comparison, field, value, kind)


def number_term(field: Field[Any], kind: Kind, compare: Compare, wanted: Number) -> Term:
    """A number of the row compared with another."""
    if field.kept == "texts":
        length = _text_getter(field)
        return Term(lambda row: (found := length(row)) is not None and compare(found, wanted), BEYOND)
    place = NUMBERS[kind].index(field)
    return Term(lambda row: (found := row.numbers[place]) != ABSENT and compare(found, wanted), NUMBER)


def value_getter(field: Field[Any], kind: Kind) -> tuple[Callable[[Row], Any], int]:
    """What gives a row's value of a field, None where it is absent, and what that costs."""
    if field.kept == "texts":
        return _text_getter(field), BEYOND
    if field.kept == "nowhere":
        return lambda row: field.values[0 if row.is_live else 1], BEYOND
    if field in NUMBERS[kind]:
        place = NUMBERS[kind].index(field)
        return lambda row: None if (found := row.numbers[place]) == ABSENT else found, NUMBER
    get = field.get
    return lambda row: get(row.summary), SUMMARY


def is_numeric(field: Field[Any]) -> bool:
    """Whether it has a unit, so that percentiles of it mean something."""
    return field.type in _NUMERIC


# -- by type -------------------------------------------------------------------------------------------------------------------


def _numeric(comparison: Comparison, field: Field[Any], value: Value, kind: Kind) -> Term:
    wanted = literals.as_time(value) if field.type == "time" else literals.as_number(value, field.type)
    return number_term(field, kind, COMPARE[comparison.comparator], wanted)


def _bool(comparison: Comparison, field: Field[Any], value: Value, kind: Kind) -> Term:
    return number_term(field, kind, COMPARE[comparison.comparator], literals.as_bool(value))


def _enum(comparison: Comparison, field: Field[Any], value: Value, kind: Kind) -> Term:
    place, compare = literals.as_choice(value, field.values), COMPARE[comparison.comparator]
    if field.kept == "nowhere":
        wanted = place == 0
        return Term(lambda row: compare(row.is_live, wanted), BEYOND)
    return number_term(field, kind, compare, place)


def _id(comparison: Comparison, field: Field[Any], value: Value, kind: Kind) -> Term:
    get, cost = value_getter(field, kind)
    matches = _text_match(comparison.comparator, literals.as_hex(value), has_star=value.has_star)
    return Term(lambda row: (found := get(row)) is not None and matches(found.hex()), cost)


def _string(comparison: Comparison, field: Field[Any], value: Value, kind: Kind) -> Term:
    get, cost = value_getter(field, kind)
    if value.has_star and comparison.comparator not in {"=", "!="}:
        raise problem(
            f"{value.text}*", value.at, "ends with a *, which goes with = and != alone", hint=r"write \* for the character"
        )
    matches = _text_match(comparison.comparator, value.text, has_star=value.has_star)
    term = Term(lambda row: (found := get(row)) is not None and matches(found), cost)
    is_whole = comparison.comparator == "=" and not value.has_star
    return _with_label("user_id", value.text, term) if field.name == "user_id" and is_whole else term


def _strings(_: Comparison, field: Field[Any], value: Value, _kind: Kind) -> Term:
    get, text = cast("Callable[[AnySummary], tuple[str, ...]]", field.get), value.text
    if value.has_star:
        return Term(lambda row: any(entry.startswith(text) for entry in get(row.summary)), SUMMARY)
    term = Term(lambda row: text in get(row.summary), SUMMARY)
    return _with_label(field.name, text, term) if field.name in _LABELLED else term


_OF_TYPE: Final[Mapping[str, Callable[[Comparison, Field[Any], Value, Kind], Term]]] = {
    "milliseconds": _numeric,
    "usd": _numeric,
    "count": _numeric,
    "time": _numeric,
    "bool": _bool,
    "enum": _enum,
    "id": _id,
    "string": _string,
    "strings": _strings,
}
_COMPARATORS: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(_NUMERIC, tuple(COMPARE)),
    "string": (*COMPARE, ":"),
    "bool": ("=", "!="),
    "enum": ("=", "!="),
    "id": ("=", "!="),
    "strings": (":",),
}
"""What fields of a type are compared by, besides `:*` for presence."""


def _check_comparator(comparison: Comparison, field: Field[Any]) -> None:
    known = _COMPARATORS[field.type]
    if comparison.comparator not in known:
        told = f"is compared by {comparison.comparator}, which {'a list' if field.type == 'strings' else 'it'} can't be"
        raise problem(
            field.name,
            comparison.at,
            told,
            hint=f"write {field.name} {' or '.join(known)} {literals.EXAMPLES.get(field.type, 'a value')}",
        )


# -- inside maps ---------------------------------------------------------------------------------------------------------------


def _inside(comparison: Comparison, field: Field[Any], value: Value) -> Term:
    """A comparison of what is under a key, or of the keys themselves."""
    get, key = field.get, ".".join(comparison.path[1:])
    if not key:
        if comparison.comparator != ":":
            raise problem(
                field.name, comparison.at, "holds values by key", hint=f'write {field.name}.KEY = "value", or {field.name}:KEY'
            )
        text, has_star = value.text, value.has_star
        return Term(lambda row: any(_is_like(name, text, has_star=has_star) for name, _ in get(row.summary)), SUMMARY)
    if comparison.comparator == ":":
        raise problem(
            ".".join(comparison.path), comparison.at, "is one value, not a list", hint="write = for the whole, or :* for any"
        )
    matches = _count_match(comparison, value) if field.type == "counts" else _metadata_match(comparison, value)
    term = Term(lambda row: any(name == key and matches(held) for name, held in get(row.summary)), SUMMARY)
    is_whole = field.type == "map" and comparison.comparator == "=" and not value.has_star
    return _with_label(f"{field.name}.{key}", value.text, term) if is_whole else term


def _count_match(comparison: Comparison, value: Value) -> Callable[[int], bool]:
    wanted, compare = literals.as_number(value, "counts"), COMPARE[comparison.comparator]
    return lambda held: compare(held, wanted)


def _metadata_match(comparison: Comparison, value: Value) -> Callable[[str], bool]:
    """As text, but for an unquoted number that is less or more: those are compared as numbers."""
    number = None if value.is_quoted or value.has_star else literals.plain_number(value.text)
    if number is None or comparison.comparator in {"=", "!="}:
        if value.has_star and comparison.comparator not in {"=", "!="}:
            raise literals.wrong(value, "map")
        return _text_match(comparison.comparator, value.text, has_star=value.has_star)
    compare = COMPARE[comparison.comparator]
    return lambda held: (found := literals.plain_number(held)) is not None and compare(found, number)


# -- small parts ---------------------------------------------------------------------------------------------------------------


def _presence(comparison: Comparison, field: Field[Any], kind: Kind) -> Term:
    get, cost = value_getter(field, kind)
    key = ".".join(comparison.path[1:])
    if key:
        return Term(lambda row: any(name == key for name, _ in get(row)), cost)
    if field.type in {"strings", "map", "counts"}:
        return Term(lambda row: bool(get(row)), cost)
    return Term(lambda row: get(row) is not None, cost)


def _text_match(comparator: str, wanted: str, *, has_star: bool) -> Callable[[str], bool]:
    if comparator == ":":
        folded = wanted.casefold()
        return lambda found: folded in found.casefold()
    if has_star:
        begins = comparator == "="
        return lambda found: found.startswith(wanted) is begins
    compare = COMPARE[comparator]
    return lambda found: compare(found, wanted)


def _is_like(found: str, wanted: str, *, has_star: bool) -> bool:
    return found.startswith(wanted) if has_star else found == wanted


def _with_label(name: str, label: str, term: Term) -> Term:
    """The same test, after a look whether the row can have the label at all."""
    bit, test = label_bit(name, label), term.test
    return Term(lambda row: bool(row.signature & bit) and test(row), LABEL)


def _text_getter(field: Field[Any]) -> Callable[[Row], Any]:
    side, is_length = field.name.removesuffix("_length"), field.name.endswith("_length")

    def get(row: Row) -> str | int | None:
        text = getattr(row.texts, side)
        return None if text is None else text.length if is_length else text.beginning

    return get


def call_of(comparison: Comparison) -> Call | None:
    """The function that a comparison is with, if so."""
    return comparison.value if isinstance(comparison.value, Call) else None
