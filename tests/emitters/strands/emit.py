"""Strands Agents: `trace_attributes` of an agent that lives as long as its session. Every call of it streams."""

from emitting import INSTRUCTIONS, OPENAI_MODEL, converse, grpc_provider, weather
from strands import Agent, tool
from strands.models.openai import OpenAIModel

provider = grpc_provider()


@tool
def get_weather(city: str) -> str:
    """The weather in a city now.

    Args:
        city: The city.
    """
    return weather(city)


def start(session_id, user_id):
    agent = Agent(
        model=OpenAIModel(client_args={"max_retries": 0}, model_id=OPENAI_MODEL),
        tools=[get_weather],
        system_prompt=INSTRUCTIONS,
        callback_handler=None,
        retry_strategy=None,
        trace_attributes={"session.id": session_id, "user.id": user_id},
    )

    def answer(question, _):
        return str(agent(question)).strip()

    return answer


converse(start)
provider.shutdown()
