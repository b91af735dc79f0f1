"""A LangGraph agent under OpenInference: the session is the thread's id, the user comes by `using_user`."""

from emitting import INSTRUCTIONS, OPENAI_MODEL, converse, grpc_provider, weather
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.prebuilt import create_react_agent
from openinference.instrumentation import using_user
from openinference.instrumentation.langchain import LangChainInstrumentor

provider = grpc_provider()
LangChainInstrumentor().instrument(tracer_provider=provider)


@tool
def get_weather(city: str) -> str:
    """The weather in a city now."""
    return weather(city)


def graph(streaming):
    model = ChatOpenAI(model=OPENAI_MODEL, max_retries=0, streaming=streaming, stream_usage=True)
    return create_react_agent(model, [get_weather], prompt=INSTRUCTIONS, checkpointer=memory, name="assistant")


memory = InMemorySaver()
graphs = {streaming: graph(streaming) for streaming in (False, True)}


def start(session_id, user_id):
    config = {"configurable": {"thread_id": session_id}}

    def answer(question, stream):
        with using_user(user_id):
            state = graphs[stream].invoke({"messages": [("user", question)]}, config)
        return state["messages"][-1].content

    return answer


converse(start)
provider.shutdown()
