"""What kind of work a span is."""

from typing import Final

from sessiond.core.conventions.row import Row, When
from sessiond.core.model import OperationKind

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

_MLFLOW_TYPES: Final[dict[str, OperationKind]] = {
    "LLM": "chat",
    "CHAT_MODEL": "chat",
    "EMBEDDING": "embeddings",
    "RERANKER": "rerank",
    "RETRIEVER": "retrieval",
    "TOOL": "tool",
    "AGENT": "agent",
    "CHAIN": "chain",
    "WORKFLOW": "workflow",
    "TASK": "chain",
    "GUARDRAIL": "guardrail",
    "EVALUATOR": "evaluator",
    "MEMORY": "memory",
    "PARSER": "other",
    "UNKNOWN": "other",
}

_LAMINAR_TYPES: Final[dict[str, OperationKind]] = {
    "LLM": "chat",
    "CACHED": "other",
    "TOOL": "tool",
    "DEFAULT": "other",
    "EXECUTOR": "other",
    "EVALUATOR": "evaluator",
    "EVALUATION": "other",
}

_LANGSMITH_KINDS: Final[dict[str, OperationKind]] = {
    "llm": "chat",
    "chain": "chain",
    "tool": "tool",
    "retriever": "retrieval",
    "embedding": "embeddings",
    "prompt": "other",
    "parser": "other",
}

_AGENTOPS_KINDS: Final[dict[str, OperationKind]] = {
    "workflow": "workflow",
    "session": "workflow",
    "task": "chain",
    "operation": "chain",
    "agent": "agent",
    "tool": "tool",
    "llm": "chat",
    "chain": "chain",
    "guardrail": "guardrail",
}

_CLAUDE_CODE_TYPES: Final[dict[str, OperationKind]] = {
    "claude_code.llm_request": "chat",
    "llm_request": "chat",
    "claude_code.interaction": "agent",
    "interaction": "agent",
    "claude_code.tool": "tool",
    "tool": "tool",
    "tool_execution": "tool",
    "claude_code.hook": "other",
}

_SPRING_KINDS: Final[dict[str, OperationKind]] = {
    "chat_client": "agent",
    "advisor": "chain",
    "vector_store": "retrieval",
    "tool_call": "tool",
}

_CLAUDE_CODE_REQUEST_NAME: Final = r"^claude_code\.llm_request"
_WITH_USAGE: Final = When(usage=True)

OPERATION: Final = (
    # LiteLLM's raw dump of the provider's answer, below the span of the same call.
    Row("name", "span", pattern="^raw_gen_ai_request$", value="other", when=When(scope_prefix="litellm")),
    # The server's side of a call, in the same trace as the client's: one call with it, by the parent link.
    Row("name", "span", value="chat", when=When(scope_prefix="com.anthropic.claude-platform")),
    Row("gen_ai.operation.name", values=_OTEL_OPERATIONS),
    Row("langfuse.observation.type", values=_LANGFUSE_TYPES),
    Row("openinference.span.kind", values=_OPENINFERENCE_KINDS, upper=True),
    Row("ai.operationId", values=_VERCEL_OPERATIONS),
    Row("traceloop.span.kind", values=_TRACELOOP_KINDS),
    Row("llm.request.type", values=_LLM_REQUEST_TYPES),
    Row("mlflow.spanType", values=_MLFLOW_TYPES, upper=True),
    Row("lmnr.span.type", values=_LAMINAR_TYPES),
    Row("langsmith.span.kind", values=_LANGSMITH_KINDS),
    Row("agentops.span.kind", values=_AGENTOPS_KINDS),
    # Weave documents no values of its own: it reads this key as it reads OpenInference's.
    Row("weave.span.kind", values=_OPENINFERENCE_KINDS, upper=True),
    Row("span.type", values=_CLAUDE_CODE_TYPES),
    Row("name", "span", pattern=_CLAUDE_CODE_REQUEST_NAME, value="chat"),
    Row("name", "span", pattern=r"^claude_code\.interaction", value="agent"),
    Row("name", "span", pattern=r"^claude_code\.tool(\.execution)?$", value="tool"),
    Row("spring.ai.kind", values=_SPRING_KINDS),
    Row("gen_ai.tool.name", "present", value="tool"),
    Row("gen_ai.request.model", "present", value="chat", when=_WITH_USAGE),
    Row("gen_ai.response.model", "present", value="chat", when=_WITH_USAGE),
    Row("llm.model_name", "present", value="chat", when=_WITH_USAGE),
)

SPAN_TYPE: Final = (
    Row("span.type", values=dict.fromkeys(("claude_code.llm_request", "llm_request"), "claude_code.llm_request")),
    Row("name", "span", pattern=_CLAUDE_CODE_REQUEST_NAME, value="claude_code.llm_request"),
)
"""What a span is to its emitter, where a row of another meaning asks for it."""
