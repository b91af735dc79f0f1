"""The parts of a message, and when two of them are the same one told twice.

A call's answer is told when it comes out, and again in each later prompt: with other white space, its arguments in another order,
one message with two tool calls as two messages. So messages are taken apart and compared part by part.
"""

import json
from collections.abc import Iterator
from typing import Literal, NamedTuple

from sessiond.core.model import Message
from sessiond.core.values import parsed

_sorted_json = json.JSONEncoder(sort_keys=True).encode

PartKind = Literal["system", "user", "assistant", "call", "result"]


class Part(NamedTuple):
    """A text, a tool call or a tool's result."""

    kind: PartKind
    text: str
    """The text; of a call its arguments."""
    key: int
    """The same for texts that differ in white space only, and for calls whose arguments differ in how their JSON is written."""
    call_id: str | None = None
    name: str = ""
    """Of a call: the tool's."""


def parts_of(message: Message) -> Iterator[Part]:
    """The parts of a message, in the order in which they were said."""
    if message.role == "tool":
        yield Part("result", message.text, key_of(message.text), message.tool_call_id)
        return
    if message.text.strip():
        yield Part(message.role, message.text, key_of(message.text))
    for call in message.tool_calls:
        yield call_part(call.id, call.name, call.arguments)


def call_part(call_id: str | None, name: str, arguments: str) -> Part:
    """A call as a part."""
    return Part("call", arguments, hash((name, arguments_key(arguments))), call_id, name)


def is_same(one: Part, other: Part) -> bool:
    """Whether two parts may be one told twice. Calls and results go by their id where both have one."""
    if one.kind != other.kind:
        return False
    return one.call_id == other.call_id if one.call_id and other.call_id else one.key == other.key


def key_of(text: str) -> int:
    """The same for texts that differ in white space only."""
    return hash(bare(text))


def bare(text: str) -> str:
    """The text with each run of white space as one blank."""
    return " ".join(text.split())


def arguments_key(text: str) -> str:
    """Arguments in one form, however their JSON is written."""
    try:
        return _sorted_json(parsed(text))
    except (ValueError, RecursionError):
        return bare(text)
