"""Calls of tools that no tool's span told of yet, found without a look at each: a run may wait for thousands."""

from sessiond.core.conversation.line import Line, Thread
from sessiond.core.conversation.parts import Part

_Group = tuple[object, ...]


class Waiting:
    """Calls that did not run yet. One is in several groups, each in the order in which they were added."""

    def __init__(self) -> None:
        self._groups: dict[_Group, list[Line]] = {}

    def add(self, line: Line) -> None:
        """A call that waits."""
        call_id = line.part.call_id or None
        for of_id in ((True, call_id), (False,)):
            for group in _groups(of_id, line.part, line.thread):
                self._groups.setdefault(group, []).append(line)

    def take(self, run: Part, thread: Thread) -> Line | None:
        """The call that a run is of, which waits no more. Ids go first, where both have one, then thread, then arguments."""
        wanted = ((True, run.call_id), (True, None)) if run.call_id else ((False,),)
        for of_id in wanted:
            for group in _groups(of_id, run, thread):
                waiting = self._groups.get(group, [])
                while waiting and waiting[0].ran_at >= 0:
                    waiting.pop(0)
                if waiting:
                    return waiting.pop(0)
        return None


def _groups(of_id: _Group, part: Part, thread: Thread) -> tuple[_Group, ...]:
    """The groups for an id, or for any, from the one of calls that fit best."""
    asked = (thread.scope, part.name, *of_id)
    return (*asked, thread, part.key), (*asked, thread), (*asked, "arguments", part.key), asked
