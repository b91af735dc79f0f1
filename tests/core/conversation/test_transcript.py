from opentelemetry.proto.trace.v1.trace_pb2 import Span

from builders import span, trace_id
from sessiond.core.conversation.entry import Entry, ToolUse, Turn
from sessiond.core.conversation.transcript import transcript
from told import calls, chat, result, told, tool, turns

HELLO, HI = ("user", "Hello there, my friend"), ("assistant", "Hi!")
WEATHER, SUNNY = ("user", "What is the weather in Lisbon?"), ("assistant", "Sunny, 21 degrees.")
LOOKED = calls(("c1", "get_weather", "{}"))
TERSE, KIND = ("system", "Be terse."), ("system", "Be kind.")


def test_a_system_prompt_is_shown_once_and_again_where_it_changes():
    assert told(
        chat((TERSE, HELLO), (HI,), trace=1),
        chat((TERSE, HELLO, HI, WEATHER), (SUNNY,), trace=2, start_ms=100),
        chat((KIND, HELLO), (HI,), trace=3, start_ms=200),
        chat((TERSE, HELLO), (HI,), trace=4, start_ms=300),
    ) == [
        "system: Be terse.", "user: Hello there, my friend", "assistant: Hi!",
        f"user: {WEATHER[1]}", f"assistant: {SUNNY[1]}",
        "system: Be kind.", "user: Hello there, my friend", "assistant: Hi!",
        "system: Be terse.", "user: Hello there, my friend", "assistant: Hi!",
    ]  # fmt: skip


def test_traces_of_one_call_each_are_one_turn():
    assert told(
        chat((WEATHER,), (LOOKED,), trace=1),
        chat((WEATHER, LOOKED, result("sunny", "c1")), (SUNNY,), trace=2, start_ms=100),
        chat((WEATHER, LOOKED, result("sunny", "c1"), SUNNY, HELLO), (HI,), trace=3, start_ms=200),
    ) == [
        f"user: {WEATHER[1]}",
        "assistant: get_weather({})=sunny",
        f"assistant: {SUNNY[1]}",
        "user: Hello there, my friend",
        "assistant: Hi!",
    ]


def test_traces_of_one_call_each_whose_calls_come_without_text_are_one_turn():
    found = calls(("c2", "fetch", "{}"))
    given = (WEATHER, LOOKED, result("sunny", "c1"))
    assert told(
        chat((WEATHER,), (LOOKED,), trace=1),
        chat(given, (found,), trace=2, start_ms=100),
        chat((*given, found, result("21", "c2")), (SUNNY,), trace=3, start_ms=200),
    ) == [
        f"user: {WEATHER[1]}",
        "assistant: get_weather({})=sunny",
        "assistant: fetch({})=21",
        f"assistant: {SUNNY[1]}",
    ]


def test_why_a_tool_failed_in_a_trace_of_its_own_is_told_with_its_call():
    run = tool("get_weather", "{}", gen_ai__tool__call__id="c1", error="no signal", trace=2, start_ms=100)
    (entry,) = [one for some in transcript(turns(chat((WEATHER,), (LOOKED,), trace=1), run)) for one in some if one.tool_uses]
    assert [(use.name, use.error) for use in entry.tool_uses] == [("get_weather", "no signal")]


def test_a_result_is_that_of_the_alike_call_that_has_one():
    def turn(number: int, *uses: ToolUse) -> Turn:
        return Turn(trace_id(number), (Entry("assistant", "", uses, trace_id(number), bytes(8), came_out=number == 1),))

    use = ToolUse(None, "get_weather", "{}")
    (entry,) = [one for some in transcript([turn(1, use), turn(2, use, use._replace(result="sunny"))]) for one in some]
    assert [one.result for one in entry.tool_uses] == ["sunny"]


def test_a_tool_that_runs_again_in_another_trace_with_the_same_arguments_ran_twice():
    runs = [
        tool("get_stock", "{}", "7 left", trace=1),
        tool("get_stock", "{}", "none", trace=2, start_ms=100),
        tool("get_stock", "{}", error="database is down", trace=3, start_ms=200),
    ]
    entries = [one for some in transcript(turns(*runs)) for one in some]
    assert [[(use.result, use.error) for use in entry.tool_uses] for entry in entries] == [
        [("7 left", None)],
        [("none", None)],
        [(None, "database is down")],
    ]


def test_a_question_asked_again_is_another_turn_though_the_same_tool_runs():
    def turn(number: int, stock: str, answer: str) -> list[Span]:
        at = number * 1000
        asked = {"operation": "invoke_agent", "id": at, "start_ms": at, "end_ms": at + 90}
        agent = chat((WEATHER,), (("assistant", answer),), trace=number, **asked)
        return [agent, tool("look", "{}", stock, trace=number, parent=at, start_ms=at + 1)]

    assert told(*turn(1, "sun", "Sunny."), *turn(2, "rain", "Rainy.")) == [
        f"user: {WEATHER[1]}", "tool: look({})=sun", "assistant: Sunny.",
        f"user: {WEATHER[1]}", "tool: look({})=rain", "assistant: Rainy.",
    ]  # fmt: skip


def test_traces_that_send_only_what_is_new_are_one_turn():
    assert told(chat((WEATHER,), (LOOKED,), trace=1), chat((result("sunny", "c1"),), (SUNNY,), trace=2, start_ms=100)) == [
        f"user: {WEATHER[1]}",
        "assistant: get_weather({})=sunny",
        f"assistant: {SUNNY[1]}",
    ]


def test_the_same_words_in_the_next_turn_are_said_again():
    yes = ("user", "yes")
    assert told(
        chat((yes,), (HI,), trace=1),
        chat((yes, HI, yes), (SUNNY,), trace=2, start_ms=100),
        chat((yes,), error="down", trace=3, start_ms=200),
        chat((yes,), (HI,), trace=4, start_ms=300),
    ) == ["user: yes", "assistant: Hi!", "user: yes", f"assistant: {SUNNY[1]}", "user: yes", "user: yes", "assistant: Hi!"]


def test_an_answer_that_only_the_next_prompt_tells_is_told_in_its_turn():
    given = [chat((WEATHER,), trace=1), chat((WEATHER, SUNNY, HELLO), (HI,), trace=2, start_ms=100)]
    assert told(*given) == [f"user: {WEATHER[1]}", f"assistant: {SUNNY[1]}", "user: Hello there, my friend", "assistant: Hi!"]
    recovered = [entry for some in transcript(turns(*given)) for entry in some][1]
    assert (recovered.trace_id, recovered.turn_id, recovered.came_out) == (trace_id(2), trace_id(1), False)


def test_a_failed_turns_words_are_not_said_again_and_two_messages_at_once_are_both_said():
    assert told(
        chat((HELLO,), error="down", trace=1),
        chat((HELLO, WEATHER), (SUNNY,), trace=2, start_ms=100),
        chat((WEATHER, SUNNY, ("user", "Here is a map."), ("user", "And in Faro?")), (HI,), trace=3, start_ms=200),
    ) == [
        "user: Hello there, my friend",
        f"user: {WEATHER[1]}",
        f"assistant: {SUNNY[1]}",
        "user: Here is a map.",
        "user: And in Faro?",
        "assistant: Hi!",
    ]


def test_an_assistant_that_begins_is_told_behind_its_instructions():
    assert told(chat((TERSE, HI, WEATHER), (SUNNY,))) == [
        "system: Be terse.",
        "assistant: Hi!",
        f"user: {WEATHER[1]}",
        f"assistant: {SUNNY[1]}",
    ]


def test_an_assistant_that_begins_is_told_before_two_messages_at_once():
    given = (TERSE, HI, HELLO, WEATHER)
    expected = ["system: Be terse.", "assistant: Hi!", f"user: {HELLO[1]}", f"user: {WEATHER[1]}", f"assistant: {SUNNY[1]}"]
    assert told(chat(given, (SUNNY,))) == expected
    later = chat((*given, SUNNY, ("user", "And tomorrow?")), (("assistant", "Rain."),), trace=2, start_ms=100)
    assert told(chat(given, (SUNNY,)), later) == [*expected, "user: And tomorrow?", "assistant: Rain."]


def test_how_an_assistant_began_is_no_answer_to_what_was_asked_then():
    given = chat((HI, WEATHER, ("user", "Hello?")), (SUNNY,), trace=2, start_ms=100)
    assert told(chat((HI, WEATHER), error="down", trace=1), given) == [
        "assistant: Hi!",
        f"user: {WEATHER[1]}",
        "user: Hello?",
        f"assistant: {SUNNY[1]}",
    ]


def test_an_assistant_that_begins_is_told_first():
    assert told(chat((HI, WEATHER), (SUNNY,), trace=1), chat((HI, WEATHER, SUNNY, HELLO), (HI,), trace=2, start_ms=100)) == [
        "assistant: Hi!",
        f"user: {WEATHER[1]}",
        f"assistant: {SUNNY[1]}",
        "user: Hello there, my friend",
        "assistant: Hi!",
    ]


def test_examples_in_a_prompt_were_not_said():
    assert told(chat((HELLO, HI, WEATHER), (SUNNY,), trace=1)) == [f"user: {WEATHER[1]}", f"assistant: {SUNNY[1]}"]


def test_turns_without_text_say_nothing():
    assert told(span(trace=1), span(trace=2)) == []
