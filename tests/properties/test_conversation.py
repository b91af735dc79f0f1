"""A generated conversation, emitted the way agents do, comes back exactly.

Each call repeats the history, tools are called in loops, a second instrumentation tells every call again, agents work behind tools,
and spans come in any order and twice.
"""

import json
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from tries import examples

from builders import packed, span, trace_id
from searched import words_of_entries, words_of_pieces
from sessiond.core.conversation.entry import Entry
from sessiond.service.conversation import added_by, transcript_of
from sessiond.service.searching.turn_pieces import pieces_of
from sessiond.storage.memory import MemoryStore

SAID = st.sampled_from(
    ["yes", "What is the weather in Lisbon?", "And in Faro?", "Wie geht es, Ω?", "里斯本的天气怎么样?", "two\nlines"]
)
ANSWERED = st.sampled_from(["Sunny, 21 degrees.", "It is cloudy there.", "Let me look.", "yes", '{"sky": "clear"}'])
TOOLS = st.sampled_from(["get_weather", "search"])
ARGUMENTS = st.sampled_from(['{"city": "Lisbon"}', '{"city": "Faro", "days": 2}', "{}"])
RESULTS = st.sampled_from(["sunny", '{"sky": "sunny"}', "nothing found", "line one\nline two"])


class Use(NamedTuple):
    """A tool that is used; `behind` is the conversation that an agent has to find the result: (asked, answered)."""

    name: str
    arguments: str
    result: str
    behind: tuple[str, str] | None


class Step(NamedTuple):
    """What comes out of a call that wants tools."""

    text: str
    uses: tuple[Use, ...]


class Turn(NamedTuple):
    said: str
    steps: tuple[Step, ...]
    answer: str | None
    """None: the last call fails."""


class Habits(NamedTuple):
    """How an emitter does it."""

    has_ids: bool
    has_root_text: bool
    has_twins: bool
    has_tool_spans: bool
    is_history_of_failures_kept: bool
    system: str | None


USES = st.builds(Use, TOOLS, ARGUMENTS, RESULTS, st.none() | st.tuples(st.just("Find out for me."), st.just("I found it.")))
# Two calls in one answer that are alike and have no ids are read as one told twice (core/text/parts.py).
ALIKE = {"unique_by": lambda use: (use.name, use.arguments)}
STEPS = st.builds(Step, st.just("") | ANSWERED, st.lists(USES, min_size=1, max_size=2, **ALIKE).map(tuple))
TURNS = st.builds(Turn, SAID, st.lists(STEPS, max_size=3).map(tuple), st.none() | ANSWERED)
HABITS = st.builds(Habits, *[st.booleans()] * 5, st.none() | st.just("Be terse."))

Shown = tuple[int, str, str, tuple[tuple[str, str, str | None], ...]]


@dataclass
class Emitter:
    """Emits turns as spans, one trace each, and writes down what was said."""

    habits: Habits
    history: list[dict[str, Any]] = field(default_factory=list)
    spans: list[tuple[Span, str]] = field(default_factory=list)
    """With the instrumentation that made each."""
    expected: list[Shown] = field(default_factory=list)
    now_ms: int = 0
    trace: int = 0
    made: int = 0

    def run(self, turn: Turn) -> None:
        self.trace += 1
        kept = len(self.history)
        if self.trace == 1 and self.habits.system is not None:
            self.expected.append((0, "system", self.habits.system, ()))
        self.expected.append((0, "user", turn.said, ()))
        self.history.append({"role": "user", "content": turn.said})
        root = self._span(operation="invoke_agent")
        for step in turn.steps:
            self._step(step, root)
        if turn.answer is None:
            self._call(root, None)
        else:
            self._call(root, {"role": "assistant", "content": turn.answer})
            self.expected.append((0, "assistant", turn.answer, ()))
        if self.habits.has_root_text:
            texts = {"input.value": turn.said, **({"output.value": turn.answer} if turn.answer else {})}
            self._rewrite(root, texts)
        if turn.answer is None and not self.habits.is_history_of_failures_kept:
            del self.history[kept:]

    def _step(self, step: Step, root: int) -> None:
        ids = [f"call_{self.trace}_{self.made}_{at}" if self.habits.has_ids else None for at, _ in enumerate(step.uses)]
        calls = [_call(call_id, use) for call_id, use in zip(ids, step.uses, strict=True)]
        self._call(root, {"role": "assistant", "content": step.text, "tool_calls": calls})
        self.expected.append((0, "assistant", step.text, tuple((use.name, use.arguments, use.result) for use in step.uses)))
        for call_id, use in zip(ids, step.uses, strict=True):
            if self.habits.has_tool_spans:
                self._tool(root, call_id, use)
            result = {"role": "tool", "content": use.result}
            self.history.append({**result, "tool_call_id": call_id} if call_id else result)

    def _tool(self, root: int, call_id: str | None, use: Use) -> None:
        about = {"gen_ai.tool.name": use.name, "gen_ai.tool.call.arguments": use.arguments, "gen_ai.tool.call.result": use.result}
        tool = self._span(root, operation="execute_tool", **about, **({"gen_ai.tool.call.id": call_id} if call_id else {}))
        if use.behind is not None:
            agent = self._span(tool, operation="invoke_agent")
            asked, answered = use.behind
            said = json.dumps([{"role": "user", "content": asked}])
            found = json.dumps([{"role": "assistant", "content": answered}])
            self._span(agent, operation="chat", **{"gen_ai.input.messages": said, "gen_ai.output.messages": found})
            self.expected += [(1, "user", asked, ()), (1, "assistant", answered, ())]

    def _call(self, root: int, answer: dict[str, Any] | None) -> None:
        system = [] if self.habits.system is None else [{"role": "system", "content": self.habits.system}]
        told = {"gen_ai.input.messages": json.dumps(system + self.history)}
        if answer is not None:
            told["gen_ai.output.messages"] = json.dumps([answer])
            self.history.append(answer)
        bill = {"operation": "chat", "tokens_in": self.made + 7, "tokens_out": 3}
        failed = "overloaded" if answer is None else None
        call = self._span(root, error=failed, **bill, **told)
        if self.habits.has_twins:
            self._span(root, scope="twin", at=call, error=failed, **bill, **told)

    def _span(self, parent: int | None = None, *, scope: str = "scope", at: int | None = None, **values: Any) -> int:
        """A span; `at` is another's number, inside which it is."""
        self.made += 1
        self.now_ms += 0 if at else 100
        start = self.now_ms + (10 if at else 0)
        end = 10**7 if values["operation"] == "invoke_agent" else start + (20 if at else 50)
        number = self.made
        self.spans.append((span(trace=self.trace, id=number, parent=parent, start_ms=start, end_ms=end, **values), scope))
        return number

    def _rewrite(self, number: int, texts: dict[str, str]) -> None:
        found, _ = self.spans[number - 1]
        for key, value in texts.items():
            found.attributes.add(key=key).value.string_value = value


def _call(call_id: str | None, use: Use) -> dict[str, Any]:
    call: dict[str, Any] = {"type": "function", "function": {"name": use.name, "arguments": use.arguments}}
    return {**call, "id": call_id} if call_id else call


def shown(entry: Entry) -> Shown:
    return entry.depth, entry.role, entry.text, tuple((use.name, use.arguments, use.result) for use in entry.tool_uses)


@settings(deadline=None, max_examples=examples(150), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(turns=st.lists(TURNS, min_size=1, max_size=4), habits=HABITS, data=st.data())
def test_a_conversation_comes_back_exactly(turns: list[Turn], habits: Habits, data: st.DataObject) -> None:
    emitter = Emitter(habits)
    for turn in turns:
        emitter.run(turn)
    store = MemoryStore()
    order = data.draw(st.permutations([*range(len(emitter.spans)), *range(0, len(emitter.spans), 3)]))
    for number in order:
        one, scope = emitter.spans[number]
        store.append(packed(one, scope=scope))
    trace_ids = [trace_id(at + 1) for at in range(len(turns))]
    entries = [one for some in transcript_of(store, trace_ids) for one in some]
    assert list(map(shown, entries)) == emitter.expected
    for one in trace_ids:
        assert words_of_pieces(pieces_of(store, one)) == words_of_entries(added_by(store, one).entries)
