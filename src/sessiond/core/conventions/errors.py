"""What makes a span a failed one, and how the failure is described."""

from typing import Final

from sessiond.core.conventions.row import Row, rows

_EXCEPTION: Final = "exception"

ERROR_MARK: Final = (
    Row("status.code", "span", pattern="^2$"),  # OTLP's STATUS_CODE_ERROR
    Row("langfuse.observation.level", values={"ERROR": "ERROR"}),
    Row("gen_ai.tool.status", values={"error": "error"}),
    Row("error.type"),
)
"""Each alone puts a span in error. The two meanings below are read on such spans only."""

ERROR_TYPE: Final = (
    Row("error.type"),
    Row(_EXCEPTION, "event", "exception.type"),
    Row("http.response.status_code", at_least=400),
)

ERROR_MESSAGE: Final = (
    Row("status.message", "span"),
    Row(_EXCEPTION, "event", "exception.message"),
    *rows("langfuse.observation.status_message", "error.message", "error", "litellm.provider.error.code"),
)
