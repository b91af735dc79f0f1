from itertools import zip_longest

import pytest

from builders import span
from sessiond.core.conversation import heard
from told import added, chat, messages, tool, turns

LONG = "x" * (heard.CHARACTERS_MAX // 20)
"""Four of them are a prompt that is parsed whole."""


def test_what_prompts_repeat_is_held_once():
    talk = tuple((role, f"{role} {number} {LONG}") for number in range(2) for role in ("user", "assistant"))
    (turn,) = turns(*(chat(talk, (("assistant", str(number)),), start_ms=number) for number in range(9)))
    assert not turn.is_cut
    assert [entry.role for entry in turn.entries] == ["user", "assistant"] + ["assistant"] * 9


def test_what_is_too_much_is_left_out_and_that_is_told():
    said = [tuple(("user", f"{number} {at} {LONG}") for at in range(4)) for number in range(6)]
    (turn,) = turns(*(chat(one, (("assistant", str(at)),), start_ms=at) for at, one in enumerate(said)))
    assert turn.is_cut
    assert sum(len(entry.text) for entry in turn.entries) <= heard.CHARACTERS_MAX


def test_a_tools_run_counts_too():
    (turn,) = turns(*(tool("f", 5 * LONG, 5 * LONG, start_ms=number) for number in range(3)))
    assert turn.is_cut
    assert [bool(entry.tool_uses[0].arguments) for entry in turn.entries] == [True, True, False]


def test_strands_events_tell_a_tools_run():
    events = [
        ("gen_ai.tool.message", 1, {"content": '{"q": 1}', "id": "c1"}),
        ("gen_ai.choice", 2, {"message": '[{"text": "found"}]'}),
    ]
    (turn,) = turns(tool("search", events=events))
    (use,) = turn.entries[0].tool_uses
    assert (use.call_id, use.arguments, use.result) == ("c1", '{"q": 1}', "found")


@pytest.mark.parametrize("call_id", heard.CALL_ID_KEYS)
@pytest.mark.parametrize(("given", "returned"), [*zip_longest(heard.ARGUMENT_KEYS, heard.RESULT_KEYS, fillvalue="output.value")])
def test_each_key_of_a_tools_run_is_read(call_id: str, given: str, returned: str):
    run = span(operation="execute_tool", **{call_id: "c1", given: '{"q": 1}', returned: "found"})
    (use,) = turns(run)[0].entries[0].tool_uses
    assert (use.call_id, use.arguments, use.result) == ("c1", '{"q": 1}', "found")


def test_what_a_tool_was_called_with_goes_before_what_may_be_its_schema():
    (use,) = turns(span(operation="execute_tool", tool__parameters='{"q": "int"}', input__value='{"q": 1}'))[0].entries[0].tool_uses
    assert use.arguments == '{"q": 1}'


@pytest.mark.parametrize("key", ["gen_ai.system_instructions", "gen_ai.request.instructions", "system_prompt"])
def test_each_key_of_a_system_prompt_that_stands_apart_is_read(key: str):
    assert added(chat((("user", "Hello"),), (("assistant", "Hi!"),), **{key: "Be terse."}))[0] == "system: Be terse."


def test_junk_in_a_tools_span_raises_nothing():
    assert added(tool("f", gen_ai__tool__call__result='"half', input__value='{"args": [1], "kwargs": {"a": 2}}')) == [
        'tool: f({"args": [1], "kwargs": {"a": 2}})="half'
    ]


def test_messages_that_are_none_say_nothing():
    assert added(chat(gen_ai__input__messages=messages(), gen_ai__output__messages="[]")) == []
