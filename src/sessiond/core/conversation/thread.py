"""What was said in a trace, put together from prompts that repeat each other and answers that come out one after another.

The lines of all threads stand in one order. A thread is one conversation: the user's, or one that a tool or an agent had behind it.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from sessiond.core.conversation.heard import ToolRun
from sessiond.core.conversation.parts import Part, call_part, is_same

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
        self.is_cut = False

    def __iter__(self) -> Iterator[Line]:
        return iter(self._all)

    def of(self, thread: Thread) -> Sequence[Line]:
        """The lines of one thread so far."""
        return self._threads.get(thread, ())

    def repeat(self, parts: Sequence[Part], thread: Thread, place: int) -> None:
        """Add what a prompt holds and was not said yet, where the prompt has it.

        Parts are taken in order, each as the first line that may be it past the one before. What is between two known lines comes
        there, what is past them all at the end.
        """
        known = self._threads.setdefault(thread, [])
        at, waiting = 0, list[Part]()
        for part in parts:
            found = next((i for i in range(at, len(known)) if is_same(known[i].part, part)), None)
            if found is None:
                waiting.append(part)
                continue
            self._ask_for(known[found], part, place)
            at = self._insert(waiting, thread, place, found) + 1
            waiting = []
        self._insert(waiting, thread, place, at or len(known))

    def append(self, parts: Sequence[Part], thread: Thread, place: int, *, came_out: bool) -> None:
        """Add what is said at the end."""
        known = self._threads.setdefault(thread, [])
        for part in parts:
            early = next((line for line in known if not line.is_asked_for and _is_by_id(line.part, part)), None)
            if early is not None:  # the clock of the tool's span is behind
                self._ask_for(early, part, place)
                early.came_out = came_out
            else:
                self._insert([part], thread, place, len(known), came_out=came_out)

    def ran(self, name: str, run: ToolRun, thread: Thread, place: int) -> None:
        """Add what a tool's span tells: to the call that asked for it, the first that fits and did not run yet, or by itself."""
        part = call_part(run.call_id, name, run.arguments)
        waiting = [line for line in self._all if _waits_for(line, thread, part)]
        line = max(waiting, key=lambda line: _fit(line, thread, part), default=None)
        if line is None:
            known = self._threads.setdefault(thread, [])
            self._insert([part], thread, place, len(known), is_asked_for=False)
            line = known[-1]
            if line.place != place:  # no room
                return
        line.run, line.ran_at = run, place

    def _ask_for(self, line: Line, part: Part, place: int) -> None:
        """A message tells of a call that so far only the tool's span told of."""
        if not line.is_asked_for:
            line.part, line.place, line.is_asked_for = part, place, True

    def _insert(
        self, parts: Sequence[Part], thread: Thread, place: int, at: int, *, came_out: bool = False, is_asked_for: bool = True
    ) -> int:
        """Put parts before the thread's line `at`; where that line is then."""
        if len(self._all) + len(parts) > LINES_MAX:
            self.is_cut = True
            return at
        lines = [Line(part, thread, place, came_out=came_out, is_asked_for=is_asked_for) for part in parts]
        known = self._threads[thread]
        if at == len(known):
            self._all += lines
            known += lines
        elif lines:
            where = self._all.index(known[at])
            self._all[where:where] = lines
            known[at:at] = lines
        return at + len(lines)


def _is_by_id(one: Part, other: Part) -> bool:
    return one.call_id is not None and is_same(one, other)


def _waits_for(line: Line, thread: Thread, run: Part) -> bool:
    """Whether a tool's run may be the one that the line asks for."""
    part = line.part
    if part.kind != "call" or line.run is not None or line.thread.scope != thread.scope:
        return False
    return part.call_id == run.call_id if part.call_id and run.call_id else part.name == run.name


def _fit(line: Line, thread: Thread, run: Part) -> tuple[bool, bool, bool]:
    """How well: the larger, the better; the first of equals is taken."""
    return line.part.call_id is not None and line.part.call_id == run.call_id, line.thread == thread, line.part.key == run.key
