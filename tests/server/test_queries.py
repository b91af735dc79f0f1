"""The query service: what is refused, what is not found, and spans given back as they came."""

from typing import Any

import grpc
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

import builders
from builders import request, span, trace_id
from daemon import DEADLINE_SECONDS, Asker, Parts, Sender
from sessiond.core.errors import Damaged, StoreBroken
from sessiond.server.sessions import FIRST_ROWS, MESSAGE_BYTES, STREAMED_BYTES
from sessiond.wire._pb.v1 import admin_service_pb2 as admin_pb
from sessiond.wire._pb.v1 import session_service_pb2 as pb
from sessiond.wire.repair import wrapped

LISTS = {
    "ListSessions": pb.ListSessionsRequest,
    "StreamSessions": pb.StreamSessionsRequest,
    "ListTraces": pb.ListTracesRequest,
    "StreamTraces": pb.StreamTracesRequest,
}


def ask(asker: Asker, method: str, message: Any) -> list[Any]:
    """The answers of a method, one or many."""
    answer = getattr(asker.api, method)(message, timeout=DEADLINE_SECONDS)
    return list(answer) if isinstance(answer, grpc.Call) else [answer]


@pytest.mark.parametrize("method", LISTS)
@pytest.mark.parametrize("field", ["filter", "order_by"])
def test_an_unknown_field_is_refused_with_its_place_and_the_near_names(asker: Asker, refusal: Any, method: str, field: str) -> None:
    with refusal() as said:
        ask(asker, method, LISTS[method](**{field: "usr_id" if field == "order_by" else "usr_id = 1"}))
    code, message, reason, _, told, _ = said.refusal
    assert (code, reason, told) == ("INVALID_ARGUMENT", "INVALID", field)
    assert message.startswith(
        f"{field}: 'usr_id' at character 1 is no field of a {'session' if 'Sessions' in method else 'trace'}; "
    )
    assert "did you mean user_id" in message


@pytest.mark.parametrize("method", ["ListSessions", "ListTraces"])
def test_a_negative_page_size_and_a_foreign_token_are_invalid(asker: Asker, refusal: Any, method: str) -> None:
    with refusal() as said:
        ask(asker, method, LISTS[method](page_size=-1))
    message = "page_size: -1 must not be negative"
    assert said.refusal == ("INVALID_ARGUMENT", message, "INVALID", "", "page_size", (None, None))
    with refusal() as said:
        ask(asker, method, LISTS[method](page_token="x"))
    hint = "give the one of the answer before, with the same request otherwise, or none to begin anew"
    message = f"page_token: 'x' is not one of ours; {hint}"
    assert said.refusal == ("INVALID_ARGUMENT", message, "INVALID", "", "page_token", (None, None))


@pytest.mark.parametrize("key", ["k" * 1024, "\u732b" * 340])
def test_a_refusal_about_a_long_key_arrives_as_such_and_says_what_to_do(asker: Asker, refusal: Any, key: str) -> None:
    for _ in range(20):  # between gRPC's two bounds of trailers it would be refused now and then
        with refusal() as said:
            ask(asker, "ListTraces", LISTS["ListTraces"](filter=f"metadata.{key} > p95(cost_usd)"))
        assert said.refusal[0] == "INVALID_ARGUMENT"
    assert said.refusal[1].startswith("filter: ")
    assert " ... " in said.refusal[1]
    assert said.refusal[1].endswith(" asks whether it is there")


@pytest.mark.parametrize("method", LISTS)
@pytest.mark.parametrize("field", ["since", "until"])
@pytest.mark.parametrize("time", [(-1, 0), (0, -1), (0, 10**9), (2**40, 0)])
def test_a_time_that_is_none_is_invalid(asker: Asker, refusal: Any, method: str, field: str, time: tuple[int, int]) -> None:
    seconds, nanos = time
    with refusal() as said:
        ask(asker, method, LISTS[method](**{field: {"seconds": seconds, "nanos": nanos}}))
    message = f"{field}: '{seconds}.{nanos:09}' is not a time from 1970 to 2242"
    assert said.refusal == ("INVALID_ARGUMENT", message, "INVALID", "", field, (None, None))


def test_statistics_of_users_are_of_no_session(asker: Asker, refusal: Any) -> None:
    with refusal() as said:
        ask(asker, "Stats", pb.StatsRequest(of=pb.STATS_OF_USERS, session_id="s1"))
    message = "session_id: 's1' is not for users; leave it empty"
    assert said.refusal == ("INVALID_ARGUMENT", message, "INVALID", "", "session_id", (None, None))


@pytest.mark.parametrize("given", ["", "x", "00", "0" * 31, "0" * 33, "g" * 32, " ".join(["00"] * 16)])
def test_a_trace_id_that_is_none_is_invalid(asker: Asker, refusal: Any, given: str) -> None:
    with refusal() as said:
        ask(asker, "GetTrace", pb.GetTraceRequest(trace_id=given))
    message = f"trace_id: {given!r} must be 32 hexadecimal digits"
    assert said.refusal == ("INVALID_ARGUMENT", message, "INVALID", "", "trace_id", (None, None))


def test_a_trace_that_is_not_there_is_not_found(asker: Asker, refusal: Any) -> None:
    with refusal() as said:
        asker.trace(trace_id(1))
    message = f"there is no trace {trace_id(1).hex()}; `sessiond traces` lists those there are"
    assert said.refusal == ("NOT_FOUND", message, "NOT_FOUND", "", "", (None, None))


def test_a_session_that_is_not_there_is_not_found(sender: Sender, asker: Asker, refusal: Any) -> None:
    sender.export(request(span(trace=1, session="s")))
    for given in ({"session_id": "t"}, {"session_id": "s", "project": "p"}):
        with refusal() as said:
            asker.session(**given)
        message = (
            f"there is no session {given['session_id']!r} in project {given.get('project', 'default')!r}; "
            "give another project, or see `sessiond sessions` for those there are"
        )
        assert said.refusal == ("NOT_FOUND", message, "NOT_FOUND", "", "", (None, None))


def test_an_empty_session_id_is_invalid(asker: Asker, refusal: Any) -> None:
    with refusal() as said:
        asker.session("")
    assert said.refusal == ("INVALID_ARGUMENT", "session_id: '' must not be empty", "INVALID", "", "session_id", (None, None))


def test_a_trace_asked_for_in_upper_case_is_found(sender: Sender, asker: Asker) -> None:
    sender.export(request(span(trace=0xAB, id=1)))
    (first, *_) = ask(asker, "GetTrace", pb.GetTraceRequest(trace_id=trace_id(0xAB).hex().upper()))
    assert first.trace.trace_id == trace_id(0xAB).hex()


def test_a_trace_comes_as_its_summary_then_figures_then_spans(sender: Sender, asker: Asker) -> None:
    sent = request(span(id=1, session="s", end_ms=50), span(id=2, parent=1, operation="chat", tokens_in=2, start_ms=5))
    sender.export(sent)
    messages = asker.trace(trace_id(1))
    assert [[field.name for field, _ in message.ListFields()] for message in messages] == [["trace"], ["spans"], ["traces_data"]]
    assert [(one.span_id, one.parent_span_id, one.operation, one.counted) for one in messages[1].spans] == [
        ("0000000000000001", "", "other", False),
        ("0000000000000002", "0000000000000001", "chat", True),
    ]
    assert messages[2].traces_data == TracesData(resource_spans=sent.resource_spans)


def test_raw_spans_are_the_bytes_that_were_sent(sender: Sender, asker: Asker) -> None:
    sent = request(span(id=1, name="replaced", session="s"), span(id=2, parent=1), scope="lib")
    resource_spans = sent.resource_spans[0]
    scope_spans = resource_spans.scope_spans[0]
    resource_spans.schema_url, scope_spans.schema_url = "https://resource", "https://scope"
    first, second = (one.SerializeToString() for one in scope_spans.spans)
    sender.export(sent.SerializeToString().replace(b"replaced", b"bad \xff\xfe.."))
    raw = [one for message in asker.trace(trace_id(1), raw=True) for one in message.raw_spans]
    origin = (
        resource_spans.resource.SerializeToString(),
        b"https://resource",
        scope_spans.scope.SerializeToString(),
        b"https://scope",
    )
    assert [(one.resource, one.resource_schema_url, one.scope, one.scope_schema_url, one.span) for one in raw] == [
        (*origin, first.replace(b"replaced", b"bad \xff\xfe..")),
        (*origin, second),
    ]


def test_a_span_with_fields_from_the_future_comes_back_whole(sender: Sender, asker: Asker) -> None:
    data = span(id=1, session="s").SerializeToString() + b"\xfa\x3e\x03new"
    sender.export(wrapped(data, 1, 2, 2))
    raw = [one for message in asker.trace(trace_id(1), raw=True) for one in message.raw_spans]
    assert [one.span for one in raw] == [data]
    (passed,) = [message.traces_data for message in asker.trace(trace_id(1)) if message.HasField("traces_data")]
    assert passed.resource_spans[0].scope_spans[0].spans[0].SerializeToString() == data


def test_a_span_that_no_client_could_parse_is_repaired_and_named(sender: Sender, asker: Asker) -> None:
    sent = request(span(id=1, name="replaced"), span(id=2, parent=1, name="good"))
    sender.export(sent.SerializeToString().replace(b"replaced", b"bad \xff\xfe.."))
    (message,) = [message for message in asker.trace(trace_id(1)) if message.HasField("traces_data")]
    spans = message.traces_data.resource_spans[0].scope_spans[0].spans
    assert [one.name for one in spans] == ["bad \ufffd\ufffd..", "good"]
    assert list(message.repaired_span_ids) == ["0000000000000001"]


def send_large_rows(sender: Sender, count: int) -> list[str]:
    """Sessions of a trace with the most and longest tools each, about 25 KB a row; their ids."""
    for number in range(1, count + 1):
        tools = (f"{tool:03}{'t' * 250}" for tool in range(100))
        spans = (span(trace=number, session=f"s{number:03}", operation="execute_tool", gen_ai__tool__name=tool) for tool in tools)
        sender.export(request(*spans))
    return [f"s{number:03}" for number in range(1, count + 1)]


@pytest.mark.parametrize("method", ["StreamSessions", "StreamTraces"])
def test_a_stream_ends_its_messages_below_what_a_client_takes(sender: Sender, asker: Asker, method: str) -> None:
    sent = send_large_rows(sender, 200)
    field = "sessions" if method == "StreamSessions" else "traces"
    messages = [getattr(message, field) for message in ask(asker, method, LISTS[method]())]
    assert 1 <= len(messages[0]) <= FIRST_ROWS
    assert all(sum(row.ByteSize() for row in rows[:-1]) < STREAMED_BYTES for rows in messages)
    assert sorted(row.session_id for rows in messages for row in rows) == sent


@pytest.mark.parametrize("method", ["ListSessions", "ListTraces"])
def test_a_page_of_large_rows_reaches_a_client_with_its_usual_limit(sender: Sender, asker: Asker, method: str) -> None:
    sent = send_large_rows(sender, 200)
    found, token = [], ""
    while True:
        (answer,) = ask(asker, method, LISTS[method](page_size=1000, page_token=token))
        found += [row.session_id for row in (answer.sessions if method == "ListSessions" else answer.traces)]
        token = answer.next_page_token
        if not token:
            break
    assert sorted(found) == sent


def test_a_span_larger_than_a_message_travels_alone(sender: Sender, asker: Asker) -> None:
    big = span(id=2, parent=1, padding="x" * (MESSAGE_BYTES + 1000))
    sender.export(request(span(id=1), big, span(id=3, parent=1)))
    pieces = [
        [one.span_id for group in message.traces_data.resource_spans for scope in group.scope_spans for one in scope.spans]
        for message in asker.trace(trace_id(1))
        if message.HasField("traces_data")
    ]
    assert pieces == [[builders.span_id(1)], [builders.span_id(2)], [builders.span_id(3)]]


def test_where_restricts_every_list(sender: Sender, asker: Asker) -> None:
    sender.export(request(span(trace=1, session="a", user="u"), span(trace=2, session="b", user="v", start_ms=5000)))
    sender.export(request(span(trace=3, session="a", user="v", start_ms=9000), sessiond__project="p"))
    since, until = ({"seconds": builders.T0 // 10**9 + seconds} for seconds in (5, 9))
    for where, sessions, traces in (
        ({}, {"a", "b"}, {1, 2, 3}),
        ({"session_id": "b"}, {"b"}, {2}),
        ({"user_id": "v"}, {"a", "b"}, {2, 3}),
        ({"since": since}, {"a", "b"}, {2, 3}),
        ({"until": since}, {"a"}, {1}),
        ({"until": until}, {"a", "b"}, {1, 2}),
        ({"since": since, "until": until}, {"b"}, {2}),
        ({"since": until, "until": since}, set(), set()),
        ({"session_id": "b", "until": since}, set(), set()),
        ({"user_id": "v", "until": until}, {"b"}, {2}),
        ({"session_id": "a", "user_id": "u"}, {"a"}, {1}),
        ({"project": "p"}, {"a"}, {3}),
        ({"project": "default"}, {"a", "b"}, {1, 2}),
        ({"project": "nowhere"}, set(), set()),
    ):
        assert {row.session_id for row in asker.sessions(**where)} == sessions, where
        assert {int(row.trace_id, 16) for row in asker.traces(**where)} == traces, where


def test_an_unexpected_exception_is_unavailable_without_its_detail(running: Parts, asker: Asker, refusal: Any) -> None:
    def extent() -> None:
        raise LookupError("secret detail")

    running.store.extent = extent
    with refusal() as said:
        asker.status()
    message = "sessiond failed unexpectedly; its log says how. Nothing of this request was acknowledged: send it again"
    assert said.refusal == ("UNAVAILABLE", message, "UNEXPECTED", "LookupError", "", (1, 1))


def test_a_query_after_the_store_broke_is_to_be_tried_again(running: Parts, sender: Sender, asker: Asker, refusal: Any) -> None:
    running.store.fail_with(StoreBroken("LMDB failed"))
    with refusal():
        sender.export(request(span(trace=1)))
    with refusal() as said:
        asker.sessions()
    assert said.refusal == ("UNAVAILABLE", "sessiond is stopping; ask again", "BUSY", "", "", (1, 1))


def test_a_query_that_meets_a_damaged_row_is_told_so_and_others_are_answered(running: Parts, asker: Asker, refusal: Any) -> None:
    def trace(_: bytes) -> None:
        raise Damaged("a row of the store does not fit its checksum")

    running.store.trace = trace
    with refusal() as said:
        asker.trace(trace_id(1))
    hint = "run `sessiond check`, which names it; `sessiond rebuild` makes again what is computed"
    assert said.refusal == ("DATA_LOSS", f"a row of the store does not fit its checksum; {hint}", "DAMAGED", "", "", (None, None))
    assert asker.sessions() == []


def test_status_tells_what_was_done_and_what_is_held(running: Parts, sender: Sender, asker: Asker) -> None:
    bad = span(trace=9)
    bad.span_id = b""
    sender.export(request(span(trace=1, session="s", user="u"), bad))
    asker.sessions()
    status = asker.status()
    assert (status.accepted_span_count, dict(status.refused_span_counts), status.accepted_request_count) == (1, {"span_id": 1}, 1)
    assert (status.trace_count, status.session_count, status.span_count, status.serving) == (1, 1, 1, True)
    assert dict(status.addresses) == {"otlp_grpc": running.receiver.address, "query": running.query.address}
    assert not status.HasField("last_error")


def test_check_over_grpc_finds_nothing_and_says_how_far_it_is(sender: Sender, asker: Asker) -> None:
    sender.export(request(span(trace=1, session="s", user="u"), span(trace=2)))
    asker.sessions()
    answers = list(asker.admin.Check(admin_pb.CheckRequest(), timeout=DEADLINE_SECONDS))
    assert [problem for answer in answers for problem in answer.problems] == []
    assert answers[-1].checked_trace_count == 2
