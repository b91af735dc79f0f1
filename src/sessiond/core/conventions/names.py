"""Names of tools and agents, tags and metadata."""

from typing import Final

from sessiond.core.conventions.row import Row, When, rows

TOOL: Final = (
    *rows("gen_ai.tool.name", "tool.name", "ai.toolCall.name"),
    Row("traceloop.entity.name", when=When(operation="tool")),
    *rows("spring.ai.tool.definition.name", "tool_name"),
    # Langfuse, MLflow, Laminar and LangSmith name the span as the tool; OpenTelemetry puts the operation before it, which alone is
    # no tool's name.
    Row("name", "span", pattern=r"^(?!execute_tool *$)(?:execute_tool )?(.+)$"),
)
"""Read on spans that are tools."""

AGENT: Final = (
    *rows("gen_ai.agent.name", "agent.name", "agent_name", "graph.node.id", "ai.telemetry.functionId"),
    Row("traceloop.entity.name", when=When(operation="agent")),
    Row("lk.agent_name"),
)

TAGS: Final = (
    *rows("latitude.tags", "langfuse.trace.tags", "tag.tags", "lmnr.association.properties.tags", "ai.telemetry.metadata.tags"),
    Row("langsmith.span.tags", commas=True),
    *rows("tags", "agentops.tags", "braintrust.tags", "langfuse.tags"),
    Row("weave.tag.", "prefix"),
)

METADATA: Final = (
    Row("metadata", "object"),
    Row("latitude.metadata", "object"),
    Row("langfuse.trace.metadata.", "prefix"),
    Row("langfuse.observation.metadata.", "prefix"),
    Row("traceloop.association.properties.", "prefix"),
    Row("lmnr.association.properties.metadata.", "prefix"),
    Row("ai.telemetry.metadata.", "prefix"),
    Row("ai.settings.context.", "prefix"),
    Row("langsmith.metadata.", "prefix"),
    Row("mlflow.traceTag.", "prefix"),
    Row("litellm.metadata.", "prefix"),
    Row("braintrust.metadata", "object"),
)
"""A key under a prefix that has a row of its own anywhere in the table is not metadata."""
