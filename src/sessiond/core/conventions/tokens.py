"""Tokens: counts, and whether those of the input hold what came from a cache."""

from typing import Final

from sessiond.core.conventions.row import CLAUDE_CODE_REQUEST, Row, When, inside, rows

_LANGFUSE: Final = "langfuse.observation.usage_details"
_MLFLOW: Final = "mlflow.chat.tokenUsage"
_VERCEL: Final = "ai.response.providerMetadata"

INPUT_TOKENS: Final = (
    Row("gen_ai.usage.input_tokens"),
    Row("gen_ai.usage.prompt_tokens", cache="by_provider"),
    Row("llm.token_count.prompt"),
    Row("ai.usage.inputTokens"),
    Row("ai.usage.promptTokens", cache="by_provider"),
    # Outside where the object is flat; CACHE_SHARE tells the other shape.
    *inside(_LANGFUSE, "input_tokens", "prompt_tokens", "promptTokens", "input", cache="outside"),
    *inside(_MLFLOW, "input_tokens"),
    Row("input_tokens", when=CLAUDE_CODE_REQUEST, cache="outside"),
    Row("llm.usage.prompt_tokens", cache="by_provider"),
    Row("usage.prompt_tokens", cache="by_provider"),
    Row("gen_ai.token.usage.input"),
    Row("ai.usage.tokens", when=When(operation="embeddings")),
)

CACHE_SHARE: Final = (
    Row(_LANGFUSE, "object", "prompt_tokens_details", value="inside"),
    Row(_LANGFUSE, "object", "input_tokens_details", value="inside"),
)
"""Shapes of Langfuse's object that are OpenAI's own, whose input holds its cache. Counts only where that object gave the input."""

OUTPUT_TOKENS: Final = (
    *rows(
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.completion_tokens",
        "llm.token_count.completion",
        "ai.usage.outputTokens",
        "ai.usage.completionTokens",
    ),
    *inside(_LANGFUSE, "output_tokens", "completion_tokens", "completionTokens", "output"),
    *inside(_MLFLOW, "output_tokens"),
    Row("output_tokens", when=CLAUDE_CODE_REQUEST),
    *rows("llm.usage.completion_tokens", "usage.completion_tokens"),
)

TOTAL_TOKENS: Final = (
    *rows("gen_ai.usage.total_tokens", "llm.usage.total_tokens", "llm.token_count.total", "ai.usage.totalTokens"),
    *inside(_LANGFUSE, "total_tokens", "total", "totalTokens"),
    *inside(_MLFLOW, "total_tokens"),
    # OpenLIT writes the total under the name of a metric.
    Row("gen_ai.client.token.usage", when=When(scope_prefix="openlit")),
)

CACHE_READ_TOKENS: Final = (
    *rows(
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
        "llm.token_count.prompt_details.cache_read",
        "ai.usage.inputTokenDetails.cacheReadTokens",
        "ai.usage.cachedInputTokens",
    ),
    *inside(
        _LANGFUSE,
        "cache_read_input_tokens",
        "input_cached_tokens",
        "prompt_tokens_details.cached_tokens",
        "input_tokens_details.cached_tokens",
        "input_cache_read",
    ),
    *inside(_MLFLOW, "cache_read_input_tokens"),
    *inside("gen_ai.usage.input_token_details", "cache_read"),
    *inside("langsmith.metadata.usage_metadata", "input_token_details.cache_read"),
    Row("gen_ai.usage.details.cache_read_tokens"),
    Row("cache_read_tokens", when=CLAUDE_CODE_REQUEST),
    *inside(_VERCEL, "openai.cachedPromptTokens", "anthropic.usage.cache_read_input_tokens", "bedrock.usage.cacheReadInputTokens"),
    Row("metadata.usage_object", "python", "prompt_tokens_details.cached_tokens"),
    *rows("gen_ai.usage.cached_tokens", "gen_ai.usage.cached_input_tokens"),
)

CACHE_WRITE_TOKENS: Final = (
    *rows(
        "gen_ai.usage.cache_write.input_tokens",
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "gen_ai.usage.cache_write_input_tokens",
        "llm.token_count.prompt_details.cache_write",
        "ai.usage.inputTokenDetails.cacheWriteTokens",
    ),
    *inside(_LANGFUSE, "cache_creation_input_tokens", "input_cache_creation", "input_cache_write"),
    *inside(_MLFLOW, "cache_creation_input_tokens"),
    Row("gen_ai.usage.details.cache_write_tokens"),
    Row("cache_creation_tokens", when=CLAUDE_CODE_REQUEST),
    *inside(
        _VERCEL,
        "anthropic.usage.cache_creation_input_tokens",
        "anthropic.cacheCreationInputTokens",
        "bedrock.usage.cacheWriteInputTokens",
    ),
)

REASONING_TOKENS: Final = (
    *rows(
        "gen_ai.usage.reasoning.output_tokens",
        "gen_ai.usage.reasoning_tokens",
        "llm.usage.reasoning_tokens",
        "llm.token_count.completion_details.reasoning",
        "gen_ai.usage.details.reasoning_tokens",
        "ai.usage.outputTokenDetails.reasoningTokens",
        "ai.usage.reasoningTokens",
    ),
    *inside(
        _LANGFUSE,
        "completion_tokens_details.reasoning_tokens",
        "output_tokens_details.reasoning_tokens",
        "output_reasoning_tokens",
        "output_reasoning",
    ),
    *inside("langsmith.metadata.usage_metadata", "output_token_details.reasoning"),
)
