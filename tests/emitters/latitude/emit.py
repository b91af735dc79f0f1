"""Latitude's SDK: its own `capture` around each turn, the instrumentation of OpenAI's SDK that it chooses, its filter.

Its own exporter speaks OTLP/HTTP only, so it is handed OpenTelemetry's exporter for gRPC instead.
"""

import openai
from emitting import Chat, converse, weather
from latitude_telemetry import Latitude, capture
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

latitude = Latitude(api_key="none", exporter=OTLPSpanExporter(), instrumentations={"openai": openai})
tracer = latitude.get_tracer("assistant")
client = openai.OpenAI(max_retries=0)


def get_weather(city):
    attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_weather"}
    with tracer.start_as_current_span("execute_tool get_weather", attributes=attributes):
        return weather(city)


def start(session_id, user_id):
    chat = Chat(client)

    def answer(question, stream):
        whose = {"session_id": session_id, "user_id": user_id}
        return capture("assistant", lambda: chat.answer(question, stream, get_weather), whose)

    return answer


converse(start)
latitude.shutdown()
