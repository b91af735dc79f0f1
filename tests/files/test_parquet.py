"""Rows as Parquet: every field under its name, in a type that can be computed with."""

import io
from datetime import UTC, datetime

import pyarrow as pa
from pyarrow import parquet

from builders import turn
from sessiond.client.rows import trace_row
from sessiond.core.model import NO_TEXTS
from sessiond.core.rows.fields import FIELDS
from sessiond.files.parquet import ROWS_HELD, write_parquet
from sessiond.wire._pb.v1.resources_pb2 import Trace
from sessiond.wire.api import trace_fields


def written_and_read(rows: list) -> pa.Table:
    stream = io.BytesIO()
    write_parquet(rows, FIELDS["trace"], stream)
    return parquet.read_table(io.BytesIO(stream.getvalue()))


def row_of(number: int = 1, **more: object) -> dict:
    return trace_row(Trace(**trace_fields(turn(number, **more), NO_TEXTS)))


def test_every_field_is_a_column_with_its_value() -> None:
    row = row_of(tags=("a", "b"), metadata=(("plan", "pro"),))
    table = written_and_read([row])
    assert table.column_names == [field.name for field in FIELDS["trace"]]
    (read,) = table.to_pylist()
    assert read["trace_id"] == row["trace_id"]
    assert read["tags"] == ["a", "b"]
    assert read["metadata"] == [("plan", "pro")]
    assert read["span_count"] == row["span_count"]
    assert table.schema.field("start_time").type == pa.timestamp("ns", tz="UTC")
    assert table.schema.field("duration_ms").type == pa.float64()
    nanos = table.column("start_time").cast(pa.int64()).to_pylist()[0]
    assert datetime.fromtimestamp(nanos // 10**9, UTC).isoformat()[:19] == row["start_time"][:19]
    assert f"{nanos % 10**9:09}Z" == row["start_time"][20:]


def test_what_is_absent_is_null() -> None:
    (read,) = written_and_read([row_of()]).to_pylist()
    assert read["ttft_ms"] is None


def test_no_rows_are_a_table_without_rows() -> None:
    assert written_and_read([]).num_rows == 0


def test_many_rows_are_several_groups() -> None:
    row = row_of()
    stream = io.BytesIO()
    write_parquet((row for _ in range(ROWS_HELD + 1)), FIELDS["trace"], stream)
    assert parquet.ParquetFile(io.BytesIO(stream.getvalue())).metadata.num_row_groups == 2
