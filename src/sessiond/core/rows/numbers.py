"""The numbers of a row by themselves, so that a scan can compare and sort rows without reading them whole.

Which numbers, and in which order, follows from the table of fields. With them goes a row's signature: 63 bits, of which each of its
labels (models, tools, users, tags, metadata, scores, ...) sets one. A row without a label's bit does not have the label; one with
it may.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final
from zlib import crc32

from sessiond.core.rows.fields import FIELDS, AnySummary, Field, Kind

SIGNATURE_BITS: Final = 63
"""As many as a signed number of 64 bits can take."""
BITS_KEPT: Final = 8192
"""Labels whose bit is remembered: models, tools and tags come again and again."""
_NUMERIC: Final = frozenset({"time", "milliseconds", "usd", "count", "bool", "enum"})
LABELS: Final = ("user_id", "user_ids", "models", "request_models", "providers", "services", "agents", "tools", "tags")
"""The fields whose values set bits, besides metadata and scores: few values a row, and asked for by whole values."""

ABSENT: Final = -(2**63)
"""Stands for a number that is not known: a scan has no time to make None of it."""
_LARGEST: Final = 2**63 - 1

Getter = Callable[[AnySummary], int | None]


def _numeric(kind: Kind) -> tuple[Field[Any], ...]:
    return tuple(field for field in FIELDS[kind] if field.type in _NUMERIC and field.kept == "row")


NUMBERS: Final[Mapping[Kind, tuple[Field[Any], ...]]] = {kind: _numeric(kind) for kind in FIELDS}
"""The fields of each kind of row that are numbers: integers in the units of the table, of an enum its place among `values`."""


def _getter(field: Field[Any]) -> Getter:
    if field.type != "enum":
        return field.get
    get, values = field.get, field.values
    return lambda row: values.index(get(row))


_GETTERS: Final = {kind: tuple(map(_getter, fields)) for kind, fields in NUMBERS.items()}
_LABEL_GETTERS: Final = {
    kind: tuple((field.name, field.get) for field in fields if field.name in LABELS) for kind, fields in FIELDS.items()
}


def numbers_of(kind: Kind, row: AnySummary) -> list[int]:
    """The row's values of `NUMBERS[kind]`, each of 64 bits: ABSENT where there is none, the largest for one that is larger."""
    values = [get(row) for get in _GETTERS[kind]]
    return [ABSENT if value is None else value if value <= _LARGEST else _LARGEST for value in values]  # noqa: FURB136  (half the time)


def signature_of(kind: Kind, row: AnySummary) -> int:
    """The bits of all labels of a row."""
    found = 0
    for name, get in _LABEL_GETTERS[kind]:
        value = get(row)
        if isinstance(value, str):
            found |= label_bit(name, value)
        elif value:
            for label in value:
                found |= label_bit(name, label)
    for key, value in getattr(row, "metadata", ()):
        found |= label_bit(f"metadata.{key}", value)
    for score in getattr(row, "scores", ()):
        found |= label_bit("scores", score.name)
        for category, _ in score.categories:
            found |= label_bit(f"scores.{score.name}", category)
    return found


@lru_cache(BITS_KEPT)
def label_bit(field: str, label: str) -> int:
    """The bit that a label sets; of a value of metadata or a score's category, `field` is `metadata.` or `scores.` and a name."""
    return 1 << crc32(f"{field}\0{label}".encode()) % SIGNATURE_BITS
