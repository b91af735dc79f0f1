"""One comparison with its meaning: a column, a comparator, a value of its type. What makes no sense is refused, in words."""

import re
from decimal import Decimal
from typing import Any, Final, Literal, NamedTuple, cast

from sessiond.core.filter.column import Column, Row, resolve
from sessiond.core.filter.grammar import Bare, Call, Comparison
from sessiond.core.filter.lexer import Misread, Token
from sessiond.core.filter.literals import TAKES, Operand, Pattern, examples, number_of
from sessiond.core.rows.fields import FIELDS, Field, Kind

Comparator = Literal["=", "!=", "<", "<=", ">", ">=", ":", "present"]
"""As written; `present` stands for `:*`."""

_AMOUNTS: Final = ("time", "milliseconds", "usd", "count")
"""Types that have percentiles."""
_PERCENTILE: Final = re.compile(r"p([0-9]{1,2}(?:\.[0-9]{1,6})?)")
_FUNCTIONS: Final = "there are median(field) and percentiles such as p95(field) and p99.9(field)"


class Percentile(NamedTuple):
    """A threshold that only the rows can tell: the value below which `share` (between 0 and 1) of them lie."""

    column: Column
    share: Decimal

    @property
    def field(self) -> Field[Any]:
        return self.column.field

    def value_of(self, row: Row) -> int | None:
        """What a row adds to the values that the percentile is of, in the field's unit; None: nothing."""
        return cast("int | None", self.column.get(row))


class Restriction(NamedTuple):
    """A comparison that makes sense."""

    column: Column
    comparator: Comparator
    value: Operand | Percentile | None
    """None of `present` alone."""


def read(comparison: Comparison, kind: Kind) -> Restriction:
    """What a comparison of rows of a kind means. Raises Misread."""
    column, value = resolve(comparison.path, kind), comparison.value
    comparator = cast("Comparator", comparison.comparator.text)
    if isinstance(value, Call):
        return Restriction(column, _orders(column, comparison), _percentile(value, column, kind))
    if comparator == ":" and value.text == "*" and value.stars:
        return Restriction(column, "present", None)
    if comparator not in TAKES[column.type].comparators:
        raise Misread(comparator, comparison.comparator.position, f"does not compare {column.name}", hint=_takes(column))
    return Restriction(column, comparator, _operand(column, comparator, value))


def refused(bare: Bare, kind: Kind) -> Misread:
    """Why a word without a comparator is no term."""
    text, position = ".".join(token.text for token in bare.path), bare.path[0].position
    if text in ("and", "or", "not"):
        return Misread(text, position, "is no term", hint=f"the operator is written {text.upper()}")
    if any(field.name == text for field in FIELDS[kind]):
        return Misread(text, position, "is compared with nothing", hint="behind a field stands one of = != < <= > >= :")
    example = "user_id" if kind == "user" else "name"
    return Misread(text, position, "is compared with nothing", hint=f'name a field to look in, as in {example}:"{text[:20]}"')


def _operand(column: Column, comparator: Comparator, token: Token) -> Operand:
    if column.type == "string" and comparator in ("<", "<=", ">", ">="):
        return _bound(column, token)
    value = TAKES[column.type].read(token, column.field)
    if value is None:
        raise Misread(token.text, token.position, f"is nothing that {column.name} is compared with", hint=_takes(column))
    if column.type == "score" and isinstance(value, Pattern) != (comparator == ":") and comparator not in ("=", "!="):
        problem = f"is not what {column.name} is compared with by {comparator}"
        raise Misread(token.text, token.position, problem, hint=_takes(column))
    return value


def _bound(column: Column, token: Token) -> Pattern | Decimal:
    """What texts lie before or after. Metadata are numbers as often as texts, so there a bare number means numbers."""
    number = number_of(token.text) if token.kind == "text" and column.field.type == "map" else None
    if number is not None:
        return number
    if token.stars:
        raise Misread(token.text, token.position, "holds a *, which only = and != and : take", hint=r'"\*" is the sign itself')
    return Pattern(token.text)


def _takes(column: Column) -> str:
    """What a column takes, in words, and an example."""
    takes = TAKES[column.type]
    words = " or ".join(column.field.values) if column.type == "enum" else takes.words.format(column.name)
    shown = examples(column.name, column.type, column.field.values)
    return (
        f"with {' '.join(takes.comparators)} it takes {words}, as in {' or '.join(shown)}; {column.name}:* asks whether it is there"
    )


def _orders(column: Column, comparison: Comparison) -> Comparator:
    """The comparator of a comparison with a percentile."""
    text = comparison.comparator.text
    if column.type not in _AMOUNTS or text == ":":
        raise Misread(text, comparison.comparator.position, f"does not compare {column.name} with a function", hint=_takes(column))
    return cast("Comparator", text)


def _percentile(call: Call, column: Column, kind: Kind) -> Percentile:
    share = _share(call.name.text)
    if share is None:
        raise Misread(call.name.text, call.name.position, "is no function", hint=f"{_FUNCTIONS}; other texts stand in quotes")
    if len(call.arguments) != 1:
        raise Misread(call.name.text, call.name.position, "takes one field", hint=_FUNCTIONS)
    path = call.arguments[0]
    of = resolve(path, kind)
    if of.type != column.type:
        problem = f"can't be compared with {column.name}: one is {of.type}, the other {column.type}"
        raise Misread(of.name, path[0].position, problem)
    return Percentile(of, share)


def _share(name: str) -> Decimal | None:
    """The share that a function's name tells, between 0 and 1, else None."""
    if name == "median":
        return Decimal("0.5")
    found = _PERCENTILE.fullmatch(name)
    return Decimal(found[1]) / 100 or None if found else None
