"""Pydantic AI's own instrumentation; the session is the run's `conversation_id`, the user is on the application's root span."""

from emitting import INSTRUCTIONS, OPENAI_MODEL, converse, grpc_provider, weather
from openai import AsyncOpenAI
from pydantic_ai import Agent
from pydantic_ai.models.instrumented import InstrumentationSettings
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

provider = grpc_provider()
Agent.instrument_all(InstrumentationSettings(tracer_provider=provider))
tracer = provider.get_tracer("assistant")
model = OpenAIChatModel(OPENAI_MODEL, provider=OpenAIProvider(openai_client=AsyncOpenAI(max_retries=0)))
agent = Agent(model, instructions=INSTRUCTIONS, name="assistant")


@agent.tool_plain
def get_weather(city: str) -> str:
    """The weather in a city now."""
    return weather(city)


def start(session_id, user_id):
    history = []

    def answer(question, stream):
        with tracer.start_as_current_span("turn", attributes={"user.id": user_id}):
            if stream:
                result = agent.run_stream_sync(question, message_history=history, conversation_id=session_id)
                said = list(result.stream_text())[-1]
            else:
                result = agent.run_sync(question, message_history=history, conversation_id=session_id)
                said = result.output
            history[:] = result.all_messages()
            return said

    return answer


converse(start)
provider.shutdown()
