"""What a name in a filter or an order stands for: a field, or one key of a field that is a map; and how to get it of a row."""

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from enum import IntEnum
from typing import Any, Final, NamedTuple, TypeAlias

from sessiond.core.filter.grammar import Path
from sessiond.core.filter.lexer import Misread
from sessiond.core.model import ScoreSum, Text
from sessiond.core.rows.fields import FIELDS, Field, FieldType, Kind
from sessiond.core.rows.numbers import ABSENT, LABELS, NUMBERS, label_bit
from sessiond.core.rows.seen import Seen

Row: TypeAlias = Seen[Any]
Getter: TypeAlias = Callable[[Row], Any]
"""The value of a row; None where it is absent."""

NEAR_NAMES_MAX: Final = 3
NAME_LENGTH_MAX: Final = 64
"""Characters of an unknown name that near ones are looked for by: the longest field has 22, and long names take long."""


class Rank(IntEnum):
    """What looking at a row costs, the cheapest first (`core.rows.seen`)."""

    NUMBERS = 0
    SIGNATURE = 1
    SUMMARY = 2
    BEYOND = 3
    """What is not in the row: its texts, and what depends on the time."""


class Column(NamedTuple):
    """One name, resolved."""

    name: str
    """As a person writes it: a field, or `field.key`."""
    field: Field[Any]
    type: FieldType
    """Of the value: that of the field, or of the map's values."""
    rank: Rank
    get: Getter
    """An id is lower-case hex, an enum its place among `values`, the rest as in the summary; an empty list or map is absent."""
    number: int | None = None
    """Where the value stands among the row's numbers."""
    bits: int = 0
    """Bits that the signature of every row has in which the value is there."""

    @property
    def label_field(self) -> str | None:
        """What `core.rows.numbers.label_bit` calls it, if its values set bits of a row's signature."""
        is_of_labels = self.field.name in LABELS or self.field.type == "scores" or self.type != self.field.type == "map"
        return self.name if is_of_labels else None

    @property
    def sort_value(self) -> Getter:
        """What rows sort by: the value, and of a score its mean."""
        get = self.get
        return get if self.type != "score" else lambda row: (found := get(row)) and found.mean


_INDEXES: Final = {kind: {field.name: index for index, field in enumerate(fields)} for kind, fields in NUMBERS.items()}
_VALUE_TYPES: Final[dict[FieldType, FieldType]] = {"map": "string", "counts": "count", "scores": "score"}
"""Of the types that have keys: that of their values."""


def resolve(path: Path, kind: Kind) -> Column:
    """The column that a path names. Raises Misread where there is none."""
    first, *rest = path
    if first.kind == "quoted" or first.text[0] in "0123456789+-":
        raise Misread(
            first.text, first.position, "is a value where a field is wanted", hint="the field stands left, as in llm_call_count > 5"
        )
    found = next((field for field in FIELDS[kind] if field.name == first.text), None)
    if found is None:
        names = (field.name for field in FIELDS[kind])
        raise Misread(first.text, first.position, f"is no field of a {kind}", hint=_near(first.text, names))
    if not rest:
        return of_field(found, kind)
    if found.type not in _VALUE_TYPES:
        raise Misread(rest[0].text, rest[0].position, f"can't follow: {found.name} has no keys")
    key = ".".join(token.text for token in rest)
    lists = [field.name for field in FIELDS[kind] if field.type in ("strings", "scores")]
    if found.type == "counts" and key not in lists:
        raise Misread(key, rest[0].position, f"is no list of a {kind}", hint=_near(key, lists))
    return _of_score(found, key) if found.type == "scores" else _of_key(found, key)


def named(name: str, kind: Kind) -> Column:
    """The column of a field that there is."""
    return of_field(next(field for field in FIELDS[kind] if field.name == name), kind)


def of_field(field: Field[Any], kind: Kind) -> Column:
    """The column of a field."""
    index = _INDEXES[kind].get(field.name)
    if index is not None:
        return Column(field.name, field, field.type, Rank.NUMBERS, _of_number(index), index)
    if field.kept == "nowhere":
        return Column(field.name, field, field.type, Rank.BEYOND, _state)
    if field.kept == "texts":
        return Column(field.name, field, field.type, Rank.BEYOND, _TEXTS[field.name])
    return Column(field.name, field, field.type, Rank.SUMMARY, _of_summary(field))


def _near(name: str, names: Iterable[str]) -> str:
    near = get_close_matches(name[:NAME_LENGTH_MAX].lower(), list(names), NEAR_NAMES_MAX)
    return f"did you mean {' or '.join(near)}?" if near else "docs/fields.md lists them"


def _of_number(index: int) -> Getter:
    return lambda row: None if (found := row.numbers[index]) == ABSENT else found


def _of_summary(field: Field[Any]) -> Getter:
    get = field.get
    if field.type == "id":
        return lambda row: value.hex() if (value := get(row.summary)) else None
    if field.type in ("strings", "map", "counts", "scores"):
        return lambda row: get(row.summary) or None
    return lambda row: get(row.summary)


def _of_key(field: Field[Any], key: str) -> Column:
    get = field.get
    return Column(
        f"{field.name}.{key}", field, _VALUE_TYPES[field.type], Rank.SUMMARY, lambda row: _value_of(key, get(row.summary))
    )


def _of_score(field: Field[Any], name: str) -> Column:
    """A row without the name's bit is not read: most rows have no score."""
    get, bits = field.get, label_bit(field.name, name)

    def found(row: Row) -> ScoreSum | None:
        return next((one for one in get(row.summary) if one.name == name), None) if row.signature & bits else None

    return Column(f"{field.name}.{name}", field, "score", Rank.SUMMARY, found, bits=bits)


def _value_of(key: str, pairs: Sequence[tuple[str, Any]]) -> Any:  # noqa: ANN401  (a map's values are of its type)
    for name, value in pairs:
        if name == key:
            return value
    return None


def _state(row: Row) -> int:
    """The place of `live` or `idle` among the values of the field."""
    return 0 if row.is_live else 1


def _beginning(text: Text | None) -> str | None:
    return text and text.beginning


def _length(text: Text | None) -> int | None:
    return text and text.length


_TEXTS: Final[dict[str, Getter]] = {
    "input": lambda row: _beginning(row.texts.input),
    "input_length": lambda row: _length(row.texts.input),
    "output": lambda row: _beginning(row.texts.output),
    "output_length": lambda row: _length(row.texts.output),
}
