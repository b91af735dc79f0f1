"""A line: a part that was said in a thread, which is one conversation: the user's, or one that a tool or an agent had behind it."""

from typing import NamedTuple

from sessiond.core.conversation.heard import ToolRun
from sessiond.core.conversation.parts import Part


class Thread(NamedTuple):
    """One conversation in a trace."""

    scope: int
    """Place of the tool (or guardrail, ...) in which it was had; -1: of none."""
    aside: int | None = None
    """Where an agent or the application asked a model something of its own: place of the agent, or -1 without one."""


class Line:
    """A part that was said, and what is known of it so far."""

    __slots__ = (
        "before", "before_of_thread", "came_out", "is_asked_for", "next_of_thread", "order", "part", "place", "ran_at", "run",
        "thread",
    )  # fmt: skip

    def __init__(self, part: Part, thread: Thread, place: int, *, came_out: bool, is_asked_for: bool = True) -> None:
        self.order = 0
        """The smaller, the earlier, of all lines."""
        self.before: Line | None = None
        """The line before it, of all."""
        self.before_of_thread: Line | None = None
        self.next_of_thread: Line | None = None
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
