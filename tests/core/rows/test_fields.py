"""The table of fields against the names that docs/metrics.md gives, the summaries and the messages."""

from typing import Any

import pytest

from builders import span, summary, turn
from sessiond.core.figures import session, user
from sessiond.core.model import SessionKey, UserKey
from sessiond.core.rows.fields import FIELDS, SESSION_FIELDS, TRACE_FIELDS, USER_FIELDS, Field
from sessiond.wire._pb.v1 import resources_pb2 as pb

USAGE = [
    *["input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "total_tokens"],
    *["cost_usd", "input_cost_usd", "output_cost_usd", "cost_reported_usd", "cost_estimated_usd", "unpriced_call_count"],
]
LISTS = ["models", "request_models", "providers", "services", "agents", "tools"]
COUNTS = ["span_count", "llm_call_count", "tool_call_count", "error_count", "failed_call_count"]
TEXTS = ["input", "input_length", "output", "output_length"]
ENDING = ["tags", "metadata", *TEXTS, "scores", "annotations", "list_counts"]

TRACE = [
    *["project", "trace_id", "session_id", "other_session_ids", "user_id", "name", "root_span_id", "root_missing"],
    *["start_time", "end_time", "duration_ms", "ttft_ms", "llm_duration_ms"],
    *USAGE,
    *LISTS,
    *COUNTS,
    *["status", "error_type", "error_message", "received_time", "updated_time"],
    *ENDING,
]
SESSION = [
    *["project", "session_id", "user_id", "user_ids", "name", "start_time", "end_time", "last_activity_time"],
    *["wall_duration_ms", "duration_ms", "llm_duration_ms"],
    *["ttft_ms", "ttft_first_ms", "ttft_max_ms", "ttft_count"],
    *["trace_duration_p50_ms", "trace_duration_p95_ms", "trace_duration_max_ms"],
    *USAGE,
    *LISTS,
    *COUNTS,
    *["trace_count", "failed_trace_count", "status", "first_failed_trace_id", "state"],
    *ENDING,
]
USER = [
    *["project", "user_id", "first_seen_time", "last_seen_time", "session_count", "trace_count", "failed_trace_count"],
    *USAGE,
    *["cost_mean_usd", "cost_median_usd", "models", "providers", "tools", "list_counts"],
]
KEPT_APART = {"state", *TEXTS}
"""What the edge that reads a row adds to it."""

FULL_TRACE = summary(
    span(session="s", user="u", error="broken", error__type="Broken"),
    span(
        session="other",
        operation="chat",
        model="m",
        tokens_in=5,
        tokens_out=6,
        **{
            "gen_ai.usage.total_cost": 0.5,
            "gen_ai.usage.input_cost": 0.2,
            "gen_ai.usage.output_cost": 0.3,
            "gen_ai.response.time_to_first_chunk": 0.001,
            "tag.tags": ["blue"],
            "metadata": '{"plan": "pro"}',
            "gen_ai.usage.cache_read.input_tokens": 1,
            "gen_ai.usage.cache_write.input_tokens": 1,
            "gen_ai.usage.reasoning.output_tokens": 1,
            "gen_ai.provider.name": "openai",
            "gen_ai.agent.name": "helper",
        },
    ),
    span(operation="execute_tool"),
)
FULL_SESSION = session.summarize(SessionKey("default", "s"), [FULL_TRACE])
FULL_USER = user.summarize(UserKey("default", "u"), [FULL_TRACE])
SUMMARIES: dict[str, Any] = {"trace": FULL_TRACE, "session": FULL_SESSION, "user": FULL_USER}


@pytest.mark.parametrize(("row", "names"), [("trace", TRACE), ("session", SESSION), ("user", USER)])
def test_every_figure_of_the_docs_has_one_field_and_there_are_no_others(row: str, names: list[str]):
    assert sorted(field.name for field in FIELDS[row]) == sorted(names)


@pytest.mark.parametrize(
    ("row", "field"),
    [(row, field) for row, fields in FIELDS.items() for field in fields],
    ids=lambda one: getattr(one, "name", one),
)
def test_every_field_is_there_on_a_full_row(row: str, field: Field[Any]):
    value = field.get(SUMMARIES[row])
    assert (value is not None) is (field.name not in KEPT_APART)


TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "id": (bytes,),
    "time": (int,),
    "milliseconds": (int,),
    "count": (int,),
    "bool": (bool,),
    "strings": (tuple,),
    "counts": (tuple,),
    "map": (tuple,),
    "scores": (tuple,),
    "usd": (int,),
    "enum": (str,),
}


@pytest.mark.parametrize("row", FIELDS)
def test_a_value_is_of_the_type_that_its_field_names(row: str):
    values = [(field, field.get(SUMMARIES[row])) for field in FIELDS[row]]
    assert [field.name for field, value in values if value is not None and type(value) not in TYPES[field.type]] == []


@pytest.mark.parametrize(
    ("fields", "message"),
    [(TRACE_FIELDS, pb.Trace), (SESSION_FIELDS, pb.Session), (USER_FIELDS, pb.User)],
    ids=["trace", "session", "user"],
)
def test_the_messages_carry_every_field_under_its_name_and_no_other(fields: tuple[Field[Any], ...], message: Any):
    assert {field.name for field in message.DESCRIPTOR.fields} == {field.name for field in fields}


@pytest.mark.parametrize("message", [pb.Trace, pb.Session], ids=["trace", "session"])
def test_the_messages_can_leave_out_what_may_be_absent(message: Any):
    absent = {*USAGE, "user_id", "ttft_ms", "input", "output"}
    assert {name for name in absent if not message.DESCRIPTOR.fields_by_name[name].has_presence} == set()


def value_of(row: str, name: str, summary: Any) -> Any:
    return next(field.get(summary) for field in FIELDS[row] if field.name == name)


def test_total_tokens_are_what_is_known_of_input_and_output():
    assert value_of("trace", "total_tokens", FULL_TRACE) == 11
    only_input = summary(span(operation="chat", tokens_in=5))
    assert value_of("trace", "total_tokens", only_input) == 5
    assert value_of("trace", "total_tokens", summary(span(operation="chat"))) is None
    assert value_of("trace", "total_tokens", summary(span())) == 0


def test_durations_are_end_minus_start():
    pair = session.summarize(SessionKey("default", "s1"), [turn(1, start_ms=0, end_ms=5), turn(2, start_ms=100, end_ms=120)])
    assert value_of("trace", "duration_ms", turn(start_ms=3, end_ms=10)) == 7 * 10**6
    assert value_of("session", "wall_duration_ms", pair) == 120 * 10**6


def test_status_is_error_as_soon_as_anything_failed():
    assert [value_of("trace", "status", turn(error_count=count)) for count in (0, 1, 2)] == ["ok", "error", "error"]
    fine = session.summarize(SessionKey("default", "s1"), [turn(1)])
    assert [value_of("session", "status", each) for each in (fine, FULL_SESSION)] == ["ok", "error"]
