"""OpenTelemetry's own instrumentation of the OpenAI SDK. It knows no session: the application puts it on its own root span."""

import os

os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "gen_ai_latest_experimental"
os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "SPAN_ONLY"

from emitting import Chat, converse, grpc_provider, weather
from openai import OpenAI
from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor

provider = grpc_provider()
OpenAIInstrumentor().instrument(tracer_provider=provider)
tracer = provider.get_tracer("assistant")
client = OpenAI(max_retries=0)


def get_weather(city):
    attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_weather"}
    with tracer.start_as_current_span("execute_tool get_weather", attributes=attributes):
        return weather(city)


def start(session_id, user_id):
    chat = Chat(client)
    attributes = {"gen_ai.conversation.id": session_id, "user.id": user_id}

    def answer(question, stream):
        with tracer.start_as_current_span("assistant", attributes=attributes):
            return chat.answer(question, stream, get_weather)

    return answer


converse(start)
provider.shutdown()
