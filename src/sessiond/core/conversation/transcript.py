"""The conversation of a session: what its turns add, one after another.

What only a session can tell is told here: whether a system prompt changed, whether a trace goes on with the turn of the one before
(an emitter without a span around its calls makes a trace of each), whether a user's message before the last is new, and what an
answer was that only the next prompt tells of.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from typing import Final, NamedTuple

from sessiond.core.conversation.entry import Entry, ToolUse, Turn
from sessiond.core.conversation.parts import Part, call_part, is_same, key_of

HELD_CHARACTERS_MAX: Final = 16 * 2**20
"""Of a turn that later traces may go on with; a longer one is let go, and what repeats it is shown again."""


def transcript(turns: Iterable[Turn]) -> Iterator[tuple[Entry, ...]]:
    """The entries of turns in order, some at a time. A turn is held until the next shows that it is over."""
    session = _Session()
    for turn in turns:
        done = session.add(turn)
        if done:
            yield done
    if session.open:
        yield tuple(session.open)


class _Session:
    """What is known after some turns."""

    def __init__(self) -> None:
        self.open: list[Entry] = []
        """The turn that may go on: from the user's last message."""
        self._system: dict[tuple[int, str | None], set[int]] = {}
        self._users: set[int] = set()
        self._exchanges: set[tuple[int, int]] = set()
        """Words of a user, and words that answered them."""

    def add(self, turn: Turn) -> tuple[Entry, ...]:
        """Take a turn; the entries that are done with it."""
        entries = self._without_known_system(turn.entries)
        if self._goes_on(entries):
            self.open += self._without_repeated(entries)
            done = self._let_go() if sum(map(_size, self.open)) > HELD_CHARACTERS_MAX else ()
        else:
            self._recover_answer(turn)
            instructed = list(takewhile(lambda entry: entry.role == "system", entries))
            done, self.open = self._let_go(), [*instructed, *self._unsaid(turn), *entries[len(instructed) :]]
        self._users |= {key_of(entry.text) for entry in entries if entry.role == "user"}
        return done

    def _let_go(self) -> tuple[Entry, ...]:
        done, self.open = tuple(self.open), []
        if (asked := _last_asked(done)) is not None:
            answers = (entry for entry in done if entry.role == "assistant" and entry.text)
            self._exchanges |= {(key_of(asked.text), key_of(answer.text)) for answer in answers}
        return done

    def _without_known_system(self, entries: Sequence[Entry]) -> list[Entry]:
        """The entries without system prompts that the last turn with any, of the same agent, had too."""
        known, now = dict(self._system), dict[tuple[int, str | None], set[int]]()
        found = []
        for entry in entries:
            if entry.role == "system":
                whose, key = (entry.depth, entry.agent), key_of(entry.text)
                now.setdefault(whose, set()).add(key)
                if key in known.get(whose, ()):
                    continue
            found.append(entry)
        self._system |= now
        return found

    def _goes_on(self, entries: Sequence[Entry]) -> bool:
        """Whether a trace repeats more of the open turn than its user's words, which anybody may say twice."""
        known = [part for entry in self.open if entry.role in ("assistant", "tool") for part in _parts(entry)]
        told = [part for entry in entries if _is_repeatable(entry) for part in _parts(entry)]
        asked = next((entry for entry in entries if _is_repeatable(entry) and entry.role == "user"), None)
        is_asked_here = asked is None or any(entry.role == "user" and _is_same_text(entry, asked) for entry in self.open)
        return is_asked_here and any(_is_told(one, other) for one in told for other in known)

    def _without_repeated(self, entries: Sequence[Entry]) -> list[Entry]:
        """The entries that the open turn does not have yet. It is told the results of its calls that these know."""
        new, at = [], 0
        for entry in entries:
            found = self._find(entry, at) if _is_repeatable(entry) else None
            if found is None:
                new.append(entry)
            else:
                at = found
                self.open[at] = _with_results(self.open[at], entry.tool_uses)
        return new

    def _find(self, entry: Entry, start: int) -> int | None:
        """The place of the open entry, from `start` on, that tells all that this one does."""
        parts = _parts(entry)
        for at in range(start, len(self.open)):
            known = _parts(self.open[at]) if self.open[at].depth == 0 else []
            if parts and all(any(_is_told(part, other) for other in known) for part in parts):
                return at
        return None

    def _unsaid(self, turn: Turn) -> list[Entry]:
        """What was said right before a turn's own words, and in no turn: how an assistant began, and messages of the user's."""
        began = list(takewhile(lambda message: message.role == "assistant", turn.before))
        asked = turn.before[len(began) :]
        if any(message.role != "user" for message in asked):
            return []
        unsaid = [*([] if self._users else began), *(message for message in asked if key_of(message.text) not in self._users)]
        return [
            Entry(message.role, message.text, (), turn.trace_id, turn.before_span_id, came_out=False)
            for message in unsaid
            if message.text
        ]

    def _recover_answer(self, turn: Turn) -> None:
        """The answer to the open turn, if only the prompt of the next tells it, and not of an earlier turn in the same words."""
        asked = _last_asked(self.open)
        is_answered = any(entry.role == "assistant" and entry.text and not entry.depth for entry in self.open)
        last = max((at for at, message in enumerate(turn.before) if message.role == "user"), default=None)
        if is_answered or asked is None or last is None or key_of(turn.before[last].text) != key_of(asked.text):
            return
        self.open += [
            Entry("assistant", message.text, (), turn.trace_id, turn.before_span_id, came_out=False, turn_id=asked.trace_id)
            for message in turn.before[last:]
            if message.role == "assistant" and message.text and (key_of(asked.text), key_of(message.text)) not in self._exchanges
        ]


def _last_asked(entries: Sequence[Entry]) -> Entry | None:
    return next((entry for entry in reversed(entries) if entry.role == "user" and not entry.depth), None)


def _is_repeatable(entry: Entry) -> bool:
    return not entry.came_out and not entry.depth and entry.role != "system"


def _is_same_text(one: Entry, other: Entry) -> bool:
    return key_of(one.text) == key_of(other.text)


class _Told(NamedTuple):
    """A part of an entry."""

    part: Part
    run: bytes = b""
    """Of a call: the span in which it ran."""


def _parts(entry: Entry) -> list[_Told]:
    text = [_Told(Part("user" if entry.role == "user" else "assistant", entry.text, key_of(entry.text)))] if entry.text else []
    return text + [_Told(call_part(use.call_id, use.name, use.arguments), use.span_id) for use in entry.tool_uses]


def _is_told(one: _Told, known: _Told) -> bool:
    """Whether one part may be the known one, told again. Runs of two spans are two, though alike, unless they have ids."""
    are_two = one.run and known.run and not (one.part.call_id and known.part.call_id)
    return not are_two and is_same(one.part, known.part)


def _with_results(entry: Entry, told: Sequence[ToolUse]) -> Entry:
    """The entry, its calls with the results and runs that are told and were not known."""
    if all(one.result is None and not one.span_id for one in told):
        return entry
    return entry._replace(tool_uses=tuple([_told(use, told) for use in entry.tool_uses]))


def _told(use: ToolUse, told: Sequence[ToolUse]) -> ToolUse:
    mine = call_part(use.call_id, use.name, use.arguments)
    same = [use, *(one for one in told if is_same(call_part(one.call_id, one.name, one.arguments), mine))]
    ran = next((one for one in same if one.span_id), use)
    result = next((one.result for one in same if one.result is not None), None)
    return use._replace(result=result, error=ran.error, span_id=ran.span_id)


def _size(entry: Entry) -> int:
    return len(entry.text) + sum(len(use.arguments) + len(use.result or "") for use in entry.tool_uses)
