"""The APIs that the model server speaks: how a request says what it asks, and how a reply is written, whole and as a stream.

A stream is pairs: whether the event carries content that a reader would call the first token, and the event as it goes out. Chat
completions and Anthropic's messages begin to speak when the model does; the Responses API says `response.created` at once.
"""

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Final, NamedTuple

Body = dict[str, Any]
Event = tuple[bool, str]

OPENAI_MODELS: Final = {"gpt-5-mini": "gpt-5-mini-2025-08-07"}
ANTHROPIC_MODELS: Final = {"claude-sonnet-4-5": "claude-sonnet-4-5-20250929"}


class Usage(NamedTuple):
    """Tokens as sessiond means them: input with what is cached, output with reasoning."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0


class Reply(NamedTuple):
    """What the model says: a text, or the tool it wants."""

    id: str
    model: str
    text: str | None
    tool: tuple[str, Body] | None
    usage: Usage

    @property
    def pieces(self) -> list[str]:
        """The text word by word."""
        return [word + " " for word in (self.text or "").split(" ")[:-1]] + (self.text or "").split(" ")[-1:]


class Dialect(ABC):
    """One API."""

    provider: str
    id_prefix: str
    models: ClassVar[dict[str, str]]
    """Requested model -> the one that answers."""
    reasons: bool
    writes_cache: bool
    fail_status: int
    failure: ClassVar[Body]

    @abstractmethod
    def asked(self, request: Body) -> tuple[str, bool]:
        """The user's last question, and whether a tool's result has come since."""

    @abstractmethod
    def whole(self, reply: Reply) -> Body:
        """The reply in one piece."""

    @abstractmethod
    def events(self, request: Body, reply: Reply) -> Iterator[Event]:
        """The reply as a stream."""


def _text(content: str | list[Body] | None) -> str:
    """The text of a message's content."""
    if isinstance(content, str):
        return content
    return "".join(part["text"] for part in content or [] if part.get("type") in ("text", "input_text"))


def _asked(messages: list[Body], is_result: Callable[[Body], bool]) -> tuple[str, bool]:
    has_result = False
    for message in reversed(messages):
        if is_result(message):
            has_result = True
        elif message.get("role") == "user":
            return _text(message["content"]), has_result
    return "", has_result


class ChatCompletions(Dialect):
    """OpenAI's chat completions."""

    provider = "openai"
    id_prefix = "chatcmpl-"
    models = OPENAI_MODELS
    reasons = True
    writes_cache = False
    fail_status = 500
    failure: ClassVar = {"error": {"message": "The model is overloaded.", "type": "server_error", "code": None, "param": None}}

    def asked(self, request: Body) -> tuple[str, bool]:
        return _asked(request["messages"], lambda message: message["role"] == "tool")

    def whole(self, reply: Reply) -> Body:
        message = {"role": "assistant", "content": reply.text, "refusal": None}
        if reply.tool:
            message["tool_calls"] = [self._tool_call(reply)]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self._reason(reply)}
        return self._head("chat.completion", reply) | {"choices": [choice], "usage": self._usage(reply.usage)}

    def events(self, request: Body, reply: Reply) -> Iterator[Event]:
        head = self._head("chat.completion.chunk", reply)

        def chunk(delta: Body, reason: str | None = None) -> str:
            return _data(head | {"choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}]})

        if reply.tool:
            call = {"index": 0, **self._tool_call(reply)}
            yield True, chunk({"role": "assistant", "content": None, "tool_calls": [call]})
        else:
            for number, piece in enumerate(reply.pieces):
                yield True, chunk({"content": piece} if number else {"role": "assistant", "content": piece})
        yield False, chunk({}, self._reason(reply))
        if (request.get("stream_options") or {}).get("include_usage"):
            yield False, _data(head | {"choices": [], "usage": self._usage(reply.usage)})
        yield False, "data: [DONE]\n\n"

    @staticmethod
    def _head(kind: str, reply: Reply) -> Body:
        return {"id": reply.id, "object": kind, "created": int(time.time()), "model": reply.model, "service_tier": "default"}

    @staticmethod
    def _reason(reply: Reply) -> str:
        return "tool_calls" if reply.tool else "stop"

    @staticmethod
    def _tool_call(reply: Reply) -> Body:
        name, arguments = reply.tool or ("", {})
        return {"id": f"call_{reply.id[-12:]}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}

    @staticmethod
    def _usage(usage: Usage) -> Body:
        return {
            "prompt_tokens": usage.input_tokens,
            "completion_tokens": usage.output_tokens,
            "total_tokens": usage.input_tokens + usage.output_tokens,
            "prompt_tokens_details": {"cached_tokens": usage.cache_read_tokens, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens, "audio_tokens": 0},
        }


class Responses(Dialect):
    """OpenAI's Responses API."""

    provider = "openai"
    id_prefix = "resp_"
    models = OPENAI_MODELS
    reasons = True
    writes_cache = False
    fail_status = 500
    failure: ClassVar = ChatCompletions.failure

    def asked(self, request: Body) -> tuple[str, bool]:
        said = request["input"]
        return (said, False) if isinstance(said, str) else _asked(said, lambda item: item.get("type") == "function_call_output")

    def whole(self, reply: Reply) -> Body:
        return self._response(reply, "completed", [self._item(reply)])

    def events(self, request: Body, reply: Reply) -> Iterator[Event]:
        numbers = iter(range(1000))

        def event(kind: str, **fields: Any) -> str:
            return _event(kind, {"type": kind, "sequence_number": next(numbers), **fields})

        item = self._item(reply)
        begun = {**item, "status": "in_progress", **({"arguments": ""} if reply.tool else {"content": []})}
        place = {"item_id": item["id"], "output_index": 0}
        yield False, event("response.created", response=self._response(reply, "in_progress", []))
        if reply.tool:
            yield True, event("response.output_item.added", output_index=0, item=begun)
            yield False, event("response.function_call_arguments.delta", delta=item["arguments"], **place)
            yield False, event("response.function_call_arguments.done", arguments=item["arguments"], name=item["name"], **place)
        else:
            place["content_index"] = 0
            [part] = item["content"]
            opening = event("response.output_item.added", output_index=0, item=begun)
            opening += event("response.content_part.added", part={**part, "text": ""}, **place)
            for piece in reply.pieces:
                yield True, opening + event("response.output_text.delta", delta=piece, logprobs=[], **place)
                opening = ""
            yield False, event("response.output_text.done", text=reply.text, logprobs=[], **place)
            yield False, event("response.content_part.done", part=part, **place)
        yield False, event("response.output_item.done", output_index=0, item=item)
        yield False, event("response.completed", response=self.whole(reply))

    @staticmethod
    def _item(reply: Reply) -> Body:
        if reply.tool:
            name, arguments = reply.tool
            ids = {"id": f"fc_{reply.id[-12:]}", "call_id": f"call_{reply.id[-12:]}"}
            return {"type": "function_call", "status": "completed", **ids, "name": name, "arguments": json.dumps(arguments)}
        part = {"type": "output_text", "text": reply.text, "annotations": [], "logprobs": []}
        return {"type": "message", "id": f"msg_{reply.id[-12:]}", "role": "assistant", "status": "completed", "content": [part]}

    @staticmethod
    def _response(reply: Reply, status: str, output: list[Body]) -> Body:
        usage = reply.usage
        return {
            "id": reply.id,
            "object": "response",
            "created_at": int(time.time()),
            "status": status,
            "error": None,
            "incomplete_details": None,
            "instructions": None,
            "metadata": {},
            "model": reply.model,
            "output": output,
            "parallel_tool_calls": True,
            "temperature": 1.0,
            "tool_choice": "auto",
            "tools": [],
            "top_p": 1.0,
            "usage": {
                "input_tokens": usage.input_tokens,
                "input_tokens_details": {"cached_tokens": usage.cache_read_tokens, "cache_write_tokens": 0},
                "output_tokens": usage.output_tokens,
                "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
                "total_tokens": usage.input_tokens + usage.output_tokens,
            }
            if output
            else None,
        }


class Messages(Dialect):
    """Anthropic's messages. Its own input tokens exclude what is cached, and reasoning is not told apart."""

    provider = "anthropic"
    id_prefix = "msg_"
    models = ANTHROPIC_MODELS
    reasons = False
    writes_cache = True
    fail_status = 529
    failure: ClassVar = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}

    def asked(self, request: Body) -> tuple[str, bool]:
        return _asked(request["messages"], self._is_result)

    @staticmethod
    def _is_result(message: Body) -> bool:
        content = message["content"]
        return isinstance(content, list) and any(part["type"] == "tool_result" for part in content)

    def whole(self, reply: Reply) -> Body:
        return self._message(reply, [self._block(reply)], "tool_use" if reply.tool else "end_turn")

    def events(self, request: Body, reply: Reply) -> Iterator[Event]:
        block = self._block(reply)
        empty = {**block, "input": {}} if reply.tool else {**block, "text": ""}
        deltas = (
            [{"type": "input_json_delta", "partial_json": json.dumps(block["input"])}]
            if reply.tool
            else [{"type": "text_delta", "text": piece} for piece in reply.pieces]
        )
        whole = self.whole(reply)
        yield True, _event("message_start", {"type": "message_start", "message": self._message(reply, [], None)})
        yield False, _event("content_block_start", {"type": "content_block_start", "index": 0, "content_block": empty})
        for number, delta in enumerate(deltas):
            yield number > 0, _event("content_block_delta", {"type": "content_block_delta", "index": 0, "delta": delta})
        yield False, _event("content_block_stop", {"type": "content_block_stop", "index": 0})
        ending = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
        yield False, _event("message_delta", {"type": "message_delta", "delta": ending, "usage": whole["usage"]})
        yield False, _event("message_stop", {"type": "message_stop"})

    @staticmethod
    def _block(reply: Reply) -> Body:
        if reply.tool:
            name, arguments = reply.tool
            return {"type": "tool_use", "id": f"toolu_{reply.id[-12:]}", "name": name, "input": arguments}
        return {"type": "text", "text": reply.text}

    @staticmethod
    def _message(reply: Reply, content: list[Body], reason: str | None) -> Body:
        usage = reply.usage
        return {
            "id": reply.id,
            "type": "message",
            "role": "assistant",
            "model": reply.model,
            "content": content,
            "stop_reason": reason,
            "stop_sequence": None,
            "usage": {
                "input_tokens": usage.input_tokens - usage.cache_read_tokens - usage.cache_write_tokens,
                "cache_read_input_tokens": usage.cache_read_tokens,
                "cache_creation_input_tokens": usage.cache_write_tokens,
                "output_tokens": usage.output_tokens if content else 1,
            },
        }


def _data(body: Body) -> str:
    return f"data: {json.dumps(body)}\n\n"


def _event(kind: str, body: Body) -> str:
    return f"event: {kind}\n{_data(body)}"


DIALECTS: Final[dict[str, Dialect]] = {
    "/v1/chat/completions": ChatCompletions(),
    "/v1/responses": Responses(),
    "/v1/messages": Messages(),
}
"""By path."""
