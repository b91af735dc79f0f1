"""Which spans of a trace tell what was said, each call once, and what the user said and was told by their account."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from sessiond.core.conventions import GENERATION_KINDS
from sessiond.core.conversation.heard import NOTHING, Heard, ToolRun
from sessiond.core.conversation.parts import arguments_key
from sessiond.core.figures.calls import Selection
from sessiond.core.model import Message, OperationKind, SpanFacts
from sessiond.core.text.messages import answer, arguments, question
from sessiond.core.text.spans import input_spans, output_spans

TALK_KINDS: Final[frozenset[OperationKind]] = frozenset({"chat", "text_completion"})


class Talk(NamedTuple):
    """A call to a model as it was told: of several spans that tell of it, the first with text."""

    place: int
    given_at: int
    came_out_at: int
    instructions: tuple[Message, ...] = ()
    given: tuple[Message, ...] = ()
    came_out: tuple[Message, ...] = ()


class Words(NamedTuple):
    """A text, and the place of the span that has it."""

    text: str
    place: int


def wanted_places(spans: Sequence[SpanFacts], selection: Selection) -> frozenset[int]:
    """Places of the spans to hear, of spans in chronological order."""
    talks = {place for group in _talk_places(spans, selection) for place in group}
    tools = {place for place, span in enumerate(spans) if span.operation == "tool"}
    return frozenset(talks | tools | {*input_spans(spans), *output_spans(spans)})


def talks_of(spans: Sequence[SpanFacts], selection: Selection, heard: Mapping[int, Heard]) -> list[Talk]:
    """The calls that tell something, in order of start."""
    found = []
    for group in _talk_places(spans, selection):
        told = [(place, heard.get(place, NOTHING)) for place in group]
        given_at, given = next(((at, one.given) for at, one in told if one.given), (group[0], ()))
        came_out_at, came_out = next(((at, one.came_out) for at, one in told if one.came_out), (group[0], ()))
        instructions = next((one.instructions for _, one in told if one.instructions), ())
        if given or came_out:
            found.append(Talk(group[0], given_at, came_out_at, instructions, given, came_out))
    return found


def asked(spans: Sequence[SpanFacts], heard: Mapping[int, Heard]) -> Words | None:
    """What the user asked, by the rule of the trace's input: of several arguments of a function the one that a call was given."""
    told = [(place, question(heard.get(place, NOTHING).given)) for place in input_spans(spans)]
    first = _first_words(told)
    if first is not None and spans[first.place].operation not in GENERATION_KINDS:
        given = arguments(heard.get(first.place, NOTHING).given)
        called = _first_words([one for one in told if spans[one[0]].operation in GENERATION_KINDS]) if given else None
        return called if called is not None and called.text in given else first
    return first


def answered(spans: Sequence[SpanFacts], heard: Mapping[int, Heard]) -> Words | None:
    """What the user was answered, as the span tells that the trace's output is read from."""
    return _first_words([(place, answer(heard.get(place, NOTHING).came_out)) for place in output_spans(spans)])


def runs_of(spans: Sequence[SpanFacts], around: Sequence[int], heard: Mapping[int, Heard]) -> dict[int, ToolRun]:
    """The runs of tools by place. One told by spans inside each other, of the framework and of what it uses, is the outer one's."""
    found: dict[int, ToolRun] = {}
    inside: dict[int, int] = {}
    for place, span in enumerate(spans):
        if span.operation != "tool":
            continue
        run, outer = heard.get(place, NOTHING).run, inside.get(around[place], around[place])
        if outer in found and spans[outer].tool == span.tool and _may_be_one(found[outer], run):
            inside[place] = outer
            mine = found[outer]
            found[outer] = ToolRun(mine.call_id or run.call_id, mine.arguments or run.arguments, mine.result or run.result)
        else:
            found[place] = run
    return found


def _may_be_one(run: ToolRun, other: ToolRun) -> bool:
    return not run.arguments or not other.arguments or arguments_key(run.arguments) == arguments_key(other.arguments)


def _talk_places(spans: Sequence[SpanFacts], selection: Selection) -> list[list[int]]:
    """The places of the spans that tell of each call, the counted one first."""
    told = {call.position: [call.position] for call in selection.calls if spans[call.position].operation in TALK_KINDS}
    for merged in selection.merged:
        if merged.into in told:
            told[merged.into].append(merged.position)
    return list(told.values())


def _first_words(told: Sequence[tuple[int, str | None]]) -> Words | None:
    return next((Words(text, place) for place, text in told if text), None)
