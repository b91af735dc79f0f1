"""Which model was asked for, which answered, and under which id."""

from typing import Final

from sessiond.core.conventions.row import Row, When, inside, rows

REQUEST_MODEL: Final = (
    *rows("gen_ai.request.model", "llm.request.model_name", "ai.model.id", "embedding.model_name", "reranker.model_name"),
    *inside("llm.invocation_parameters", "model", "model_name"),
    *rows("langsmith.metadata.ls_model_name", "langfuse.observation.model.name", "llm.model_name", "mlflow.llm.model", "model"),
    Row("model_name", when=When(operation="agent")),
)

RESPONSE_MODEL: Final = rows(
    "gen_ai.response.model",
    "llm.response.model_name",
    "ai.response.model",
    "langfuse.observation.model.name",
    "llm.model_name",
    "mlflow.llm.model",
    "litellm.provider.model",
    "llm.response.model",
)

RESPONSE_ID: Final = rows("gen_ai.response.id", "ai.response.id")
