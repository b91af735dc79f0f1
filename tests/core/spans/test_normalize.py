"""A span's attributes -> its facts."""

from typing import Any

import pytest

from builders import ARRIVAL, MS, T0, facts, received, request, span, span_id, trace_id
from sessiond.core.conventions import TABLE
from sessiond.core.model import Rejection, SpanFacts, Usage
from sessiond.core.spans.provider import as_provider
from sessiond.core.values import TEXT_LENGTH_MAX
from sessiond.wire import otlp

SESSION_ID = 2 * [row.key for row in TABLE["session"]].index("session.id")
USER_ID = 2 * [row.key for row in TABLE["user"]].index("user.id")


def test_a_whole_span_becomes_facts():
    (found,) = facts(
        span(
            id=7,
            parent=3,
            name="chat gpt",
            kind=3,
            start_ms=5,
            end_ms=9,
            session="s",
            user="u",
            operation="chat",
            model="gpt-4o",
            tokens_in=11,
            tokens_out=5,
            response_id="r",
            gen_ai__provider__name="openai",
            gen_ai__agent__name="helper",
            latitude__project="shop",
        ),
        service="web",
        scope="instrumentor",
    )
    assert found == SpanFacts(
        span_id=span_id(7),
        parent_id=span_id(3),
        kind=3,
        name="chat gpt",
        start_unix_nano=T0 + 5 * MS,
        end_unix_nano=T0 + 9 * MS,
        received_unix_nano=ARRIVAL,
        operation="chat",
        service="web",
        scope="instrumentor",
        is_error=False,
        error_type=None,
        error_message=None,
        sessions=((SESSION_ID, "s"),),
        users=((USER_ID, "u"),),
        projects=((2, "shop"),),
        provider="openai",
        request_model="gpt-4o",
        response_model="gpt-4o",
        response_id="r",
        usage=Usage(11, 5),
        tool=None,
        agent="helper",
    )


def test_a_bare_span_has_nothing_else_to_tell():
    built = span(id=1)
    (found,) = facts(built, service="", scope="")
    assert found == SpanFacts(span_id(1), b"", 1, "work", T0, T0 + 10 * MS, ARRIVAL)


@pytest.mark.parametrize("bad", [b"", b"\1", bytes(16), b"\1" * 15, b"\1" * 17], ids=len)
def test_a_trace_id_of_wrong_length_or_all_zero_refuses_the_span(bad: bytes):
    built = span()
    built.trace_id = bad
    (batch,) = otlp.decode(request(built).SerializeToString(), received_unix_nano=ARRIVAL, spans_max=10)
    assert (batch.spans, [one.reason for one in batch.rejections]) == ([], ["trace_id"])


@pytest.mark.parametrize("bad", [b"", b"\1", bytes(8), b"\1" * 7, b"\1" * 16], ids=len)
def test_a_span_id_of_wrong_length_or_all_zero_refuses_the_span(bad: bytes):
    built = span()
    built.span_id = bad
    (batch,) = otlp.decode(request(built).SerializeToString(), received_unix_nano=ARRIVAL, spans_max=10)
    assert (batch.spans, [one.reason for one in batch.rejections]) == ([], ["span_id"])


def test_a_refusal_says_what_came():
    built = span()
    built.span_id = bytes(8)
    (batch,) = otlp.decode(request(built).SerializeToString(), received_unix_nano=ARRIVAL, spans_max=10)
    assert batch.rejections == [Rejection("span_id", "span_id must be 8 bytes and not all zero, got 8 zero bytes")]


@pytest.mark.parametrize(("sent", "kept"), [(b"", b""), (bytes(8), b""), (b"\1" * 8, b"\1" * 8)], ids=["empty", "zeros", "id"])
def test_a_parent_id_of_zeros_makes_a_root(sent: bytes, kept: bytes):
    built = span()
    built.parent_span_id = sent
    (found,) = facts(built)
    assert found.parent_id == kept


def test_a_parent_id_of_odd_length_costs_nothing_but_the_link():
    built = span()
    built.parent_span_id = b"\1" * 40
    (found,) = facts(built)
    assert len(found.parent_id) <= 8


def test_the_first_key_of_the_table_with_a_valid_value_wins():
    (found,) = facts(
        span(**{"gen_ai.request.model": "", "llm.request.model_name": "second", "ai.model.id": "third", "llm.model_name": "last"})
    )
    assert (found.request_model, found.response_model) == ("second", "last")


def test_all_ids_of_a_span_are_kept_in_order_of_their_keys():
    (found,) = facts(span(session="b", gen_ai__conversation__id="c", langfuse__session__id="a"), session__id="d")
    conversation = 2 * [row.key for row in TABLE["session"]].index("gen_ai.conversation.id")
    assert found.sessions == ((0, "a"), (SESSION_ID, "b"), (conversation, "c"), (SESSION_ID + 1, "d"))


@pytest.mark.parametrize(
    ("attributes", "operation"),
    [
        ({"gen_ai.operation.name": "chat", "openinference.span.kind": "TOOL"}, "chat"),
        ({"gen_ai.operation.name": "no such thing", "openinference.span.kind": "TOOL"}, "tool"),
        ({"openinference.span.kind": "llm"}, "chat"),
        ({"gen_ai.operation.name": "CHAT"}, "other"),
        ({"gen_ai.tool.name": "search"}, "tool"),
        ({"gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 1}, "chat"),
        ({"gen_ai.request.model": "m"}, "other"),
        ({"gen_ai.usage.input_tokens": 1}, "other"),
        ({"gen_ai.tool.name": "search", "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 1}, "tool"),
        ({}, "other"),
    ],
)
def test_the_operation_is_named_or_inferred(attributes: dict[str, Any], operation: str):
    (found,) = facts(span(**attributes))
    assert found.operation == operation


@pytest.mark.parametrize(
    ("sent", "provider"),
    [
        ("OpenAI", "openai"),
        ("openai.chat", "openai"),
        ("openai.responses", "openai"),
        ("anthropic.messages", "anthropic"),
        ("google.generative-ai", "google"),
        ("google.vertex.chat", "google"),
        ("x_ai", "x-ai"),
        ("Some Host", "Some Host"),
        ("some-host.chat", "some-host"),
        ("strands-agents", None),
        ("LangChain", None),
        ("", None),
        (5, None),
        (".chat", None),
        ("langchain.chat", None),
    ],
)
def test_a_provider_has_one_name(sent: Any, provider: str | None):
    assert as_provider(sent) == provider


def test_a_framework_posing_as_provider_leaves_room_for_the_next_key():
    (found,) = facts(span(gen_ai__provider__name="langchain", gen_ai__system="anthropic"))
    assert found.provider == "anthropic"


def test_a_tool_without_a_name_is_called_as_its_span():
    named, bare, plain = facts(
        span(operation="execute_tool", name="execute_tool search", gen_ai__tool__name="lookup"),
        span(operation="execute_tool", name="execute_tool search"),
        span(operation="execute_tool", name="search"),
    )
    assert [named.tool, bare.tool, plain.tool] == ["lookup", "search", "search"]


def test_a_tools_name_on_another_kind_of_span_is_no_tool_run():
    (found,) = facts(span(operation="chat", gen_ai__tool__name="search"))
    assert (found.operation, found.tool) == ("chat", None)


def exception(kind: str, message: str) -> tuple[str, float, dict[str, str]]:
    return ("exception", 1, {"exception.type": kind, "exception.message": message})


@pytest.mark.parametrize(
    ("built", "error"),
    [
        (span(error="no quota"), (True, None, "no quota")),
        (span(error=""), (True, None, None)),
        (span(error="", events=[exception("RateLimit", "slow down")]), (True, "RateLimit", "slow down")),
        (span(error="no quota", error__type="Quota", events=[exception("A", "b")]), (True, "Quota", "no quota")),
        (span(error="no quota", events=[exception("A", "b"), exception("C", "d")]), (True, "A", "no quota")),
        (span(error__type="timeout", events=[exception("A", "b")]), (True, "timeout", "b")),
        (span(events=[exception("A", "b")]), (False, None, None)),
        (span(error="", events=[("other", 1, {"exception.type": "A"})]), (True, None, None)),
        (span(), (False, None, None)),
    ],
)
def test_an_error_is_told_by_status_or_mark_and_described_by_the_best_that_is_there(built: Any, error: tuple[Any, ...]):
    (found,) = facts(built)
    assert (found.is_error, found.error_type, found.error_message) == error


def test_a_status_of_ok_does_not_undo_an_error_type():
    built = span(error__type="timeout")
    built.status.code = 1
    (found,) = facts(built)
    assert found.is_error


def test_nan_means_no_usage():
    (found,) = facts(
        span(operation="chat", **{"gen_ai.usage.input_tokens": float("nan"), "gen_ai.usage.output_tokens": float("nan")})
    )
    assert found.usage is None


def test_an_unreadable_count_leaves_room_for_the_next_key():
    (found,) = facts(span(**{"gen_ai.usage.input_tokens": "many", "llm.token_count.prompt": 5}))
    assert found.usage == Usage(5)


def test_rolled_up_usage_is_never_read():
    (found,) = facts(span(operation="invoke_agent", **{"gen_ai.aggregated_usage.input_tokens": 99, "gen_ai.usage.raw": 99}))
    assert found.usage is None


def test_everything_that_a_row_repeats_is_cut_to_a_length():
    long = "x" * 100_000
    built = span(
        name=long,
        operation="execute_tool",
        error=long,
        model=long,
        response_id=long,
        gen_ai__tool__name=long,
        gen_ai__agent__name=long,
        gen_ai__provider__name=long,
        error__type=long,
    )
    (found,) = facts(built, service=long, scope=long)
    assert {
        name: len(value) for name, value in found._asdict().items() if isinstance(value, str) and len(value) > TEXT_LENGTH_MAX
    } == {}


def test_one_span_in_two_requests_is_the_same_but_for_its_arrival():
    built = span(id=9, session="s")
    (first,), (second,) = received(built, arrival=ARRIVAL), received(built, arrival=ARRIVAL + 1)
    assert second == first._replace(facts=first.facts._replace(received_unix_nano=ARRIVAL + 1))
    assert first.trace_id == trace_id(1)
