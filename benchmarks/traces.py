"""Agent traces as an instrumented application would send them: made up, but of real shape, size and compressibility.

A trace is one turn: the agent's span and below it, in turns, calls to a model and to tools. Text is words drawn by chance, and a
call's input repeats what was said before it, as in real life; so it compresses about as text does.
"""

import json
import random
from collections.abc import Mapping

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

CALLS_PER_TRACE = 4
SPANS_PER_TRACE = 2 * CALLS_PER_TRACE
"""The agent, its calls to a model, and a tool between each two of them."""
MESSAGE_WORDS = 40
FAILED_TOOL_SHARE = 0.02
MILLI = 1_000_000

AGENT = "travel-assistant"
MODELS = (("openai", "gpt-5-mini", "gpt-5-mini-2025-08-07"), ("anthropic", "claude-sonnet-4-5", "claude-sonnet-4-5-20250929"))
TOOLS = ("get_weather", "search_flights", "search_hotels", "convert_currency", "get_calendar")
VOCABULARY = """
    the a of to in is for you it on with as are be at this have from or one had by but not what all were when we there can an your
    which their said if do will each about how up out them then she many some so these would other into has more her two like him
    flight hotel train weather rain sunny degrees tomorrow Monday Tuesday evening morning Lisbon Berlin Kyoto Oslo price euro night
    booking seat window aisle breakfast museum walk river station airport delay gate ticket luggage cheap quiet central recommend
    because however instead perhaps available departure arrival return direct change hours minutes forecast wind cloudy cold warm
"""
_WORDS = VOCABULARY.split()

Attributes = Mapping[str, str | int | float | list[str]]


def agent_trace(chance: random.Random, *, session_id: str, user_id: str, start_unix_nano: int) -> list[Span]:
    """The spans of one turn, in the order in which they end: children before their parent."""
    turn = _Turn(chance, {"session.id": session_id, "user.id": user_id}, start_unix_nano)
    for call in range(CALLS_PER_TRACE):
        if call:
            turn.use_tool()
        turn.call_model(call)
    turn.finish()
    return turn.spans


def attributes(values: Attributes) -> list[KeyValue]:
    """Values as OTLP attributes."""
    return [KeyValue(key=key, value=_any_value(value)) for key, value in values.items()]


class _Turn:
    """A trace in the making."""

    def __init__(self, chance: random.Random, shared: Attributes, start_unix_nano: int) -> None:
        self.spans: list[Span] = []
        self._chance = chance
        self._shared = shared
        self._trace_id, self._root_id = chance.randbytes(16), chance.randbytes(8)
        self._provider, self._model, self._answered_by = chance.choice(MODELS)
        self._start = self._clock = start_unix_nano
        self._messages = [_message("user", self._text(MESSAGE_WORDS))]

    def call_model(self, call: int) -> None:
        """A chat span. Its input grows with the conversation, and half of it comes from the cache once there is one."""
        answer = _message("assistant", self._text(MESSAGE_WORDS))
        input_tokens = 900 + 350 * call + self._chance.randint(0, 200)
        chat: Attributes = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": self._provider,
            "gen_ai.request.model": self._model,
            "gen_ai.request.temperature": 0.7,
            "gen_ai.response.model": self._answered_by,
            "gen_ai.response.id": f"chatcmpl-{self._chance.getrandbits(96):024x}",
            "gen_ai.response.finish_reasons": ["stop" if call == CALLS_PER_TRACE - 1 else "tool_calls"],
            "gen_ai.usage.input_tokens": input_tokens,
            "gen_ai.usage.output_tokens": self._chance.randint(40, 400),
            "gen_ai.usage.cache_read.input_tokens": input_tokens // 2 if call else 0,
            "gen_ai.input.messages": json.dumps(self._messages[-2:]),
            "gen_ai.output.messages": json.dumps([answer]),
        }
        self._messages.append(answer)
        self._add(f"chat {self._model}", Span.SPAN_KIND_CLIENT, chat, millis=self._chance.randint(400, 2500))

    def use_tool(self) -> None:
        """A tool span, of which a few fail."""
        tool, result = self._chance.choice(TOOLS), self._text(MESSAGE_WORDS)
        execution: Attributes = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": tool,
            "gen_ai.tool.type": "function",
            "gen_ai.tool.call.id": f"call_{self._chance.getrandbits(96):024x}",
            "gen_ai.tool.call.arguments": json.dumps({"query": self._text(6)}),
            "gen_ai.tool.call.result": result,
        }
        self._messages.append(_message("tool", result))
        span = self._add(f"execute_tool {tool}", Span.SPAN_KIND_INTERNAL, execution, millis=self._chance.randint(20, 400))
        if self._chance.random() < FAILED_TOOL_SHARE:
            span.attributes.extend(attributes({"error.type": "TimeoutError"}))
            span.status.CopyFrom(Status(code=Status.STATUS_CODE_ERROR, message="the service did not answer in time"))

    def finish(self) -> None:
        """The agent's span, over the whole turn."""
        agent: Attributes = {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": AGENT,
            "gen_ai.provider.name": self._provider,
            "gen_ai.request.model": self._model,
            "gen_ai.input.messages": json.dumps(self._messages[:1]),
            "gen_ai.output.messages": json.dumps(self._messages[-1:]),
        }
        span = self._add(f"invoke_agent {AGENT}", Span.SPAN_KIND_INTERNAL, agent, millis=1)
        span.span_id, span.parent_span_id, span.start_time_unix_nano = self._root_id, b"", self._start

    def _add(self, name: str, kind: Span.SpanKind.ValueType, own: Attributes, *, millis: int) -> Span:
        start, self._clock = self._clock, self._clock + millis * MILLI
        span = Span(
            trace_id=self._trace_id,
            span_id=self._chance.randbytes(8),
            parent_span_id=self._root_id,
            name=name,
            kind=kind,
            start_time_unix_nano=start,
            end_time_unix_nano=self._clock,
            attributes=attributes({**self._shared, **own}),
        )
        self.spans.append(span)
        return span

    def _text(self, words: int) -> str:
        return " ".join(self._chance.choices(_WORDS, k=words))


def _message(role: str, content: str) -> dict[str, object]:
    return {"role": role, "parts": [{"type": "text", "content": content}]}


def _any_value(value: str | float | list[str]) -> AnyValue:
    match value:
        case str():
            return AnyValue(string_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case list():
            return AnyValue(array_value=ArrayValue(values=map(_any_value, value)))
