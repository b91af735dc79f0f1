"""When the first token of an answer came."""

from typing import Final

from sessiond.core.conventions.row import Row, events

FIRST_TOKEN: Final = (
    Row("gen_ai.response.time_to_first_chunk", unit="s"),
    Row("gen_ai.client.operation.time_to_first_chunk", unit="s"),  # the name of a metric, used as an attribute
    Row("ai.response.msToFirstChunk", unit="ms"),
    Row("ai.stream.msToFirstChunk", unit="ms"),
    Row("langfuse.observation.completion_start_time", unit="iso8601"),
    Row("gen_ai.server.time_to_first_token", unit="magnitude"),  # Strands: int milliseconds; OpenLIT: double seconds
    Row("gen_ai.streaming.time_to_first_token", unit="s"),
    Row("gen_ai.openai.chat_completions.streaming_time_to_first_token", unit="s"),
    Row("ttft_ms", unit="ms"),
    Row("llm.latency.time_to_first_token", unit="magnitude"),
    # Not gen_ai.choice and gen_ai.content.completion: they are written at the end of the call.
    *events(
        "First Token Stream Event",
        "gen_ai.content.completion.chunk",
        "llm.content.completion.chunk",
        "mlflow.chunk.item.0",
        "ai.stream.firstChunk",
    ),
)
