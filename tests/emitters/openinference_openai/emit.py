"""The OpenAI SDK under OpenInference; `using_attributes` puts session and user on every span of a turn."""

from emitting import Chat, converse, grpc_provider, weather
from openai import OpenAI
from openinference.instrumentation import OITracer, TraceConfig, using_attributes
from openinference.instrumentation.openai import OpenAIInstrumentor

provider = grpc_provider()
OpenAIInstrumentor().instrument(tracer_provider=provider)
tracer = OITracer(provider.get_tracer("assistant"), TraceConfig())
client = OpenAI(max_retries=0)


@tracer.tool(name="get_weather")
def get_weather(city: str) -> str:
    return weather(city)


def start(session_id, user_id):
    chat = Chat(client)

    def answer(question, stream):
        with (
            using_attributes(session_id=session_id, user_id=user_id),
            tracer.start_as_current_span("assistant", openinference_span_kind="agent") as span,
        ):
            span.set_input(question)
            said = chat.answer(question, stream, get_weather)
            span.set_output(said)
            return said

    return answer


converse(start)
provider.shutdown()
