"""What the scripts share. It runs in each emitter's own environment, with OpenTelemetry's SDK and nothing of sessiond.

Endpoints and keys are in the environment's usual variables (OPENAI_BASE_URL, OTEL_EXPORTER_OTLP_ENDPOINT, ...).
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

OPENAI_MODEL = "gpt-5-mini"
ANTHROPIC_MODEL = "claude-sonnet-4-5"
INSTRUCTIONS = "You are a travel assistant. Answer briefly."
CITY_SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {"name": "get_weather", "description": "The weather in a city now.", "parameters": CITY_SCHEMA}

Answer = Callable[[str, bool], str]
"""A question, and whether to stream the answer -> the answer."""


def grpc_provider() -> TracerProvider:
    """The global tracer provider, with its exporter over OTLP/gRPC."""
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return provider


def weather(city: str) -> str:
    """What the tool says."""
    return json.dumps({"city": city, "sky": "sunny", "celsius": 24})


def converse(start: Callable[[str, str], Answer]) -> None:
    """Hold both conversations, turn about; `start(session_id, user_id)` begins one.

    Fails where an answer is not the scenario's, word for word, and where a turn fails or does not fail against the scenario.
    """
    sessions = json.loads(Path(os.environ["SCENARIO_FILE"]).read_text())
    talks = [(start(session["session_id"], session["user_id"]), session["turns"]) for session in sessions]
    for number in range(max(len(turns) for _, turns in talks)):
        for answer, turns in talks:
            turn = turns[number]
            try:
                said = answer(turn["question"], turn.get("stream", False))
            except Exception:
                if not turn.get("fails"):
                    raise
            else:
                assert said == turn.get("answer"), f"{turn} was answered with {said!r}"


class Chat:
    """A conversation over chat completions, as one would write it without a framework."""

    def __init__(self, client: object) -> None:
        self._client = client
        self._messages: list = [{"role": "system", "content": INSTRUCTIONS}]

    def answer(self, question: str, stream: bool, use_tool: Callable[[str], str]) -> str:
        """The answer; where the model asks for the weather first, `use_tool(city)` says it. A turn that fails leaves no trace."""
        messages = [*self._messages, {"role": "user", "content": question}]
        said = self._streamed(messages) if stream else self._whole(messages, use_tool)
        self._messages = [*messages, {"role": "assistant", "content": said}]
        return said

    def _whole(self, messages: list, use_tool: Callable[[str], str]) -> str:
        while True:
            tools = [{"type": "function", "function": TOOL}]
            completion = self._client.chat.completions.create(model=OPENAI_MODEL, messages=messages, tools=tools)
            message = completion.choices[0].message
            if not message.tool_calls:
                return message.content
            messages.append(message.model_dump(exclude_none=True))
            for call in message.tool_calls:
                result = use_tool(json.loads(call.function.arguments)["city"])
                messages.append({"role": "tool", "tool_call_id": call.id, "content": result})

    def _streamed(self, messages: list) -> str:
        options = {"include_usage": True}
        chunks = self._client.chat.completions.create(model=OPENAI_MODEL, messages=messages, stream=True, stream_options=options)
        return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
