"""OpenLLMetry (traceloop-sdk): decorators for turn and tool, association properties for session and user."""

from emitting import Chat, converse, weather
from openai import OpenAI
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from traceloop.sdk import Traceloop
from traceloop.sdk.decorators import tool, workflow
from traceloop.sdk.instruments import Instruments

Traceloop.init("assistant", exporter=OTLPSpanExporter(), telemetry_enabled=False, instruments={Instruments.OPENAI})
client = OpenAI(max_retries=0)


@tool(name="get_weather")
def get_weather(city):
    return weather(city)


@workflow(name="assistant")
def turn(chat, question, stream):
    return chat.answer(question, stream, get_weather)


def start(session_id, user_id):
    chat = Chat(client)

    def answer(question, stream):
        Traceloop.set_association_properties({"session_id": session_id, "user_id": user_id})
        return turn(chat, question, stream)

    return answer


converse(start)
trace.get_tracer_provider().shutdown()
