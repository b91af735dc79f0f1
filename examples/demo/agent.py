"""A small travel assistant as one would write it: the OpenAI SDK, one tool, and a loop; a turn of a conversation is one trace.

OpenInference makes the spans of the calls to the model. The agent adds two of its own, the turn's and the tool's, and says once
whose session it is: `using_attributes` puts the session and the user on every span below it, and that is all that sessiond needs.
"""

import json
import time
from typing import Any, Final

from openai import OpenAI
from openai.types.chat import ChatCompletionMessageFunctionToolCall, ChatCompletionToolParam
from openinference.instrumentation import OITracer, using_attributes

MODEL: Final = "gpt-5-mini"
STEPS_MAX: Final = 4
"""Calls to the model in one turn: an agent that goes on asking for tools is stopped."""

INSTRUCTIONS: Final = "You are a travel assistant. Answer briefly. Ask get_weather rather than guess the weather."
GET_WEATHER: Final[ChatCompletionToolParam] = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city now.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
WEATHER: Final = {"Lisbon": ("sunny", 24), "Kyoto": ("cloudy", 14), "Tokyo": ("clear", 17)}
LOOKUP_SECONDS: Final = 0.06
"""What a weather service takes to answer."""


class Agent:
    """One user's conversation. Its history is the agent's; nothing of it is read back from telemetry."""

    def __init__(self, client: OpenAI, tracer: OITracer, *, user_id: str, session_id: str) -> None:
        self._client = client
        self._tracer = tracer
        self._user_id = user_id
        self._session_id = session_id
        self._messages: list[Any] = [{"role": "system", "content": INSTRUCTIONS}]

    def turn(self, question: str) -> str:
        """Answer a question. Raises openai.OpenAIError where the model fails; the turn's span then carries the failure."""
        with (
            using_attributes(session_id=self._session_id, user_id=self._user_id),
            self._tracer.start_as_current_span("travel assistant", openinference_span_kind="agent") as span,
        ):
            span.set_attribute("agent.name", "travel-assistant")
            span.set_input(question)
            self._messages.append({"role": "user", "content": question})
            answer = self._answer()
            self._messages.append({"role": "assistant", "content": answer})
            span.set_output(answer)
            return answer

    def _answer(self) -> str:
        """Call the model, and the tools that it asks for, until it answers."""
        for _ in range(STEPS_MAX):
            if self._messages[-1]["role"] == "tool":
                return self._streamed()
            completion = self._client.chat.completions.create(model=MODEL, messages=self._messages, tools=[GET_WEATHER])
            message = completion.choices[0].message
            if not message.tool_calls:
                return message.content or ""
            self._messages.append(message.model_dump(exclude_none=True))
            self._messages.extend(self._use_tool(call) for call in message.tool_calls if call.type == "function")
        raise RuntimeError(f"no answer after {STEPS_MAX} calls")

    def _streamed(self) -> str:
        """The answer to what the tools gave, as it comes."""
        chunks = self._client.chat.completions.create(
            model=MODEL, messages=self._messages, stream=True, stream_options={"include_usage": True}
        )
        return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices).strip()

    def _use_tool(self, call: ChatCompletionMessageFunctionToolCall) -> dict[str, str]:
        name, arguments = call.function.name, json.loads(call.function.arguments)
        with self._tracer.start_as_current_span(name, openinference_span_kind="tool") as span:
            span.set_tool(name=name, parameters=arguments)
            span.set_input(arguments)
            time.sleep(LOOKUP_SECONDS)
            sky, celsius = WEATHER[arguments["city"]]
            result = {"city": arguments["city"], "sky": sky, "celsius": celsius}
            span.set_output(result)
        return {"role": "tool", "tool_call_id": call.id, "content": json.dumps(result)}
