"""Texts -> values in a field's unit, and the table of what each type takes. Exact: numbers are decimal until they are whole."""

import re
from calendar import monthrange, timegm
from collections.abc import Callable, Mapping, Sequence
from decimal import Context, Decimal
from typing import Any, Final, NamedTuple, TypeAlias

from sessiond.core.filter.lexer import Misread, Token
from sessiond.core.rows.fields import Field, FieldType

NUMBER_LENGTH_MAX: Final = 64
"""Characters of a number: more digits than any figure has, and arithmetic on it stays exact within _EXACT."""
_EXACT: Final = Context(prec=100)

_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?")
_DURATION_UNITS_NANO: Final = {"ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9, "d": 86_400 * 10**9}
_DURATION: Final = re.compile(rf"({_NUMBER.pattern})(ms|s|m|h|d)")
_TIME: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2})))?"
)
_HEX: Final = re.compile(r"[0-9a-fA-F]*")


class Pattern(NamedTuple):
    """What a text is compared with."""

    text: str
    is_prefix: bool = False
    """Whether a text that goes on after `text` is meant too."""


Operand: TypeAlias = int | float | Decimal | Pattern
"""Numbers are in the units of a summary (`core.rows.fields`). A Decimal is not whole, or a plain number that texts are compared
with; a float is a score's."""


def number_of(text: str) -> Decimal | None:
    """The number that a text is, else None."""
    return Decimal(text) if len(text) <= NUMBER_LENGTH_MAX and _NUMBER.fullmatch(text) else None


def pattern_of(token: Token) -> Pattern:
    """The text, and whether a `*` at its end makes a prefix of it. Raises Misread where one stands elsewhere."""
    if not token.stars:
        return Pattern(token.text)
    if token.stars != (len(token.text) - 1,):
        hint = r'"\*" is the sign itself, and : finds what is inside a text'
        raise Misread(token.text, token.position, "has a * that does not end it", hint=hint)
    return Pattern(token.text[:-1], is_prefix=True)


def _whole(number: Decimal | None, unit: int = 1) -> int | Decimal | None:
    """A number in a smaller unit: an int where it is whole, which compares faster."""
    if number is None:
        return None
    scaled = _EXACT.multiply(number, Decimal(unit))
    return int(scaled) if scaled == scaled.to_integral_value() else scaled


def _text(token: Token, _: Field[Any]) -> Operand | None:
    return pattern_of(token)


def _id(token: Token, _: Field[Any]) -> Operand | None:
    text, is_prefix = pattern_of(token)
    is_id = _HEX.fullmatch(text) and (is_prefix or (text and len(text) % 2 == 0))
    return Pattern(text.lower(), is_prefix) if is_id else None


def _count(token: Token, _: Field[Any]) -> Operand | None:
    return _whole(number_of(token.text))


def _nano_usd(token: Token, _: Field[Any]) -> Operand | None:
    return _whole(number_of(token.text), 10**9)


def _nanoseconds(token: Token, _: Field[Any]) -> Operand | None:
    if found := _DURATION.fullmatch(token.text):
        return _whole(number_of(found[1]), _DURATION_UNITS_NANO[found[2]])
    return _whole(number_of(token.text), 10**6)


def _bool(token: Token, _: Field[Any]) -> Operand | None:
    return {"false": 0, "true": 1}.get(token.text.lower())


def _enum(token: Token, field: Field[Any]) -> Operand | None:
    return dict(zip(field.values, range(len(field.values)), strict=True)).get(token.text.lower())


def _unix_nano(token: Token, _: Field[Any]) -> Operand | None:
    """A moment of RFC 3339, or midnight UTC of a date."""
    found = _TIME.fullmatch(token.text)
    if not found:
        return None
    year, month, day, hour, minute, second, offset_hours, offset_minutes = (int(found[n] or 0) for n in (1, 2, 3, 4, 5, 6, 9, 10))
    is_date = year >= 1 and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]  # noqa: PLR2004  (the calendar's)
    if not (is_date and hour < 24 and minute < 60 and second < 60 and offset_hours < 24 and offset_minutes < 60):  # noqa: PLR2004
        return None
    offset_seconds = (offset_hours * 3600 + offset_minutes * 60) * (-1 if found[8] == "-" else 1)
    seconds = timegm((year, month, day, hour, minute, second)) - offset_seconds
    return seconds * 10**9 + int((found[7] or "").ljust(9, "0"))


def _score(token: Token, _: Field[Any]) -> Operand | None:
    """A number, or a category, which stands in quotes where it looks like one."""
    if token.kind != "text":
        return pattern_of(token)
    number = number_of(token.text)
    flag = {"false": 0.0, "true": 1.0}.get(token.text.lower())
    return flag if flag is not None else pattern_of(token) if number is None else float(number)


class Takes(NamedTuple):
    """What a field of a type can be compared by and with. `:*` asks every field whether it is there."""

    comparators: tuple[str, ...]
    words: str
    """The literals in words, as what follows "takes"."""
    examples: tuple[str, ...]
    """Terms with {} for the field."""
    read: Callable[[Token, Field[Any]], Operand | None]
    """The value of a literal; None where it is of another type."""


_ORDERED: Final = ("=", "!=", "<", "<=", ">", ">=")
_EQUAL: Final = ("=", "!=")

TAKES: Final[Mapping[FieldType, Takes]] = {
    "string": Takes(
        (*_ORDERED, ":"),
        "a text; = and != take one that ends in * as a beginning, : finds it anywhere, ignoring case",
        ('{} = "travel agent"', "{} = travel*", "{}:travel"),
        _text,
    ),
    "id": Takes(
        _EQUAL,
        "an id in hex, or the beginning of one with * behind it",
        ("{} = 7eac83edcc769e0ffcd9cfa01f10203d", "{} = 7eac*"),
        _id,
    ),
    "time": Takes(
        _ORDERED,
        "a time with its zone as in RFC 3339, or a date for its midnight in UTC",
        ("{} >= 2026-11-01T09:30:00Z", '{} < "2026-11-02T00:00:00.5+01:00"', "{} >= 2026-11-01"),
        _unix_nano,
    ),
    "milliseconds": Takes(
        _ORDERED,
        "milliseconds, or a number with its unit: ms, s, m, h, d",
        ("{} > 1500", "{} > 20s", "{} <= 1.5h"),
        _nanoseconds,
    ),
    "usd": Takes(_ORDERED, "US dollars", ("{} > 0.05", "{} <= 2"), _nano_usd),
    "count": Takes(_ORDERED, "a number", ("{} > 5", "{} >= 1e6"), _count),
    "bool": Takes(_EQUAL, "true or false", ("{} = true",), _bool),
    "enum": Takes(_EQUAL, "one of its words, in any case", ("{} = {value}",), _enum),
    "strings": Takes(
        (":",),
        "an entry of the list, or the beginning of one with * behind it",
        ('{}:"get weather"', "{}:get*"),
        _text,
    ),
    "map": Takes(
        (":",),
        "a key, or the beginning of one with * behind it; the value of a key is compared as a text, as in {0}.plan = pro",
        ("{}:plan",),
        _text,
    ),
    "counts": Takes(
        (":",),
        "a key, or the beginning of one with * behind it; the value of a key is compared as a number, as in {0}.tools > 200",
        ("{}:tools",),
        _text,
    ),
    "scores": Takes(
        (":",),
        "a score's name, or the beginning of one with * behind it; of a name the mean or the categories are compared, as in"
        " {0}.helpful < 0.5",
        ("{}:helpful",),
        _text,
    ),
    "score": Takes(
        (*_ORDERED, ":"),
        "a number to compare the mean with, true being 1 and false 0; or a category, or the beginning of one with * behind it:"
        " = and : ask whether it was given, != whether only others were",
        ("{} < 0.5", "{} = true", '{} = "bad"', "{}:partly*"),
        _score,
    ),
}


def examples(name: str, field_type: FieldType, values: Sequence[str] = ()) -> list[str]:
    """Terms that a name of a type may stand in; `values` are those of an enum."""
    return [example.format(name, value=values[-1] if values else "") for example in TAKES[field_type].examples]
