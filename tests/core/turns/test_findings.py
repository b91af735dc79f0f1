from collections.abc import Sequence

from builders import trace_id, turn
from sessiond.core.conversation.entry import Entry, ToolUse, Turn
from sessiond.core.conversation.transcript import transcript
from sessiond.core.model import NO_TEXTS, Text, Texts, TraceSummary
from sessiond.core.turns.findings import FINDINGS_MAX, Finding, Watch
from told import calls, chat, result
from told import turns as turns_of


def use(name: str = "search", arguments: str = "{}", error: str | None = None) -> ToolUse:
    return ToolUse(None, name, arguments, error=error)


def said(number: int, *uses: ToolUse, prompt: int | None = None) -> Turn:
    entry = Entry("assistant", "", uses, trace_id(number), bytes(8), came_out=True)
    return Turn(trace_id(number), (entry,), prompt_tokens=prompt)


def asked(number: int, text: str) -> Turn:
    return Turn(trace_id(number), (Entry("user", text, (), trace_id(number), bytes(8), came_out=False),))


def found(
    turns: Sequence[Turn], traces: Sequence[TraceSummary] | None = None, texts: Sequence[Texts] | None = None
) -> list[Finding]:
    rows = [turn(number + 1) for number in range(len(turns))] if traces is None else traces
    watch = Watch()
    assert list(watch.over(turns)) == list(transcript(turns))
    return watch.assess(rows, texts or [NO_TEXTS] * len(rows)).findings


def test_nothing_is_found_where_nothing_went_wrong():
    assert found([said(1, use("a"), use("b"), prompt=10), said(2, use("c"), prompt=20)]) == []


def test_the_first_turn_that_failed_is_named_with_its_error():
    traces = [turn(1), turn(2, error_count=2, error_type="RateLimit", error_message="slow down"), turn(3, error_count=1)]
    assert found([said(1), said(2), said(3)], traces) == [Finding("first_failure", (trace_id(2),), 2, detail="slow down")]


def test_one_tool_that_fails_again_is_named_with_its_last_error():
    turns = [said(1, use(arguments="", error="a"), use("other", "", "x")), said(2), said(3, use(arguments="", error="b"))]
    assert found(turns) == [Finding("tool_errors", (trace_id(1), trace_id(3)), 2, "search", "b")]


def test_a_call_with_the_same_arguments_within_a_turn_is_a_loop_however_they_are_written():
    same = [use(arguments='{"a": 1, "b": 2}'), use(arguments='{"b":2,"a":1}'), use(arguments='{"a": 2}')]
    assert found([said(1, *same)]) == [Finding("loop", (trace_id(1),), 2, "search", '{"b":2,"a":1}')]


def test_the_same_call_in_several_turns_is_told_apart_from_a_loop():
    assert found([said(1, use()), said(2, use()), said(3, use(), use())]) == [
        Finding("loop", (trace_id(3),), 2, "search", "{}"),
        Finding("call_again", (trace_id(1), trace_id(2), trace_id(3)), 4, "search", "{}"),
    ]


def test_calls_whose_arguments_are_not_told_are_not_alike():
    assert found([said(1, use(arguments=""), use(arguments=" "))]) == []


def test_the_turn_after_which_the_same_was_asked_is_named():
    words = ("How do I cancel my subscription?", "How can I cancel the subscription?")
    texts = [Texts(Text(text, len(text))) for text in words]
    turns = [asked(number, text) for number, text in enumerate(words, 1)]
    assert found(turns, texts=texts) == [Finding("asked_again", (trace_id(1),))]


def test_what_a_trace_of_each_call_repeats_is_not_done_again():
    question = ("user", "What is the weather in Bern and in Rome?")
    bern, rome = calls(("c1", "weather", '{"city": "Bern"}')), calls(("c2", "weather", '{"city": "Rome"}'))
    rain, sun = result("rain", "c1"), result("sun", "c2")
    spans = [
        chat((question,), (bern,), trace=1),
        chat((question, bern, rain), (rome,), trace=2),
        chat((question, bern, rain, rome, sun), (("assistant", "Rain and sun."),), trace=3),
    ]
    texts = [Texts(Text(question[1], len(question[1])))] * 3
    assert found(turns_of(*spans), texts=texts) == []


def test_the_same_call_again_in_a_trace_that_goes_on_is_told():
    question, same = ("user", "What is the weather in Bern?"), '{"city": "Bern"}'
    first, again = calls(("c1", "weather", same)), calls(("c2", "weather", same))
    spans = [chat((question,), (first,), trace=1), chat((question, first, result("?", "c1")), (again,), trace=2)]
    assert found(turns_of(*spans)) == [Finding("call_again", (trace_id(1), trace_id(2)), 2, "weather", same)]


def test_the_same_asked_in_a_trace_that_does_not_go_on_is_asked_again():
    question = ("user", "What is the weather in Bern today?")
    texts = [Texts(Text(question[1], len(question[1])))] * 2
    spans = [chat((question,), (("assistant", "No idea."),), trace=1), chat((question,), (("assistant", "Rain."),), trace=2)]
    assert found(turns_of(*spans), texts=texts) == [Finding("asked_again", (trace_id(1),))]


def test_a_prompt_that_grew_much_is_told_and_one_that_is_small_is_not():
    assert found([said(1, prompt=2_000), said(2, prompt=12_000), said(3, prompt=9_000)]) == [
        Finding("prompt_growth", (trace_id(2),), 12_000)
    ]
    assert found([said(1, prompt=20), said(2, prompt=9_999)]) == []
    assert found([said(1, prompt=4_000), said(2, prompt=15_999)]) == []


def test_findings_of_a_kind_are_bounded():
    loops = [use(arguments=str(number)) for number in range(FINDINGS_MAX + 5) for _ in range(2)]
    assert len(found([said(1, *loops)])) == FINDINGS_MAX


def test_a_turn_of_which_some_is_left_out_says_so():
    watch = Watch()
    list(watch.over([said(1), said(2)._replace(is_cut=True)]))
    assert [one.is_cut for one in watch.assess([turn(1), turn(2)], [NO_TEXTS] * 2).turns] == [False, True]
