"""The Anthropic SDK under OpenInference. The SDK writes spans of its own below them: each call is on the wire twice."""

from anthropic import Anthropic
from emitting import ANTHROPIC_MODEL, CITY_SCHEMA, INSTRUCTIONS, converse, grpc_provider, weather
from openinference.instrumentation import OITracer, TraceConfig, using_attributes
from openinference.instrumentation.anthropic import AnthropicInstrumentor

provider = grpc_provider()
AnthropicInstrumentor().instrument(tracer_provider=provider)
tracer = OITracer(provider.get_tracer("assistant"), TraceConfig())
client = Anthropic(max_retries=0)
TOOLS = [{"name": "get_weather", "description": "The weather in a city now.", "input_schema": CITY_SCHEMA}]


@tracer.tool(name="get_weather")
def get_weather(city: str) -> str:
    return weather(city)


def start(session_id, user_id):
    history = []

    def ask(messages, stream):
        request = {"model": ANTHROPIC_MODEL, "max_tokens": 1000, "system": INSTRUCTIONS, "messages": messages, "tools": TOOLS}
        if not stream:
            return client.messages.create(**request).content
        with client.messages.stream(**request) as events:
            return events.get_final_message().content

    def speak(question, stream):
        messages = [*history, {"role": "user", "content": question}]
        content = ask(messages, stream)
        while content[0].type == "tool_use":
            result = {"type": "tool_result", "tool_use_id": content[0].id, "content": get_weather(content[0].input["city"])}
            messages += [{"role": "assistant", "content": content}, {"role": "user", "content": [result]}]
            content = ask(messages, stream)
        history[:] = [*messages, {"role": "assistant", "content": content}]
        return content[0].text

    def answer(question, stream):
        with (
            using_attributes(session_id=session_id, user_id=user_id),
            tracer.start_as_current_span("assistant", openinference_span_kind="agent") as span,
        ):
            span.set_input(question)
            said = speak(question, stream)
            span.set_output(said)
            return said

    return answer


converse(start)
provider.shutdown()
