"""A span's attributes -> its facts."""

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import ARRIVAL, MS, T0, facts, received, request, span, span_id, trace_id
from builders import attributes as attributes_of
from sessiond.core.conventions import TABLE
from sessiond.core.model import Cost, Rejection, SpanFacts, Usage
from sessiond.core.provider import as_provider
from sessiond.core.values import TEXT_LENGTH_MAX
from sessiond.wire import otlp

SESSION_ID = 2 * [row.key for row in TABLE["session"]].index("session.id")
CONVERSATION = 2 * [row.key for row in TABLE["session"]].index("gen_ai.conversation.id")
METADATA_SESSION = [row.key for row in TABLE["session"]].index("metadata")
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


def event(name: str, at_ms: float = 4, **values: Any) -> tuple[str, float, dict[str, Any]]:
    return (name, at_ms, values)


@pytest.mark.parametrize(
    ("built", "expected"),
    [
        (span(events=[event("gen_ai.user.message", content="hi")]), {"has_input": True, "has_output": False}),
        (span(events=[event("gen_ai.choice", message="ho")]), {"has_input": False, "has_output": True}),
        (
            span(tokens_in=3, **{"llm.token_count.prompt": 4, "gen_ai.usage.prompt_tokens": 5, "ai.usage.inputTokens": 6}),
            {"usage": Usage(3)},
        ),
        (  # Langfuse: an object shaped as OpenAI's holds its cache, a flat one does not
            span(**{"langfuse.observation.usage_details": '{"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 4}}'}),
            {"usage": Usage(9, None, 4)},
        ),
        (
            span(**{"langfuse.observation.usage_details": '{"input": 9, "output": 2, "input_cached_tokens": 4}'}),
            {"usage": Usage(13, 2, 4)},
        ),
        (  # the flat object's own total proves otherwise
            span(**{"langfuse.observation.usage_details": '{"input": 9, "output": 2, "input_cached_tokens": 4, "total": 11}'}),
            {"usage": Usage(9, 2, 4)},
        ),
        (
            span(
                **{"span.type": "llm_request", "input_tokens": 9, "cache_read_tokens": 4, "cache_creation_tokens": 1, "ttft_ms": 5}
            ),
            {"operation": "chat", "provider": "anthropic", "usage": Usage(14, None, 4, 1), "first_token_nano": 5 * MS},
        ),
        (span(input_tokens=9, cache_read_tokens=4), {"usage": None}),
        (
            span(operation="chat", model="claude-sonnet-4", **{"gen_ai.system": "strands-agents"}),
            {"provider": "anthropic"},
        ),
        (span(operation="chat", model="claude-sonnet-4"), {"provider": None}),
        (span(error="", **{"litellm.provider.error.code": 429}), {"error_message": "429"}),
        (span(error="", **{"litellm.provider.error.code": "rate_limited"}), {"error_message": "rate_limited"}),
        (span(**{"litellm.provider.error.code": "429"}), {"is_error": False, "error_message": None}),
        (span(**{"http.response.status_code": 503}), {"is_error": False, "error_type": None}),
        (span(error="", **{"http.response.status_code": 503}), {"is_error": True, "error_type": "503"}),
        (span(**{"error.type": 504}), {"is_error": True, "error_type": "504"}),
        (
            span(metadata='{"session_id": "s", "thread_id": "t", "plan": "pro", "n": {"a": [1]}}'),
            {
                "sessions": tuple((2 * rank, one) for rank, one in ((METADATA_SESSION, "s"), (METADATA_SESSION + 2, "t"))),
                "metadata": (("n", '{"a": [1]}'), ("plan", "pro")),
            },
        ),
        (span(metadata="[not an object"), {"sessions": (), "metadata": ()}),
        (span(**{"langsmith.span.tags": "a, b,, a"}), {"tags": ("a", "b")}),
        (span(**{"weave.tag.team": "blue", "weave.tag.beta": True, "weave.tag.gone": False}), {"tags": ("beta", "team:blue")}),
        (span(**{"latitude.tags": '["a", "b"]', "tags": ["b", "c"]}), {"tags": ("a", "b", "c")}),
        (span(operation="chat", **{"operation.cost": 0.000238}), {"cost": Cost(238_000)}),
        (span(operation="chat", tokens_in=5, **{"gen_ai.usage.cost": 0, "operation.cost": 0.5}), {"cost": Cost(500_000_000)}),
        (span(operation="chat", tokens_in=5, **{"gen_ai.usage.cost": 0}), {"cost": None}),
        (span(operation="chat", **{"gen_ai.usage.cost": 0}), {"cost": Cost(0)}),
        (
            span(operation="chat", tokens_in=5, **{"gen_ai.usage.cost": 0, "latitude.cost.source": "user"}),
            {"cost": Cost(0)},
        ),
        (
            span(**{"session.id": "[Scrubbed due to 'session']", "gen_ai.conversation.id": "c"}),
            {"sessions": ((CONVERSATION, "c"),)},
        ),
        (span(**{"mlflow.spanType": '"CHAT_MODEL"', "mlflow.trace.user": '"u"'}), {"operation": "chat"}),
    ],
)
def test_emitters_in_their_own_words(built: Any, expected: dict[str, Any]):
    (found,) = facts(built)
    assert {name: getattr(found, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("attributes", "events", "nano"),
    [
        ({"gen_ai.response.time_to_first_chunk": 0.004, "ttft_ms": 3}, [], 4 * MS),
        ({"gen_ai.response.time_to_first_chunk": 4.0, "ttft_ms": 3}, [], 3 * MS),  # no 4 seconds in a span of 10 ms
        ({"gen_ai.server.time_to_first_token": 4}, [], 4 * MS),
        ({"gen_ai.server.time_to_first_token": 0.004}, [], 4 * MS),
        ({"gen_ai.server.time_to_first_token": 4_000.0}, [], 4 * MS),  # neither seconds nor milliseconds fit
        ({"gen_ai.server.time_to_first_token": 0}, [event("First Token Stream Event", 2)], 2 * MS),
        ({"ttft_ms": 4}, [event("First Token Stream Event", 2)], 4 * MS),
        ({"ttft_ms": float("nan")}, [event("ai.stream.firstChunk", 3), event("mlflow.chunk.item.0", 5)], 5 * MS),
        ({}, [event("gen_ai.content.completion.chunk", 6), event("gen_ai.content.completion.chunk", 2)], 2 * MS),
        ({}, [event("gen_ai.choice", 2), event("gen_ai.content.completion", 2)], None),
        ({}, [event("First Token Stream Event", 11)], None),
    ],
)
def test_the_first_token_is_told_by_the_first_source_that_the_span_allows(attributes: Any, events: Any, nano: int | None):
    call, work = facts(span(operation="chat", events=events, **attributes), span(events=events, **attributes))
    assert (call.first_token_nano, work.first_token_nano) == (nano, None)


@pytest.mark.parametrize(
    ("scope", "name", "operation"),
    [
        ("litellm", "raw_gen_ai_request", "other"),
        ("litellm", "litellm_request", "chat"),
        ("app", "raw_gen_ai_request", "chat"),
        ("com.anthropic.claude-platform.eu", "anything", "chat"),
    ],
)
def test_scopes_of_which_a_span_is_not_what_it_says(scope: str, name: str, operation: str):
    (found,) = facts(span(name=name, operation="text_completion" if "anthropic" in scope else "chat"), scope=scope)
    assert found.operation == operation


KEYS = sorted({row.key + "x" * (row.place == "prefix") for rows in TABLE.values() for row in rows if row.place != "span"})
NESTED = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(st.characters(codec="utf-8")) | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
AS_JSON = NESTED.map(lambda value: json.dumps(value, default=repr))
PATHS = [row for rows in TABLE.values() for row in rows if row.path and row.place != "event"]


@st.composite
def at_a_path(draw: st.DrawFn) -> tuple[str, str]:
    row = draw(st.sampled_from(PATHS))
    value: Any = json.loads(draw(AS_JSON))
    for name in reversed(row.path.split(".")):
        value = {name: value}
    return row.key, repr(value) if row.place == "python" else json.dumps(value)


ATTRIBUTES = st.lists(at_a_path() | st.tuples(st.sampled_from(KEYS), NESTED | AS_JSON), max_size=8).map(dict)


@settings(deadline=None, max_examples=300)
@given(ATTRIBUTES, ATTRIBUTES, st.sampled_from(["chat", "execute_tool", "invoke_agent", "embeddings", None]), st.randoms())
def test_any_values_under_any_keys_make_facts_whatever_their_order(
    on_span: dict[str, Any], on_resource: dict[str, Any], operation: str | None, chance: random.Random
):
    built = span(id=1, error="")
    named = {} if operation is None else {"gen_ai.operation.name": operation}  # of a repeated key the last counts
    built.attributes.extend(attributes_of({**on_span, **named}))
    on_resource.pop("service.name", None)
    shuffled = dict(chance.sample(sorted(on_resource.items(), key=repr), len(on_resource)))
    (found,) = facts(built, service="", **on_resource)
    order = chance.sample(list(built.attributes), len(built.attributes))
    del built.attributes[:]
    built.attributes.extend(order)
    assert facts(built, service="", **shuffled) == [found]
    assert found.usage is None or all(count is None or count >= 0 for count in found.usage)
