"""What eight real emitters say was said: each turn's input is what its user said, its output the server's last answer."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import pytest

from builders import DATA
from sessiond.core.identity import chronological
from sessiond.core.model import Message, ReceivedSpan, SpanFacts, SpanView
from sessiond.core.text.messages import INPUT, OUTPUT, answer, input_messages, marks, output_messages, question
from sessiond.core.text.spans import input_spans, output_spans
from sessiond.wire import otlp
from sessiond.wire.spans import read_span

ARRIVAL = 1_795_500_000_000_000_000
"""Later than all of them, so that their times count as they were sent."""
NAMES = sorted(path.parent.name for path in (DATA / "captures").glob("*/scenario.json"))
MARKS = re.compile(r"\[(?:tool|cache|cachewrite|think)\] ")
"""By which a turn tells the server what to do; it leaves them out of its answer."""

Trace = dict[bytes, tuple[SpanView, SpanFacts]]


def turns(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((DATA / "captures" / name / "scenario.json").read_text())["turns"]
    return found


def spans_of(name: str) -> Iterator[ReceivedSpan]:
    for path in sorted((DATA / "captures" / name).glob("*.binpb")):
        for batch in otlp.decode(path.read_bytes(), received_unix_nano=ARRIVAL, spans_max=10**6):
            yield from batch.spans


def traces(name: str) -> dict[str, Trace]:
    found: dict[str, Trace] = {}
    for one in spans_of(name):
        view = read_span(one.data)
        assert view is not None
        facts = one.facts._replace(has_input=bool(input_messages(view)), has_output=bool(output_messages(view)))
        found.setdefault(one.trace_id.hex(), {})[facts.span_id] = (view, facts)
    return found


def texts(
    trace: Trace,
    places: Callable[[Sequence[SpanFacts]], Iterable[int]],
    messages: Callable[[SpanView], tuple[Message, ...]],
    text: Callable[[Sequence[Message]], str | None],
) -> list[str | None]:
    """The text of each span that is read, best first."""
    spans, _ = chronological(facts for _, facts in trace.values())
    return [text(messages(trace[spans[place].span_id][0])) for place in places(spans)]


def answered(turn: dict[str, Any]) -> list[str]:
    """What the server answers; nothing in a turn that fails."""
    return [] if turn["kind"] == "error" else [f"The answer for '{MARKS.sub('', turn['text'])}' is: sunny, 21 degrees."]


@pytest.mark.parametrize("name", NAMES)
def test_the_first_span_that_is_read_has_what_the_user_said_that_turn(name: str):
    found = traces(name)
    first = {turn["trace_id"]: texts(found[turn["trace_id"]], input_spans, input_messages, question)[:1] for turn in turns(name)}
    assert first == {turn["trace_id"]: [turn["text"]] for turn in turns(name)}


@pytest.mark.parametrize("name", NAMES)
def test_the_first_span_that_is_read_has_the_answer_and_a_failed_turn_has_none(name: str):
    found = traces(name)
    first = {turn["trace_id"]: texts(found[turn["trace_id"]], output_spans, output_messages, answer)[:1] for turn in turns(name)}
    assert first == {turn["trace_id"]: answered(turn) for turn in turns(name)}


@pytest.mark.parametrize("name", NAMES)
def test_any_other_span_that_is_read_agrees(name: str):
    found = traces(name)
    for turn in turns(name):
        trace = found[turn["trace_id"]]
        assert set(texts(trace, input_spans, input_messages, question)) == {turn["text"]}
        assert set(texts(trace, output_spans, output_messages, answer)) - {None} == set(answered(turn))


@pytest.mark.parametrize("name", NAMES)
def test_spans_with_text_carry_a_mark_or_events(name: str):
    for one in spans_of(name):
        view = read_span(one.data)
        assert view is not None
        for table, messages in ((INPUT, input_messages), (OUTPUT, output_messages)):
            assert not messages(view) or view.held(frozenset(key.encode() for key in marks(table))) or list(view.events())


@pytest.mark.parametrize("name", NAMES)
def test_the_tool_turn_shows_its_call_and_its_result(name: str):
    (turn,) = (one for one in turns(name) if one["kind"] == "tool")
    said = [
        message
        for view, facts in traces(name)[turn["trace_id"]].values()
        if facts.operation == "chat"
        for message in (*input_messages(view), *output_messages(view))
    ]
    calls = {(call.name.removesuffix("_tool"), json.loads(call.arguments)["city"]) for one in said for call in one.tool_calls}
    assert calls == {("get_weather", "Lisbon")}
    ids = {call.id for one in said for call in one.tool_calls}
    results = {(one.tool_call_id, json.loads(one.text)["sky"]) for one in said if one.role == "tool"}
    assert results == {(call_id, "sunny") for call_id in ids}


def test_all_eight_emitters_are_here():
    assert len(NAMES) == 8
    assert sum(len(turns(name)) for name in NAMES) == 48
