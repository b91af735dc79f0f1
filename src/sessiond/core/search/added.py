"""The pieces of text that a trace adds, which is what is searched of it: what was said and done in it, its errors and names.

The same words as the entries of `core.conversation.turn` for a quarter of the work: neither their order nor who said them to whom
matters to a search, and of what is told several times `document.bounded` takes the first.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from sessiond.core.conversation.heard import NO_RUN, NOTHING, Heard, ToolRun
from sessiond.core.conversation.quotes import Quotes, was_said
from sessiond.core.conversation.teller import answered, asked, talks_of
from sessiond.core.figures.calls import Selection
from sessiond.core.model import Message, Role, SpanFacts
from sessiond.core.search.document import Piece, Place

_PLACES: Final[dict[Role, Place]] = {"user": "input", "assistant": "output", "tool": "tool_result"}
"""Instructions are not among them: every turn of an application repeats them."""


def said_in(spans: Sequence[SpanFacts], selection: Selection, heard: Mapping[int, Heard]) -> Iterator[Piece]:
    """What was said and done, of spans as `core.conversation.turn.turn_of` takes them; a piece may come again."""
    talks = {talk.place: talk for talk in talks_of(spans, selection, heard)}
    runs = {place: one.run for place, one in heard.items() if spans[place].operation == "tool"}
    told_at = {place for talk in talks.values() for place in (talk.place, talk.given_at, talk.came_out_at)}
    question, answer = asked(spans, heard), answered(spans, heard)
    is_told_around = question is not None and question.place not in told_at
    pieces = _Pieces(spans, Quotes(question.text) if question else None, runs.values(), has_template=is_told_around)
    if question is not None and is_told_around:
        yield Piece("input", question.text, spans[question.place].span_id)
        if not any(talk.given for talk in talks.values()):
            yield from pieces.given(heard.get(question.place, NOTHING).given, question.place)
    for place in sorted({*talks, *runs}):
        if place in talks:
            talk = talks[place]
            yield from pieces.given(talk.given, talk.given_at)
            yield from pieces.of(talk.came_out, talk.came_out_at)
        else:
            yield from pieces.ran(runs[place], place)
    if answer is not None and not was_said(answer.text, list(pieces.answers)):
        yield Piece("output", answer.text, spans[answer.place].span_id)


def errors_in(facts: Iterable[SpanFacts]) -> Iterator[Piece]:
    """What failed."""
    for span in facts:
        if span.is_error:
            yield Piece("error", " ".join(filter(None, (span.error_type, span.error_message))), span.span_id)


def names_in(facts: Iterable[SpanFacts]) -> Iterator[Piece]:
    """The names of spans, agents and tools."""
    return (Piece("name", name, span.span_id) for span in facts for name in (span.name, span.agent, span.tool) if name)


class _Pieces:
    """Messages -> pieces, without what the tools' own spans tell."""

    def __init__(self, spans: Sequence[SpanFacts], question: Quotes | None, runs: Iterable[ToolRun], *, has_template: bool) -> None:
        """`has_template`: the question is told apart from the calls, so that what quotes it may be a template around it."""
        self._spans = spans
        self._question = question
        self._has_template = has_template
        self._runs = {run.call_id: run for run in runs if run.call_id}
        self.answers: dict[str, None] = {}
        """What came out so far, and what prompts repeat of it."""

    def given(self, messages: Sequence[Message], place: int) -> Iterator[Piece]:
        """Of a prompt what this turn adds: from the user's question on, else from the last thing that a user said."""
        start = self._question.place_in(messages) if self._question else None
        if start is None:
            start = next((at for at in reversed(range(len(messages))) if messages[at].role == "user"), 0)
        return self.of(messages[start:], place)

    def of(self, messages: Iterable[Message], place: int) -> Iterator[Piece]:
        """The pieces of messages that the span at a place tells; of a template around the question only that."""
        span_id = self._spans[place].span_id
        for one in messages:
            role, text = one.role, one.text
            if role == "assistant":
                self.answers[text] = None
                for call in one.tool_calls:
                    if not self._run_of(call.id).arguments:
                        yield Piece("tool_call", f"{call.name} {call.arguments}".strip(), span_id)
            if role == "user" and self._has_template and self._question is not None and self._question.are_in(text):
                yield Piece("input", self._question.words, span_id)
            elif text and role in _PLACES and not (role == "tool" and self._run_of(one.tool_call_id).result):
                yield Piece(_PLACES[role], text, span_id)

    def ran(self, run: ToolRun, place: int) -> Iterator[Piece]:
        """What a tool's span tells; its mere name is among the names."""
        span = self._spans[place]
        if run.arguments:
            yield Piece("tool_call", f"{span.tool or span.name} {run.arguments}", span.span_id)
        if run.result:
            yield Piece("tool_result", run.result, span.span_id)

    def _run_of(self, call_id: str | None) -> ToolRun:
        return self._runs.get(call_id, NO_RUN) if call_id else NO_RUN
