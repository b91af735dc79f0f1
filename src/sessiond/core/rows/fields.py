"""Every field a client can see, as one table: name, type, unit, one sentence, and where its value comes from.

The proto, the JSON of the command line, its tables and the docs are made from this table or tested against it. A new figure is a
field in a summary and a row here.
"""

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, Final, Generic, Literal, NamedTuple, TypeAlias, TypeVar

from sessiond.core.model import SessionSummary, TraceSummary, UserSummary

Kind = Literal["trace", "session", "user"]
"""What a row is of."""
AnySummary: TypeAlias = TraceSummary | SessionSummary | UserSummary
Summary = TypeVar("Summary", TraceSummary, SessionSummary, UserSummary)

FieldType = Literal[
    "string", "id", "time", "milliseconds", "usd", "count", "bool", "strings", "counts", "map", "enum", "scores", "score"
]  # fmt: skip
"""How a value is rendered. An id is bytes here and lower-case hex outside; a time is unix nanoseconds here and RFC 3339 outside;
milliseconds are nanoseconds here; usd are nano-dollars here and dollars outside. Scores are sums by name; a score, which is
no field by itself, is one of them."""


class Field(NamedTuple, Generic[Summary]):
    """One field. `get` gives None where the value is absent."""

    name: str
    type: FieldType
    sentence: str
    get: Callable[[Summary], Any]
    kept: Literal["row", "texts", "nowhere"] = "row"
    """Where the value is found: in the summary; in the texts beside it; nowhere, because it depends on the time of reading.
    `get` takes the summary and knows the first only."""
    values: tuple[str, ...] = ()
    """Of an enum: all that there are."""


def _absent(_: object) -> None:
    """For what a summary does not hold."""


def _usage_fields(of_what: str) -> tuple[Field[Any], ...]:
    return (
        Field("input_tokens", "count", f"Input tokens {of_what}, cached ones included.", attrgetter("usage.input_tokens")),
        Field("output_tokens", "count", f"Output tokens {of_what}, reasoning included.", attrgetter("usage.output_tokens")),
        Field("cache_read_tokens", "count", "The part of the input read from a cache.", attrgetter("usage.cache_read_tokens")),
        Field("cache_write_tokens", "count", "The part of the input written to a cache.", attrgetter("usage.cache_write_tokens")),
        Field("reasoning_tokens", "count", "The part of the output spent on reasoning.", attrgetter("usage.reasoning_tokens")),
        Field("total_tokens", "count", "Input and output tokens together.", _total_tokens),
        Field(
            "cost_usd", "usd", f"Cost {of_what}: reported where an emitter does, else estimated.", attrgetter("costs.total_nano")
        ),
        Field("input_cost_usd", "usd", "The input's part of the cost, where known.", attrgetter("costs.input_nano")),
        Field("output_cost_usd", "usd", "The output's part of the cost, where known.", attrgetter("costs.output_nano")),
        Field("cost_reported_usd", "usd", "The part of the cost that emitters reported.", attrgetter("costs.reported_nano")),
        Field(
            "cost_estimated_usd", "usd", "The part of the cost estimated by the price table.", attrgetter("costs.estimated_nano")
        ),
        Field("unpriced_call_count", "count", "Calls whose cost is not known.", attrgetter("costs.unpriced_call_count")),
    )


def _total_tokens(summary: TraceSummary | SessionSummary | UserSummary) -> int | None:
    parts = [part for part in (summary.usage.input_tokens, summary.usage.output_tokens) if part is not None]
    return sum(parts) if parts else None


_STATUSES: Final = ("ok", "error")
_STATES: Final = ("live", "idle")


def _status(failed: int) -> str:
    return _STATUSES[failed > 0]


_LISTS: Final[tuple[Field[Any], ...]] = (
    Field(
        "models",
        "strings",
        "Models used, in order of first use: of answered calls the response model, else the requested one.",
        attrgetter("models"),
    ),
    Field("request_models", "strings", "Models requested, in order of first use.", attrgetter("request_models")),
    Field("providers", "strings", "Providers of the models, in order of first use.", attrgetter("providers")),
    Field("services", "strings", "service.name of the processes that took part, in order of first use.", attrgetter("services")),
    Field("agents", "strings", "Agents that took part, in order of first use.", attrgetter("agents")),
    Field("tools", "strings", "Tools called, in order of first use.", attrgetter("tools")),
)

_COUNTS: Final[tuple[Field[Any], ...]] = (
    Field("span_count", "count", "Spans received, each once.", attrgetter("span_count")),
    Field("llm_call_count", "count", "Calls to a model, each once, failed ones too.", attrgetter("llm_call_count")),
    Field("tool_call_count", "count", "Tool spans.", attrgetter("tool_call_count")),
    Field("error_count", "count", "Spans in error.", attrgetter("error_count")),
    Field("failed_call_count", "count", "Calls to a model that failed.", attrgetter("failed_call_count")),
)

_LIST_COUNTS: Final[Field[Any]] = Field(
    "list_counts",
    "counts",
    "Full length of each list that was longer than 100 entries and was cut there.",
    attrgetter("list_counts"),
)

_ENDING: Final[tuple[Field[Any], ...]] = (
    Field("tags", "strings", "Tags set by the application, in order of first use.", attrgetter("tags")),
    Field("metadata", "map", "Metadata set by the application: of each key the latest value.", attrgetter("metadata")),
    Field("input", "string", "What its user first said, shortened to 1,000 characters.", _absent, kept="texts"),
    Field("input_length", "count", "Full length of the input, in characters.", _absent, kept="texts"),
    Field("output", "string", "What its user was last answered, shortened to 1,000 characters.", _absent, kept="texts"),
    Field("output_length", "count", "Full length of the output, in characters.", _absent, kept="texts"),
    Field(
        "scores",
        "scores",
        "Scores by name, those of its parts too: how many, mean, how many of each category.",
        attrgetter("scores"),
    ),
    Field("annotations", "count", "Annotations, those of its parts too.", attrgetter("annotations")),
    _LIST_COUNTS,
)

TRACE_FIELDS: Final[tuple[Field[TraceSummary], ...]] = (
    Field("project", "string", "The project the trace belongs to.", attrgetter("project")),
    Field("trace_id", "id", "The trace's id.", attrgetter("trace_id")),
    Field(
        "session_id",
        "string",
        "The session the trace belongs to; absent where no span carries an id.",
        attrgetter("session_id"),
    ),
    Field("other_session_ids", "strings", "Other session ids seen in the trace.", attrgetter("other_session_ids")),
    Field("user_id", "string", "The trace's user.", attrgetter("user_id")),
    Field("name", "string", "The root span's name.", attrgetter("name")),
    Field("root_span_id", "id", "The root span's id.", attrgetter("root_span_id")),
    Field("root_missing", "bool", "True while no root has come and the earliest span stands in.", attrgetter("root_missing")),
    Field("start_time", "time", "Earliest start of a span.", attrgetter("start_unix_nano")),
    Field("end_time", "time", "Latest end of a span.", attrgetter("end_unix_nano")),
    Field("duration_ms", "milliseconds", "End minus start.", lambda trace: trace.end_unix_nano - trace.start_unix_nano),
    Field("ttft_ms", "milliseconds", "Time to the first token that its user saw.", attrgetter("ttft_nano")),
    Field("llm_duration_ms", "milliseconds", "Time during which a call to a model was under way.", attrgetter("llm_duration_nano")),
    *_usage_fields("of the trace's calls"),
    *_LISTS,
    *_COUNTS,
    Field("status", "enum", "error if a span is in error, else ok.", lambda trace: _status(trace.error_count), values=_STATUSES),
    Field("error_type", "string", "Type of the earliest error.", attrgetter("error_type")),
    Field("error_message", "string", "Message of the earliest error.", attrgetter("error_message")),
    Field("received_time", "time", "First arrival of its first span.", attrgetter("received_unix_nano")),
    Field("updated_time", "time", "First arrival of its latest span.", attrgetter("updated_unix_nano")),
    *_ENDING,
)

SESSION_FIELDS: Final[tuple[Field[SessionSummary], ...]] = (
    Field("project", "string", "The project the session belongs to.", attrgetter("project")),
    Field("session_id", "string", "The id that the application sent.", attrgetter("session_id")),
    Field("user_id", "string", "The user of its latest trace that has one.", attrgetter("user_id")),
    Field("user_ids", "strings", "All users of its traces, in order of first appearance.", attrgetter("user_ids")),
    Field("name", "string", "Its first trace's name.", attrgetter("name")),
    Field("start_time", "time", "Earliest start of its traces.", attrgetter("start_unix_nano")),
    Field("end_time", "time", "Latest end of its traces.", attrgetter("end_unix_nano")),
    Field("last_activity_time", "time", "Latest arrival of a span.", attrgetter("last_activity_unix_nano")),
    Field(
        "wall_duration_ms",
        "milliseconds",
        "End minus start, pauses included.",
        lambda session: session.end_unix_nano - session.start_unix_nano,
    ),
    Field(
        "duration_ms",
        "milliseconds",
        "Active time: while at least one of its traces was under way.",
        attrgetter("duration_nano"),
    ),
    Field(
        "llm_duration_ms",
        "milliseconds",
        "Sum over its traces of the time calls to a model were under way.",
        attrgetter("llm_duration_nano"),
    ),
    Field("ttft_ms", "milliseconds", "Median time to first token of its traces that have one.", attrgetter("ttft_nano")),
    Field("ttft_first_ms", "milliseconds", "Time to first token of its first trace.", attrgetter("ttft_first_nano")),
    Field("ttft_max_ms", "milliseconds", "Longest time to first token of its traces.", attrgetter("ttft_max_nano")),
    Field("ttft_count", "count", "Its traces that have a time to first token.", attrgetter("ttft_count")),
    Field("trace_duration_p50_ms", "milliseconds", "Median duration of its traces.", attrgetter("trace_duration_p50_nano")),
    Field(
        "trace_duration_p95_ms",
        "milliseconds",
        "95th percentile of its traces' durations.",
        attrgetter("trace_duration_p95_nano"),
    ),
    Field("trace_duration_max_ms", "milliseconds", "Longest of its traces.", attrgetter("trace_duration_max_nano")),
    *_usage_fields("of its traces"),
    *_LISTS,
    *_COUNTS,
    Field("trace_count", "count", "Its traces (turns).", attrgetter("trace_count")),
    Field("failed_trace_count", "count", "Its traces with a span in error.", attrgetter("failed_trace_count")),
    Field(
        "status", "enum", "error if a trace failed, else ok.", lambda session: _status(session.failed_trace_count), values=_STATUSES
    ),
    Field("first_failed_trace_id", "id", "The earliest of its traces that failed.", attrgetter("first_failed_trace_id")),
    Field("state", "enum", "live while spans arrived within the idle time, else idle.", _absent, kept="nowhere", values=_STATES),
    *_ENDING,
)

USER_FIELDS: Final[tuple[Field[UserSummary], ...]] = (
    Field("project", "string", "The project the user belongs to.", attrgetter("project")),
    Field("user_id", "string", "The id that the application sent.", attrgetter("user_id")),
    Field("first_seen_time", "time", "Earliest start of their traces.", attrgetter("first_seen_unix_nano")),
    Field("last_seen_time", "time", "Latest end of their traces.", attrgetter("last_seen_unix_nano")),
    Field("session_count", "count", "Their sessions.", attrgetter("session_count")),
    Field("trace_count", "count", "Their traces (turns), those without a session too.", attrgetter("trace_count")),
    Field("failed_trace_count", "count", "Their traces with a span in error.", attrgetter("failed_trace_count")),
    *_usage_fields("of their traces"),
    Field("cost_mean_usd", "usd", "Mean cost of their traces whose cost is known.", attrgetter("cost_mean_nano")),
    Field("cost_median_usd", "usd", "Median cost of their traces whose cost is known.", attrgetter("cost_median_nano")),
    *(field for field in _LISTS if field.name in ("models", "providers", "tools")),
    _LIST_COUNTS,
)

FIELDS: Final[Mapping[Kind, tuple[Field[Any], ...]]] = {"trace": TRACE_FIELDS, "session": SESSION_FIELDS, "user": USER_FIELDS}
