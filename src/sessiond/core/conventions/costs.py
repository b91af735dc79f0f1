"""What emitters say a call cost, in US dollars."""

from typing import Final

from sessiond.core.conventions.row import Row, inside, rows

_LANGFUSE: Final = "langfuse.observation.cost_details"
_MLFLOW: Final = "mlflow.llm.cost"

TOTAL_COST: Final = (
    *rows(
        "gen_ai.usage.total_cost",
        "gen_ai.usage.cost",
        "gen_ai.usage.cost_usd",
        "gen_ai.cost.usd",
        "operation.cost",
        "llm.cost.total",
        "gen_ai.cost.total_cost",
        "litellm.cost.total",
    ),
    *inside(_LANGFUSE, "total"),
    *inside(_MLFLOW, "total_cost", "total"),
    *rows("gen_ai.token.cost.total", "cost_usd"),
)

INPUT_COST: Final = (
    *rows("gen_ai.usage.input_cost", "llm.cost.prompt", "gen_ai.cost.input_cost", "litellm.cost.input"),
    *inside(_LANGFUSE, "input"),
    *inside(_MLFLOW, "input_cost"),
)

OUTPUT_COST: Final = (
    *rows("gen_ai.usage.output_cost", "llm.cost.completion", "gen_ai.cost.output_cost", "litellm.cost.output"),
    *inside(_LANGFUSE, "output"),
    *inside(_MLFLOW, "output_cost"),
)

COST_BY_USER: Final = (Row("latitude.cost.source", values={"user": "user"}),)
"""Marks a figure that the application's owner supplied: it holds even where it is 0."""
