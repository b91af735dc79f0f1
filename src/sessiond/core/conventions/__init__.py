"""The names that emitters give to things, as one table: meaning -> rows in order of precedence.

Adding a name is adding a row. The first row of a meaning that has a valid value wins; why each name is here, and its traps,
stand in docs/conventions.md. Nothing but this package knows an attribute's name; `core.spans` reads it.
"""

from collections.abc import Mapping
from typing import Final

from sessiond.core.conventions import belonging, costs, errors, first_tokens, models, names, operations, providers, texts, tokens
from sessiond.core.conventions.operations import BARRIER_KINDS, GENERATION_KINDS
from sessiond.core.conventions.providers import FRAMEWORKS, MODEL_PATTERNS, PROVIDER_ALIASES, PROVIDER_SUFFIX
from sessiond.core.conventions.row import CacheShare, Meaning, Place, Row, Unit, When

__all__ = [
    "BARRIER_KINDS",
    "FRAMEWORKS",
    "GENERATION_KINDS",
    "MODEL_PATTERNS",
    "PROVIDER_ALIASES",
    "PROVIDER_SUFFIX",
    "TABLE",
    "CacheShare",
    "Meaning",
    "Place",
    "Row",
    "Unit",
    "When",
]

TABLE: Final[Mapping[Meaning, tuple[Row, ...]]] = {
    "session": belonging.SESSION,
    "user": belonging.USER,
    "project": belonging.PROJECT,
    "service": belonging.SERVICE,
    "operation": operations.OPERATION,
    "span_type": operations.SPAN_TYPE,
    "provider": providers.PROVIDER,
    "request_model": models.REQUEST_MODEL,
    "response_model": models.RESPONSE_MODEL,
    "response_id": models.RESPONSE_ID,
    "input_tokens": tokens.INPUT_TOKENS,
    "output_tokens": tokens.OUTPUT_TOKENS,
    "total_tokens": tokens.TOTAL_TOKENS,
    "cache_read_tokens": tokens.CACHE_READ_TOKENS,
    "cache_write_tokens": tokens.CACHE_WRITE_TOKENS,
    "reasoning_tokens": tokens.REASONING_TOKENS,
    "cache_share": tokens.CACHE_SHARE,
    "total_cost": costs.TOTAL_COST,
    "input_cost": costs.INPUT_COST,
    "output_cost": costs.OUTPUT_COST,
    "cost_by_user": costs.COST_BY_USER,
    "first_token": first_tokens.FIRST_TOKEN,
    "tool": names.TOOL,
    "agent": names.AGENT,
    "tags": names.TAGS,
    "metadata": names.METADATA,
    "input": texts.INPUT,
    "output": texts.OUTPUT,
    "error_mark": errors.ERROR_MARK,
    "error_type": errors.ERROR_TYPE,
    "error_message": errors.ERROR_MESSAGE,
}
