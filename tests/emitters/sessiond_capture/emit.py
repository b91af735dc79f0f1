"""sessiond's own `capture` around each turn, and `instrument`, with nothing installed of what the daemon needs.

The tool runs in a thread, and whatever is left is sent as the process ends.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.append(str(Path(__file__).parents[3] / "src"))

from emitting import Chat, converse, weather
from openai import OpenAI
from openinference.instrumentation.openai import OpenAIInstrumentor
from opentelemetry import trace

from sessiond.capture import capture, instrument

instrument()
OpenAIInstrumentor().instrument()
client = OpenAI(max_retries=0)
pool = ThreadPoolExecutor()


def get_weather(city):
    attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "get_weather"}
    with trace.get_tracer("assistant").start_as_current_span("execute_tool get_weather", attributes=attributes):
        return weather(city)


def in_a_thread(city):
    return pool.submit(get_weather, city).result()


def start(session_id, user_id):
    chat = Chat(client)

    def answer(question, stream):
        with capture("assistant", session_id=session_id, user_id=user_id):
            return chat.answer(question, stream, in_a_thread)

    return answer


converse(start)
