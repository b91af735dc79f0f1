"""The shapes of a conversation: what one side said, the tools that it used, and what one turn adds to the whole."""

from typing import NamedTuple

from sessiond.core.model import Message, Role


class ToolUse(NamedTuple):
    """A call of a tool, and what came of it."""

    call_id: str | None
    name: str
    """Empty where only the result is told, and not the call."""
    arguments: str
    """As JSON, mostly; empty where nobody tells of them."""
    result: str | None = None
    """None: nobody tells of it."""
    error: str | None = None
    """Why the span in which it ran failed: its message or type; None where it did not."""
    span_id: bytes = b""
    """Of the span in which it ran; empty where there is none."""


class Entry(NamedTuple):
    """What one side said at once."""

    role: Role
    """`tool`: a tool that ran without a message that asks for it, or a result without its call."""
    text: str
    tool_uses: tuple[ToolUse, ...]
    trace_id: bytes
    span_id: bytes
    """Of the span that it is read from."""
    came_out: bool
    """Whether it came out of that span; else it was in what the span was given."""
    depth: int = 0
    """0: said between the user and those who answer them. 1 and more: behind that, between a tool or an agent and a model."""
    agent: str | None = None
    """Who said it, or was told, where the span or an agent's span around it has a name."""
    turn_id: bytes = b""
    """The trace whose turn it is part of, where that is not `trace_id`: only the prompt of the next turn tells of it."""


class Turn(NamedTuple):
    """What one trace adds to a conversation."""

    trace_id: bytes
    entries: tuple[Entry, ...]
    before: tuple[Message, ...] = ()
    """The exchange before it, as its first prompt repeats it: from the last user messages before its own, with what an assistant
    began with before the first. Only a session can tell whether they were said earlier: see `core.conversation.transcript`."""
    before_span_id: bytes = b""
    prompt_tokens: int | None = None
    """Of its calls that are the user's conversation, the largest input; None: none tells of it."""
    is_cut: bool = False
    """Whether some of it was left out, being too much."""
