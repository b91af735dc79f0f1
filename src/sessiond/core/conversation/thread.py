"""What was said in a trace, put together from prompts that repeat each other and answers that come out one after another.

The lines of all threads stand in one order.
"""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from sessiond.core.conversation.heard import ToolRun
from sessiond.core.conversation.line import Line, Thread
from sessiond.core.conversation.parts import Part, call_part
from sessiond.core.conversation.places import Places
from sessiond.core.conversation.waiting import Waiting

LINES_MAX: Final = 20_000
"""Of one trace: an agent's longest runs make some thousand calls, each a call, a result and a text."""
GAP: Final = 1 << 512
"""Between the order of lines that come one behind the other. Each line that comes between two halves what is there, so some five
hundred times before all are numbered anew."""


class _Told:
    """The lines of one thread."""

    __slots__ = ("first", "instructions", "last", "places")

    def __init__(self) -> None:
        self.first: Line | None = None
        self.last: Line | None = None
        self.places = Places()
        self.instructions: set[int] = set()

    def link(self, line: Line, until: Line | None) -> None:
        """Have a line be right before another, or the last."""
        before = self.last if until is None else until.before_of_thread
        line.before_of_thread, line.next_of_thread = before, until
        if before is None:
            self.first = line
        else:
            before.next_of_thread = line
        if until is None:
            self.last = line
        else:
            until.before_of_thread = line
        self.places.add(line)


_NOTHING_TOLD: Final[frozenset[int]] = frozenset()


class Lines:
    """What was said, in order. Lines are linked, so that one can come between others without a look at all of them."""

    def __init__(self) -> None:
        self._count = 0
        self._last: Line | None = None
        self._threads: dict[Thread, _Told] = {}
        self._unasked: dict[tuple[Thread, str], Line] = {}
        """Runs of tools that no message asks for yet, by the call's id."""
        self._waiting = Waiting()
        self.is_cut = False

    def __iter__(self) -> Iterator[Line]:
        lines = []
        line = self._last
        while line is not None:
            lines.append(line)
            line = line.before
        return reversed(lines)

    def of(self, thread: Thread) -> Iterator[Line]:
        """The lines of one thread so far."""
        told = self._threads.get(thread)
        line = told.first if told else None
        while line is not None:
            yield line
            line = line.next_of_thread

    def instructions(self, thread: Thread) -> AbstractSet[int]:
        """The keys of what the thread's models were instructed so far."""
        told = self._threads.get(thread)
        return told.instructions if told else _NOTHING_TOLD

    def repeat(self, parts: Sequence[Part], thread: Thread, place: int) -> None:
        """Add what a prompt holds and was not said yet, where the prompt has it.

        Parts are taken in order, each as the first line that may be it past the one before. What is between two known lines comes
        there, what is past them all at the end.
        """
        told = self._told(thread)
        after: Line | None = None
        new = list[Part]()
        for part in parts:
            found = told.places.first(part, told.first if after is None else after.next_of_thread)
            if found is None:
                new.append(part)
                continue
            self._ask_for(found, part, place)
            self._insert(new, thread, place, found)
            after, new = found, []
        self._insert(new, thread, place, after and after.next_of_thread)

    def append(self, parts: Sequence[Part], thread: Thread, place: int, *, came_out: bool) -> None:
        """Add what is said at the end."""
        for part in parts:
            early = self._unasked.get((thread, part.call_id)) if part.kind == "call" and part.call_id else None
            if early is not None:  # the clock of the tool's span is behind
                self._ask_for(early, part, place)
                early.came_out = came_out
            else:
                self._insert([part], thread, place, None, came_out=came_out)

    def ran(self, name: str, run: ToolRun, thread: Thread, place: int) -> None:
        """Add what a tool's span tells: to the call that asked for it, the first that fits and did not run yet, or by itself."""
        part = call_part(run.call_id, name, run.arguments)
        told = self._told(thread)
        line = self._waiting.take(part, thread)
        if line is None and self._insert([part], thread, place, None, is_asked_for=False):
            line = told.last
        if line is not None:
            line.run, line.ran_at = run, place

    def _told(self, thread: Thread) -> _Told:
        told = self._threads.get(thread)
        if told is None:
            told = self._threads[thread] = _Told()
        return told

    def _ask_for(self, line: Line, part: Part, place: int) -> None:
        """A message tells of a call that so far only the tool's span told of."""
        if not line.is_asked_for:
            if line.part.call_id:
                self._unasked.pop((line.thread, line.part.call_id), None)
            places = self._told(line.thread).places
            places.remove(line)
            line.part, line.place, line.is_asked_for = part, place, True
            places.add(line)

    def _insert(
        self,
        parts: Sequence[Part],
        thread: Thread,
        place: int,
        until: Line | None,
        *,
        came_out: bool = False,
        is_asked_for: bool = True,
    ) -> bool:
        """Put parts right before a line of the thread, without one at the end of all; False where there is no room."""
        if self._count + len(parts) > LINES_MAX:
            self.is_cut = True
            return False
        told = self._told(thread)
        for part in parts:
            line = Line(part, thread, place, came_out=came_out, is_asked_for=is_asked_for)
            self._link(line, until)
            told.link(line, until)
            if part.kind == "system":
                told.instructions.add(part.key)
            elif part.kind == "call" and is_asked_for:
                self._waiting.add(line)
            elif part.call_id and not is_asked_for:
                self._unasked[thread, part.call_id] = line
        return True

    def _link(self, line: Line, until: Line | None) -> None:
        """Have a line be right before another among all, or the last."""
        self._count += 1
        before = self._last if until is None else until.before
        line.before = before
        if until is None:
            self._last = line
            line.order = before.order + GAP if before else GAP
            return
        until.before = line
        line.order = ((before.order if before else 0) + until.order) // 2
        if line.order == (before.order if before else 0):
            for number, each in enumerate(self, 1):
                each.order = number * GAP
