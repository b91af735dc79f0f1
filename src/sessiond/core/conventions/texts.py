"""Where the text of a call's input and output is. `core.text.messages` reads it; here it is only told that there is some.

Keys with a number in them stand here for the first message: where there are messages, there is a first.
"""

from typing import Final

from sessiond.core.conventions.row import Row, events


def _present(*keys: str) -> tuple[Row, ...]:
    return tuple(Row(key, "present") for key in keys)


INPUT: Final = (
    *_present(
        "gen_ai.input.messages",
        "gen_ai.prompt",
        "gen_ai.prompt.0.role",
        "gen_ai.prompt.0.content",
        "llm.input_messages.0.message.role",
        "llm.input_messages.0.message.content",
        "llm.input_messages.0.message.contents.0.message_content.text",
        "llm.input_messages.0.message.tool_calls.0.tool_call.function.name",
        "ai.prompt.messages",
        "ai.prompt",
        "langfuse.observation.input",
        "langfuse.trace.input",
        "lmnr.span.input",
        "mlflow.spanInputs",
        "input.value",
        "traceloop.entity.input",
        "pydantic_ai.all_messages",
        "gcp.vertex.agent.llm_request",
        "user_prompt",
        "agentops.entity.input",
    ),
    *events(
        "gen_ai.system.message",
        "gen_ai.user.message",
        "gen_ai.assistant.message",
        "gen_ai.tool.message",
        "gen_ai.client.inference.operation.details",
        "gen_ai.content.prompt",
    ),
    *_present("ai.value", "ai.values", "gen_ai.retrieval.query.text"),
)

OUTPUT: Final = (
    *_present(
        "gen_ai.output.messages",
        "gen_ai.completion",
        "gen_ai.completion.0.role",
        "gen_ai.completion.0.content",
        "llm.output_messages.0.message.role",
        "llm.output_messages.0.message.content",
        "llm.output_messages.0.message.contents.0.message_content.text",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.name",
        "ai.response.text",
        "ai.response.object",
        "ai.response.toolCalls",
        "ai.result.text",
        "langfuse.observation.output",
        "langfuse.trace.output",
        "lmnr.span.output",
        "mlflow.spanOutputs",
        "output.value",
        "traceloop.entity.output",
        "final_result",
        "gcp.vertex.agent.llm_response",
        "response.model_output",
        "agentops.entity.output",
    ),
    *events("gen_ai.choice", "gen_ai.client.inference.operation.details", "gen_ai.content.completion"),
    *_present("gen_ai.retrieval.documents", "retrieval.documents.0.document.content"),
)
