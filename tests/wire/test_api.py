"""Core values -> messages of the API, and its requests' ids and times -> core values."""

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from builders import ARRIVAL, MS, T0, fact, facts, received, span, span_id, stored, summary, trace_id, turn
from sessiond.core import session
from sessiond.core.errors import Invalid
from sessiond.core.model import NO_USAGE, Origin, SessionKey, Usage
from sessiond.wire import api
from sessiond.wire._pb.v1 import resources_pb2 as pb
from sessiond.wire._pb.v1.session_service_pb2 import RawSpan

KEY = SessionKey("default", "s1")


def at(ms: float = 0) -> Timestamp:
    return api.timestamp(T0 + int(ms * MS))


def test_a_traces_message_has_every_figure_that_is_known():
    found = summary(
        span(id=1, name="turn", end_ms=100, session="s", user="u", gen_ai__conversation__id="c"),
        span(
            id=2,
            parent=1,
            start_ms=10,
            end_ms=40.5,
            operation="chat",
            model="m",
            tokens_in=10,
            tokens_out=2,
            gen_ai__system="openai",
        ),
        span(id=3, parent=1, operation="execute_tool", name="search", error="no", error__type="T", gen_ai__agent__name="helper"),
    )
    assert api.trace_message(found) == pb.Trace(
        project="default",
        trace_id="00000000000000000000000000000001",
        session_id="s",
        other_session_ids=["c"],
        user_id="u",
        name="turn",
        root_span_id="0000000000000001",
        root_missing=False,
        start_time=at(0),
        end_time=at(100),
        duration_ms=100,
        llm_duration_ms=30.5,
        input_tokens=10,
        output_tokens=2,
        total_tokens=12,
        models=["m"],
        request_models=["m"],
        providers=["openai"],
        services=["svc"],
        agents=["helper"],
        tools=["search"],
        span_count=3,
        llm_call_count=1,
        tool_call_count=1,
        error_count=1,
        failed_call_count=0,
        status=pb.STATUS_ERROR,
        error_type="T",
        error_message="no",
        received_time=api.timestamp(ARRIVAL),
        updated_time=api.timestamp(ARRIVAL),
    )


def test_a_sessions_message_has_every_figure_that_is_known():
    traces = [
        turn(
            1,
            end_ms=10,
            user_id="u",
            usage=Usage(5, 1, 2, 3, 0),
            models=("m",),
            tools=tuple(map(str, range(150))),
            llm_duration_nano=MS // 2,
        ),
        turn(2, start_ms=100, end_ms=120, error_count=1, updated_unix_nano=ARRIVAL + 7),
    ]
    assert api.session_message(session.summarize(KEY, traces), is_live=True) == pb.Session(
        project="default",
        session_id="s1",
        user_id="u",
        user_ids=["u"],
        name="turn 1",
        start_time=at(0),
        end_time=at(120),
        last_activity_time=api.timestamp(ARRIVAL + 7),
        wall_duration_ms=120,
        duration_ms=30,
        llm_duration_ms=0.5,
        trace_duration_p50_ms=15,
        trace_duration_p95_ms=19.5,
        trace_duration_max_ms=20,
        input_tokens=5,
        output_tokens=1,
        cache_read_tokens=2,
        cache_write_tokens=3,
        reasoning_tokens=0,
        total_tokens=6,
        models=["m"],
        tools=list(map(str, range(100))),
        trace_count=2,
        failed_trace_count=1,
        span_count=2,
        error_count=1,
        status=pb.STATUS_ERROR,
        first_failed_trace_id="00000000000000000000000000000002",
        state=pb.STATE_LIVE,
        list_counts={"tools": 150},
    )


def test_a_session_is_live_or_idle_as_its_reader_found_it():
    found = session.summarize(KEY, [turn(1)])
    assert [api.session_message(found, is_live=live).state for live in (True, False)] == [pb.STATE_LIVE, pb.STATE_IDLE]


def test_what_is_not_known_is_absent_and_not_zero():
    message = api.trace_message(turn(1, usage=NO_USAGE, session_id=None))
    absent = [
        "session_id",
        "user_id",
        "input_tokens",
        "output_tokens",
        "total_tokens",
        "cost_usd",
        "ttft_ms",
        "error_type",
        "input",
    ]
    assert [name for name in absent if message.HasField(name)] == []
    assert message.status == pb.STATUS_OK


def test_what_is_known_to_be_zero_is_there():
    message = api.trace_message(turn(1, usage=Usage(0, 0, 0, 0, 0)))
    assert (message.HasField("input_tokens"), message.HasField("total_tokens"), message.total_tokens) == (True, True, 0)


@pytest.mark.parametrize("tokens", [2**31, 2**53 + 1, 2**62, 2**63 - 1])
def test_absurd_counts_of_tokens_still_make_messages(tokens: int):
    calls = [
        span(
            operation="chat",
            tokens_in=tokens,
            tokens_out=tokens,
            start_ms=20 * n,
            **{"gen_ai.usage.cache_read.input_tokens": tokens},
        )
        for n in range(3)
    ]
    found = summary(*calls)
    api.trace_message(found)
    api.session_message(session.summarize(KEY, [found] * 3), is_live=True)
    api.span_message(facts(*calls)[0], counted=True)


def test_figures_stay_within_what_a_stored_row_can_hold():
    calls = [span(operation="chat", tokens_in=2**63 - 1, start_ms=20 * n) for n in range(3)]
    since_1970 = [turn(n, start_unix_nano=1, llm_duration_nano=T0) for n in range(1, 21)]
    for found in (summary(*calls), session.summarize(KEY, since_1970)):
        counts = [value for value in (*found, *found.usage) if isinstance(value, int)]
        assert max(counts) < 2**64


def test_a_spans_message_has_its_figures():
    (found,) = facts(
        span(
            id=2,
            parent=1,
            name="chat",
            kind=3,
            start_ms=5,
            end_ms=7.5,
            operation="chat",
            model="m",
            tokens_in=10,
            tokens_out=2,
            error="no",
            error__type="T",
            gen_ai__system="openai",
            gen_ai__agent__name="helper",
        )
    )
    assert api.span_message(found, counted=True) == pb.Span(
        span_id="0000000000000002",
        parent_span_id="0000000000000001",
        kind=3,
        name="chat",
        start_time=at(5),
        end_time=at(7.5),
        received_time=api.timestamp(ARRIVAL),
        duration_ms=2.5,
        operation="chat",
        service="svc",
        scope="scope",
        status=pb.STATUS_ERROR,
        error_type="T",
        error_message="no",
        provider="openai",
        request_model="m",
        response_model="m",
        input_tokens=10,
        output_tokens=2,
        counted=True,
        agent="helper",
    )


def test_a_bare_spans_message_leaves_out_what_was_not_sent():
    message = api.span_message(fact(1), counted=False)
    assert [field.name for field, _ in message.ListFields()] == [
        *["span_id", "kind", "name", "start_time", "end_time", "received_time", "duration_ms", "operation", "status"]
    ]
    assert (message.status, message.operation) == (pb.STATUS_OK, "other")


def test_a_span_that_reports_zero_tokens_says_so():
    message = api.span_message(fact(1, usage=Usage(0, None, 0)), counted=True)
    assert [name for name in Usage._fields if message.HasField(name)] == ["input_tokens", "cache_read_tokens"]


def test_a_spans_message_shows_the_times_that_figures_use():
    message = api.span_message(fact(1, start_unix_nano=0, end_unix_nano=2**64 - 1), counted=False)
    assert (message.start_time, message.end_time, message.duration_ms) == (api.timestamp(ARRIVAL), api.timestamp(ARRIVAL), 0)


def test_a_raw_span_is_byte_for_byte_what_came():
    origin = Origin(b"\xff", b"a", b"\xfe", b"b")
    assert api.raw_span_message(stored(b"\xff\xff", origin)) == RawSpan(
        resource=b"\xff",
        resource_schema_url=b"a",
        scope=b"\xfe",
        scope_schema_url=b"b",
        span=b"\xff\xff",
        received_time=api.timestamp(ARRIVAL),
    )


@pytest.mark.parametrize("nano", [0, 1, 10**9 - 1, 10**9, T0 + 123_456_789, 2**62])
def test_times_go_out_and_come_back_to_the_nanosecond(nano: int):
    assert api.unix_nano(api.timestamp(nano), "since") == nano


@pytest.mark.parametrize(
    ("seconds", "nanos"), [(-1, 0), (0, -1), (5, 10**9), (5, -1), (2**33, 0), (2**62, 0), (-(2**62), 0)], ids=str
)
def test_what_is_no_time_from_1970_on_is_refused_by_name(seconds: int, nanos: int):
    with pytest.raises(Invalid) as refused:
        api.unix_nano(Timestamp(seconds=seconds, nanos=nanos), "since")
    assert refused.value.field == "since"


def test_a_trace_id_is_hex_of_either_case():
    assert api.trace_id("0123456789ABCDEFabcdef0123456789") == bytes.fromhex("0123456789abcdefabcdef0123456789")
    assert api.trace_id(trace_id(7).hex()) == trace_id(7)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "0" * 31,
        "0" * 33,
        "0" * 64,
        "g" * 32,
        "0x" + "0" * 30,
        "٣" * 32,
        "01 " * 15 + "01",
        " " + "0" * 32,
        "0" * 32 + "\n",
        "x" * 10**6,
    ],
    ids=lambda text: repr(text[:40]),
)
def test_what_is_no_trace_id_is_refused_in_few_words(text: str):
    with pytest.raises(Invalid) as refused:
        api.trace_id(text)
    assert (refused.value.field, len(str(refused.value)) < 500) == ("trace_id", True)


def test_ids_of_spans_are_lower_case_hex():
    (one,) = received(span(id=0xABCDEF))
    assert api.span_message(one.facts, counted=False).span_id == span_id(0xABCDEF).hex() == "0000000000abcdef"
