"""What was said in a span: one shape a test, whole values, and the table against the list that it was made from."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from builders import DATA, span
from sessiond.core.model import Message, Role, SpanView, ToolCall
from sessiond.core.text.messages import (
    INPUT,
    OUTPUT,
    Flattened,
    Source,
    answer,
    arguments,
    input_messages,
    marks,
    output_messages,
    question,
    shorten,
)
from sessiond.core.text.parts import PART_KEYS, PART_TYPES, as_json
from sessiond.core.text.shapes import JSON_LENGTH_MAX, ROLES, WRAPPERS, plain, read
from sessiond.wire.spans import read_span

LIST = yaml.safe_load((DATA / "conventions.yaml").read_text())["fields"]

HELLO = Message("user", "Hello")
SUNNY = Message("assistant", "Sunny.")
CALL = ToolCall("call_1", "weather", '{"city": "Lisbon"}')
CALLING = Message("assistant", "", (CALL,))
RESULT = Message("tool", '{"sky": "sunny"}', tool_call_id="call_1")
ARGUMENTS = '{"city": "Lisbon"}'
SKY = '{"sky": "sunny"}'


def view(*events: tuple[str, Mapping[str, Any]], **attributes: Any) -> SpanView:
    found = read_span(span(events=[(name, 0, values) for name, values in events], **attributes).SerializeToString())
    assert found is not None
    return found


def inputs(value: Any, key: str = "input.value") -> tuple[Message, ...]:
    return input_messages(view(**{key: value}))


def outputs(value: Any, key: str = "output.value") -> tuple[Message, ...]:
    return output_messages(view(**{key: value}))


def listed(name: str) -> list[tuple[str, tuple[str, ...]]]:
    """The sources of a list of conventions.yaml: (key, events). An event with a choice of attributes is a source for each."""
    found = []
    for row in LIST[name]["list"]:
        events = row.get("events", row.get("event", ()))
        names = (events,) if isinstance(events, str) else tuple(events)
        found += [(key.split(".{n}")[0], names) for key in (row["attr"].split("|") if names else [row["key"]])]
    return found


@pytest.mark.parametrize(("table", "name"), [(INPUT, "input"), (OUTPUT, "output")])
def test_sources_are_the_listed_ones_in_the_listed_order(table: tuple[Source, ...], name: str):
    assert [(source.key, source.events) for source in table] == listed(name)


@pytest.mark.parametrize(("table", "name"), [(INPUT, "input"), (OUTPUT, "output")])
def test_flattened_keys_are_read_where_the_list_says(table: tuple[Source, ...], name: str):
    told = {row["key"].split(".{n}")[0] for row in LIST[name]["list"] if "{n}" in row.get("key", "") + row.get("type", "")}
    assert {source.key for source in table if source.indexed} == told


def carrying(source: Source, value: Any) -> SpanView:
    if source.events:
        return view((source.events[-1], {source.key: value}))
    return view(**{source.key: value})


ROWS = [(source, input_messages, "user") for source in INPUT] + [(source, output_messages, "assistant") for source in OUTPUT]
ATTRIBUTE_ROWS = [row for row in ROWS if not row[0].events]
PLAIN = {
    "user_prompt",
    "gen_ai.retrieval.query.text",
    "ai.response.text",
    "ai.response.object",
    "ai.result.text",
    "final_result",
    "response.model_output",
}
"""Keys whose emitters write text there: an answer that is JSON stays as it is."""


OTHERS = {"gen_ai.retrieval.documents", "retrieval.documents", "gen_ai.tool.message"}
"""Where neither the user speaks nor the assistant."""


@pytest.mark.parametrize(("source", "read", "role"), ROWS)
def test_each_source_alone_gives_its_text(source: Source, read: Any, role: Role):
    said_by = "tool" if {source.key, *source.events} & OTHERS else role
    assert read(carrying(source, "Hello")) == (Message(said_by, "Hello"),)


@pytest.mark.parametrize(("source", "read", "role"), ATTRIBUTE_ROWS)
def test_only_sources_of_plain_text_leave_json_as_it_is(source: Source, read: Any, role: Role):
    (found,) = read(carrying(source, '{"text": "Hello"}'))
    assert found.text == ('{"text": "Hello"}' if source.key in PLAIN else "Hello")


@pytest.mark.parametrize(("table", "read"), [(INPUT, input_messages), (OUTPUT, output_messages)])
def test_the_first_source_that_yields_a_message_wins(table: tuple[Source, ...], read: Any):
    of_attributes = [source for source in table if not source.events]
    everything = {source.key: f"from {source.key}" for source in of_attributes}
    for source in of_attributes:
        assert [one.text for one in read(view(**everything))] == [f"from {source.key}"]
        everything[source.key] = " "
    assert read(view(**everything)) == ()


@pytest.mark.parametrize(("table", "read"), [(INPUT, input_messages), (OUTPUT, output_messages)])
def test_a_span_with_a_mark_alone_has_text(table: tuple[Source, ...], read: Any):
    assert {mark for mark in marks(table) if not read(view(**{mark: "user"}))} == {
        f"{source.key}.0.{name}" for source in table for name in source.indexed if name.endswith("role")
    }


def test_flattened_sources_show_themselves_by_their_first_entry():
    assert {mark for mark in marks(INPUT) if ".0." in mark} == {
        "gen_ai.prompt.0.role",
        "gen_ai.prompt.0.content",
        "llm.input_messages.0.message.role",
        "llm.input_messages.0.message.content",
    }
    assert {mark for mark in marks(OUTPUT) if ".0." in mark} == {
        "gen_ai.completion.0.role",
        "gen_ai.completion.0.content",
        "llm.output_messages.0.message.role",
        "llm.output_messages.0.message.content",
        "retrieval.documents.0.document.content",
    }


def test_of_flattened_keys_only_those_of_the_sources_are_asked_for():
    flattened = Flattened(INPUT)
    assert all(key.encode() in flattened for key in ("gen_ai.prompt.7.content", "llm.input_messages.0.message.role"))
    others = ("gen_ai.prompt", "gen_ai.prompts", "ai.prompt.0.role", "content", "gen_ai.completion.0.role", "session.id")
    assert not any(key.encode() in flattened for key in others)


TEXTS = st.sampled_from(["user", "Assistant", "developer", "tool", "nobody", "", " ", "half \ud800", "text", "reasoning"])
CONTENTS = TEXTS | st.none() | st.integers() | st.lists(TEXTS, max_size=1)
TEXT_PARTS = st.fixed_dictionaries({"type": TEXTS}, optional={"content": CONTENTS, "text": TEXTS, "id": TEXTS})
GENAI_MESSAGES = st.fixed_dictionaries(
    {"role": TEXTS | st.none(), "parts": st.lists(TEXT_PARTS | TEXTS, max_size=2)}, optional={"finish_reason": TEXTS, "name": TEXTS}
)


@given(st.lists(GENAI_MESSAGES, max_size=3))
def test_the_short_way_to_a_plain_message_reads_what_the_long_way_does(messages: list[Any]):
    # A key that says nothing keeps a message from the short way.
    long_way = [{**message, "nothing": None} for message in messages]
    assert read(messages, "user") == read(long_way, "user")


def test_events_come_between_the_attributes_as_listed():
    asked = ("gen_ai.user.message", {"content": "event"})
    assert input_messages(view(asked, **{"agentops.entity.input": "before", "ai.value": "after"})) == (Message("user", "before"),)
    assert input_messages(view(asked, **{"ai.value": "after"})) == (Message("user", "event"),)


GENAI = [
    {"role": "system", "parts": [{"type": "text", "content": "Be terse."}]},
    {"role": "user", "parts": [{"type": "text", "content": "Hello"}]},
    {"role": "assistant", "parts": [{"type": "tool_call", "id": "call_1", "name": "weather", "arguments": {"city": "Lisbon"}}]},
    {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_1", "response": SKY}]},
]


@pytest.mark.parametrize("value", [json.dumps(GENAI), json.dumps(json.dumps(GENAI)), GENAI], ids=["json", "quoted", "structured"])
def test_genai_messages_come_as_json_and_as_structured_values(value: Any):
    assert inputs(value, "gen_ai.input.messages") == (Message("system", "Be terse."), HELLO, CALLING, RESULT)


def test_thoughts_are_no_answer():
    parts = [{"type": "reasoning", "content": "Hm."}, {"type": "text", "content": "Sunny."}]
    assert outputs(json.dumps([{"role": "assistant", "parts": parts}]), "gen_ai.output.messages") == (SUNNY,)
    assert outputs(json.dumps([{"role": "assistant", "parts": parts[:1]}]), "gen_ai.output.messages") == ()
    assert outputs({"parts": [{"text": "Hm.", "thought": True}, {"text": "Sunny."}], "role": "model"}) == (SUNNY,)
    thinking = [
        {"type": "thinking", "thinking": "Hm."},
        {"type": "redacted_thinking", "text": "x"},
        {"type": "text", "text": "Sunny."},
    ]
    assert outputs(thinking) == (SUNNY,)


def test_chat_completions_messages():
    tool_call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": ARGUMENTS}}
    messages = [
        {"role": "developer", "content": "Be terse."},
        {"role": "user", "content": [{"type": "text", "text": "Hello"}, {"type": "image_url", "image_url": {"url": "data:"}}]},
        {"role": "assistant", "content": None, "tool_calls": [tool_call]},
        {"role": "tool", "tool_call_id": "call_1", "content": SKY},
    ]
    expected = (Message("system", "Be terse."), Message("user", "Hello\n[image]"), CALLING, RESULT)
    assert inputs(json.dumps({"model": "gpt", "messages": messages})) == expected
    assert outputs({"choices": [{"index": 0, "message": {"role": "assistant", "content": "Sunny."}}]}) == (SUNNY,)
    legacy = {"role": "assistant", "content": "", "function_call": {"name": "weather", "arguments": ARGUMENTS}}
    assert outputs(legacy) == (Message("assistant", "", (ToolCall(None, "weather", ARGUMENTS),)),)


def test_responses_items():
    items = [
        {"role": "user", "content": [{"type": "input_text", "text": "Hello"}]},
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "weather", "arguments": ARGUMENTS},
        {"type": "function_call_output", "call_id": "call_1", "output": SKY},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Sunny."}]},
    ]
    request = {"model": "gpt", "instructions": "Be terse.", "input": items}
    assert inputs(json.dumps(request)) == (Message("system", "Be terse."), HELLO, CALLING, RESULT, SUNNY)
    assert inputs({"input": "Hello"}) == (HELLO,)
    assert outputs({"object": "response", "instructions": "Be terse.", "output": items[1:3]}) == (CALLING,)
    refusal = {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}
    assert outputs({"output": [refusal]}) == (Message("assistant", "No."),)


def test_anthropic_blocks():
    messages = [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Lisbon"}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_1", "content": [{"type": "text", "text": SKY}]}]},
    ]
    found = inputs(json.dumps({"system": "Be terse.", "messages": messages}))
    assert found == (Message("system", "Be terse."), HELLO, CALLING, RESULT)
    assert question(found) == "Hello"
    answered = {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Sunny."}]}
    assert outputs(answered) == (SUNNY,)


def test_a_user_who_adds_to_tool_results_says_what_is_added():
    blocks = [{"type": "text", "text": "And now?"}, {"type": "tool_result", "tool_use_id": "call_1", "content": SKY}]
    assert inputs([{"role": "user", "content": blocks}]) == (RESULT, Message("user", "And now?"))


def test_gemini_contents():
    contents = [
        {"role": "user", "parts": [{"text": "Hello"}, {"inlineData": {"mimeType": "image/png"}}]},
        {"role": "model", "parts": [{"functionCall": {"id": "call_1", "name": "weather", "args": {"city": "Lisbon"}}}]},
        {"role": "user", "parts": [{"function_response": {"id": "call_1", "response": {"sky": "sunny"}}}]},
    ]
    request = json.dumps({"model": "gemini", "system_instruction": "Be terse.", "contents": contents})
    expected = (Message("system", "Be terse."), Message("user", "Hello\n[file]"), CALLING, RESULT)
    assert inputs(request, "gcp.vertex.agent.llm_request") == expected
    response = json.dumps({"content": {"parts": [{"text": "Sunny."}], "role": "model"}, "partial": False})
    assert outputs(response, "gcp.vertex.agent.llm_response") == (SUNNY,)
    assert outputs({"candidates": [{"content": {"parts": [{"text": "Sunny."}], "role": "model"}}]}) == (SUNNY,)
    assert outputs("{}", "gcp.vertex.agent.llm_response") == ()


def test_bedrock_parts():
    messages = [
        {"role": "user", "content": [{"text": "Hello"}]},
        {"role": "assistant", "content": [{"toolUse": {"toolUseId": "call_1", "name": "weather", "input": {"city": "Lisbon"}}}]},
        {"role": "user", "content": [{"toolResult": {"toolUseId": "call_1", "content": [{"text": SKY}]}}]},
    ]
    assert inputs({"messages": messages}) == (HELLO, CALLING, RESULT)


FLAT_PROMPT = {
    "gen_ai.prompt.0.role": "system",
    "gen_ai.prompt.0.content": "Be terse.",
    "gen_ai.prompt.1.role": "user",
    "gen_ai.prompt.1.content": json.dumps([{"type": "text", "text": "Hello"}]),
    "gen_ai.prompt.2.role": "assistant",
    "gen_ai.prompt.2.tool_calls.0.id": "call_1",
    "gen_ai.prompt.2.tool_calls.0.name": "weather",
    "gen_ai.prompt.2.tool_calls.0.arguments": ARGUMENTS,
    "gen_ai.prompt.10.role": "tool",
    "gen_ai.prompt.10.content": SKY,
    "gen_ai.prompt.10.tool_call_id": "call_1",
}


def test_openllmetrys_flattened_prompts_are_in_order_of_their_numbers():
    assert input_messages(view(**FLAT_PROMPT)) == (Message("system", "Be terse."), HELLO, CALLING, RESULT)
    answered = {"gen_ai.completion.0.content": "Sunny.", "gen_ai.completion.0.finish_reason": "stop"}
    assert output_messages(view(**answered)) == (SUNNY,)


def test_langsmiths_prompt_is_json_under_the_bare_key():
    constructed = {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "HumanMessage"], "kwargs": {"content": "Hello"}}
    assert inputs(json.dumps({"messages": [[constructed]]}), "gen_ai.prompt") == (HELLO,)
    call = {"name": "weather", "args": {"city": "Lisbon"}, "id": "call_1", "type": "tool_call"}
    message = {"lc": 1, "type": "constructor", "kwargs": {"type": "ai", "content": "", "tool_calls": [call]}}
    assert outputs(json.dumps({"generations": [[{"text": "", "message": message}]]}), "gen_ai.completion") == (CALLING,)


@pytest.mark.parametrize(
    ("said_by", "kwargs"),
    [
        (["langchain", "AIMessage"], {}),
        ([], {"type": "ai"}),
        (None, {"type": "ai"}),
        (["langchain", "HumanMessage"], {"type": "ai"}),
    ],
)
def test_langchains_objects_name_their_role_by_type_or_else_by_class(said_by: Any, kwargs: dict[str, str]):
    assert inputs(json.dumps([{"lc": 1, "id": said_by, "kwargs": {"content": "Sunny.", **kwargs}}])) == (SUNNY,)


def test_langchains_objects_without_a_role_are_the_sides_own():
    for path in ([], None, [7], ["langchain"]):
        assert inputs(json.dumps([{"lc": 1, "id": path, "kwargs": {"content": "Hello"}}])) == (HELLO,)


def test_langchains_roles():
    assert inputs({"messages": [["user", "Hello"]]}) == (HELLO,)
    assert inputs([{"type": "human", "data": {"content": "Hello"}}]) == (HELLO,)
    assert inputs([{"type": "human", "content": "Hello"}, {"type": "tool", "content": SKY, "tool_call_id": "call_1"}]) == (
        HELLO,
        RESULT,
    )


def test_openinferences_flattened_messages():
    prefix = "llm.input_messages"
    found = input_messages(
        view(
            **{
                f"{prefix}.0.message.role": "user",
                f"{prefix}.0.message.contents.0.message_content.type": "text",
                f"{prefix}.0.message.contents.0.message_content.text": "Hello",
                f"{prefix}.1.message.role": "assistant",
                f"{prefix}.1.message.contents.0.message_content.type": "tool_use",
                f"{prefix}.1.message.contents.0.tool_call.id": "call_1",
                f"{prefix}.1.message.contents.0.tool_call.function.name": "weather",
                f"{prefix}.1.message.contents.0.tool_call.function.arguments": ARGUMENTS,
                f"{prefix}.1.message.tool_calls.0.tool_call.id": "call_1",
                f"{prefix}.1.message.tool_calls.0.tool_call.function.name": "weather",
                f"{prefix}.1.message.tool_calls.0.tool_call.function.arguments": ARGUMENTS,
                f"{prefix}.2.message.role": "tool",
                f"{prefix}.2.message.content": SKY,
                f"{prefix}.2.message.tool_call_id": "call_1",
            }
        )
    )
    assert found == (HELLO, CALLING, RESULT)


def test_openinferences_calls_beside_the_content():
    prefix = "llm.output_messages.0.message.tool_calls.0.tool_call"
    named = {f"{prefix}.function.name": "weather", f"{prefix}.function.arguments": ARGUMENTS, f"{prefix}.id": "call_1"}
    assert output_messages(view(**named)) == (CALLING,)


def test_vercels_prompts_and_answers():
    content = [{"type": "text", "text": "Hello"}]
    called = {"type": "tool-call", "toolCallId": "call_1", "toolName": "weather", "input": {"city": "Lisbon"}}
    result = {"type": "tool-result", "toolCallId": "call_1", "output": {"type": "json", "value": {"sky": "sunny"}}}
    messages = [
        {"role": "user", "content": content},
        {"role": "assistant", "content": [called]},
        {"role": "tool", "content": [result]},
    ]
    assert inputs(json.dumps(messages), "ai.prompt.messages") == (HELLO, CALLING, RESULT)
    assert inputs('{"system": "Be terse.", "prompt": "Hello"}', "ai.prompt") == (Message("system", "Be terse."), HELLO)
    calls = json.dumps([{"toolCallId": "call_1", "toolName": "weather", "input": ARGUMENTS}])
    assert outputs(calls, "ai.response.toolCalls") == (CALLING,)
    assert inputs('"Hello"', "ai.value") == (HELLO,)
    assert inputs(['"Hello"', '"Bye"'], "ai.values") == (Message("user", "Hello\nBye", texts=("Hello", "Bye")),)


def test_arguments_of_functions():
    assert inputs('{"args": ["Hello"], "kwargs": {}}') == (HELLO,)
    assert inputs('{"args": [], "kwargs": {"question": "Hello"}}') == (HELLO,)
    assert inputs('{"args": [], "kwargs": {}}') == ()
    assert inputs('{"inputs": {"messages": [{"role": "user", "content": "Hello"}]}, "kwargs": {"name": "graph"}}') == (HELLO,)


def test_several_arguments_are_told_apart():
    (several,) = inputs('{"args": ["Hello", " ", "user-7"], "kwargs": {}}')
    assert (several.text, several.texts) == ("Hello\nuser-7", ("Hello", "user-7"))
    assert arguments([several, SUNNY]) == ("Hello", "user-7")
    (one,) = inputs('{"args": ["Hello", " "], "kwargs": {}}')
    (parts,) = inputs([{"role": "user", "content": [{"type": "text", "text": "Hello"}, {"type": "text", "text": "there"}]}])
    assert (one.texts, parts.text, parts.texts) == ((), "Hello\nthere", ())


WRAPPED: dict[Role, list[str]] = {
    "user": [
        "messages", "contents", "prompts", "message", "inputs", "input", "args", "kwargs", "question", "query", "prompt",
        "user_input", "user_message", "content", "text",
    ],
    "assistant": [
        "choices", "candidates", "generations", "messages", "outputs", "output", "message", "response", "result", "answer",
        "completion", "content", "output_text", "text",
    ],
    "tool": ["documents", "document", "content", "page_content", "text"],
    "system": ["content", "text"],
}  # fmt: skip


def test_wrappers_are_tried_in_this_order():
    assert {role: list(keys) for role, keys in WRAPPERS.items()} == WRAPPED


@pytest.mark.parametrize("key", WRAPPED["user"])
def test_each_wrapper_of_a_question(key: str):
    assert inputs({key: ["Hello"], "other": "x"}) == (HELLO,)


@pytest.mark.parametrize("key", WRAPPED["assistant"])
def test_each_wrapper_of_an_answer(key: str):
    assert outputs({key: ["Sunny."], "input": "Hello"}) == (SUNNY,)


@pytest.mark.parametrize("key", WRAPPED["tool"])
def test_each_wrapper_of_a_document(key: str):
    assert outputs([{key: "A page.", "score": 0.5}], "gen_ai.retrieval.documents") == (Message("tool", "A page."),)


@pytest.mark.parametrize("key", ["system", "instructions", "system_instruction"])
@pytest.mark.parametrize(
    "value", ["Be terse.", [{"text": "Be terse."}], {"content": "Be terse."}, {"role": "user", "text": "Be terse."}]
)
def test_each_name_of_a_system_prompt_beside_the_messages(key: str, value: Any):
    assert inputs({key: value, "messages": [{"role": "user", "content": "Hello"}]}) == (Message("system", "Be terse."), HELLO)
    assert inputs({key: value, "x": 1})[0].role == "user"


def test_flattened_documents_are_no_answer():
    documents = {"retrieval.documents.0.document.content": "A page.", "retrieval.documents.0.document.score": 0.5}
    found = output_messages(view(**documents))
    assert found == (Message("tool", "A page."),)
    assert answer(found) is None


NAMES: dict[Role, list[str]] = {
    "user": ["user", "human", "humanmessage"],
    "assistant": ["assistant", "ai", "model", "aimessage", "aimessagechunk"],
    "system": ["system", "developer", "systemmessage"],
    "tool": ["tool", "function", "toolmessage", "functionmessage"],
}


def test_every_name_of_a_role_has_a_test_below():
    assert {name: role for role, names in NAMES.items() for name in names} == ROLES


@pytest.mark.parametrize(("name", "role"), [(name, role) for role in NAMES for name in NAMES[role]])
def test_each_name_of_a_role(name: str, role: Role):
    assert inputs([{"role": name.upper(), "content": "Hello"}]) == (Message(role, "Hello"),)


def test_an_unknown_role_is_the_sides_own():
    assert inputs([{"role": "critic", "content": "Hello"}]) == (HELLO,)
    assert outputs([{"role": 7, "content": "Sunny."}]) == (SUNNY,)


TEXTS = {
    "text": {"text": "Hello"},
    "input_text": {"text": "Hello"},
    "output_text": {"text": "Hello"},
    "refusal": {"refusal": "Hello"},
}
CALLS = ("tool_call", "tool-call", "tool_use", "server_tool_use", "function_call", "function")
RESULTS = ("tool_call_response", "tool_result", "tool-result", "function_call_output")
SILENT = ("reasoning", "thinking", "redacted_thinking")
WORDS = {
    **dict.fromkeys(("image", "image_url", "input_image"), "[image]"),
    **dict.fromkeys(("audio", "input_audio"), "[audio]"),
    "video": "[video]",
    **dict.fromkeys(("document", "file", "input_file", "blob", "uri"), "[file]"),
}
TYPED = {
    **{kind: (part, (HELLO,)) for kind, part in TEXTS.items()},
    **{kind: ({"id": "call_1", "name": "weather", "arguments": ARGUMENTS}, (CALLING,)) for kind in CALLS},
    **{kind: ({"id": "call_1", "result": SKY}, (RESULT,)) for kind in RESULTS},
    **{kind: ({"text": "Hm."}, ()) for kind in SILENT},
    **{kind: ({}, (Message("user", word),)) for kind, word in WORDS.items()},
}


def test_every_part_has_a_test():
    assert (set(TYPED), set(KEYED)) == (set(PART_TYPES), set(PART_KEYS))


@pytest.mark.parametrize("kind", TYPED)
def test_each_type_of_a_part(kind: str):
    part, expected = TYPED[kind]
    assert inputs([{"role": "user", "content": [{"type": kind, **part}]}]) == expected


KEYED = {
    **{
        key: ({"id": "call_1", "name": "weather", "args": ARGUMENTS}, CALLING)
        for key in ("tool_call", "toolUse", "functionCall", "function_call")
    },
    **{
        key: ({"id": "call_1", "response": {"sky": "sunny"}}, RESULT)
        for key in ("toolResult", "functionResponse", "function_response")
    },
    "message_content": ({"type": "text", "text": "Hello"}, HELLO),
    "toolName": ("weather", Message("assistant", "", (ToolCall(None, "weather", ""),))),
    **dict.fromkeys(("inlineData", "inline_data", "fileData", "file_data"), ({}, Message("user", "[file]"))),
    "image": ({}, Message("user", "[image]")),
    "text": ("Hello", HELLO),
}


@pytest.mark.parametrize("key", KEYED)
def test_each_key_of_a_part(key: str):
    value, expected = KEYED[key]
    assert inputs([{"role": "user", "content": [{key: value}]}]) == (expected,)


@pytest.mark.parametrize("name", ["name", "toolName", "tool_name"])
@pytest.mark.parametrize("call_id", ["call_id", "tool_call_id", "toolCallId", "tool_use_id", "toolUseId", "id"])
@pytest.mark.parametrize("arguments", ["arguments", "args", "input"])
def test_each_name_of_the_fields_of_a_call(name: str, call_id: str, arguments: str):
    call = {"type": "tool_call", name: "weather", call_id: "call_1", arguments: {"city": "Lisbon"}}
    assert outputs([{"role": "assistant", "content": [call]}]) == (CALLING,)


@pytest.mark.parametrize("result", ["response", "result", "content", "output", "tool_response"])
@pytest.mark.parametrize("value", [SKY, [SKY], [{"type": "text", "text": SKY}], {"type": "text", "value": SKY}, {"sky": "sunny"}])
def test_each_name_and_shape_of_a_result(result: str, value: Any):
    assert inputs([{"role": "tool", "content": [{"type": "tool_result", "id": "call_1", result: value}]}]) == (RESULT,)


def test_a_result_that_is_no_text_is_its_json():
    result = {"type": "tool_result", "id": "call_1", "content": [{"json": {"sky": "sunny"}}]}
    assert inputs([{"role": "tool", "content": [result]}]) == (
        Message("tool", '[{"json": {"sky": "sunny"}}]', tool_call_id="call_1"),
    )
    assert inputs([{"role": "tool", "content": [{"type": "tool_result", "id": "call_1"}]}]) == (
        Message("tool", "", tool_call_id="call_1"),
    )


def test_a_call_without_a_name_is_none():
    assert outputs([{"role": "assistant", "content": [{"type": "tool_call", "id": "call_1"}]}]) == ()


@pytest.mark.parametrize("text", [{"text": "Hello"}, {"content": "Hello"}, {"value": "Hello"}, {"text": {"value": "Hello"}}])
def test_each_place_of_a_text(text: dict[str, Any]):
    assert inputs([{"role": "user", "content": [{"type": "text", **text}]}]) == (HELLO,)


@pytest.mark.parametrize("key", ["parts", "content", "contents", "data", "text"])
@pytest.mark.parametrize("content", ["Hello", ["Hello"], [{"text": "Hello"}], {"text": "Hello"}, {"content": {"parts": ["Hello"]}}])
def test_each_place_and_shape_of_a_content(key: str, content: Any):
    assert inputs([{"role": "user", key: content}]) == (HELLO,)


@pytest.mark.parametrize(
    "part", [{"type": "text", "text": {"x": 1}}, {"message_content": "Hello"}, {"message_content": 1}, {"a": 1}, 7]
)
def test_a_part_that_says_nothing_is_left_out(part: Any):
    assert inputs([{"role": "user", "content": [part]}]) == ()


def test_a_wrapper_inside_itself_is_no_part():
    inner: dict[str, Any] = {"text": "Hello"}
    for _ in range(3):
        inner = {"message_content": inner}
    assert inputs([{"role": "user", "content": [inner]}]) == ()


def test_what_is_too_deep_to_be_written_is_left_out():
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert as_json(deep) == ""


def test_a_call_alone_is_no_message_of_a_role():
    assert outputs({"type": "function", "id": "call_1", "function": {"name": "weather", "arguments": ARGUMENTS}}) == (CALLING,)


@pytest.mark.parametrize("text", ['[{"a": 1}]', '[{"text": "Hello"}, 7]', '[{"text": "Hello"', "[]"])
def test_a_flattened_text_that_is_no_list_of_parts_stays_as_it_came(text: str):
    assert input_messages(view(**{"gen_ai.prompt.0.content": text})) == (Message("user", text),)


def test_an_empty_object_is_no_content():
    assert inputs('[{"role": "user", "content": {}}]') == ()


def test_content_of_no_known_shape_is_its_json():
    assert inputs([{"role": "user", "content": {"city": "Lisbon"}}]) == (Message("user", '{"city": "Lisbon"}'),)


def test_an_empty_place_of_content_is_passed_over():
    assert inputs([{"role": "user", "parts": [{"type": "step-start"}], "content": "Hello"}]) == (HELLO,)


def test_parts_beside_each_other_are_one_message():
    assert inputs(["Hello", {"type": "text", "text": "there"}, {"role": "user", "content": "Bye"}, "now"]) == (
        Message("user", "Hello\nthere"),
        Message("user", "Bye"),
        Message("user", "now"),
    )


def test_media_are_named_as_they_name_themselves():
    assert inputs([{"role": "user", "parts": [{"type": "uri", "modality": "video"}]}]) == (Message("user", "[video]"),)
    assert inputs([{"role": "user", "parts": [{"type": "blob", "mime_type": "image/png"}]}]) == (Message("user", "[image/png]"),)


STRANDS = (
    ("gen_ai.system.message", {"content": '[{"text": "Be terse."}]'}),
    ("gen_ai.user.message", {"content": '[{"text": "Hello"}]'}),
    (
        "gen_ai.assistant.message",
        {"content": '[{"toolUse": {"toolUseId": "call_1", "name": "weather", "input": {"city": "Lisbon"}}}]'},
    ),
    (
        "gen_ai.tool.message",
        {"content": '[{"toolResult": {"toolUseId": "call_1", "content": [{"text": "{\\"sky\\": \\"sunny\\"}"}]}}]'},
    ),
    ("gen_ai.choice", {"message": '[{"text": "Sunny."}]', "tool.result": "[]"}),
)


def test_events_are_messages():
    assert input_messages(view(*STRANDS)) == (Message("system", "Be terse."), HELLO, CALLING, RESULT)
    assert output_messages(view(*STRANDS)) == (SUNNY,)


def test_events_with_fields_of_their_own():
    calls = json.dumps([{"id": "call_1", "function": {"name": "weather", "arguments": ARGUMENTS}}])
    asked = ("gen_ai.assistant.message", {"content": "One moment.", "tool_calls": calls})
    told = ("gen_ai.tool.message", {"id": "call_1", "content": SKY})
    assert input_messages(view(("gen_ai.assistant.message", {"content": "Sunny."}))) == (SUNNY,)
    assert input_messages(view(asked, told)) == (Message("assistant", "One moment.", (CALL,)), RESULT)


def test_old_content_events():
    old = view(
        ("gen_ai.content.prompt", {"gen_ai.prompt": "Hello"}), ("gen_ai.content.completion", {"gen_ai.completion": "Sunny."})
    )
    assert (input_messages(old), output_messages(old)) == ((HELLO,), (SUNNY,))


def test_details_event():
    both = {"gen_ai.input.messages": json.dumps(GENAI[:2]), "gen_ai.output.messages": [{"role": "assistant", "content": "Sunny."}]}
    found = view(("gen_ai.client.inference.operation.details", both))
    assert (question(input_messages(found)), answer(output_messages(found))) == ("Hello", "Sunny.")


@pytest.mark.parametrize(
    "text", ["[tool] What is it?", "[1] a", '{"a": ', '"Hello" she said', "42", '{"city": "Lisbon"}', "[1, 2]"]
)
def test_a_text_that_is_no_known_shape_stays_as_it_came(text: str):
    assert inputs(text) == (Message("user", text),)


@pytest.mark.parametrize(
    "nothing", ["", "  ", "null", "[]", "{}", '""', '"null"', '{"messages": []}', '[{"role": "user"}]', b"\xff"]
)
def test_blank_values_are_no_messages(nothing: Any):
    assert inputs(nothing) == ()


def test_an_answer_with_structure_is_its_json():
    assert outputs({"city": "Lisbon"}) == (Message("assistant", '{"city": "Lisbon"}'),)


def test_half_characters_do_not_come_through():
    assert inputs('[{"role": "user", "content": "a\\ud800"}]') == (Message("user", "a?"),)
    call = '[{"role": "assistant", "content": [{"type": "tool_use", "name": "n\\ud800", "input": {"a": "\\ud800"}}]}]'
    assert outputs(call) == (Message("assistant", "", (ToolCall(None, "n?", '{"a": "?"}'),)),)
    answered = '[{"role": "tool", "tool_call_id": "c\\ud800", "content": "a"}]'
    assert inputs(answered) == (Message("tool", "a", tool_call_id="c?"),)


def test_a_text_too_long_to_parse_is_cut_text():
    text = json.dumps([{"role": "user", "content": "x" * JSON_LENGTH_MAX}])
    assert inputs(text) == (Message("user", text[:JSON_LENGTH_MAX]),)
    assert plain("y" * (JSON_LENGTH_MAX + 1), "user") == [Message("user", "y" * JSON_LENGTH_MAX)]
    assert inputs("z" * (JSON_LENGTH_MAX + 1)) == (Message("user", "z" * JSON_LENGTH_MAX),)


@pytest.mark.parametrize("open_close", [("[", "]"), ('{"messages":', "}"), ('{"role":"user","content":', "}"), ('{"kwargs":', "}")])
@pytest.mark.parametrize("depth", [20, 900, 100_000])
def test_depth_costs_no_more_than_the_text(open_close: tuple[str, str], depth: int):
    text = open_close[0] * depth + '"x"' + open_close[1] * depth
    assert all(one.role == "user" for one in inputs(text))


def test_results_inside_results_end():
    text = '{"type":"tool_result","content":[' * 400 + "]}" * 400
    assert [one.role for one in inputs(f'[{{"role":"user","content":[{text}]}}]')] == ["tool"]


def test_the_question_is_the_last_user_message_and_not_the_history():
    said = (HELLO, SUNNY, Message("user", " And Porto?\n"), CALLING, RESULT)
    assert question(said) == "And Porto?"
    assert question((Message("system", "Be terse."), RESULT)) is None


def test_the_answer_is_the_last_text_and_never_a_call():
    assert answer((Message("assistant", "One moment.", (CALL,)), RESULT, Message("assistant", "Sunny.\n"))) == "Sunny."
    assert answer((SUNNY, CALLING)) == "Sunny."
    assert answer((CALLING,)) is None
    assert answer(()) is None


def test_an_answer_of_an_earlier_turn_is_none():
    assert answer((SUNNY, HELLO, CALLING)) is None


def test_pydantic_ais_tool_results_in_a_user_message_are_no_question():
    messages = [
        *GENAI[1:3],
        {"role": "user", "parts": [{"type": "tool_call_response", "id": "call_1", "name": "weather", "result": SKY}]},
    ]
    found = inputs(json.dumps(messages), "pydantic_ai.all_messages")
    assert found == (HELLO, CALLING, RESULT)
    assert question(found) == "Hello"


def test_long_texts_are_shortened_and_their_length_is_told():
    assert shorten("x" * 1001) == ("x" * 1000, 1001)
    assert shorten("ä" * 1000) == ("ä" * 1000, 1000)


WORDS_OF_SHAPES = sorted(
    {*WRAPPERS["user"], *WRAPPERS["assistant"], *WRAPPERS["tool"], *PART_KEYS, *PART_TYPES, *ROLES, "0", "1", "lc", "role", "type",
     "kwargs", "tool_calls", "function", "name", "id", "arguments", "parts", "content", "system", "value", "thought"}
)  # fmt: skip
WORD = st.sampled_from(WORDS_OF_SHAPES)
LEAF = WORD | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)


def junk_of(leaf: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(leaf, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORD, inner, max_size=5), max_leaves=30)


JUNK = junk_of(LEAF)
JSON_JUNK = junk_of(LEAF | st.just("\ud800")).map(json.dumps)
"""Only JSON holds half a character."""


class Junk:
    """A span of which only what it carries is asked."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    def held(self, wanted: Any) -> dict[str, Any]:
        return {key: value for key, value in self._values.items() if key.encode("utf-8", "replace") in wanted}

    def value_of(self, value: Any) -> Any:
        return value

    has_events = False


KEYS = st.sampled_from([source.key for source in (*INPUT, *OUTPUT) if not source.events])
FLAT_KEYS = st.builds(lambda key, way: ".".join((key, *way)), KEYS, st.lists(WORD, max_size=12))


@given(st.dictionaries(KEYS | FLAT_KEYS, JUNK | JSON_JUNK, max_size=6))
def test_junk_gives_messages_that_can_be_stored(values: dict[str, Any]):
    junk: Any = Junk(values)
    for one in (*input_messages(junk), *output_messages(junk)):
        assert one.role in ROLES.values()
        assert one.text.strip() or one.tool_calls or one.role == "tool"
        json.dumps(one, ensure_ascii=False).encode()


@given(st.dictionaries(FLAT_KEYS, JUNK, max_size=6), st.randoms())
def test_the_order_of_attributes_does_not_matter(values: dict[str, Any], chance: Any):
    shuffled = list(values.items())
    chance.shuffle(shuffled)
    one: Any = Junk(values)
    other: Any = Junk(dict(shuffled))
    assert (input_messages(one), output_messages(one)) == (input_messages(other), output_messages(other))


@pytest.mark.parametrize("role", ["user", "assistant", "system", "tool", "ai", "nobody", 7, None])
@pytest.mark.parametrize("content", ["Hello", " ", "", '{"a": 1}', "\ud800 half", None, 5, ["a", "b"], {"text": "x"}])
def test_a_message_of_one_text_reads_the_same_with_a_key_that_means_nothing(role, content):
    item, good = {"role": role, "content": content}, {"role": "user", "content": "Good."}
    assert read([item, good], "user") == read([{**item, "refusal": None}, good], "user")
