"""An order: text of AIP-132 -> a key by which rows sort, and which a page token can carry."""

from collections.abc import Callable, Iterable, Mapping
from operator import neg
from typing import Any, Final, NamedTuple, TypeAlias

from sessiond.core.filter.column import Column, Rank, Row, resolve
from sessiond.core.filter.grammar import Reader, read_path
from sessiond.core.filter.lexer import Misread, tokens
from sessiond.core.rows.fields import Kind
from sessiond.core.rows.places import PLACE_TIME_BYTES

FIELDS_MAX: Final = 4
"""Fields in one order: nobody reads a list by more."""

Key: TypeAlias = tuple[Any, ...]
"""What rows sort by, ascending: a part for each field, then one for the id. It is made of tuples, texts, bytes and numbers."""

_DEFAULT: Final[Mapping[Kind, str]] = {
    "trace": "start_time desc",
    "session": "last_activity_time desc",
    "user": "last_seen_time desc",
}
"""As lists are kept in their index."""

_ABSENT: Final = (1,)
"""Behind every (0, value), in whichever direction."""

_REVERSED: Final = bytes((0xFE - byte) & 0xFF for byte in range(256))
"""UTF-8 sorts as its code points do and has no byte above 0xf4: turned round, it leaves 0xff for an end that sorts last."""
_TEXT_END: Final = b"\xff"
_LIST_END: Final = b"\xff\xff"
"""Behind any entry turned round, the empty one too."""


class Sorted(NamedTuple):
    """A column that rows sort by."""

    column: Column
    is_descending: bool
    part: Callable[[Row], Key]
    """A row's part of its key: (0, value turned into the direction), or _ABSENT."""


class Order(NamedTuple):
    """By what rows sort: what is absent comes last either way, ties are by id in the direction of the last field."""

    kind: Kind
    fields: tuple[Sorted, ...]
    is_default: bool
    """Whether it is the order in which an index has the rows."""

    @property
    def looks_beyond(self) -> bool:
        """Whether `key` looks at more of a row than its numbers, signature and summary."""
        return any(each.column.rank == Rank.BEYOND for each in self.fields)

    def rank(self, row: Row) -> Key:
        """The key but for the id: cheaper, where it says enough. Of two rows the one of the smaller rank has the smaller key."""
        return tuple([part(row) for _, _, part in self.fields])

    def key(self, row: Row) -> Key:
        """What the row sorts by; no two rows have the same."""
        tie = row.place[PLACE_TIME_BYTES:]
        return (*self.rank(row), _text_reversed(tie.hex()) if self.fields[-1].is_descending else tie)

    def pack(self, key: Key) -> Key:
        """A key as values that any codec takes, which it is made of; a codec may make lists of its tuples."""
        return key

    def unpack(self, packed: object) -> Key:
        """The key that `pack` made these values of. Raises ValueError where they can't be one of this order."""
        if not isinstance(packed, (list, tuple)) or len(packed) != len(self.fields) + 1:
            raise ValueError(packed)
        *parts, tie = packed
        found = [_unpacked(each, part) for each, part in zip(self.fields, parts, strict=True)]
        if type(tie) is not bytes:
            raise ValueError(packed)
        return (*found, tie)


def parse_order(text: str, kind: Kind) -> Order:
    """The order of rows of a kind that a text such as `cost_usd desc, name` says; an empty one is the default.

    Raises Invalid for anything else: it names the piece and its character, from 1, and what would be right.
    """
    try:
        fields = _fields(text if text.strip() else _DEFAULT[kind], kind)
    except Misread as misread:
        raise misread.of("order_by") from None
    return Order(kind, fields, is_default=_names(fields) == _names(_fields(_DEFAULT[kind], kind)))


def _names(fields: Iterable[Sorted]) -> list[tuple[str, bool]]:
    return [(each.column.name, each.is_descending) for each in fields]


def _fields(text: str, kind: Kind) -> tuple[Sorted, ...]:
    reader = Reader(tokens(text))
    found: dict[str, Sorted] = {}
    while not found or reader.accept(","):
        start = reader.token
        field = _field(reader, kind)
        if field.column.name in found:
            raise Misread(field.column.name, start.position, "is there a second time")
        if len(found) == FIELDS_MAX:
            raise Misread(field.column.name, start.position, f"is one field too many: at most {FIELDS_MAX} are taken")
        found[field.column.name] = field
    reader.expect("end", "can't follow a field", hint="an order is written as in: cost_usd desc, name")
    return tuple(found.values())


def _field(reader: Reader, kind: Kind) -> Sorted:
    start = reader.token
    column = resolve(read_path(reader), kind)
    if column.type in ("map", "counts", "scores"):
        raise Misread(column.name, start.position, "has no order", hint=f"one of its keys has: {column.name}.KEY")
    direction = reader.token.text.lower() if reader.token.kind == "text" else ""
    if direction in ("asc", "desc"):
        reader.take()
    is_descending = direction == "desc"
    return Sorted(column, is_descending, _part(column, is_descending=is_descending))


# -- keys ----------------------------------------------------------------------------------------------------------------------


def _text_reversed(text: str) -> bytes:
    return text.encode().translate(_REVERSED) + _TEXT_END


def _list_reversed(entries: tuple[str, ...]) -> tuple[bytes, ...]:
    return (*map(_text_reversed, entries), _LIST_END)


_DIRECTIONS: Final[Mapping[type, tuple[Callable[[Any], Any], Callable[[Any], Any]]]] = {
    int: (int, neg),
    float: (float, neg),
    str: (str, _text_reversed),
    tuple: (tuple, _list_reversed),
}
"""Type of a value -> what makes of it a value that sorts into the ascending, and into the descending order."""


def _type_of(column: Column) -> type:
    return {"string": str, "id": str, "strings": tuple, "score": float}.get(column.type, int)


def _part(column: Column, *, is_descending: bool) -> Callable[[Row], Key]:
    get, turned = column.sort_value, _DIRECTIONS[_type_of(column)][is_descending]
    return lambda row: _ABSENT if (found := get(row)) is None else (0, turned(found))


def _unpacked(field: Sorted, part: Any) -> Key:  # noqa: ANN401  (whatever came)
    """Raises ValueError."""
    if part in ([1], _ABSENT):
        return _ABSENT
    if not isinstance(part, (list, tuple)) or len(part) != 2 or part[0] != 0:  # noqa: PLR2004  (as _part makes them)
        raise ValueError(part)
    value, value_type, text_type = part[1], _type_of(field.column), bytes if field.is_descending else str
    if value_type is tuple:
        return (0, _entries(value, text_type))
    if type(value) is not (text_type if value_type is str else value_type):
        raise ValueError(part)
    return (0, value)


def _entries(value: Any, entry_type: type) -> Key:  # noqa: ANN401  (as in _unpacked)
    """Raises ValueError."""
    if not isinstance(value, (list, tuple)) or any(type(entry) is not entry_type for entry in value):
        raise ValueError(value)
    return tuple(value)
