"""An attribute's value -> the messages in it, whatever shape its emitter gave it.

Each shape is known by its keys, so that one reader serves JSON text, structured values and flattened keys alike. Junk never raises:
what has no known shape is one message, its text the value as it came.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from sessiond.core.model import Message, Role, Value
from sessiond.core.text.parts import (
    CALL_ID_KEYS,
    DEPTH_MAX,
    Parts,
    add_part,
    as_json,
    first_text,
    is_blank,
    reader_by_type,
    reader_of,
)
from sessiond.core.values import parsed

JSON_LENGTH_MAX: Final = 4 * 2**20
"""Characters of a text that is parsed, or kept: a gRPC message of default size can't carry more. A prompt that long takes 0.2 s."""

Reader = Callable[[Value, Role], list[Message]]

_NAMES: Final[Mapping[Role, tuple[str, ...]]] = {
    "user": ("user", "human", "humanmessage"),
    "assistant": ("assistant", "ai", "model", "aimessage", "aimessagechunk"),
    "system": ("system", "developer", "systemmessage"),
    "tool": ("tool", "function", "toolmessage", "functionmessage"),
}
ROLES: Final[Mapping[str, Role]] = {name: role for role, names in _NAMES.items() for name in names}
"""Roles by the names that APIs and LangChain's classes give them, in lower case."""

_OF_MESSAGES: Final = frozenset({"role", "tool_calls"})
_OF_CHAT_TEXT: Final = ("role", "content")
_OF_GENAI_TEXT: Final = ("type", "content")
CONTENT_KEYS: Final = ("parts", "content", "contents", "data", "text")
SYSTEM_KEYS: Final = ("system", "instructions", "system_instruction")

WRAPPERS: Final[Mapping[Role, tuple[str, ...]]] = {
    "user": (
        "messages", "contents", "prompts", "message", "inputs", "input", "args", "kwargs", "question", "query", "prompt",
        "user_input", "user_message", "content", "text",
    ),
    "assistant": (
        "choices", "candidates", "generations", "messages", "outputs", "output", "message", "response", "result", "answer",
        "completion", "content", "output_text", "text",
    ),
    "tool": ("documents", "document", "content", "page_content", "text"),
    "system": ("content", "text"),
}  # fmt: skip
"""Keys under which an object without a role holds what was said, by who is taken to have said it; the first with messages wins.

`args` and `kwargs` are the arguments of a function (Langfuse, Traceloop, AgentOps); `choices`, `candidates`, `generations` and
`output` are the answers of OpenAI, Gemini, LangChain and OpenAI's Responses.
"""


_ANSWERS: Final = frozenset({"choices", "candidates", "generations"})
"""Under which an API's answer holds what was said: where that is empty, as of a call that failed, the rest of it is no text."""


def read(value: Value, role: Role) -> list[Message]:
    """The messages in a value; those that name no role are `role`'s.

    A text may be JSON, once or twice quoted. A value without a known shape is one message, blank ones none.
    """
    parsed = parse(value) if isinstance(value, str) else value
    return _messages(parsed, role, 0) or ([] if _is_hollow(parsed, 0) else plain(value, role))


def plain(value: Value, role: Role) -> list[Message]:
    """The value as one message's text, even if it looks like JSON: what a key holds whose emitter writes text there."""
    return [] if is_blank(value) else [Message(role, as_json(value[:JSON_LENGTH_MAX] if isinstance(value, str) else value))]


def each_parsed(value: Value, role: Role) -> list[Message]:
    """A list of texts that are JSON each, as one message (Vercel's `ai.values`)."""
    return read([parse(item) if isinstance(item, str) else item for item in value] if isinstance(value, list) else value, role)


def parse(text: str) -> Value:
    """What the text is as JSON, unquoted twice where it is quoted; the text itself, cut at JSON_LENGTH_MAX, where it is none."""
    found: Value = text
    for _ in range(2):
        if not isinstance(found, str) or found[:64].lstrip()[:1] not in {"{", "[", '"'}:
            break
        if len(found) > JSON_LENGTH_MAX:
            return found[:JSON_LENGTH_MAX]
        try:
            found = parsed(found)
        except (ValueError, RecursionError):
            break
    return None if found == "null" else found


def are_parts(value: Value) -> bool:
    """Whether it is a list of objects that are parts of a message."""
    return isinstance(value, list) and all(isinstance(item, dict) and _is_part(item) for item in value)


def _is_hollow(value: Value, depth: int) -> bool:
    """Whether an object holds nothing but what is blank, or parts that say nothing: `{"args": [], "kwargs": {}}`."""
    if depth == DEPTH_MAX or is_blank(value):
        return True
    if isinstance(value, dict):
        return (
            bool(value.keys() & (_OF_MESSAGES | _ANSWERS))
            or reader_of(value) is not None
            or all(_is_hollow(item, depth + 1) for item in value.values())
        )
    return isinstance(value, list) and all(_is_hollow(item, depth + 1) for item in value)


def _messages(value: Value, role: Role, depth: int) -> list[Message]:
    if isinstance(value, str):
        return [Message(role, value[:JSON_LENGTH_MAX])] if value.strip() else []
    if depth == DEPTH_MAX:
        return []
    if isinstance(value, list):
        return _of_list(value, role, depth + 1)
    return _of_object(value, role, depth + 1) if isinstance(value, dict) else []


def _of_list(items: list[Value], role: Role, depth: int) -> list[Message]:
    """Messages, batches of them, or the parts of one message: parts beside each other are one."""
    if len(items) > 1 and all(isinstance(item, str) for item in items):
        named = _role_named(items[0]) if len(items) == 2 else None  # noqa: PLR2004  (LangChain: ("user", "Hello"))
        return _messages(items[1], named, depth) if named else _of_texts(items, role)
    found: list[Message] = []
    parts: Parts | None = None
    for item in items:
        if parts is None and isinstance(item, dict) and (one := _one_text(item)) is not None:
            found.append(one)
        elif isinstance(item, str) or (isinstance(item, dict) and _is_part(item)):
            parts = Parts() if parts is None else parts
            add_part(item, parts)
        else:
            if parts is not None:
                found += parts.messages(role)
                parts = None
            found += _messages(item, role, depth)
    return found if parts is None else found + parts.messages(role)


def _of_texts(items: Iterable[Value], role: Role) -> list[Message]:
    """Several texts as one message, a line or more for each."""
    texts = tuple(item for item in items if isinstance(item, str) and item.strip())
    return [Message(role, "\n".join(texts), texts=texts if len(texts) > 1 else ())] if texts else []


def _one_text(item: dict[str, Value]) -> Message | None:
    """A message of one text in the shapes in which most are sent, as `_of_object` reads it: a long prompt in a fifth less time."""
    if "parts" in item:
        return _genai_text(item)
    role, text = _role_named(item.get("role")), item.get("content")
    return _said(role, text) if len(item) == len(_OF_CHAT_TEXT) else None


def _genai_text(item: dict[str, Value]) -> Message | None:
    """A message of one text in OpenTelemetry's own shape: `role`, `parts` and perhaps `finish_reason`."""
    said = item["parts"]
    if not isinstance(said, list) or len(said) != 1 or len(item) != 2 + ("finish_reason" in item):
        return None
    part = said[0]
    if not isinstance(part, dict) or len(part) != len(_OF_GENAI_TEXT) or part.get("type") != "text":
        return None
    return _said(_role_named(item.get("role")), part.get("content"))


def _said(role: Role | None, text: Value) -> Message | None:
    return Message(role, text) if role is not None and isinstance(text, str) and text.strip() else None


def _of_object(item: dict[str, Value], role: Role, depth: int) -> list[Message]:
    if isinstance(inner := item.get("kwargs"), dict) and "lc" in item:
        return _message(inner, _langchain_role(item, inner) or role, depth)
    if item.keys() & _OF_MESSAGES:
        return _message(item, _role_named(item.get("role")) or role, depth)
    # LangChain names the role by the type; "function" is a tool call's.
    if item.get("type") != "function" and (named := _role_named(item.get("type"))):
        return _message(item, named, depth)
    if reader_by_type(item) is None and (said := _wrapped(item, role, depth)):
        return said
    parts = Parts()
    add_part(item, parts)
    return parts.messages(role)


def _wrapped(item: dict[str, Value], role: Role, depth: int) -> list[Message]:
    said = next((found for key in WRAPPERS[role] if key in item and (found := _messages(item[key], role, depth))), [])
    if not said or role != "user":
        return said
    system = next((found for key in SYSTEM_KEYS if key in item and (found := _messages(item[key], "system", depth))), [])
    # Gemini's carry a role of their own.
    return [one._replace(role="system") for one in system] + said


def _message(item: dict[str, Value], role: Role, depth: int) -> list[Message]:
    """A message that names its role."""
    parts = Parts()
    for key in CONTENT_KEYS:
        _add_content(item.get(key), parts, depth)
        if parts:
            break
    for call in _calls(item):
        parts.add_call(call)
    return parts.messages(role, first_text(item, CALL_ID_KEYS) if role == "tool" else None)


def _calls(item: Mapping[str, Value]) -> Iterable[dict[str, Value]]:
    listed = item.get("tool_calls")
    for call in [*(listed if isinstance(listed, list) else ()), item.get("function_call")]:
        if isinstance(call, dict):
            inner = call.get("tool_call")  # OpenInference's wrapper
            yield inner if isinstance(inner, dict) else call


def _add_content(content: Value, parts: Parts, depth: int) -> None:
    if isinstance(content, list):
        for item in content:
            add_part(item, parts)
    elif isinstance(content, str) or (isinstance(content, dict) and reader_of(content) is not None):
        add_part(content, parts)
    elif isinstance(content, dict) and content:
        inner = next((content[key] for key in CONTENT_KEYS if key in content), None)
        if inner is None:
            parts.add_text(as_json(content))
        elif depth < DEPTH_MAX:
            _add_content(inner, parts, depth + 1)


def _is_part(item: dict[str, Value]) -> bool:
    return reader_of(item) is not None and not item.keys() & {"message", *_OF_MESSAGES}


def _role_named(name: Value) -> Role | None:
    if not isinstance(name, str):
        return None
    return ROLES.get(name) or ROLES.get(name.lower())


def _langchain_role(item: Mapping[str, Value], kwargs: Mapping[str, Value]) -> Role | None:
    path = item.get("id")
    return _role_named(kwargs.get("type")) or (_role_named(path[-1]) if isinstance(path, list) and path else None)
