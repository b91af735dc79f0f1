"""Whose a span is: session, user, project and service."""

from typing import Final

from sessiond.core.conventions.row import inside, rows

SESSION: Final = (
    *rows(
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
    ),
    # OpenInference's LangChain instrumentor copies these three to session.id, in this order.
    *inside("metadata", "session_id", "conversation_id", "thread_id"),
)

USER: Final = rows(
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

PROJECT: Final = rows("sessiond.project", "latitude.project", "openinference.project.name")

SERVICE: Final = rows("service.name")
