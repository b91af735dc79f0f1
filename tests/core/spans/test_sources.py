"""Where each value of a span came from; and keys that an operator adds."""

import time
from typing import Any

import pytest

from builders import MS, T0, encoded, facts, request, span
from sessiond.core.spans import reading
from sessiond.core.spans.normalize import DEFAULT, Normalizer
from sessiond.core.spans.reading import LEARNED_BYTES_MAX, Index
from sessiond.core.spans.sources import Source
from sessiond.wire import otlp
from sessiond.wire.spans import read_span
from sessiond.wire.values import Attributes


def sources(built: Any, resource: dict[str, Any] | None = None, scope: str = "scope", normalizer: Normalizer = DEFAULT):
    view = read_span(built.SerializeToString())
    assert view is not None
    return normalizer.sources(view, encoded(resource or {}), scope)


def test_a_whole_span_tells_which_key_gave_each_value():
    built = span(
        name="chat",
        operation="chat",
        end_ms=1000,
        session="s",
        error="",
        events=[
            ("First Token Stream Event", 200, {}),
            ("exception", 900, {"exception.type": "Timeout"}),
            ("gen_ai.choice", 900, {}),
        ],
        **{
            "gen_ai.system": "strands-agents",
            "gen_ai.request.model": "claude-sonnet-4-5",
            "gen_ai.usage.prompt_tokens": 100,
            "langfuse.observation.usage_details": '{"prompt_tokens": 1, "prompt_tokens_details": {"cached_tokens": 64}}',
            "operation.cost": 0.5,
            "langfuse.trace.metadata.plan": "pro",
            "metadata": '{"turn": 1, "thread_id": "t"}',
            "tag.tags": ["a", "b"],
            "weave.tag.good": True,
            "input.value": "hello",
        },
    )
    assert sources(built, {"service.name": "web", "session.id": "r"}) == (
        Source("session", "session.id", "s"),
        Source("session", "resource session.id", "r"),
        Source("session", "metadata#thread_id", "t"),
        Source("service", "resource service.name", "web"),
        Source("operation", "gen_ai.operation.name", "chat"),
        Source("provider", "gen_ai.request.model", "anthropic"),
        Source("request_model", "gen_ai.request.model", "claude-sonnet-4-5"),
        Source("input_tokens", "gen_ai.usage.prompt_tokens", "100"),
        Source("cache_read_tokens", "langfuse.observation.usage_details#prompt_tokens_details.cached_tokens", "64"),
        Source("cache_share", "langfuse.observation.usage_details#prompt_tokens_details", "inside"),
        Source("total_cost", "operation.cost", "500000000"),
        Source("first_token", "event First Token Stream Event", str(200 * MS)),
        Source("tags", "tag.tags", "a"),
        Source("tags", "tag.tags", "b"),
        Source("tags", "weave.tag.good", "good"),
        Source("metadata.plan", "langfuse.trace.metadata.plan", "pro"),
        Source("metadata.turn", "metadata#turn", "1"),
        Source("input", "input.value", "true"),
        Source("output", "event gen_ai.choice", "true"),
        Source("error_mark", "span status.code", "2"),
        Source("error_type", "event exception#exception.type", "Timeout"),
    )


def test_a_bare_span_has_nothing_to_tell():
    assert sources(span()) == ()


def test_what_does_not_count_on_a_span_is_not_told():
    built = span(operation="chat", **{"gen_ai.tool.name": "search", "error.message": "none", "http.response.status_code": 404})
    assert sources(built) == (Source("operation", "gen_ai.operation.name", "chat"),)


def test_a_span_row_is_told_by_its_field():
    assert sources(span(name="execute_tool search", operation="execute_tool"))[1] == Source("tool", "span name", "search")
    assert sources(span(name="raw_gen_ai_request", operation="chat"), scope="litellm") == (
        Source("operation", "span name", "other"),
    )


EXTRA = Normalizer(session_keys=("app.chat", "app.room"), user_keys=("app.member",))


def test_an_operators_keys_rank_before_the_tables_which_keep_their_orders():
    built = span(session="s", user="u", app__chat="c", app__room="r", app__member="m")
    (batch,) = otlp.decode(
        request(built, app__chat="of resource").SerializeToString(), received_unix_nano=T0, spans_max=9, normalizer=EXTRA
    )
    (received,) = batch.spans
    (plain,) = facts(built)
    assert received.facts.sessions == ((-4, "c"), (-2, "r"), *plain.sessions, (-3, "of resource"))
    assert received.facts.users == ((-2, "m"), *plain.users)
    assert sources(built, {"app.chat": "of resource"}, normalizer=EXTRA)[:4] == (
        Source("session", "app.chat", "c"),
        Source("session", "resource app.chat", "of resource"),
        Source("session", "app.room", "r"),
        Source("session", "session.id", "s"),
    )


def test_an_operators_key_means_nothing_to_the_default():
    (found,) = facts(span(app__chat="c"))
    assert found.sessions == ()


def test_an_operators_key_under_a_prefix_of_metadata_is_an_id_and_no_metadata():
    built = span(**{"langsmith.metadata.room": "r", "langsmith.metadata.plan": "pro"})
    (batch,) = otlp.decode(
        request(built).SerializeToString(),
        received_unix_nano=T0,
        spans_max=9,
        normalizer=Normalizer(session_keys=["langsmith.metadata.room"]),
    )
    (received,) = batch.spans
    assert (received.facts.sessions, received.facts.metadata) == (((-2, "r"),), (("plan", "pro"),))


def test_an_operators_attribute_becomes_metadata_by_its_own_name():
    built = span(
        **{"http.route": "/chat", "acme.tenant": 7, "metadata": '{"plan": "pro", "acme.tenant": "other"}', "tag.tags": ["a"]}
    )
    normalizer = Normalizer(metadata_keys=["http.route", "acme.tenant", "acme.none"])
    (batch,) = otlp.decode(request(built).SerializeToString(), received_unix_nano=T0, spans_max=9, normalizer=normalizer)
    (received,) = batch.spans
    assert received.facts.metadata == (("acme.tenant", "7"), ("http.route", "/chat"), ("plan", "pro"))
    assert received.facts.tags == ("a",)
    (plain,) = facts(built)
    assert plain.metadata == (("acme.tenant", "other"), ("plan", "pro"))


def test_an_index_forgets_what_it_learned_when_full_and_never_the_table(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reading, "LEARNED_MAX", 4)
    index = Index({})
    for number in range(10):
        best, every, _ = index.read(encoded({"session.id": f"s{number}", "gen_ai.request.model": "gpt-4o"}))
        assert best["request_model"][1] == "gpt-4o"
        assert [value for _, value in every["session"]] == [f"s{number}"]
        assert len(index.learned) <= 4


def test_an_index_remembers_what_may_come_again():
    index = Index({})
    long = "x" * LEARNED_BYTES_MAX
    index.read(encoded({"session.id": "s", "gen_ai.response.id": "r", "user.id": long, "http.route": "/", long: "/", "url": long}))
    assert list(index.learned.values()) == [(b"session.id", (("session", (2, "s"), 1),)), (b"http.route", ())]


def test_what_was_learned_is_told_again_and_the_last_of_a_repeated_key_counts():
    index = Index({})
    one, other = encoded({"session.id": "one"}).encoded, encoded({"session.id": "other"}).encoded
    for _ in range(2):
        for given, last in ((one + other, "other"), (other + one, "one")):
            assert [value for _, value in index.read(Attributes(given))[1]["session"]] == [last]


def test_a_value_that_is_none_hides_an_earlier_one_under_its_key():
    given = encoded({"session.id": "one"}).encoded + encoded({"session.id": "null"}).encoded
    assert "session" not in Index({}).read(Attributes(given))[1]


@pytest.mark.parametrize("key", ["langsmith.metadata.", "langsmith.metadata", "xlangsmith.metadata.plan"])
def test_a_prefix_needs_a_name_behind_it(key: str):
    assert "metadata" not in Index({}).read(encoded({key: "x"}))[1]


def seconds_to_read(names: int) -> float:
    """Of this thread's own time, at best, to look up so many keys of metadata that were met before."""
    index, given = Index({}), encoded({f"langsmith.metadata.{name}": "x" for name in range(names)})
    took = []
    for _ in range(5):
        began = time.thread_time()
        assert len(index.read(given)[1]["metadata"]) == names
        took.append(time.thread_time() - began)
    return min(took)


def test_ten_times_as_many_keys_of_one_meaning_do_not_take_the_square_of_ten_times_as_long():
    # 16 times as long (measured); 120 times where each key copies those before it.
    assert seconds_to_read(10_000) < 50 * seconds_to_read(1_000)
