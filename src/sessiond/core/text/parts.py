"""The parts that a message is made of, as the APIs of models write them: texts, tool calls, tool results, pictures.

One table says what each part is by its `type` (OpenAI, Anthropic, OTel GenAI, Vercel), another by the key that it carries
(Gemini, Bedrock, OpenInference). What is in neither, and has no text, is left out: docs/conventions.md.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from sessiond.core.model import Message, Role, ToolCall, Value

DEPTH_MAX: Final = 16
"""Levels of nesting that are looked into. Real shapes (LangChain's batches inside a wrapper) have seven."""

Part = dict[str, Value]
PartReader = Callable[[Part, "Parts"], None]

NAME_KEYS: Final = ("name", "toolName", "tool_name")
# Responses: an item has an `id` of its own, and its result names the `call_id`.
CALL_ID_KEYS: Final = ("call_id", "tool_call_id", "toolCallId", "tool_use_id", "toolUseId", "id")
ARGUMENT_KEYS: Final = ("arguments", "args", "input")
RESULT_KEYS: Final = ("response", "result", "content", "output", "tool_response")
TEXT_KEYS: Final = ("text", "content", "refusal", "value")


def is_blank(value: Value) -> bool:
    """Whether there is nothing to read in it."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or isinstance(value, bytes) or (isinstance(value, (list, dict)) and not value)


def first(item: Mapping[str, Value], keys: Iterable[str]) -> Value:
    """The first value that is there and not blank."""
    return next((item[key] for key in keys if not is_blank(item.get(key))), None)


def first_text(item: Mapping[str, Value], keys: Iterable[str]) -> str | None:
    """The first value that is a text and not blank."""
    return next((found for key in keys if isinstance(found := item.get(key), str) and found.strip()), None)


def as_json(value: Value) -> str:
    """A text as it is; anything else as JSON."""
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False, default=lambda _: None)
    except RecursionError:
        # Parsed by C deeper than Python writes it: no person reads arguments nested a thousand deep.
        return ""


class Parts:
    """The parts of one message while they are read."""

    __slots__ = ("calls", "results", "texts")

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.calls: dict[ToolCall, None] = {}
        """Each once: OpenInference writes an Anthropic call under `contents` and under `tool_calls`."""
        self.results: list[Message] = []

    def __bool__(self) -> bool:
        return bool(self.texts or self.calls or self.results)

    def add_text(self, text: str) -> None:
        if text.strip():
            self.texts.append(text)

    def add_call(self, call: Mapping[str, Value]) -> None:
        inner = call.get("function")
        source = {**call, **inner} if isinstance(inner, dict) else call
        name = first_text(source, NAME_KEYS)
        if name is not None:
            call_id = first_text(call, CALL_ID_KEYS)
            self.calls[ToolCall(call_id, name, as_json(first(source, ARGUMENT_KEYS) or ""))] = None

    def add_result(self, result: Mapping[str, Value]) -> None:
        call_id = first_text(result, CALL_ID_KEYS)
        text = text_of_result(first(result, RESULT_KEYS))
        self.results.append(Message("tool", text, tool_call_id=call_id))

    def messages(self, role: Role, tool_call_id: str | None = None) -> list[Message]:
        """What was read, in the order in which it was said: results before what a user adds to them, calls before their results."""
        text = "\n".join(self.texts)
        if self.calls:
            # Only a model calls tools, whatever list its call was found in.
            return [Message("assistant", text, tuple(self.calls)), *self.results]
        return [*self.results, *([Message(role, text, tool_call_id=tool_call_id)] if text else ())]


def text_of_result(value: Value) -> str:
    """A tool's result as text: that of its text parts where it has such, else JSON."""
    if isinstance(value, dict) and value.keys() == {"type", "value"}:
        # Vercel says beside a result whether it is text or JSON.
        value = value["value"]
    if isinstance(value, list):
        texts = [item if isinstance(item, str) else first_text(item, ("text",)) for item in value if isinstance(item, (str, dict))]
        if said := [text for text in texts if text]:
            return "\n".join(said)
    return "" if value is None else as_json(value)


def add_part(item: Value, parts: Parts) -> None:
    """Read one part; what is none is left out."""
    if isinstance(item, str):
        parts.add_text(item)
    elif isinstance(item, dict) and (read := reader_of(item)) is not None:
        read(item, parts)


def reader_of(part: Part) -> PartReader | None:
    """How to read the part, by its type or else by what it carries; None for what is no part."""
    return reader_by_type(part) or next((read for key, read in PART_KEYS.items() if key in part), None)


def reader_by_type(part: Part) -> PartReader | None:
    named = part.get("type")
    return PART_TYPES.get(named) if isinstance(named, str) else None


def _text(part: Part, parts: Parts) -> None:
    text = first_text(part, TEXT_KEYS)
    if text is not None:
        parts.add_text(text)
    elif isinstance(nested := part.get("text"), dict):
        # OpenAI's assistants put a text and its citations there.
        parts.add_text(first_text(nested, TEXT_KEYS) or "")


def _text_unless_thought(part: Part, parts: Parts) -> None:
    if part.get("thought") is not True:
        _text(part, parts)


def _silent(part: Part, parts: Parts) -> None:
    pass


def _called(part: Part, parts: Parts) -> None:
    parts.add_call(part)


def _resulted(part: Part, parts: Parts) -> None:
    parts.add_result(part)


def _media(word: str) -> PartReader:
    return lambda _, parts: parts.add_text(f"[{word}]")


def _named_media(part: Part, parts: Parts) -> None:
    parts.add_text(f"[{first_text(part, ('modality', 'mime_type')) or 'file'}]")


def _inside(key: str, read: PartReader) -> PartReader:
    def read_inside(part: Part, parts: Parts) -> None:
        inner = part[key]
        if isinstance(inner, dict):
            read(inner, parts)

    return read_inside


def _message_content(part: Part, parts: Parts) -> None:
    """OpenInference's wrapper around any part; one inside another is none."""
    inner = part["message_content"]
    if isinstance(inner, dict) and "message_content" not in inner:
        add_part(inner, parts)


PART_TYPES: Final[Mapping[str, PartReader]] = {
    **dict.fromkeys(("text", "input_text", "output_text", "refusal"), _text),
    **dict.fromkeys(("tool_call", "tool-call", "tool_use", "server_tool_use", "function_call", "function"), _called),
    **dict.fromkeys(("tool_call_response", "tool_result", "tool-result", "function_call_output"), _resulted),
    **dict.fromkeys(("reasoning", "thinking", "redacted_thinking"), _silent),
    **dict.fromkeys(("image", "image_url", "input_image"), _media("image")),
    **dict.fromkeys(("audio", "input_audio"), _media("audio")),
    **dict.fromkeys(("video",), _media("video")),
    **dict.fromkeys(("document", "file", "input_file"), _media("file")),
    **dict.fromkeys(("blob", "uri"), _named_media),
}
"""What a part is by its `type`."""

PART_KEYS: Final[Mapping[str, PartReader]] = {
    **{key: _inside(key, _called) for key in ("tool_call", "toolUse", "functionCall", "function_call")},
    **{key: _inside(key, _resulted) for key in ("toolResult", "functionResponse", "function_response")},
    "message_content": _message_content,
    "toolName": _called,
    **dict.fromkeys(("inlineData", "inline_data", "fileData", "file_data"), _media("file")),
    "image": _media("image"),
    "text": _text_unless_thought,
}
"""What a part without a known `type` is by the first of these keys that it carries."""
