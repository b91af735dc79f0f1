import sys

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from builders import packed, span, span_id, trace_id
from sessiond.service.conversation import added_by
from sessiond.service.settling.figures import said
from sessiond.storage.memory import MemoryStore
from told import added, calls, chat, line, messages, result, tool, turns

HELLO = ("user", "Hello there, my friend")
HI = ("assistant", "Hi!")
WEATHER = ("user", "What is the weather in Lisbon?")
SUNNY = ("assistant", "Sunny, 21 degrees.")
LOOKED = calls(("c1", "get_weather", '{"city": "Lisbon"}'))


def test_history_before_the_last_user_message_is_left_out():
    assert added(chat((HELLO, HI, WEATHER), (SUNNY,))) == [f"user: {WEATHER[1]}", f"assistant: {SUNNY[1]}"]


def test_what_later_calls_repeat_is_told_once():
    assert added(
        chat((HELLO, HI, WEATHER), (LOOKED,), start_ms=0),
        chat((HELLO, HI, WEATHER, LOOKED, result("sunny", "c1")), (SUNNY,), start_ms=50),
    ) == [f"user: {WEATHER[1]}", 'assistant: get_weather({"city": "Lisbon"})=sunny', f"assistant: {SUNNY[1]}"]


def test_an_answer_that_a_prompt_repeats_in_another_form_is_told_once():
    said_together = calls(("c1", "get_weather", '{"city":"Lisbon", "days":2}'), ("c2", "search", "{}"), text="Let me look.")
    said_apart = (
        ("assistant", "Let me\n look."),
        calls(("c1", "get_weather", '{"days": 2, "city": "Lisbon"}')),
        calls(("c2", "search", "{}")),
    )
    assert added(
        chat((WEATHER,), (said_together,), start_ms=0),
        chat((WEATHER, *said_apart, result("sunny", "c1"), result("none", "c2")), (SUNNY,), start_ms=50),
    ) == [
        f"user: {WEATHER[1]}",
        'assistant: Let me look. get_weather({"city":"Lisbon", "days":2})=sunny search({})=none',
        f"assistant: {SUNNY[1]}",
    ]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"traceloop.entity.input": '{"args": ["Hello", "user-7"], "kwargs": {}}'}, "Hello"),
        ({"traceloop.entity.input": '{"args": ["Hello\\nuser-7"], "kwargs": {}}'}, "Hello\nuser-7"),
        ({"gen_ai.input.messages": messages(("user", "Repeat this:\nHello"))}, "Repeat this:\nHello"),
        ({"traceloop.entity.input": '{"args": ["Hello there", "user-7"], "kwargs": {}}'}, "Hello there\nuser-7"),
    ],
    ids=["one of several arguments", "one argument of several lines", "a message of several lines", "a part of an argument"],
)
def test_of_several_arguments_the_one_that_a_call_was_given_was_asked(given: dict[str, str], expected: str):
    store = MemoryStore()
    store.append(packed(span(id=1, end_ms=99, operation="invoke_agent", **given), chat((("user", "Hello"),), (HI,), parent=1)))
    asked = said(store, trace_id(1), store.facts(trace_id(1))).texts.input
    assert asked is not None
    assert asked.beginning == expected
    assert added_by(store, trace_id(1)).entries[0].text == expected


def steps(call_count: int) -> list[Span]:
    """Calls that repeat no history."""
    prompt = (("system", "Be brief."), WEATHER)
    return [chat(prompt, (("assistant", f"Step {number}."),), start_ms=number) for number in range(call_count)]


def lost_results(call_count: int) -> list[Span]:
    """Each prompt has a result of its own behind the question, so that it comes between what was told."""
    return [
        chat((WEATHER, result(f"r{number}", f"x{number}")), (calls((f"c{number}", "look", str(number))),), start_ms=number)
        for number in range(call_count)
    ]


def asked_late(call_count: int) -> list[Span]:
    """Each tool's span comes before the call that asks for it."""
    return [
        one
        for number in range(call_count)
        for one in (
            tool("look", str(number), "seen", start_ms=2 * number, **{"gen_ai.tool.call.id": f"c{number}"}),
            chat((WEATHER,), (calls((f"c{number}", "look", str(number))),), start_ms=2 * number + 1),
        )
    ]


def asked_at_once(call_count: int) -> list[Span]:
    """One answer asks for all tools, whose results have no ids; the tools' spans come last first."""
    wanted = calls(*[(None, "look", str(number)) for number in range(call_count)])
    results = [result(f"r{number}") for number in range(call_count)]
    ran = [tool("look", str(number), start_ms=1 + call_count - number) for number in range(call_count)]
    return [chat((WEATHER,), (wanted,), start_ms=0), *ran, chat((WEATHER, wanted, *results), (SUNNY,), start_ms=call_count + 2)]


@pytest.mark.parametrize("make", [steps, lost_results, asked_late, asked_at_once])
def test_the_work_for_a_trace_grows_as_its_calls_do(make):
    def steps_taken(call_count: int) -> int:
        said, counted = make(call_count), 0

        def count(_frame: object, _event: str, _argument: object) -> object:
            nonlocal counted
            counted += 1
            return count

        store = MemoryStore()
        store.append(packed(*said))
        traced = sys.gettrace()
        sys.settrace(count)
        try:
            added_by(store, said[0].trace_id)
        finally:
            sys.settrace(traced)
        return counted

    assert steps_taken(200) < 2.5 * steps_taken(100)


def test_what_comes_between_known_lines_comes_right_before_the_one_that_follows():
    one, other, last = ("assistant", "One."), ("assistant", "Other."), ("assistant", "Last.")
    hint = ("user", "And tomorrow?")
    assert added(
        chat((WEATHER,), (one,), start_ms=0),
        chat((WEATHER, one), (other,), start_ms=50),
        chat((WEATHER, hint, other), (last,), start_ms=90),
    ) == [f"user: {WEATHER[1]}", "assistant: One.", f"user: {hint[1]}", "assistant: Other.", "assistant: Last."]


def test_the_same_call_twice_without_ids_is_two_calls():
    look = calls((None, "poll", "{}"))
    assert added(
        chat((WEATHER,), (look,), start_ms=0),
        chat((WEATHER, look, result("wait")), (look,), start_ms=50),
        chat((WEATHER, look, result("wait"), look, result("done")), (SUNNY,), start_ms=90),
    )[1:3] == ["assistant: poll({})=wait", "assistant: poll({})=done"]


def test_a_system_prompt_is_told_once_and_a_second_agents_where_it_speaks():
    one, other = ("system", "Be terse."), ("system", "Be kind.")
    assert added(
        chat((one, WEATHER), (LOOKED,), start_ms=0),
        chat((one, WEATHER, LOOKED, result("sunny", "c1")), (HI,), start_ms=50),
        chat((other, WEATHER, LOOKED, result("sunny", "c1"), HI), (SUNNY,), start_ms=90),
    ) == [
        "system: Be terse.",
        f"user: {WEATHER[1]}",
        'assistant: get_weather({"city": "Lisbon"})=sunny',
        "assistant: Hi!",
        "system: Be kind.",
        f"assistant: {SUNNY[1]}",
    ]


def test_instructions_apart_from_the_messages_are_a_system_prompt():
    told_apart = {"gen_ai.system_instructions": '[{"type": "text", "content": "Be terse."}]'}
    assert added(chat((WEATHER,), (SUNNY,), **told_apart))[0] == "system: Be terse."


def test_a_message_that_a_framework_adds_mid_turn_stands_where_it_was_said():
    retry = ("user", "That is no JSON. Try again.")
    assert added(
        chat((WEATHER,), (HI,), start_ms=0),
        chat((WEATHER, HI, retry), (SUNNY,), start_ms=50),
    ) == [f"user: {WEATHER[1]}", "assistant: Hi!", f"user: {retry[1]}", f"assistant: {SUNNY[1]}"]


def test_a_call_that_was_tried_again_says_nothing_new():
    assert added(chat((WEATHER,), error="overloaded", start_ms=0), chat((WEATHER,), (SUNNY,), start_ms=50)) == [
        f"user: {WEATHER[1]}",
        f"assistant: {SUNNY[1]}",
    ]


def test_a_root_alone_tells_question_and_answer():
    root = span(operation="invoke_agent", id=1, input__value="Hello", output__value="Hi!")
    assert added(root, span(parent=1, operation="chat", tokens_in=5)) == ["user: Hello", "assistant: Hi!"]


def test_a_root_with_all_messages_tells_its_turn():
    root = span(
        operation="invoke_agent",
        pydantic_ai__all_messages=messages(HELLO, HI, WEATHER, LOOKED, result("sunny", "c1"), SUNNY),
        final_result=SUNNY[1],
    )
    assert added(root) == [f"user: {WEATHER[1]}", 'assistant: get_weather({"city": "Lisbon"})=sunny', f"assistant: {SUNNY[1]}"]


def test_of_a_template_around_the_question_the_question_is_told():
    root = span(id=1, input__value=WEATHER[1], output__value=SUNNY[1], end_ms=99)
    template = ("user", f"Answer from this context: it rains in Porto.\nQuestion: {WEATHER[1]}")
    assert added(root, chat((template,), (SUNNY,), parent=1)) == [f"user: {WEATHER[1]}", f"assistant: {SUNNY[1]}"]


def test_what_a_root_answers_in_json_around_the_same_words_is_told_once():
    root = span(id=1, input__value=WEATHER[1], output__value='{"text_shown": "Sunny,\\n\\"21\\" degrees.", "ok": 1}', end_ms=99)
    assert added(root, chat((WEATHER,), (("assistant", 'Sunny,\n"21" degrees.'),), parent=1)) == [
        f"user: {WEATHER[1]}",
        'assistant: Sunny,\n"21" degrees.',
    ]


def test_another_answer_of_the_root_is_told_too():
    root = span(id=1, input__value=WEATHER[1], output__value="It is fine.", end_ms=99)
    assert added(root, chat((WEATHER,), (SUNNY,), parent=1))[-1] == "assistant: It is fine."


def test_generations_that_hide_their_prompt_answer_the_roots_question():
    root = span(id=1, input__value=WEATHER[1], end_ms=99)
    assert added(root, chat(out=(SUNNY,), parent=1)) == [f"user: {WEATHER[1]}", f"assistant: {SUNNY[1]}"]


def test_an_embeddings_call_alone_is_a_question():
    assert added(chat((WEATHER,), operation="embeddings")) == [f"user: {WEATHER[1]}"]


def test_embeddings_beside_a_chat_say_nothing():
    lookup = chat((HELLO,), operation="embeddings", parent=1, start_ms=0)
    assert added(span(id=1), lookup, chat((WEATHER,), (SUNNY,), parent=1, start_ms=50)) == [
        f"user: {WEATHER[1]}",
        f"assistant: {SUNNY[1]}",
    ]


def test_a_tools_own_span_tells_what_no_message_does():
    look = calls(("c1", "get_weather", ""))
    assert added(
        chat((WEATHER,), (look,), start_ms=0),
        tool("get_weather", '{"city": "Lisbon"}', "sunny", gen_ai__tool__call__id="c1", start_ms=20),
    ) == [f"user: {WEATHER[1]}", 'assistant: get_weather({"city": "Lisbon"})=sunny']


def test_a_tool_that_failed_says_why():
    (turn,) = turns(chat((WEATHER,), (LOOKED,), start_ms=0), tool("get_weather", start_ms=20, id=9, error="timed out"))
    (use,) = turn.entries[1].tool_uses
    assert (use.error, use.span_id, use.call_id) == ("timed out", span_id(9), "c1")


def test_tools_that_nobody_asked_for_stand_by_themselves():
    assert added(tool("cron", '{"job": 1}', "done")) == ['tool: cron({"job": 1})=done']


def test_a_tool_whose_clock_is_behind_is_still_of_its_call():
    about = {"gen_ai.tool.call.id": "c1"}
    assert added(tool("get_weather", start_ms=0, result="sunny", **about), chat((WEATHER,), (LOOKED,), start_ms=50)) == [
        'assistant: get_weather({"city": "Lisbon"})=sunny',
        f"user: {WEATHER[1]}",
    ]


def test_a_tool_told_by_two_spans_inside_each_other_ran_once():
    assert added(
        tool("get_weather", '{"city": "Lisbon"}', id=1, end_ms=90), tool("get_weather", result="sunny", parent=1, start_ms=5)
    ) == ['tool: get_weather({"city": "Lisbon"})=sunny']


def test_a_functions_named_arguments_are_a_tools_arguments():
    run = tool("f", traceloop__entity__input='{"args": [], "kwargs": {"query": "x"}}', traceloop__entity__output='"found"')
    assert added(run) == ['tool: f({"query": "x"})=found']


def test_a_model_that_a_tool_asks_speaks_behind_it():
    assert added(
        chat((WEATHER,), (LOOKED,), start_ms=0, end_ms=9),
        tool("get_weather", result="sunny", id=2, start_ms=10, end_ms=90),
        chat((("user", "Look up Lisbon."),), (("assistant", "It says sunny."),), parent=2, start_ms=20),
        chat((WEATHER, LOOKED, result("sunny", "c1")), (SUNNY,), start_ms=95),
    ) == [
        f"user: {WEATHER[1]}",
        'assistant: get_weather({"city": "Lisbon"})=sunny',
        "  user: Look up Lisbon.",
        "  assistant: It says sunny.",
        f"assistant: {SUNNY[1]}",
    ]


def test_an_agent_that_an_agent_asks_speaks_behind_it_and_one_that_takes_over_does_not():
    asked = ("user", "Find the weather service.")
    other = (
        span(id=1, operation="invoke_agent", name="boss", end_ms=99),
        chat((WEATHER,), (HI,), parent=1, start_ms=1),
        span(id=2, parent=1, operation="invoke_agent", name="helper", start_ms=10, end_ms=50),
    )
    behind = chat((asked,), (SUNNY,), parent=2, start_ms=20)
    assert added(*other, behind)[2:] == [f"  user: {asked[1]}", f"  assistant: {SUNNY[1]}"]
    took_over = chat((WEATHER, HI), (SUNNY,), parent=2, start_ms=20)
    assert added(*other, took_over)[2:] == [f"assistant: {SUNNY[1]}"]


def test_what_an_application_asks_for_itself_is_no_word_of_the_users():
    root = span(id=1, input__value=WEATHER[1], output__value=SUNNY[1], end_ms=99)
    title = chat((("user", "Make a title of three words."),), (("assistant", "Weather"),), parent=1, start_ms=1)
    assert added(root, title, chat((WEATHER,), (SUNNY,), parent=1, start_ms=20)) == [
        "  user: Make a title of three words.",
        "  assistant: Weather",
        f"user: {WEATHER[1]}",
        f"assistant: {SUNNY[1]}",
    ]


def test_a_prompt_with_new_messages_only_goes_on():
    assert added(chat((WEATHER,), (LOOKED,), start_ms=0), chat((result("sunny", "c1"),), (SUNNY,), start_ms=50)) == [
        f"user: {WEATHER[1]}",
        'assistant: get_weather({"city": "Lisbon"})=sunny',
        f"assistant: {SUNNY[1]}",
    ]


def test_the_exchange_before_is_kept_for_the_session():
    (turn,) = turns(chat((("system", "Be terse."), HELLO, HI, WEATHER), (SUNNY,), id=7))
    assert [(one.role, one.text) for one in turn.before] == [HELLO, HI]
    assert turn.before_span_id == span_id(7)


def test_the_prompts_tokens_are_those_of_the_largest_call_of_the_users():
    (turn,) = turns(
        chat((WEATHER,), (LOOKED,), start_ms=0, tokens_in=10, tokens_out=1),
        chat((WEATHER, LOOKED, result("sunny", "c1")), (SUNNY,), start_ms=10, tokens_in=30, tokens_out=1),
        tool("search", id=5, start_ms=20, end_ms=90),
        chat((HELLO,), (HI,), parent=5, start_ms=30, tokens_in=500, tokens_out=1),
    )
    assert turn.prompt_tokens == 30


def test_instructions_after_the_users_words_are_told_once():
    assert added(chat((WEATHER, ("system", "Be terse.")), (SUNNY,))) == [
        "system: Be terse.",
        f"user: {WEATHER[1]}",
        f"assistant: {SUNNY[1]}",
    ]


def test_history_of_a_model_behind_a_tool_is_left_out_too():
    behind = chat((HELLO, HI, ("user", "Look up Lisbon.")), (SUNNY,), parent=2, start_ms=20)
    assert added(chat((WEATHER,), (LOOKED,), start_ms=0), tool("get_weather", id=2, start_ms=10, end_ms=90), behind)[2:] == [
        "  user: Look up Lisbon.",
        f"  assistant: {SUNNY[1]}",
    ]


def test_what_precedes_a_message_added_mid_turn_is_of_the_turn():
    retry = ("user", "Answer in one word.")
    assert added(
        chat((HELLO, HI, WEATHER), (LOOKED,), start_ms=0),
        chat((HELLO, HI, WEATHER, LOOKED, result("sunny", "c1"), retry), (SUNNY,), start_ms=50),
    )[1:3] == ['assistant: get_weather({"city": "Lisbon"})=sunny', f"user: {retry[1]}"]


def test_a_message_that_quotes_the_question_is_its_own_where_no_span_around_tells_the_question():
    quoting = ("user", f"You asked: {WEATHER[1]} Answer in JSON.")
    assert (
        added(chat((WEATHER,), (HI,), start_ms=0), chat((WEATHER, HI, quoting), (SUNNY,), start_ms=50))[2] == f"user: {quoting[1]}"
    )


def test_a_state_that_no_call_was_given_makes_no_call_an_aside():
    root = span(id=1, input__value='{"city_id": 7, "plan": true}', output__value=SUNNY[1], end_ms=99)
    assert added(root, chat((WEATHER,), (SUNNY,), parent=1)) == [
        'user: {"city_id": 7, "plan": true}',
        f"user: {WEATHER[1]}",
        f"assistant: {SUNNY[1]}",
    ]


def test_text_is_found_on_a_span_above_a_twin():
    bill = {"tokens_in": 5, "tokens_out": 2}
    store = MemoryStore()
    store.append(packed(span(id=1, end_ms=99), span(id=2, parent=1, operation="chat", start_ms=1, end_ms=90, **bill), scope="a"))
    above = chat((WEATHER,), (SUNNY,), id=3, parent=1, start_ms=5, end_ms=80, **bill)
    store.append(packed(above, span(id=4, parent=3, operation="chat", start_ms=6, end_ms=70, **bill), scope="b"))
    assert list(map(line, added_by(store, trace_id(1)).entries)) == [f"user: {WEATHER[1]}", f"assistant: {SUNNY[1]}"]


def test_where_ids_are_used_again_a_result_is_of_the_last_call():
    again = calls(("c1", "get_weather", '{"city": "Faro"}'))
    assert added(chat((WEATHER, LOOKED, ("assistant", "Again."), again, result("sunny", "c1")), (SUNNY,)))[1:3] == [
        'assistant: get_weather({"city": "Lisbon"})',
        'assistant: Again. get_weather({"city": "Faro"})=sunny',
    ]
