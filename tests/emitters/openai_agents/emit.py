"""The OpenAI Agents SDK, over the Responses API, under OpenInference; the conversation is the trace's group."""

import asyncio
from contextvars import copy_context

from agents import Agent, Runner, function_tool, set_default_openai_client, trace
from emitting import INSTRUCTIONS, OPENAI_MODEL, converse, grpc_provider, weather
from openai import AsyncOpenAI
from openinference.instrumentation import using_attributes
from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor

provider = grpc_provider()
OpenAIAgentsInstrumentor().instrument(tracer_provider=provider)
set_default_openai_client(AsyncOpenAI(max_retries=0), use_for_tracing=False)


@function_tool
def get_weather(city: str) -> str:
    """The weather in a city now."""
    return weather(city)


agent = Agent(name="assistant", instructions=INSTRUCTIONS, model=OPENAI_MODEL, tools=[get_weather])
loop = asyncio.Runner()


async def run(said, stream):
    if not stream:
        return await Runner.run(agent, said)
    result = Runner.run_streamed(agent, said)
    async for _ in result.stream_events():
        pass
    return result


def start(session_id, user_id):
    history = []

    def answer(question, stream):
        with using_attributes(session_id=session_id, user_id=user_id), trace("assistant", group_id=session_id):
            asked = run([*history, {"role": "user", "content": question}], stream)
            result = loop.run(asked, context=copy_context())  # where the trace is; a Runner would go on with its first one
        history[:] = result.to_input_list()
        return result.final_output

    return answer


converse(start)
provider.shutdown()
