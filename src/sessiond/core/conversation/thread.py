"""What was said in a trace, put together from prompts that repeat each other and answers that come out one after another.

The lines of all threads stand in one order. A thread is one conversation: the user's, or one that a tool or an agent had behind it.
"""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple

from sessiond.core.conversation.heard import ToolRun
from sessiond.core.conversation.parts import Index, Part, call_part

LINES_MAX: Final = 20_000
"""Of one trace: an agent's longest runs make some thousand calls, each a call, a result and a text."""


class Thread(NamedTuple):
    """One conversation in a trace."""

    scope: int
    """Place of the tool (or guardrail, ...) in which it was had; -1: of none."""
    aside: int | None = None
    """Where an agent or the application asked a model something of its own: place of the agent, or -1 without one."""


class Line:
    """A part that was said, and what is known of it so far."""

    __slots__ = ("came_out", "is_asked_for", "part", "place", "ran_at", "run", "thread")

    def __init__(self, part: Part, thread: Thread, place: int, *, came_out: bool, is_asked_for: bool = True) -> None:
        self.part = part
        self.thread = thread
        self.place = place
        """Of the span that it is read from."""
        self.came_out = came_out
        self.is_asked_for = is_asked_for
        """Of a call: whether a message asks for it; else only the tool's span tells of it."""
        self.run: ToolRun | None = None
        self.ran_at = -1
        """Place of the span in which the call ran."""


class Lines:
    """What was said, in order."""

    def __init__(self) -> None:
        self._all: list[Line] = []
        self._threads: dict[Thread, list[Line]] = {}
        self._indexes: dict[Thread, Index] = {}
        """Of the lines of a thread as they were first told, as far as nothing came between them since."""
        self._instructions: dict[Thread, set[int]] = {}
        self._unasked: dict[tuple[Thread, str], Line] = {}
        """Runs of tools that no message asks for yet, by the call's id."""
        self._waiting: dict[tuple[int, str], list[Line]] = {}
        """Calls that did not run yet, by scope and tool."""
        self.is_cut = False

    def __iter__(self) -> Iterator[Line]:
        return iter(self._all)

    def of(self, thread: Thread) -> Sequence[Line]:
        """The lines of one thread so far."""
        return self._threads.get(thread, ())

    def instructions(self, thread: Thread) -> AbstractSet[int]:
        """The keys of what the thread's models were instructed so far."""
        return self._instructions.get(thread, frozenset())

    def repeat(self, parts: Sequence[Part], thread: Thread, place: int) -> None:
        """Add what a prompt holds and was not said yet, where the prompt has it.

        Parts are taken in order, each as the first line that may be it past the one before. What is between two known lines comes
        there, what is past them all at the end.
        """
        known = self._threads.setdefault(thread, [])
        index = self._index_of(thread)
        at, moved, waiting = 0, 0, list[Part]()
        for part in parts:
            found = index.first(part, at)
            if found is None:
                waiting.append(part)
                continue
            self._ask_for(known[found + moved], part, place)
            moved += self._insert(waiting, thread, place, found + moved)
            at, waiting = found + 1, []
        self._insert(waiting, thread, place, at + moved if at else len(known))

    def _index_of(self, thread: Thread) -> Index:
        known, index = self._threads[thread], self._indexes.setdefault(thread, Index())
        index.extend([line.part for line in known[len(index) :]])
        return index

    def append(self, parts: Sequence[Part], thread: Thread, place: int, *, came_out: bool) -> None:
        """Add what is said at the end."""
        known = self._threads.setdefault(thread, [])
        for part in parts:
            early = self._unasked.get((thread, part.call_id)) if part.kind == "call" and part.call_id else None
            if early is not None:  # the clock of the tool's span is behind
                self._ask_for(early, part, place)
                early.came_out = came_out
            else:
                self._insert([part], thread, place, len(known), came_out=came_out)

    def ran(self, name: str, run: ToolRun, thread: Thread, place: int) -> None:
        """Add what a tool's span tells: to the call that asked for it, the first that fits and did not run yet, or by itself."""
        part = call_part(run.call_id, name, run.arguments)
        waiting = self._waiting.get((thread.scope, name), [])
        fitting = [line for line in waiting if not (line.part.call_id and run.call_id) or line.part.call_id == run.call_id]
        line = max(fitting, key=lambda line: _fit(line, thread, part), default=None)
        if line is not None:
            waiting.remove(line)
        elif self._insert([part], thread, place, len(self._threads.setdefault(thread, [])), is_asked_for=False):
            line = self._threads[thread][-1]
        if line is not None:
            line.run, line.ran_at = run, place

    def _ask_for(self, line: Line, part: Part, place: int) -> None:
        """A message tells of a call that so far only the tool's span told of."""
        if not line.is_asked_for:
            if line.part.call_id:
                self._unasked.pop((line.thread, line.part.call_id), None)
            line.part, line.place, line.is_asked_for = part, place, True
            self._indexes.pop(line.thread, None)

    def _insert(
        self, parts: Sequence[Part], thread: Thread, place: int, at: int, *, came_out: bool = False, is_asked_for: bool = True
    ) -> int:
        """Put parts before the thread's line `at`; how many: none where there is no room."""
        if len(self._all) + len(parts) > LINES_MAX:
            self.is_cut = True
            return 0
        lines = [Line(part, thread, place, came_out=came_out, is_asked_for=is_asked_for) for part in parts]
        known = self._threads[thread]
        where = len(self._all)
        if lines and at < len(known):
            where = self._all.index(known[at])
            self._indexes.pop(thread, None)
        self._all[where:where] = lines
        known[at:at] = lines
        for line in lines:
            if line.part.kind == "system":
                self._instructions.setdefault(thread, set()).add(line.part.key)
            elif line.part.kind == "call" and is_asked_for:
                self._waiting.setdefault((thread.scope, line.part.name), []).append(line)
            elif line.part.call_id and not is_asked_for:
                self._unasked[thread, line.part.call_id] = line
        return len(lines)


def _fit(line: Line, thread: Thread, run: Part) -> tuple[bool, bool, bool]:
    """How well: the larger, the better; the first of equals is taken."""
    return line.part.call_id is not None and line.part.call_id == run.call_id, line.thread == thread, line.part.key == run.key
