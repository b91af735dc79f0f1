import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Status(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STATUS_UNSPECIFIED: _ClassVar[Status]
    STATUS_OK: _ClassVar[Status]
    STATUS_ERROR: _ClassVar[Status]

class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STATE_UNSPECIFIED: _ClassVar[State]
    STATE_LIVE: _ClassVar[State]
    STATE_IDLE: _ClassVar[State]
STATUS_UNSPECIFIED: Status
STATUS_OK: Status
STATUS_ERROR: Status
STATE_UNSPECIFIED: State
STATE_LIVE: State
STATE_IDLE: State

class Trace(_message.Message):
    __slots__ = ("project", "trace_id", "session_id", "other_session_ids", "user_id", "name", "root_span_id", "root_missing", "start_time", "end_time", "duration_ms", "ttft_ms", "llm_duration_ms", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "total_tokens", "cost_usd", "input_cost_usd", "output_cost_usd", "cost_reported_usd", "cost_estimated_usd", "unpriced_call_count", "models", "request_models", "providers", "services", "agents", "tools", "span_count", "llm_call_count", "tool_call_count", "error_count", "failed_call_count", "status", "error_type", "error_message", "received_time", "updated_time", "tags", "metadata", "input", "output", "scores", "annotations", "list_counts", "input_length", "output_length")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class ScoresEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: ScoreSum
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[ScoreSum, _Mapping]] = ...) -> None: ...
    class ListCountsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    OTHER_SESSION_IDS_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ROOT_SPAN_ID_FIELD_NUMBER: _ClassVar[int]
    ROOT_MISSING_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    DURATION_MS_FIELD_NUMBER: _ClassVar[int]
    TTFT_MS_FIELD_NUMBER: _ClassVar[int]
    LLM_DURATION_MS_FIELD_NUMBER: _ClassVar[int]
    INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CACHE_READ_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CACHE_WRITE_TOKENS_FIELD_NUMBER: _ClassVar[int]
    REASONING_TOKENS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_TOKENS_FIELD_NUMBER: _ClassVar[int]
    COST_USD_FIELD_NUMBER: _ClassVar[int]
    INPUT_COST_USD_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_COST_USD_FIELD_NUMBER: _ClassVar[int]
    COST_REPORTED_USD_FIELD_NUMBER: _ClassVar[int]
    COST_ESTIMATED_USD_FIELD_NUMBER: _ClassVar[int]
    UNPRICED_CALL_COUNT_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_MODELS_FIELD_NUMBER: _ClassVar[int]
    PROVIDERS_FIELD_NUMBER: _ClassVar[int]
    SERVICES_FIELD_NUMBER: _ClassVar[int]
    AGENTS_FIELD_NUMBER: _ClassVar[int]
    TOOLS_FIELD_NUMBER: _ClassVar[int]
    SPAN_COUNT_FIELD_NUMBER: _ClassVar[int]
    LLM_CALL_COUNT_FIELD_NUMBER: _ClassVar[int]
    TOOL_CALL_COUNT_FIELD_NUMBER: _ClassVar[int]
    ERROR_COUNT_FIELD_NUMBER: _ClassVar[int]
    FAILED_CALL_COUNT_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    ERROR_TYPE_FIELD_NUMBER: _ClassVar[int]
    ERROR_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATED_TIME_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    ANNOTATIONS_FIELD_NUMBER: _ClassVar[int]
    LIST_COUNTS_FIELD_NUMBER: _ClassVar[int]
    INPUT_LENGTH_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_LENGTH_FIELD_NUMBER: _ClassVar[int]
    project: str
    trace_id: str
    session_id: str
    other_session_ids: _containers.RepeatedScalarFieldContainer[str]
    user_id: str
    name: str
    root_span_id: str
    root_missing: bool
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    duration_ms: float
    ttft_ms: float
    llm_duration_ms: float
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    total_tokens: int
    cost_usd: float
    input_cost_usd: float
    output_cost_usd: float
    cost_reported_usd: float
    cost_estimated_usd: float
    unpriced_call_count: int
    models: _containers.RepeatedScalarFieldContainer[str]
    request_models: _containers.RepeatedScalarFieldContainer[str]
    providers: _containers.RepeatedScalarFieldContainer[str]
    services: _containers.RepeatedScalarFieldContainer[str]
    agents: _containers.RepeatedScalarFieldContainer[str]
    tools: _containers.RepeatedScalarFieldContainer[str]
    span_count: int
    llm_call_count: int
    tool_call_count: int
    error_count: int
    failed_call_count: int
    status: Status
    error_type: str
    error_message: str
    received_time: _timestamp_pb2.Timestamp
    updated_time: _timestamp_pb2.Timestamp
    tags: _containers.RepeatedScalarFieldContainer[str]
    metadata: _containers.ScalarMap[str, str]
    input: str
    output: str
    scores: _containers.MessageMap[str, ScoreSum]
    annotations: int
    list_counts: _containers.ScalarMap[str, int]
    input_length: int
    output_length: int
    def __init__(self, project: _Optional[str] = ..., trace_id: _Optional[str] = ..., session_id: _Optional[str] = ..., other_session_ids: _Optional[_Iterable[str]] = ..., user_id: _Optional[str] = ..., name: _Optional[str] = ..., root_span_id: _Optional[str] = ..., root_missing: _Optional[bool] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., duration_ms: _Optional[float] = ..., ttft_ms: _Optional[float] = ..., llm_duration_ms: _Optional[float] = ..., input_tokens: _Optional[int] = ..., output_tokens: _Optional[int] = ..., cache_read_tokens: _Optional[int] = ..., cache_write_tokens: _Optional[int] = ..., reasoning_tokens: _Optional[int] = ..., total_tokens: _Optional[int] = ..., cost_usd: _Optional[float] = ..., input_cost_usd: _Optional[float] = ..., output_cost_usd: _Optional[float] = ..., cost_reported_usd: _Optional[float] = ..., cost_estimated_usd: _Optional[float] = ..., unpriced_call_count: _Optional[int] = ..., models: _Optional[_Iterable[str]] = ..., request_models: _Optional[_Iterable[str]] = ..., providers: _Optional[_Iterable[str]] = ..., services: _Optional[_Iterable[str]] = ..., agents: _Optional[_Iterable[str]] = ..., tools: _Optional[_Iterable[str]] = ..., span_count: _Optional[int] = ..., llm_call_count: _Optional[int] = ..., tool_call_count: _Optional[int] = ..., error_count: _Optional[int] = ..., failed_call_count: _Optional[int] = ..., status: _Optional[_Union[Status, str]] = ..., error_type: _Optional[str] = ..., error_message: _Optional[str] = ..., received_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., updated_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tags: _Optional[_Iterable[str]] = ..., metadata: _Optional[_Mapping[str, str]] = ..., input: _Optional[str] = ..., output: _Optional[str] = ..., scores: _Optional[_Mapping[str, ScoreSum]] = ..., annotations: _Optional[int] = ..., list_counts: _Optional[_Mapping[str, int]] = ..., input_length: _Optional[int] = ..., output_length: _Optional[int] = ...) -> None: ...

class Session(_message.Message):
    __slots__ = ("project", "session_id", "user_id", "user_ids", "name", "start_time", "end_time", "last_activity_time", "wall_duration_ms", "duration_ms", "llm_duration_ms", "ttft_ms", "ttft_first_ms", "ttft_max_ms", "ttft_count", "trace_duration_p50_ms", "trace_duration_p95_ms", "trace_duration_max_ms", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "total_tokens", "cost_usd", "input_cost_usd", "output_cost_usd", "cost_reported_usd", "cost_estimated_usd", "unpriced_call_count", "models", "request_models", "providers", "services", "agents", "tools", "span_count", "llm_call_count", "tool_call_count", "error_count", "failed_call_count", "trace_count", "failed_trace_count", "status", "first_failed_trace_id", "state", "tags", "metadata", "input", "output", "scores", "annotations", "list_counts", "input_length", "output_length")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class ScoresEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: ScoreSum
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[ScoreSum, _Mapping]] = ...) -> None: ...
    class ListCountsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    USER_IDS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_ACTIVITY_TIME_FIELD_NUMBER: _ClassVar[int]
    WALL_DURATION_MS_FIELD_NUMBER: _ClassVar[int]
    DURATION_MS_FIELD_NUMBER: _ClassVar[int]
    LLM_DURATION_MS_FIELD_NUMBER: _ClassVar[int]
    TTFT_MS_FIELD_NUMBER: _ClassVar[int]
    TTFT_FIRST_MS_FIELD_NUMBER: _ClassVar[int]
    TTFT_MAX_MS_FIELD_NUMBER: _ClassVar[int]
    TTFT_COUNT_FIELD_NUMBER: _ClassVar[int]
    TRACE_DURATION_P50_MS_FIELD_NUMBER: _ClassVar[int]
    TRACE_DURATION_P95_MS_FIELD_NUMBER: _ClassVar[int]
    TRACE_DURATION_MAX_MS_FIELD_NUMBER: _ClassVar[int]
    INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CACHE_READ_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CACHE_WRITE_TOKENS_FIELD_NUMBER: _ClassVar[int]
    REASONING_TOKENS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_TOKENS_FIELD_NUMBER: _ClassVar[int]
    COST_USD_FIELD_NUMBER: _ClassVar[int]
    INPUT_COST_USD_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_COST_USD_FIELD_NUMBER: _ClassVar[int]
    COST_REPORTED_USD_FIELD_NUMBER: _ClassVar[int]
    COST_ESTIMATED_USD_FIELD_NUMBER: _ClassVar[int]
    UNPRICED_CALL_COUNT_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_MODELS_FIELD_NUMBER: _ClassVar[int]
    PROVIDERS_FIELD_NUMBER: _ClassVar[int]
    SERVICES_FIELD_NUMBER: _ClassVar[int]
    AGENTS_FIELD_NUMBER: _ClassVar[int]
    TOOLS_FIELD_NUMBER: _ClassVar[int]
    SPAN_COUNT_FIELD_NUMBER: _ClassVar[int]
    LLM_CALL_COUNT_FIELD_NUMBER: _ClassVar[int]
    TOOL_CALL_COUNT_FIELD_NUMBER: _ClassVar[int]
    ERROR_COUNT_FIELD_NUMBER: _ClassVar[int]
    FAILED_CALL_COUNT_FIELD_NUMBER: _ClassVar[int]
    TRACE_COUNT_FIELD_NUMBER: _ClassVar[int]
    FAILED_TRACE_COUNT_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    FIRST_FAILED_TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    ANNOTATIONS_FIELD_NUMBER: _ClassVar[int]
    LIST_COUNTS_FIELD_NUMBER: _ClassVar[int]
    INPUT_LENGTH_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_LENGTH_FIELD_NUMBER: _ClassVar[int]
    project: str
    session_id: str
    user_id: str
    user_ids: _containers.RepeatedScalarFieldContainer[str]
    name: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    last_activity_time: _timestamp_pb2.Timestamp
    wall_duration_ms: float
    duration_ms: float
    llm_duration_ms: float
    ttft_ms: float
    ttft_first_ms: float
    ttft_max_ms: float
    ttft_count: int
    trace_duration_p50_ms: float
    trace_duration_p95_ms: float
    trace_duration_max_ms: float
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    total_tokens: int
    cost_usd: float
    input_cost_usd: float
    output_cost_usd: float
    cost_reported_usd: float
    cost_estimated_usd: float
    unpriced_call_count: int
    models: _containers.RepeatedScalarFieldContainer[str]
    request_models: _containers.RepeatedScalarFieldContainer[str]
    providers: _containers.RepeatedScalarFieldContainer[str]
    services: _containers.RepeatedScalarFieldContainer[str]
    agents: _containers.RepeatedScalarFieldContainer[str]
    tools: _containers.RepeatedScalarFieldContainer[str]
    span_count: int
    llm_call_count: int
    tool_call_count: int
    error_count: int
    failed_call_count: int
    trace_count: int
    failed_trace_count: int
    status: Status
    first_failed_trace_id: str
    state: State
    tags: _containers.RepeatedScalarFieldContainer[str]
    metadata: _containers.ScalarMap[str, str]
    input: str
    output: str
    scores: _containers.MessageMap[str, ScoreSum]
    annotations: int
    list_counts: _containers.ScalarMap[str, int]
    input_length: int
    output_length: int
    def __init__(self, project: _Optional[str] = ..., session_id: _Optional[str] = ..., user_id: _Optional[str] = ..., user_ids: _Optional[_Iterable[str]] = ..., name: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_activity_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., wall_duration_ms: _Optional[float] = ..., duration_ms: _Optional[float] = ..., llm_duration_ms: _Optional[float] = ..., ttft_ms: _Optional[float] = ..., ttft_first_ms: _Optional[float] = ..., ttft_max_ms: _Optional[float] = ..., ttft_count: _Optional[int] = ..., trace_duration_p50_ms: _Optional[float] = ..., trace_duration_p95_ms: _Optional[float] = ..., trace_duration_max_ms: _Optional[float] = ..., input_tokens: _Optional[int] = ..., output_tokens: _Optional[int] = ..., cache_read_tokens: _Optional[int] = ..., cache_write_tokens: _Optional[int] = ..., reasoning_tokens: _Optional[int] = ..., total_tokens: _Optional[int] = ..., cost_usd: _Optional[float] = ..., input_cost_usd: _Optional[float] = ..., output_cost_usd: _Optional[float] = ..., cost_reported_usd: _Optional[float] = ..., cost_estimated_usd: _Optional[float] = ..., unpriced_call_count: _Optional[int] = ..., models: _Optional[_Iterable[str]] = ..., request_models: _Optional[_Iterable[str]] = ..., providers: _Optional[_Iterable[str]] = ..., services: _Optional[_Iterable[str]] = ..., agents: _Optional[_Iterable[str]] = ..., tools: _Optional[_Iterable[str]] = ..., span_count: _Optional[int] = ..., llm_call_count: _Optional[int] = ..., tool_call_count: _Optional[int] = ..., error_count: _Optional[int] = ..., failed_call_count: _Optional[int] = ..., trace_count: _Optional[int] = ..., failed_trace_count: _Optional[int] = ..., status: _Optional[_Union[Status, str]] = ..., first_failed_trace_id: _Optional[str] = ..., state: _Optional[_Union[State, str]] = ..., tags: _Optional[_Iterable[str]] = ..., metadata: _Optional[_Mapping[str, str]] = ..., input: _Optional[str] = ..., output: _Optional[str] = ..., scores: _Optional[_Mapping[str, ScoreSum]] = ..., annotations: _Optional[int] = ..., list_counts: _Optional[_Mapping[str, int]] = ..., input_length: _Optional[int] = ..., output_length: _Optional[int] = ...) -> None: ...

class ScoreSum(_message.Message):
    __slots__ = ("count", "mean", "categories", "stale_count")
    class CategoriesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    COUNT_FIELD_NUMBER: _ClassVar[int]
    MEAN_FIELD_NUMBER: _ClassVar[int]
    CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    STALE_COUNT_FIELD_NUMBER: _ClassVar[int]
    count: int
    mean: float
    categories: _containers.ScalarMap[str, int]
    stale_count: int
    def __init__(self, count: _Optional[int] = ..., mean: _Optional[float] = ..., categories: _Optional[_Mapping[str, int]] = ..., stale_count: _Optional[int] = ...) -> None: ...

class Span(_message.Message):
    __slots__ = ("span_id", "parent_span_id", "kind", "name", "start_time", "end_time", "received_time", "duration_ms", "operation", "service", "scope", "status", "error_type", "error_message", "provider", "request_model", "response_model", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "counted", "tool", "agent", "ttft_ms", "cost_usd", "cost_estimated")
    SPAN_ID_FIELD_NUMBER: _ClassVar[int]
    PARENT_SPAN_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_TIME_FIELD_NUMBER: _ClassVar[int]
    DURATION_MS_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    ERROR_TYPE_FIELD_NUMBER: _ClassVar[int]
    ERROR_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    REQUEST_MODEL_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_MODEL_FIELD_NUMBER: _ClassVar[int]
    INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CACHE_READ_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CACHE_WRITE_TOKENS_FIELD_NUMBER: _ClassVar[int]
    REASONING_TOKENS_FIELD_NUMBER: _ClassVar[int]
    COUNTED_FIELD_NUMBER: _ClassVar[int]
    TOOL_FIELD_NUMBER: _ClassVar[int]
    AGENT_FIELD_NUMBER: _ClassVar[int]
    TTFT_MS_FIELD_NUMBER: _ClassVar[int]
    COST_USD_FIELD_NUMBER: _ClassVar[int]
    COST_ESTIMATED_FIELD_NUMBER: _ClassVar[int]
    span_id: str
    parent_span_id: str
    kind: int
    name: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    received_time: _timestamp_pb2.Timestamp
    duration_ms: float
    operation: str
    service: str
    scope: str
    status: Status
    error_type: str
    error_message: str
    provider: str
    request_model: str
    response_model: str
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    counted: bool
    tool: str
    agent: str
    ttft_ms: float
    cost_usd: float
    cost_estimated: bool
    def __init__(self, span_id: _Optional[str] = ..., parent_span_id: _Optional[str] = ..., kind: _Optional[int] = ..., name: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., received_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., duration_ms: _Optional[float] = ..., operation: _Optional[str] = ..., service: _Optional[str] = ..., scope: _Optional[str] = ..., status: _Optional[_Union[Status, str]] = ..., error_type: _Optional[str] = ..., error_message: _Optional[str] = ..., provider: _Optional[str] = ..., request_model: _Optional[str] = ..., response_model: _Optional[str] = ..., input_tokens: _Optional[int] = ..., output_tokens: _Optional[int] = ..., cache_read_tokens: _Optional[int] = ..., cache_write_tokens: _Optional[int] = ..., reasoning_tokens: _Optional[int] = ..., counted: _Optional[bool] = ..., tool: _Optional[str] = ..., agent: _Optional[str] = ..., ttft_ms: _Optional[float] = ..., cost_usd: _Optional[float] = ..., cost_estimated: _Optional[bool] = ...) -> None: ...

class User(_message.Message):
    __slots__ = ("project", "user_id", "first_seen_time", "last_seen_time", "session_count", "trace_count", "failed_trace_count", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "total_tokens", "cost_usd", "input_cost_usd", "output_cost_usd", "cost_reported_usd", "cost_estimated_usd", "unpriced_call_count", "cost_mean_usd", "cost_median_usd", "models", "providers", "tools", "list_counts")
    class ListCountsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEEN_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_TIME_FIELD_NUMBER: _ClassVar[int]
    SESSION_COUNT_FIELD_NUMBER: _ClassVar[int]
    TRACE_COUNT_FIELD_NUMBER: _ClassVar[int]
    FAILED_TRACE_COUNT_FIELD_NUMBER: _ClassVar[int]
    INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CACHE_READ_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CACHE_WRITE_TOKENS_FIELD_NUMBER: _ClassVar[int]
    REASONING_TOKENS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_TOKENS_FIELD_NUMBER: _ClassVar[int]
    COST_USD_FIELD_NUMBER: _ClassVar[int]
    INPUT_COST_USD_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_COST_USD_FIELD_NUMBER: _ClassVar[int]
    COST_REPORTED_USD_FIELD_NUMBER: _ClassVar[int]
    COST_ESTIMATED_USD_FIELD_NUMBER: _ClassVar[int]
    UNPRICED_CALL_COUNT_FIELD_NUMBER: _ClassVar[int]
    COST_MEAN_USD_FIELD_NUMBER: _ClassVar[int]
    COST_MEDIAN_USD_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    PROVIDERS_FIELD_NUMBER: _ClassVar[int]
    TOOLS_FIELD_NUMBER: _ClassVar[int]
    LIST_COUNTS_FIELD_NUMBER: _ClassVar[int]
    project: str
    user_id: str
    first_seen_time: _timestamp_pb2.Timestamp
    last_seen_time: _timestamp_pb2.Timestamp
    session_count: int
    trace_count: int
    failed_trace_count: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    total_tokens: int
    cost_usd: float
    input_cost_usd: float
    output_cost_usd: float
    cost_reported_usd: float
    cost_estimated_usd: float
    unpriced_call_count: int
    cost_mean_usd: float
    cost_median_usd: float
    models: _containers.RepeatedScalarFieldContainer[str]
    providers: _containers.RepeatedScalarFieldContainer[str]
    tools: _containers.RepeatedScalarFieldContainer[str]
    list_counts: _containers.ScalarMap[str, int]
    def __init__(self, project: _Optional[str] = ..., user_id: _Optional[str] = ..., first_seen_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_seen_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., session_count: _Optional[int] = ..., trace_count: _Optional[int] = ..., failed_trace_count: _Optional[int] = ..., input_tokens: _Optional[int] = ..., output_tokens: _Optional[int] = ..., cache_read_tokens: _Optional[int] = ..., cache_write_tokens: _Optional[int] = ..., reasoning_tokens: _Optional[int] = ..., total_tokens: _Optional[int] = ..., cost_usd: _Optional[float] = ..., input_cost_usd: _Optional[float] = ..., output_cost_usd: _Optional[float] = ..., cost_reported_usd: _Optional[float] = ..., cost_estimated_usd: _Optional[float] = ..., unpriced_call_count: _Optional[int] = ..., cost_mean_usd: _Optional[float] = ..., cost_median_usd: _Optional[float] = ..., models: _Optional[_Iterable[str]] = ..., providers: _Optional[_Iterable[str]] = ..., tools: _Optional[_Iterable[str]] = ..., list_counts: _Optional[_Mapping[str, int]] = ...) -> None: ...

class Figure(_message.Message):
    __slots__ = ("field", "evidence", "evidence_count")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_COUNT_FIELD_NUMBER: _ClassVar[int]
    field: str
    evidence: _containers.RepeatedCompositeFieldContainer[Evidence]
    evidence_count: int
    def __init__(self, field: _Optional[str] = ..., evidence: _Optional[_Iterable[_Union[Evidence, _Mapping]]] = ..., evidence_count: _Optional[int] = ...) -> None: ...

class Evidence(_message.Message):
    __slots__ = ("span_id", "key", "value")
    SPAN_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    span_id: str
    key: str
    value: str
    def __init__(self, span_id: _Optional[str] = ..., key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class ExplainedCall(_message.Message):
    __slots__ = ("span_id", "merged_span_ids", "is_reporter", "failed", "provider", "request_model", "response_model", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "cost_usd", "cost_source", "price_row")
    SPAN_ID_FIELD_NUMBER: _ClassVar[int]
    MERGED_SPAN_IDS_FIELD_NUMBER: _ClassVar[int]
    IS_REPORTER_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    REQUEST_MODEL_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_MODEL_FIELD_NUMBER: _ClassVar[int]
    INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CACHE_READ_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CACHE_WRITE_TOKENS_FIELD_NUMBER: _ClassVar[int]
    REASONING_TOKENS_FIELD_NUMBER: _ClassVar[int]
    COST_USD_FIELD_NUMBER: _ClassVar[int]
    COST_SOURCE_FIELD_NUMBER: _ClassVar[int]
    PRICE_ROW_FIELD_NUMBER: _ClassVar[int]
    span_id: str
    merged_span_ids: _containers.RepeatedScalarFieldContainer[str]
    is_reporter: bool
    failed: bool
    provider: str
    request_model: str
    response_model: str
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    cost_usd: float
    cost_source: str
    price_row: str
    def __init__(self, span_id: _Optional[str] = ..., merged_span_ids: _Optional[_Iterable[str]] = ..., is_reporter: _Optional[bool] = ..., failed: _Optional[bool] = ..., provider: _Optional[str] = ..., request_model: _Optional[str] = ..., response_model: _Optional[str] = ..., input_tokens: _Optional[int] = ..., output_tokens: _Optional[int] = ..., cache_read_tokens: _Optional[int] = ..., cache_write_tokens: _Optional[int] = ..., reasoning_tokens: _Optional[int] = ..., cost_usd: _Optional[float] = ..., cost_source: _Optional[str] = ..., price_row: _Optional[str] = ...) -> None: ...

class UncountedSpan(_message.Message):
    __slots__ = ("span_id", "rule", "counted_span_id", "reason")
    SPAN_ID_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    COUNTED_SPAN_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    span_id: str
    rule: str
    counted_span_id: str
    reason: str
    def __init__(self, span_id: _Optional[str] = ..., rule: _Optional[str] = ..., counted_span_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...
