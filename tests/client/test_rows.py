"""Messages as rows of plain values."""

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from client.canned import MOMENT, TRACE_ID, session, span, trace
from sessiond.client.rows import rfc3339, row, session_row, trace_row, user_row
from sessiond.core.rows.fields import SESSION_FIELDS, TRACE_FIELDS, USER_FIELDS
from sessiond.wire._pb.v1.resources_pb2 import STATE_LIVE, STATUS_ERROR, Session, Trace, User
from sessiond.wire._pb.v1.session_service_pb2 import RawSpan

TIME = "2026-01-01T00:00:00.123456789Z"


def test_a_session_has_every_field_of_the_table_in_its_order():
    assert list(session_row(Session())) == [field.name for field in SESSION_FIELDS]


def test_a_trace_has_every_field_of_the_table_in_its_order():
    assert list(trace_row(Trace())) == [field.name for field in TRACE_FIELDS]


def test_a_user_has_every_field_of_the_table_in_its_order():
    assert list(user_row(User())) == [field.name for field in USER_FIELDS]


def test_a_trace_is_rendered_by_type():
    message = trace(
        session_id="s1",
        user_id="",
        duration_ms=1500,
        input_tokens=0,
        output_tokens=2**62,
        models=["m1", "m2"],
        status=STATUS_ERROR,
        cost_usd=0.25,
        unpriced_call_count=2,
        ttft_ms=120.5,
        tags=["beta"],
        metadata={"plan": "free"},
        input="Hi",
        input_length=2,
        list_counts={"tools": 300, "models": 200},
    )
    known = {name: value for name, value in trace_row(message).items() if value not in ([], {}, 0, None) or name == "input_tokens"}
    assert known == {
        "project": "default",
        "trace_id": TRACE_ID,
        "session_id": "s1",
        "user_id": "",
        "name": "ask",
        "root_span_id": "b7ad6b7169203331",
        "start_time": TIME,
        "end_time": TIME,
        "duration_ms": 1500.0,
        "input_tokens": 0,
        "output_tokens": 2**62,
        "cost_usd": 0.25,
        "unpriced_call_count": 2,
        "ttft_ms": 120.5,
        "tags": ["beta"],
        "metadata": {"plan": "free"},
        "input": "Hi",
        "input_length": 2,
        "models": ["m1", "m2"],
        "span_count": 1,
        "status": "error",
        "received_time": TIME,
        "updated_time": TIME,
        "list_counts": {"models": 200, "tools": 300},
    }
    assert isinstance(known["duration_ms"], float)


def test_absent_is_null_and_an_empty_list_is_a_list():
    found = session_row(session(state=STATE_LIVE))
    assert {name: found[name] for name in ("user_id", "input_tokens", "models", "list_counts", "state", "span_count")} == {
        "user_id": None,
        "input_tokens": None,
        "models": [],
        "list_counts": {},
        "state": "live",
        "span_count": 0,
    }


def test_an_enum_value_of_a_later_version_is_null():
    assert session_row(session(state=7))["state"] is None


def test_a_span_has_every_field_of_its_message():
    found = row(span(2, parent=1, start_time=MOMENT, tool="search"))
    assert {name: found[name] for name in ("span_id", "parent_span_id", "start_time", "tool", "agent", "counted", "status")} == {
        "span_id": "0000000000000002",
        "parent_span_id": "0000000000000001",
        "start_time": TIME,
        "tool": "search",
        "agent": None,
        "counted": False,
        "status": "ok",
    }


def test_bytes_are_base64():
    assert row(RawSpan(resource=b"\xff\xfe", span=b"span")) == {
        "resource": "//4=",
        "resource_schema_url": "",
        "scope": "",
        "scope_schema_url": "",
        "span": "c3Bhbg==",
        "received_time": None,
    }


@pytest.mark.parametrize(
    ("seconds", "nanos", "text"),
    [
        (0, 0, "1970-01-01T00:00:00.000000000Z"),
        (1_767_225_600, 1, "2026-01-01T00:00:00.000000001Z"),
        (18_446_744_073, 709_551_615, "2554-07-21T23:34:33.709551615Z"),
    ],
)
def test_a_time_has_nine_digits_over_the_whole_range_of_otlp(seconds, nanos, text):
    assert rfc3339(Timestamp(seconds=seconds, nanos=nanos)) == text
