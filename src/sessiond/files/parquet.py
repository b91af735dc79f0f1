"""Rows as Parquet, their columns by `core.rows.fields`. Needs pyarrow, which comes with `sessiond[parquet]`."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import IO, Any, Final

from sessiond.core.rows.fields import Field, FieldType

ROWS_HELD: Final = 10_000
"""Rows in memory before they are written, as one group of the file: some 40 MiB of wide ones."""
_FRACTION_DIGITS: Final = 9

Row = Mapping[str, Any]
"""As `client.rows` makes it."""


class NotInstalled(Exception):
    """There is no pyarrow here."""


def write_parquet(rows: Iterable[Row], fields: Sequence[Field[Any]], stream: IO[bytes]) -> None:
    """Write rows to a stream that need not seek. What Parquet has no type for is written as JSON. Raises NotInstalled."""
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra, and slow to import
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError as error:
        raise NotInstalled from error
    types = {
        "time": pa.timestamp("ns", tz="UTC"),
        "milliseconds": pa.float64(),
        "usd": pa.float64(),
        "count": pa.int64(),
        "bool": pa.bool_(),
        "strings": pa.list_(pa.string()),
        "counts": pa.map_(pa.string(), pa.int64()),
        "map": pa.map_(pa.string(), pa.string()),
    }
    schema = pa.schema([(field.name, types.get(field.type, pa.string())) for field in fields])
    readers = [(field.name, _READERS.get(field.type, _text)) for field in fields]
    with parquet.ParquetWriter(stream, schema, compression="zstd") as writer:
        for group in _groups(iter(rows)):
            columns = ([None if row[name] is None else read(row[name]) for row in group] for name, read in readers)
            arrays = [pa.array(column, type=kind) for column, kind in zip(columns, schema.types, strict=True)]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


def _groups(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while group := list(islice(rows, ROWS_HELD)):
        yield group


def _unix_nano(time: str) -> int:
    """Of RFC 3339 in UTC with nine digits: a datetime holds six."""
    whole, _, fraction = time.removesuffix("Z").partition(".")
    seconds = int(datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp())
    return seconds * 10**_FRACTION_DIGITS + int(fraction)


def _as_it_is(value: Any) -> Any:  # noqa: ANN401 - a number, a truth or a list, whichever the column holds
    return value


def _pairs(value: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return list(value.items())


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


_READERS: Final[Mapping[FieldType, Callable[[Any], Any]]] = {
    "time": _unix_nano,
    **dict.fromkeys(("milliseconds", "usd", "count", "bool", "strings"), _as_it_is),
    **dict.fromkeys(("counts", "map"), _pairs),
}
