"""Turns of conversations as the bytes of OTLP spans, made by the million.

A message's bytes followed by another's are both merged into one message, as protobuf is encoded. So what many spans share, such as
the names of a model or the ids of a session, is serialised once, and a span only adds its own ids, times, counts and texts.

A turn is an agent's span, and below it a model that asks for two tools, the tools, and the model that answers. Now and then a tool
or the last call fails. Chance, which the caller seeds, decides what a turn holds.
"""

import random
from collections.abc import Mapping
from functools import cache
from typing import Final, NamedTuple

from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from benchmarks.traces import MILLI, TOOLS, VOCABULARY, Attributes, attributes
from sessiond.core.model import Origin

SPANS_PER_TURN: Final = 5
MODELS: Final = (
    ("openai", "gpt-4o"),
    ("openai", "gpt-4o-mini"),
    ("anthropic", "claude-sonnet-4-5"),
    ("openai", "gpt-5-mini"),
    ("anthropic", "claude-haiku-4-5"),
    ("gcp.gemini", "gemini-2.5-flash"),
    ("openai", "gpt-4.1"),
    ("gcp.gemini", "gemini-2.5-pro"),
    ("openai", "gpt-5"),
    ("openai", "gpt-4.1-mini"),
    ("anthropic", "claude-opus-4-1"),
    ("mistral_ai", "mistral-large-latest"),
    ("deepseek", "deepseek-chat"),
    ("openai", "o4-mini"),
    ("groq", "llama-3.3-70b-versatile"),
    ("x_ai", "grok-4"),
    ("mistral_ai", "mistral-small-latest"),
    ("openai", "o3"),
    ("x_ai", "grok-3-mini"),
    ("cohere", "command-r-plus"),
    ("acme", "house-llm-2"),
    ("acme", "house-llm-2-mini"),
)
"""(provider, model), the most used first: twenty that have a list price, and two that nobody knows."""
SERVICES: Final = ("travel-assistant", "support-desk", "code-review", "report-writer")
PLANS: Final = ("free", "free", "free", "pro", "pro", "team")
REGIONS: Final = ("eu-west", "eu-north", "us-east", "us-west", "ap-south")
TAGS: Final = ("beta", "mobile", "web", "vip", "internal", "trial")

_WEIGHTS: Final = [1 / (place + 2) for place in range(len(MODELS))]
_OTHER_MODEL_SHARE: Final = 0.1
_STREAMING_SHARE: Final = 0.5
_FAILED_TOOL_SHARE: Final = 0.02
_FAILED_CALL_SHARE: Final = 0.01
_INPUT_TOKENS_MAX: Final = 9000
_QUESTION_WORDS, _ANSWER_WORDS, _RESULT_WORDS = 12, 20, 8
_WORDS: Final = VOCABULARY.split()
_BY_KIND: Final[Mapping[str, Span.SpanKind.ValueType]] = {
    "chat": Span.SPAN_KIND_CLIENT,
    "execute_tool": Span.SPAN_KIND_INTERNAL,
    "invoke_agent": Span.SPAN_KIND_INTERNAL,
}
_FAILED_TOOL: Final = {"error.type": "TimeoutError"}, "the service did not answer in time"
_FAILED_CALL: Final = {"error.type": "rate_limit_exceeded"}, "too many requests: try again later"

Model = tuple[str, str]


class Conversation(NamedTuple):
    """What the turns of a session have in common."""

    service: str
    model: Model
    is_streaming: bool
    ids: bytes
    """Part of every span: session and user."""
    labels: bytes
    """Part of every agent's span: metadata and tags."""

    @classmethod
    def draw(cls, chance: random.Random, *, session_id: str, user_id: str, model: Model | None = None) -> "Conversation":
        """A session's properties by chance, but for what is given."""
        metadata = {"langfuse.trace.metadata.plan": chance.choice(PLANS), "langfuse.trace.metadata.region": chance.choice(REGIONS)}
        return cls(
            service=chance.choice(SERVICES),
            model=model or _any_model(chance),
            is_streaming=chance.random() < _STREAMING_SHARE,
            ids=_part({"session.id": session_id, "user.id": user_id}),
            labels=_part({**metadata, "langfuse.trace.tags": chance.sample(TAGS, chance.randint(0, 3))}),
        )

    @property
    def origin(self) -> Origin:
        """Its resource and scope."""
        return _origin(self.service)


class Turn:
    """One trace in the making: `spans` are bytes of spans, in the order in which they end, and `clock` is the end of the last."""

    def __init__(
        self, chance: random.Random, talk: Conversation, start_unix_nano: int, *, ids: tuple[bytes, bytes] | None = None
    ) -> None:
        self.spans: list[bytes] = []
        self.clock = start_unix_nano
        self._chance = chance
        self._talk = talk
        self._start = start_unix_nano
        self._trace_id, self._root_id = ids or (chance.randbytes(16), chance.randbytes(8))
        self._model = _any_model(chance) if chance.random() < _OTHER_MODEL_SHARE else talk.model

    def whole(self, turns_before: int) -> "Turn":
        """Every span of a turn that others came before: what was said in those is part of what the model reads."""
        question, answer = self._text(_QUESTION_WORDS), self._text(_ANSWER_WORDS)
        input_tokens = min(_INPUT_TOKENS_MAX, self._chance.randint(300, 900) + 220 * turns_before)
        self.call_model(input_tokens, self._text(_RESULT_WORDS))
        for _ in range(SPANS_PER_TURN - 3):
            self.use_tool()
        self.call_model(input_tokens + 200, answer, can_fail=True)
        self.finish(question, answer)
        return self

    def call_model(self, input_tokens: int, answer: str, *, can_fail: bool = False) -> None:
        """A call to the model, with half of its input from a cache where that is long."""
        failure = _FAILED_CALL if can_fail and self._chance.random() < _FAILED_CALL_SHARE else None
        millis = self._chance.randint(300, 2500)
        own: dict[str, str | int | float] = {}
        if failure is None:
            own["gen_ai.usage.input_tokens"] = input_tokens
            own["gen_ai.usage.output_tokens"] = self._chance.randint(20, 600)
            own["gen_ai.output.messages"] = _message("assistant", answer)
            if input_tokens > _INPUT_TOKENS_MAX // 2:
                own["gen_ai.usage.cache_read.input_tokens"] = input_tokens // 2
            if self._talk.is_streaming:
                own["gen_ai.response.time_to_first_chunk"] = millis * self._chance.randint(10, 60) / 100_000
        self._add(_call(self._model), own, millis=millis, failure=failure)

    def use_tool(self) -> None:
        """A tool's run."""
        failure = _FAILED_TOOL if self._chance.random() < _FAILED_TOOL_SHARE / 2 else None
        own = {"gen_ai.tool.call.result": self._text(_RESULT_WORDS)}
        self._add(_tool(self._chance.choice(TOOLS)), own, millis=self._chance.randint(20, 400), failure=failure)

    def finish(self, question: str, answer: str) -> None:
        """The agent's span, over the whole turn."""
        own = {"gen_ai.input.messages": _message("user", question), "gen_ai.output.messages": _message("assistant", answer)}
        span = Span(
            trace_id=self._trace_id,
            span_id=self._root_id,
            start_time_unix_nano=self._start,
            end_time_unix_nano=self.clock,
            attributes=attributes(own),
        )
        self.spans.append(span.SerializeToString() + _agent(self._talk.service) + self._talk.ids + self._talk.labels)

    def _add(self, shared: bytes, own: Attributes, *, millis: int, failure: tuple[Attributes, str] | None) -> None:
        start, self.clock = self.clock, self.clock + millis * MILLI
        span = Span(
            trace_id=self._trace_id,
            span_id=self._chance.randbytes(8),
            parent_span_id=self._root_id,
            start_time_unix_nano=start,
            end_time_unix_nano=self.clock,
            attributes=attributes(own),
        )
        if failure:
            span.attributes.extend(attributes(failure[0]))
            span.status.CopyFrom(Status(code=Status.STATUS_CODE_ERROR, message=failure[1]))
        self.spans.append(span.SerializeToString() + shared + self._talk.ids)

    def _text(self, words: int) -> str:
        return " ".join(self._chance.choices(_WORDS, k=words))


def _any_model(chance: random.Random) -> Model:
    return chance.choices(MODELS, _WEIGHTS)[0]


def _message(role: str, words: str) -> str:
    """One message as JSON; words need no escapes."""
    return f'[{{"role":"{role}","parts":[{{"type":"text","content":"{words}"}}]}}]'


# -- what many spans share -----------------------------------------------------------------------------------------------------


def _part(values: Attributes) -> bytes:
    return Span(attributes=attributes(values)).SerializeToString()


def _shared(operation: str, of: str, values: Attributes) -> bytes:
    named = Span(name=f"{operation} {of}", kind=_BY_KIND[operation])
    return named.SerializeToString() + _part({"gen_ai.operation.name": operation, **values})


@cache
def _call(model: Model) -> bytes:
    provider, name = model
    names = {"gen_ai.provider.name": provider, "gen_ai.request.model": name, "gen_ai.response.model": name}
    return _shared("chat", name, names)


@cache
def _tool(name: str) -> bytes:
    return _shared("execute_tool", name, {"gen_ai.tool.name": name, "gen_ai.tool.type": "function"})


@cache
def _agent(service: str) -> bytes:
    return _shared("invoke_agent", service, {"gen_ai.agent.name": service})


@cache
def _origin(service: str) -> Origin:
    resource = Resource(attributes=attributes({"service.name": service, "deployment.environment.name": "production"}))
    scope = InstrumentationScope(name="opentelemetry.instrumentation.genai", version="1.2.0")
    return Origin(resource.SerializeToString(), b"", scope.SerializeToString(), b"")
