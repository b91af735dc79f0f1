"""An order of rows: fields, each ascending or descending; absent values last both ways, ties by id."""

from collections.abc import Callable, Mapping
from functools import total_ordering
from typing import Any, Final, NamedTuple, cast

from sessiond.core.fields import AnySummary, Kind
from sessiond.core.filter.problem import problem
from sessiond.core.filter.terms import BEYOND, SUMMARY, Row, field_of, value_getter
from sessiond.core.places import PLACE_TIME_BYTES

FIELDS_MAX: Final = 4
CHARACTERS_MAX: Final = 1024
_DEFAULT: Final[Mapping[Kind, str]] = {
    "trace": "start_time desc",
    "session": "last_activity_time desc",
    "user": "last_seen_time desc",
}
"""By what rows of a kind are listed, latest first."""

Plain = None | int | str | bytes | tuple[str, ...]


@total_ordering
class _Reversed:
    """A value that sorts as if everything were turned around."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:  # noqa: ANN401  (whatever can be compared)
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Reversed) and bool(self.value == other.value)

    def __lt__(self, other: "_Reversed") -> bool:
        return bool(other.value < self.value)

    def __hash__(self) -> int:
        return hash(self.value)


class _By(NamedTuple):
    """One field of an order."""

    get: Callable[[Row], Plain]
    types: tuple[type, ...]
    is_descending: bool
    cost: int = SUMMARY

    def key(self, value: Plain) -> tuple[bool, Any]:
        """What sorts as the value should; the absent ones last."""
        if value is None:
            return True, 0
        return False, _Reversed(value) if self.is_descending else value


class Order:
    """How rows of a kind are sorted. Immutable. Build it with `parse_order`."""

    def __init__(self, by: tuple[_By, ...], *, is_default: bool) -> None:
        self.is_default = is_default
        """As rows are listed anyway."""
        self._by = by
        self.looks_beyond = any(one.cost == BEYOND for one in by)
        """Whether it looks at more of a row than its numbers, signature and summary."""

    def key(self, row: Row) -> tuple[Any, ...]:
        """Keys of rows, compared as they are, are in the order. No two rows have the same."""
        return tuple(one.key(one.get(row)) for one in self._by)

    def pack(self, key: tuple[Any, ...]) -> tuple[Plain, ...]:
        """A key in plain values, for a page token."""
        return tuple(None if is_absent else value.value if isinstance(value, _Reversed) else value for is_absent, value in key)

    def unpack(self, packed: object) -> tuple[Any, ...]:
        """The key again. Raises ValueError for what is none."""
        if not isinstance(packed, tuple) or len(packed) != len(self._by):
            raise ValueError(packed)
        return tuple(one.key(_sound(value, one)) for one, value in zip(self._by, packed, strict=True))


def parse_order(text: str, kind: Kind) -> Order:
    """An order in the syntax of AIP-132, such as `cost_usd desc, start_time`; empty: as rows are listed. Raises Invalid."""
    if len(text) > CHARACTERS_MAX:
        raise problem(
            text, CHARACTERS_MAX + 1, f"is too long: an order has at most {CHARACTERS_MAX:,} characters", field="order_by"
        )
    by: dict[tuple[str, ...], _By] = {}
    at = 1
    is_descending = True
    for piece in (text if text.strip() else _DEFAULT[kind]).split(","):
        path, is_descending = _read(piece, at)
        if path in by:
            raise problem(".".join(path), at, "is there twice", field="order_by")
        by[path] = _by(path, at, kind, is_descending=is_descending)
        at += len(piece) + 1
    if len(by) > FIELDS_MAX:
        raise problem(text, 1, f"is too much: an order has at most {FIELDS_MAX} fields", field="order_by")
    is_default = [(".".join(path), one.is_descending) for path, one in by.items()] == [(_DEFAULT[kind].split()[0], True)]
    return Order((*by.values(), _By(_tie, (bytes,), is_descending)), is_default=is_default)


def _read(piece: str, at: int) -> tuple[tuple[str, ...], bool]:
    """The field of a piece, and whether it is descending."""
    words = piece.split()
    direction = words[1].lower() if len(words) > 1 else "asc"
    if not words or len(words) > 2 or direction not in {"asc", "desc"}:  # noqa: PLR2004  (a field and a direction)
        raise problem(piece.strip(), at, "should be a field, with desc behind it or not", field="order_by")
    name, _, key = words[0].partition(".")
    return ((name, key.strip('"')) if key else (name,)), direction == "desc"


def _by(path: tuple[str, ...], at: int, kind: Kind, *, is_descending: bool) -> _By:
    field = field_of(path, at, kind, "order_by")
    if field.type in {"map", "counts"}:
        if len(path) == 1:
            raise problem(field.name, at, "has no order itself", hint=f"write {field.name}.KEY", field="order_by")
        name, get_pairs = path[1], cast("Callable[[AnySummary], tuple[tuple[str, Any], ...]]", field.get)
        held = int if field.type == "counts" else str
        return _By(lambda row: next((held for key, held in get_pairs(row.summary) if key == name), None), (held,), is_descending)
    get, cost = value_getter(field, kind)
    return _By(get, _TYPES.get(field.type, (int,)), is_descending, cost)


_TYPES: Final[Mapping[str, tuple[type, ...]]] = {"string": (str,), "id": (bytes,), "strings": (tuple,), "enum": (int, str)}
"""What values are, where they are no integers."""


def _tie(row: Row) -> bytes:
    return row.place[PLACE_TIME_BYTES:]


def _sound(value: object, by: _By) -> Plain:
    """A value from outside, if it could be one of the field."""
    is_text_list = not isinstance(value, tuple) or all(isinstance(entry, str) for entry in value)
    if value is not None and not (isinstance(value, by.types) and is_text_list):
        raise ValueError(value)
    return cast("Plain", value)
