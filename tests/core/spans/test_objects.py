"""Lists and objects inside attributes: what is taken, what is not, and where it is cut."""

import json
from typing import Any

import pytest

from builders import facts, span
from sessiond.core import values
from sessiond.core.model import Usage, Value
from sessiond.core.spans import objects
from sessiond.core.spans.objects import (
    METADATA_KEYS_MAX,
    METADATA_VALUE_LENGTH_MAX,
    PYTHON_LENGTH_MAX,
    TAGS_MAX,
    as_object,
    as_pair,
    as_pairs,
    as_python_object,
    as_tags,
    at,
)
from sessiond.core.values import JSON_LENGTH_MAX, parsed


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": 1}, {"a": 1}),
        ('{"a": 1}', {"a": 1}),
        (' {"a": 1}\n', {"a": 1}),
        (json.dumps('{"a": 1}'), {"a": 1}),
        ("{}", {}),
        ("[1]", None),
        ('"text"', None),
        ("{'a': 1}", None),
        ('{"a": 1', None),
        ("", None),
        (None, None),
        (5, None),
        ([1], None),
        (b"{}", None),
    ],
)
def test_an_object_is_a_list_of_keys_and_values_or_json_text(value: Any, expected: Any):
    assert as_object(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("{'a': {'b': 2}, 'c': None}", {"a": {"b": 2}, "c": None}),
        ('{"a": null}', {"a": None}),
        ("[1]", None),
        ("__import__('os').getcwd()", None),
        ("{'a': Details(b=1)}", None),
        ("{1:" * 1000, None),
        ("-" * PYTHON_LENGTH_MAX, None),
        ("{'a': '" + "x" * PYTHON_LENGTH_MAX + "'}", None),
        ({"a": 1}, {"a": 1}),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_python_dict_is_read_from_its_repr_and_nothing_in_it_is_run(value: Any, expected: Any):
    assert as_python_object(value) == expected


def test_json_is_parsed_up_to_a_length_and_never_deeper_than_the_stack():
    within = json.dumps({"a": "x" * (JSON_LENGTH_MAX - 9)})
    assert (len(within), as_object(within) is None, as_object(within + " ")) == (JSON_LENGTH_MAX, False, None)
    assert as_object('{"a":' * 10_000 + "1" + "}" * 10_000) is None


def test_a_huge_attribute_is_not_parsed(monkeypatch: pytest.MonkeyPatch):
    lengths: list[int] = []

    def counting(text: str) -> Value:
        lengths.append(len(text))
        return parsed(text)

    for module in (objects, values):
        monkeypatch.setattr(module, "parsed", counting)
    small, huge = (json.dumps({f"key {i}": "x" * 100 for i in range(many)}) for many in (1, 100_000))
    (found,) = facts(span(metadata=small, langfuse__observation__usage_details=huge, latitude__tags=huge))
    assert (found.metadata, found.usage) == ((("key 0", "x" * 100),), None)
    assert lengths == [len(small)]


def test_a_path_leads_to_a_value_or_nowhere():
    found = {"a": {"b": 1}, "c": [1]}
    assert [at(found, path) for path in (("a", "b"), ("a",), ("a", "x"), ("c", "0"), ())] == [1, {"b": 1}, None, None, found]


@pytest.mark.parametrize(
    ("value", "commas", "expected"),
    [
        (["b", "a", "b"], False, ("b", "a")),
        ('["b", "a"]', False, ("b", "a")),
        (json.dumps('["b", "a"]'), False, ("b", "a")),
        ("b, a ,,b", True, ("b", "a")),
        ("b, a", False, ("b, a",)),
        ("[not json", False, ("[not json",)),
        ([1, True, None, " ", "a"], False, ("1", "true", "a")),
        ("", False, None),
        ([], False, None),
        ("[]", False, None),
        (5, False, None),
        ({"a": 1}, False, None),
        ([str(i) for i in range(TAGS_MAX + 1)], False, tuple(str(i) for i in range(TAGS_MAX))),
    ],
)
def test_tags_come_as_a_list_as_json_or_with_commas(value: Any, commas: bool, expected: Any):
    assert as_tags(value, commas=commas) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("pro", "pro"),
        ('"pro"', "pro"),
        (1, "1"),
        (1.5, "1.5"),
        (True, "true"),
        ({"a": [1, "ü"]}, '{"a": [1, "ü"]}'),
        ([], "[]"),
        ("x" * 5000, "x" * METADATA_VALUE_LENGTH_MAX),
        ("", None),
        (None, None),
        (b"x", None),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_value_of_metadata_is_text_as_json_writes_it(value: Any, expected: str | None):
    assert as_pair("plan", value) == (None if expected is None else ("plan", expected))


def test_an_object_gives_its_names_in_order_bounded_and_without_those_left_out():
    assert as_pairs({"b": 1, "a": "x", "session_id": "s"}, {"session_id"}) == (("a", "x"), ("b", "1"))
    assert len(as_pairs({f"{i:03}": i for i in range(500)}) or ()) == METADATA_KEYS_MAX
    assert as_pairs({"n" * 5000: "x"}) == (("n" * METADATA_VALUE_LENGTH_MAX, "x"),)
    assert as_pairs({}) is None


def test_of_a_name_under_several_keys_the_best_keys_value_stays():
    (found,) = facts(
        span(
            metadata='{"plan": "first", "turn": 1}',
            langfuse__trace__metadata__plan="second",
            langsmith__metadata__team="blue",
        )
    )
    assert found.metadata == (("plan", "first"), ("team", "blue"), ("turn", "1"))


def test_what_is_an_id_or_a_tag_is_not_metadata_too():
    (found,) = facts(
        span(
            metadata='{"thread_id": "t", "plan": "pro"}',
            **{
                "ai.telemetry.metadata.sessionId": "s",
                "ai.telemetry.metadata.userId": "u",
                "ai.telemetry.metadata.tags": ["a"],
                "ai.telemetry.metadata.": "no name",
                "traceloop.association.properties.user_id": "u",
            },
        )
    )
    assert (found.metadata, found.tags) == ((("plan", "pro"),), ("a",))


def test_metadata_of_one_span_is_bounded():
    (found,) = facts(span(**{f"langsmith.metadata.key{i:03}": "x" for i in range(300)}))
    assert found.metadata == tuple((f"key{i:03}", "x") for i in range(METADATA_KEYS_MAX))


USAGE = {"prompt_tokens": 100, "completion_tokens": 9, "prompt_tokens_details": {"cached_tokens": 64}}


@pytest.mark.parametrize("sent", [USAGE, json.dumps(USAGE)], ids=["structured", "text"])
def test_an_object_counts_the_same_structured_or_as_text(sent: Any):
    (found,) = facts(span(operation="chat", langfuse__observation__usage_details=sent))
    assert found.usage == Usage(100, 9, 64)


def test_a_structured_object_that_is_huge_is_not_decoded():
    (found,) = facts(span(metadata={f"key {i}": "x" * 1000 for i in range(100)}, session="s"))
    assert (found.metadata, [value for _, value in found.sessions]) == ((), ["s"])


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"input": 36, "output": 9, "input_cache_read": 64}, Usage(100, 9, 64)),
        ({"input": 36, "output": 9, "input_cached_tokens": 64, "total": 109}, Usage(100, 9, 64)),
        ({"input_tokens": 36, "output_tokens": 9, "cache_read_input_tokens": 64}, Usage(100, 9, 64)),
        ({"prompt_tokens": 100, "completion_tokens": 9, "prompt_tokens_details": {"cached_tokens": 64}}, Usage(100, 9, 64)),
        ({"input_tokens": 100, "output_tokens": 9, "input_tokens_details": {"cached_tokens": 64}}, Usage(100, 9, 64)),
    ],
)
def test_langfuses_flat_object_has_its_cache_outside_and_openais_shape_inside(usage: dict[str, Any], expected: Usage):
    (found,) = facts(span(operation="chat", langfuse__observation__usage_details=json.dumps(usage)))
    assert found.usage == expected


def test_the_shape_of_langfuses_object_says_nothing_of_another_keys_input():
    shape = json.dumps({"prompt_tokens_details": {"cached_tokens": 64}})
    (found,) = facts(
        span(
            operation="chat",
            langfuse__observation__usage_details=shape,
            **{"gen_ai.usage.prompt_tokens": 100, "gen_ai.provider.name": "anthropic"},
        )
    )
    assert found.usage == Usage(164, None, 64)
