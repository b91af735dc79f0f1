"""Langfuse: `observe` for turn and tool, its drop-in OpenAI client, `propagate_attributes` for session and user.

Its own exporter speaks OTLP/HTTP only, so it is handed OpenTelemetry's exporter for gRPC instead.
"""

from emitting import Chat, converse, weather
from langfuse import Langfuse, observe, propagate_attributes
from langfuse.openai import OpenAI
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

langfuse = Langfuse(public_key="pk-none", secret_key="sk-none", base_url="http://127.0.0.1:9", span_exporter=OTLPSpanExporter())
client = OpenAI(max_retries=0)


@observe(name="get_weather", as_type="tool")
def get_weather(city):
    return weather(city)


@observe(name="assistant", as_type="agent", capture_input=False)
def turn(chat, question, stream):
    return chat.answer(question, stream, get_weather)


def start(session_id, user_id):
    chat = Chat(client)

    def answer(question, stream):
        with propagate_attributes(session_id=session_id, user_id=user_id):
            return turn(chat, question, stream)

    return answer


converse(start)
langfuse.flush()
