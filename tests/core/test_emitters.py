"""Spans in the words of their emitters, traps and junk included."""

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import MS, facts, span
from builders import attributes as attributes_of
from sessiond.core.conventions import TABLE
from sessiond.core.model import Cost, Usage

SESSION_KEYS = [row.key for row in TABLE["session"]]
CONVERSATION = 2 * SESSION_KEYS.index("gen_ai.conversation.id")
METADATA_SESSION = SESSION_KEYS.index("metadata")


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
