"""Core values -> messages of the API, and its requests' ids and times -> core values."""

from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from builders import ARRIVAL, MS, T0, fact, facts, received, span, span_id, stored, summary, trace_id, turn
from sessiond.core.errors import Invalid
from sessiond.core.figures import session, user
from sessiond.core.figures.costs import Priced
from sessiond.core.figures.pricing import PriceRow, UnitPrices
from sessiond.core.model import NO_TEXTS, NO_USAGE, Cost, Costs, Origin, SessionKey, Text, Texts, Usage, UserKey
from sessiond.wire import api
from sessiond.wire._pb.v1 import resources_pb2 as pb
from sessiond.wire._pb.v1.session_service_pb2 import RawSpan

KEY = SessionKey("default", "s1")
TEXTS = Texts(Text("Hi", 2), Text("x" * 1000, 4321))
REPORTED = Priced(Cost(2_500_000_000))
ESTIMATED = Priced(Cost(7), PriceRow("p", "m", "p m", UnitPrices()))
UNKNOWN = Priced(None)


def trace_message(*asked: Any) -> pb.Trace:
    return pb.Trace(**api.trace_fields(*asked))


def session_message(*asked: Any, is_live: bool) -> pb.Session:
    return pb.Session(**api.session_fields(*asked, is_live=is_live))


def at(ms: float = 0) -> Timestamp:
    return api.timestamp(T0 + int(ms * MS))


def test_a_traces_message_has_every_figure_that_is_known():
    found = summary(
        span(id=1, name="turn", end_ms=100, session="s", user="u", gen_ai__conversation__id="c", tags=["a", "b"]),
        span(
            id=2,
            parent=1,
            start_ms=10,
            end_ms=40.5,
            operation="chat",
            model="gpt-4o-mini",
            tokens_in=10,
            tokens_out=2,
            gen_ai__system="openai",
            gen_ai__response__time_to_first_chunk=0.02,
            metadata='{"plan": "free"}',
        ),
        span(id=3, parent=1, operation="execute_tool", name="search", error="no", error__type="T", gen_ai__agent__name="helper"),
        span(id=4, parent=1, start_ms=50, operation="chat", model="m-1", tokens_in=1, gen_ai__usage__cost=1.5),
        span(id=5, parent=1, start_ms=60, operation="chat", model="m-1"),
    )
    assert trace_message(found, TEXTS) == pb.Trace(
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
        ttft_ms=30,
        llm_duration_ms=50.5,
        input_tokens=11,
        output_tokens=2,
        total_tokens=13,
        cost_usd=1.5000027,
        input_cost_usd=0.0000015,
        output_cost_usd=0.0000012,
        cost_reported_usd=1.5,
        cost_estimated_usd=0.0000027,
        unpriced_call_count=1,
        models=["gpt-4o-mini", "m-1"],
        request_models=["gpt-4o-mini", "m-1"],
        providers=["openai"],
        services=["svc"],
        agents=["helper"],
        tools=["search"],
        span_count=5,
        llm_call_count=3,
        tool_call_count=1,
        error_count=1,
        failed_call_count=0,
        status=pb.STATUS_ERROR,
        error_type="T",
        error_message="no",
        received_time=api.timestamp(ARRIVAL),
        updated_time=api.timestamp(ARRIVAL),
        tags=["a", "b"],
        metadata={"plan": "free"},
        input="Hi",
        input_length=2,
        output="x" * 1000,
        output_length=4321,
    )


def test_a_sessions_message_has_every_figure_that_is_known():
    traces = [
        turn(
            1,
            end_ms=10,
            user_id="u",
            ttft_nano=7 * MS,
            usage=Usage(5, 1, 2, 3, 0),
            costs=Costs(9_000_000_000, 5_000_000_000, 4_000_000_000, 8_000_000_000, 1_000_000_000, 2),
            tags=("a",),
            metadata=(("plan", "free"), ("tier", "1")),
            models=("m",),
            tools=tuple(map(str, range(150))),
            llm_duration_nano=MS // 2,
        ),
        turn(
            2,
            start_ms=100,
            end_ms=120,
            ttft_nano=12 * MS,
            error_count=1,
            updated_unix_nano=ARRIVAL + 7,
            tags=("b", "a"),
            metadata=(("plan", "paid"),),
        ),
    ]
    assert session_message(session.summarize(KEY, traces), TEXTS, is_live=True) == pb.Session(
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
        ttft_ms=9.5,
        ttft_first_ms=7,
        ttft_max_ms=12,
        ttft_count=2,
        trace_duration_p50_ms=15,
        trace_duration_p95_ms=19.5,
        trace_duration_max_ms=20,
        input_tokens=5,
        output_tokens=1,
        cache_read_tokens=2,
        cache_write_tokens=3,
        reasoning_tokens=0,
        total_tokens=6,
        cost_usd=9,
        input_cost_usd=5,
        output_cost_usd=4,
        cost_reported_usd=8,
        cost_estimated_usd=1,
        unpriced_call_count=2,
        models=["m"],
        tools=list(map(str, range(100))),
        trace_count=2,
        failed_trace_count=1,
        span_count=2,
        error_count=1,
        status=pb.STATUS_ERROR,
        first_failed_trace_id="00000000000000000000000000000002",
        state=pb.STATE_LIVE,
        tags=["a", "b"],
        metadata={"plan": "paid", "tier": "1"},
        input="Hi",
        input_length=2,
        output="x" * 1000,
        output_length=4321,
        list_counts={"tools": 150},
    )


def test_a_users_message_has_every_figure_that_is_known():
    traces = [
        turn(1, end_ms=10, usage=Usage(5, 1), costs=Costs(9, 5, 4, 9, 0, 0), models=("m",), providers=("p",), tools=("t",)),
        turn(2, start_ms=100, end_ms=120, error_count=1, session_id="s2", costs=Costs(4, None, None, 0, 4, 1)),
    ]
    assert api.user_message(user.summarize(UserKey("default", "u"), traces)) == pb.User(
        project="default",
        user_id="u",
        first_seen_time=at(0),
        last_seen_time=at(120),
        session_count=2,
        trace_count=2,
        failed_trace_count=1,
        input_tokens=5,
        output_tokens=1,
        total_tokens=6,
        cost_usd=13e-9,
        input_cost_usd=5e-9,
        output_cost_usd=4e-9,
        cost_reported_usd=9e-9,
        cost_estimated_usd=4e-9,
        unpriced_call_count=1,
        cost_mean_usd=6e-9,
        cost_median_usd=6e-9,
        models=["m"],
        providers=["p"],
        tools=["t"],
    )


def test_a_text_is_absent_where_there_is_none_and_the_other_is_not():
    message = trace_message(turn(1), Texts(None, Text("", 0)))
    names = ("input", "input_length", "output", "output_length")
    assert [name for name in names if message.HasField(name)] == ["output", "output_length"]


def test_a_session_is_live_or_idle_as_its_reader_found_it():
    found = session.summarize(KEY, [turn(1)])
    assert [session_message(found, NO_TEXTS, is_live=live).state for live in (True, False)] == [pb.STATE_LIVE, pb.STATE_IDLE]


def test_what_is_not_known_is_absent_and_not_zero():
    message = trace_message(turn(1, usage=NO_USAGE, costs=Costs(), session_id=None), NO_TEXTS)
    absent = [
        "session_id",
        "user_id",
        "input_tokens",
        "output_tokens",
        "total_tokens",
        "cost_usd",
        "input_cost_usd",
        "output_cost_usd",
        "cost_reported_usd",
        "cost_estimated_usd",
        "ttft_ms",
        "error_type",
        "input",
        "input_length",
        "output",
        "output_length",
    ]
    assert [name for name in absent if message.HasField(name)] == []
    assert message.status == pb.STATUS_OK


def test_what_is_known_to_be_zero_is_there():
    message = trace_message(turn(1, usage=Usage(0, 0, 0, 0, 0), costs=Costs(0, 0, 0, 0, 0, 0)), NO_TEXTS)
    known = ["input_tokens", "total_tokens", "cost_usd", "input_cost_usd", "output_cost_usd", "cost_reported_usd"]
    assert {name: getattr(message, name) for name in known if message.HasField(name)} == dict.fromkeys(known, 0)


@pytest.mark.parametrize("tokens", [2**31, 2**53 + 1, 2**62, 2**63 - 1])
def test_absurd_counts_of_tokens_still_make_messages(tokens: int):
    calls = [
        span(
            operation="chat",
            model="gpt-4o-mini",
            tokens_in=tokens,
            tokens_out=tokens,
            start_ms=20 * n,
            **{"gen_ai.usage.cache_read.input_tokens": tokens},
        )
        for n in range(3)
    ]
    found = summary(*calls)
    trace_message(found, NO_TEXTS)
    session_message(session.summarize(KEY, [found] * 3), NO_TEXTS, is_live=True)
    api.user_message(user.summarize(UserKey("default", "u"), [found] * 3))
    api.span_message(facts(*calls)[0], UNKNOWN)


def test_figures_stay_within_what_a_stored_row_can_hold():
    calls = [span(operation="chat", model="gpt-4o-mini", tokens_in=2**63 - 1, start_ms=20 * n) for n in range(3)]
    since_1970 = [turn(n, start_unix_nano=1, llm_duration_nano=T0, costs=Costs(2**62)) for n in range(1, 21)]
    of_user = user.summarize(UserKey("default", "u"), since_1970)
    for found in (summary(*calls), session.summarize(KEY, since_1970), of_user):
        counts = [value for value in (*found, *found.usage, *found.costs) if isinstance(value, int)]
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
            gen_ai__response__time_to_first_chunk=0.0015,
        )
    )
    assert api.span_message(found, REPORTED) == pb.Span(
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
        ttft_ms=1.5,
        cost_usd=2.5,
    )


def test_a_span_is_counted_where_it_is_priced_and_its_cost_says_whether_it_is_an_estimate():
    messages = [api.span_message(fact(1), priced) for priced in (REPORTED, ESTIMATED, UNKNOWN, None)]
    assert [(one.counted, one.cost_usd if one.HasField("cost_usd") else None, one.cost_estimated) for one in messages] == [
        (True, 2.5, False),
        (True, 7e-9, True),
        (True, None, False),
        (False, None, False),
    ]


def test_a_bare_spans_message_leaves_out_what_was_not_sent():
    message = api.span_message(fact(1), None)
    assert [field.name for field, _ in message.ListFields()] == [
        *["span_id", "kind", "name", "start_time", "end_time", "received_time", "duration_ms", "operation", "status"]
    ]
    assert (message.status, message.operation) == (pb.STATUS_OK, "other")


def test_a_span_that_reports_zero_tokens_says_so():
    message = api.span_message(fact(1, usage=Usage(0, None, 0)), UNKNOWN)
    assert [name for name in Usage._fields if message.HasField(name)] == ["input_tokens", "cache_read_tokens"]


def test_a_spans_message_shows_the_times_that_figures_use():
    message = api.span_message(fact(1, start_unix_nano=0, end_unix_nano=2**64 - 1), None)
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
    assert api.span_message(one.facts, None).span_id == span_id(0xABCDEF).hex() == "0000000000abcdef"
