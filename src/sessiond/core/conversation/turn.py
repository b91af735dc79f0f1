"""What one trace adds to a conversation, without the history that its prompts repeat. Needs no other trace.

Of a prompt, everything from the words on with which the turn began is this turn's, and what later calls of the trace repeat is
theirs to repeat (docs/turns.md).
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from sessiond.core.conversation.around import around
from sessiond.core.conversation.asides import asides_of
from sessiond.core.conversation.entries import entries_of
from sessiond.core.conversation.entry import Turn
from sessiond.core.conversation.heard import NOTHING, Heard
from sessiond.core.conversation.line import Thread
from sessiond.core.conversation.parts import Part, key_of, parts_of
from sessiond.core.conversation.quotes import Quotes, was_said
from sessiond.core.conversation.teller import TALK_KINDS, Talk, Words, answered, asked, runs_of, talks_of
from sessiond.core.conversation.thread import Lines
from sessiond.core.figures.calls import Selection
from sessiond.core.model import Message, SpanFacts

_USERS: Final = Thread(-1)
BEGINNINGS_MAX: Final = 2
"""Words with which a thread began: as a span around the calls tells them, and as its first call was given them."""


def turn_of(trace_id: bytes, spans: Sequence[SpanFacts], selection: Selection, heard: Mapping[int, Heard]) -> Turn:
    """What a trace adds; `spans` in chronological order, of which those of `teller.wanted_places` are heard."""
    listener = _Listener(spans, heard, talks_of(spans, selection, heard))
    lines = listener.listen()
    before_span_id = spans[listener.before_at].span_id if listener.before else b""
    return Turn(
        trace_id,
        entries_of(trace_id, lines, spans, listener.around),
        listener.before,
        before_span_id,
        _prompt_tokens(selection, listener),
        lines.is_cut,
    )


def _prompt_tokens(selection: Selection, listener: "_Listener") -> int | None:
    own = [call.usage for call in selection.calls if call.usage and listener.is_users(call.position)]
    return max((usage.input_tokens for usage in own if usage.input_tokens is not None), default=None)


class _Listener:
    """Goes through a trace in order of time."""

    def __init__(self, spans: Sequence[SpanFacts], heard: Mapping[int, Heard], talks: Sequence[Talk]) -> None:
        self.around = around(spans)
        self.before: tuple[Message, ...] = ()
        """The exchange before this turn, as the first prompt with one repeats it."""
        self.before_at = -1
        self._spans = spans
        self._heard = heard
        self._talks = {talk.place: talk for talk in talks}
        self._users = [talk for talk in talks if self.around.scopes[talk.place] < 0]
        self._tellers = {place for talk in talks for place in (talk.place, talk.given_at, talk.came_out_at)}
        self._runs = runs_of(spans, self.around.scopes, heard)
        self._asked = self._outside(asked(spans, heard))
        self._asides = asides_of(self._users, self.around.agents, self._asked)
        self._threads = [
            Thread(scope, self.around.agents[place] if place in self._asides else None)
            for place, scope in enumerate(self.around.scopes)
        ]
        self._began: dict[Thread, list[Quotes]] = {_USERS: [Quotes(self._asked.text)] if self._asked else []}
        """Of each thread the words with which it began."""
        self._lines = Lines()
        self._parts: dict[Message, tuple[Part, ...]] = {}
        """Of messages, which prompts repeat."""

    def listen(self) -> Lines:
        """Every line."""
        if self._asked is not None and not self._is_given():
            self._begin(self._asked)
        for place, span in enumerate(self._spans):
            if place in self._talks:
                talk, thread = self._talks[place], self._thread_of(place)
                self._prompt(talk, thread)
                said = [part for message in talk.came_out for part in self._plain_parts(message)]
                self._lines.append(said, thread, talk.came_out_at, came_out=True)
            elif place in self._runs:
                self._lines.ran(span.tool or span.name, self._runs[place], self._thread_of(place), place)
        self._end(self._outside(answered(self._spans, self._heard)))
        return self._lines

    def is_users(self, place: int) -> bool:
        """Whether a call is part of the user's conversation."""
        return self._spans[place].operation in TALK_KINDS and self._thread_of(place) == _USERS

    def _thread_of(self, place: int) -> Thread:
        return self._threads[place]

    def _outside(self, words: Words | None) -> Words | None:
        """The words, if no tool or the like is around the span that has them."""
        return words if words is not None and self.around.scopes[words.place] < 0 else None

    def _is_given(self) -> bool:
        """Whether a call was given what the user asked."""
        quotes = self._began[_USERS][0]
        return any(quotes.place_in(talk.given) is not None for talk in self._users)

    def _begin(self, words: Words) -> None:
        """The user's words as only a span around the calls tells them; where no call was given anything, all that it tells."""
        if any(talk.given for talk in self._users):
            self._lines.append([_text("user", words.text)], _USERS, words.place, came_out=False)
        else:
            told = self._heard.get(words.place, NOTHING)
            self._prompt(Talk(words.place, words.place, words.place, told.instructions, told.given), _USERS)

    def _prompt(self, talk: Talk, thread: Thread) -> None:
        """What a call was given, as far as it was not said yet."""
        start = self._start_of(talk.given, thread)
        system = [*talk.instructions, *[message for message in talk.given if message.role == "system"]]
        if system:
            known = self._lines.instructions(thread)
            new = {part.key: part for message in system for part in self._plain_parts(message) if part.key not in known}
            self._lines.append(list(new.values()), thread, talk.given_at, came_out=False)
        said = [part for message in talk.given[start:] if message.role != "system" for part in self._parts_of(message, thread)]
        self._lines.repeat(said, thread, talk.given_at)
        if thread == _USERS and self.before_at < 0 and start:
            self.before, self.before_at = _exchange_before(talk.given, start), talk.given_at

    def _start_of(self, given: Sequence[Message], thread: Thread) -> int:
        """Where this turn begins in a prompt: at the words with which its thread began, else at the last user message.

        A prompt without a user message has only what is new (OpenAI's Responses, with the id of the answer before).
        """
        began = self._began.setdefault(thread, [])
        for quotes in began:
            if (found := quotes.place_in(given)) is not None:
                return found
        last = next((i for i in reversed(range(len(given))) if given[i].role == "user"), None)
        if last is not None and len(began) < BEGINNINGS_MAX:
            began.append(Quotes(given[last].text))
        return last or 0

    def _parts_of(self, message: Message, thread: Thread) -> Sequence[Part]:
        """The parts of a message; of a template around what the user said, as a span around the calls tells it, these words."""
        if thread == _USERS and message.role == "user" and self._asked and self._asked.place not in self._tellers:
            quotes = self._began[_USERS][0]
            if quotes.are_in(message.text):
                return [_text("user", quotes.words)]
        return self._plain_parts(message)

    def _plain_parts(self, message: Message) -> Sequence[Part]:
        found = self._parts.get(message)
        if found is None:
            found = self._parts[message] = tuple(parts_of(message))
        return found

    def _end(self, words: Words | None) -> None:
        """The answer, where only a span around the calls tells it, or tells another one than they do."""
        if words is None or words.place in self._tellers:
            return
        said = [line.part.text for line in self._lines.of(_USERS) if line.part.kind == "assistant"]
        if not was_said(words.text, said):
            self._lines.append([_text("assistant", words.text)], _USERS, words.place, came_out=True)


def _text(kind: Literal["user", "assistant"], text: str) -> Part:
    return Part(kind, text, key_of(text))


def _exchange_before(given: Sequence[Message], start: int) -> tuple[Message, ...]:
    """From the last user messages before `start` up to there; from the beginning where no user spoke before these."""
    begin, is_at_user = start, False
    while begin and (given[begin - 1].role == "user" or not is_at_user):
        begin -= 1
        is_at_user = given[begin].role == "user"
    if all(message.role != "user" for message in given[:begin]):
        begin = 0
    return tuple(message for message in given[begin:start] if message.role != "system")
