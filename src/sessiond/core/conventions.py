"""The names that emitters give to things, as one table: meaning -> attribute keys in order of precedence.

Adding a name is adding a row. The first row of a meaning that has a valid value wins; why each name is here, and its traps,
stand in docs/conventions.md. Nothing but this table knows an attribute's name; `core.normalize` reads it.
"""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from sessiond.core.model import OperationKind

Meaning = Literal[
    "session",
    "user",
    "project",
    "service",
    "operation",
    "provider",
    "request_model",
    "response_model",
    "response_id",
    "input_tokens",
    "output_tokens",
    "total_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "tool",
    "agent",
    "entity",
    "error_type",
    "error_mark",
    "error_message",
]

CacheShare = Literal["inside", "by_provider"]
"""Whether a key's input tokens already hold those read from and written to a cache."""


class Row(NamedTuple):
    """One attribute key for a meaning."""

    key: str
    kinds: Mapping[str, OperationKind] | None = None
    """For `operation`: what each value means. A value that is not listed says nothing."""
    upper: bool = False
    """Compare the value in upper case."""
    cache: CacheShare = "inside"
    """For `input_tokens`."""
    only: str | None = None
    """The one value that says it; any other says nothing."""


def _rows(*keys: str) -> tuple[Row, ...]:
    return tuple(Row(key) for key in keys)


GENERATION_KINDS: Final[frozenset[OperationKind]] = frozenset(
    {"chat", "text_completion", "embeddings", "rerank", "image", "speech"}
)
"""Kinds whose spans are calls to a model, and carry what is billed."""

BARRIER_KINDS: Final[frozenset[OperationKind]] = frozenset({"tool", "agent", "workflow"})
"""A generation above one of these is another call than a generation below it."""

_OTEL_OPERATIONS: Final[dict[str, OperationKind]] = {
    "chat": "chat",
    "generate_content": "chat",
    "generate": "chat",
    "completion": "text_completion",
    "text_completion": "text_completion",
    "responses": "chat",
    "message": "chat",
    "realtime_inference": "chat",
    "embeddings": "embeddings",
    "embedding": "embeddings",
    "embed": "embeddings",
    "rerank": "rerank",
    "reranker": "rerank",
    "retrieval": "retrieval",
    "retrieve": "retrieval",
    "execute_tool": "tool",
    "tool": "tool",
    "invoke_agent": "agent",
    "create_agent": "agent",
    "agent_step": "chain",
    "agent": "agent",
    "invoke_workflow": "workflow",
    "workflow": "workflow",
    "plan": "chain",
    "chain": "chain",
    "execute_event_loop_cycle": "chain",
    "framework": "workflow",
    "search_memory": "memory",
    "create_memory": "memory",
    "update_memory": "memory",
    "upsert_memory": "memory",
    "delete_memory": "memory",
    "create_memory_store": "memory",
    "delete_memory_store": "memory",
    "image": "image",
    "image_generation": "image",
    "speech": "speech",
    "transcription": "speech",
}

_LANGFUSE_TYPES: Final[dict[str, OperationKind]] = {
    "generation": "chat",
    "embedding": "embeddings",
    "agent": "agent",
    "tool": "tool",
    "chain": "chain",
    "retriever": "retrieval",
    "guardrail": "guardrail",
    "evaluator": "evaluator",
    "span": "other",
    "event": "other",
}

_OPENINFERENCE_KINDS: Final[dict[str, OperationKind]] = {
    "LLM": "chat",
    "EMBEDDING": "embeddings",
    "RERANKER": "rerank",
    "RETRIEVER": "retrieval",
    "TOOL": "tool",
    "AGENT": "agent",
    "CHAIN": "chain",
    "GUARDRAIL": "guardrail",
    "EVALUATOR": "evaluator",
    "PROMPT": "other",
    "DECISION": "other",
    "UNKNOWN": "other",
}

# The wrappers (ai.generateText, ...) repeat the usage of the spans below them, so they must not be generations.
_VERCEL_OPERATIONS: Final[dict[str, OperationKind]] = {
    "ai.generateText.doGenerate": "chat",
    "ai.streamText.doStream": "chat",
    "ai.generateObject.doGenerate": "chat",
    "ai.streamObject.doStream": "chat",
    "ai.embed.doEmbed": "embeddings",
    "ai.embedMany.doEmbed": "embeddings",
    "ai.rerank.doRerank": "rerank",
    "ai.generateText": "agent",
    "ai.streamText": "agent",
    "ai.generateObject": "agent",
    "ai.streamObject": "agent",
    "ai.embed": "chain",
    "ai.embedMany": "chain",
    "ai.rerank": "chain",
    "ai.toolCall": "tool",
}

_TRACELOOP_KINDS: Final[dict[str, OperationKind]] = {
    "workflow": "workflow",
    "task": "chain",
    "agent": "agent",
    "tool": "tool",
    "unknown": "other",
}

_LLM_REQUEST_TYPES: Final[dict[str, OperationKind]] = {
    "chat": "chat",
    "completion": "text_completion",
    "embedding": "embeddings",
    "rerank": "rerank",
    "unknown": "chat",
}

_SESSION: Final = _rows(
    "langfuse.session.id",
    "session.id",
    "gen_ai.session.id",
    "traceloop.association.properties.session_id",
    "traceloop.association.properties.session.id",
    "traceloop.association.properties.sessionId",
    "traceloop.association.properties.conversation_id",
    "traceloop.association.properties.chat_id",
    "traceloop.association.properties.thread_id",
    "lmnr.association.properties.session_id",
    "ai.telemetry.metadata.sessionId",
    "ai.telemetry.metadata.session_id",
    "ai.telemetry.metadata.session.id",
    "ai.telemetry.metadata.langfuseSessionId",
    "ai.settings.context.sessionId",
    "ai.settings.context.session_id",
    "mlflow.trace.session",
    "langsmith.trace.session_id",
    "langsmith.metadata.session_id",
    "langsmith.metadata.conversation_id",
    "langfuse.trace.metadata.langfuse_session_id",
    "langfuse.observation.metadata.langfuse_session_id",
    "langfuse.metadata.langfuse_session_id",
    "gen_ai.agent.session_id",
    "workflow.session_id",
    "session_id",
    "sessionId",
    # Conversation and thread ids: a weaker meaning, so they come after every session id.
    "gen_ai.conversation.id",
    "gen_ai.openai.conversation.id",
    "gen_ai.live_session.id",
    "langsmith.metadata.thread_id",
    "wandb.thread_id",
    "ai.telemetry.metadata.threadId",
    "ai.settings.context.threadId",
    "spring.ai.chat.client.conversation.id",
    "gcp.vertex.agent.session_id",
    "voltagent.conversation_id",
)

_USER: Final = _rows(
    "langfuse.user.id",
    "user.id",
    "enduser.id",
    "enduser.pseudo.id",
    "traceloop.association.properties.user_id",
    "traceloop.association.properties.user.id",
    "traceloop.association.properties.userId",
    "lmnr.association.properties.user_id",
    "ai.telemetry.metadata.userId",
    "ai.telemetry.metadata.user_id",
    "ai.settings.context.userId",
    "mlflow.trace.user",
    "langsmith.metadata.user_id",
    "gen_ai.user.id",
    "gen_ai.user",
    "llm.user",
    "gen_ai.request.user",
    "litellm.end_user.id",
    "metadata.user_api_key_end_user_id",
    "metadata.user_api_key_user_id",
    "langfuse.trace.metadata.langfuse_user_id",
    "user.email",
    "workflow.user_id",
    "user_id",
)

TABLE: Final[Mapping[Meaning, tuple[Row, ...]]] = {
    "session": _SESSION,
    "user": _USER,
    "project": _rows("sessiond.project", "latitude.project", "openinference.project.name"),
    "service": _rows("service.name"),
    "operation": (
        Row("gen_ai.operation.name", kinds=_OTEL_OPERATIONS),
        Row("langfuse.observation.type", kinds=_LANGFUSE_TYPES),
        Row("openinference.span.kind", kinds=_OPENINFERENCE_KINDS, upper=True),
        Row("ai.operationId", kinds=_VERCEL_OPERATIONS),
        Row("traceloop.span.kind", kinds=_TRACELOOP_KINDS),
        Row("llm.request.type", kinds=_LLM_REQUEST_TYPES),
    ),
    "provider": _rows("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system", "ai.model.provider"),
    "request_model": _rows(
        "gen_ai.request.model",
        "llm.request.model_name",
        "ai.model.id",
        "embedding.model_name",
        "reranker.model_name",
        "langfuse.observation.model.name",
        "llm.model_name",
    ),
    "response_model": _rows(
        "gen_ai.response.model",
        "llm.response.model_name",
        "ai.response.model",
        "langfuse.observation.model.name",
        "llm.model_name",
    ),
    "response_id": _rows("gen_ai.response.id", "ai.response.id"),
    "input_tokens": (
        Row("gen_ai.usage.input_tokens"),
        Row("gen_ai.usage.prompt_tokens", cache="by_provider"),
        Row("llm.token_count.prompt"),
        Row("ai.usage.inputTokens"),
        Row("ai.usage.promptTokens", cache="by_provider"),
        Row("llm.usage.prompt_tokens", cache="by_provider"),
    ),
    "output_tokens": _rows(
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.completion_tokens",
        "llm.token_count.completion",
        "ai.usage.outputTokens",
        "ai.usage.completionTokens",
        "llm.usage.completion_tokens",
    ),
    "total_tokens": _rows("gen_ai.usage.total_tokens", "llm.usage.total_tokens", "llm.token_count.total", "ai.usage.totalTokens"),
    "cache_read_tokens": _rows(
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
        "llm.token_count.prompt_details.cache_read",
        "ai.usage.inputTokenDetails.cacheReadTokens",
        "ai.usage.cachedInputTokens",
    ),
    "cache_write_tokens": _rows(
        "gen_ai.usage.cache_write.input_tokens",
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "gen_ai.usage.cache_write_input_tokens",
        "llm.token_count.prompt_details.cache_write",
        "ai.usage.inputTokenDetails.cacheWriteTokens",
    ),
    "reasoning_tokens": _rows(
        "gen_ai.usage.reasoning.output_tokens",
        "gen_ai.usage.reasoning_tokens",
        "llm.usage.reasoning_tokens",
        "llm.token_count.completion_details.reasoning",
        "ai.usage.outputTokenDetails.reasoningTokens",
        "ai.usage.reasoningTokens",
    ),
    "tool": _rows("gen_ai.tool.name", "tool.name", "ai.toolCall.name"),
    "agent": _rows("gen_ai.agent.name", "agent.name", "graph.node.id", "ai.telemetry.functionId"),
    "entity": _rows("traceloop.entity.name"),  # the tool or the agent, by the span's kind
    "error_type": _rows("error.type"),
    "error_mark": (Row("langfuse.observation.level", only="ERROR"), Row("gen_ai.tool.status", only="error")),
    "error_message": _rows("langfuse.observation.status_message"),
}

FRAMEWORKS: Final = frozenset(
    {
        "strands-agents",
        "microsoft.agent_framework",
        "langchain",
        "langgraph",
        "crewai",
        "spring_ai",
        "haystack",
        "llamaindex",
        "llama_index",
        "semantic_kernel",
        "autogen",
        "openai_agents",
        "openai-agents",
        "pydantic-ai",
        "agno",
        "mastra",
        "google-adk",
    }
)
"""Frameworks that write their own name where the provider belongs: not a provider."""

PROVIDER_SUFFIX: Final = (
    r"\.(chat|messages|responses|completion|completions|embedding|embeddings|embed|image|generative-ai|speech|transcription)$"
)
"""The API behind a provider, as the Vercel AI SDK appends it."""

_PROVIDERS: Final[dict[str, tuple[str, ...]]] = {
    "openai": ("openai",),
    "azure": (
        "azure",
        "az.ai.openai",
        "azure.ai.openai",
        "az.ai.inference",
        "azure.ai.inference",
        "azure_openai",
        "azure-openai",
        "azure_ai",
    ),
    "anthropic": ("anthropic",),
    "google": (
        "anthropic_vertex",
        "gcp.gemini",
        "gemini",
        "google",
        "google_genai",
        "google_generativeai",
        "google.generative-ai",
        "gcp.gen_ai",
        "gcp.vertex_ai",
        "vertex_ai",
        "vertexai",
        "google_vertex",
        "google.vertex",
    ),
    "aws": (
        "aws.bedrock",
        "aws_bedrock",
        "bedrock",
        "bedrock_converse",
        "amazon-bedrock",
        "amazon_bedrock",
        "aws",
    ),
    "mistral": (
        "mistral_ai",
        "mistralai",
        "mistral",
    ),
    "x-ai": (
        "x_ai",
        "xai",
        "x-ai",
    ),
    "groq": ("groq",),
    "cohere": ("cohere",),
    "deepseek": ("deepseek",),
    "perplexity": ("perplexity",),
    "moonshotai": (
        "moonshot_ai",
        "moonshot",
    ),
    "together": (
        "together",
        "together_ai",
        "togetherai",
    ),
    "fireworks": (
        "fireworks",
        "fireworks_ai",
    ),
    "openrouter": ("openrouter",),
    "cerebras": ("cerebras",),
    "watsonx": (
        "ibm.watsonx.ai",
        "watsonx",
    ),
    "ollama": ("ollama",),
    "huggingface": (
        "huggingface",
        "hugging_face",
    ),
    "zai": ("zai",),
    "minimax": ("minimax",),
    "oracle": ("oracle",),
    "meta": ("meta",),
}

PROVIDER_ALIASES: Final[Mapping[str, str]] = {
    spelling: provider for provider, spellings in _PROVIDERS.items() for spelling in spellings
}
"""Every known spelling, in lower case, to the provider's one name."""
