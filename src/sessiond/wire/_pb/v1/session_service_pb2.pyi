import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from opentelemetry.proto.trace.v1 import trace_pb2 as _trace_pb2
from sessiond.wire._pb.v1 import conversation_pb2 as _conversation_pb2
from sessiond.wire._pb.v1 import resources_pb2 as _resources_pb2
from sessiond.wire._pb.v1 import search_pb2 as _search_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SessionView(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SESSION_VIEW_UNSPECIFIED: _ClassVar[SessionView]
    SESSION_VIEW_BASIC: _ClassVar[SessionView]
    SESSION_VIEW_TURNS: _ClassVar[SessionView]
    SESSION_VIEW_FULL: _ClassVar[SessionView]

class StatsOf(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STATS_OF_UNSPECIFIED: _ClassVar[StatsOf]
    STATS_OF_TRACES: _ClassVar[StatsOf]
    STATS_OF_SESSIONS: _ClassVar[StatsOf]
    STATS_OF_USERS: _ClassVar[StatsOf]
SESSION_VIEW_UNSPECIFIED: SessionView
SESSION_VIEW_BASIC: SessionView
SESSION_VIEW_TURNS: SessionView
SESSION_VIEW_FULL: SessionView
STATS_OF_UNSPECIFIED: StatsOf
STATS_OF_TRACES: StatsOf
STATS_OF_SESSIONS: StatsOf
STATS_OF_USERS: StatsOf

class ListSessionsRequest(_message.Message):
    __slots__ = ("project", "session_id", "user_id", "since", "filter", "order_by", "page_size", "page_token", "until")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    ORDER_BY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    project: str
    session_id: str
    user_id: str
    since: _timestamp_pb2.Timestamp
    filter: str
    order_by: str
    page_size: int
    page_token: str
    until: _timestamp_pb2.Timestamp
    def __init__(self, project: _Optional[str] = ..., session_id: _Optional[str] = ..., user_id: _Optional[str] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., filter: _Optional[str] = ..., order_by: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListSessionsResponse(_message.Message):
    __slots__ = ("sessions", "next_page_token")
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    sessions: _containers.RepeatedCompositeFieldContainer[_resources_pb2.Session]
    next_page_token: str
    def __init__(self, sessions: _Optional[_Iterable[_Union[_resources_pb2.Session, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class StreamSessionsRequest(_message.Message):
    __slots__ = ("project", "session_id", "user_id", "since", "filter", "order_by", "follow", "resume_token", "changes_only", "until")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    ORDER_BY_FIELD_NUMBER: _ClassVar[int]
    FOLLOW_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CHANGES_ONLY_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    project: str
    session_id: str
    user_id: str
    since: _timestamp_pb2.Timestamp
    filter: str
    order_by: str
    follow: bool
    resume_token: str
    changes_only: bool
    until: _timestamp_pb2.Timestamp
    def __init__(self, project: _Optional[str] = ..., session_id: _Optional[str] = ..., user_id: _Optional[str] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., filter: _Optional[str] = ..., order_by: _Optional[str] = ..., follow: _Optional[bool] = ..., resume_token: _Optional[str] = ..., changes_only: _Optional[bool] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class StreamSessionsResponse(_message.Message):
    __slots__ = ("sessions", "gone", "resume_token", "caught_up", "stalled")
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    GONE_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CAUGHT_UP_FIELD_NUMBER: _ClassVar[int]
    STALLED_FIELD_NUMBER: _ClassVar[int]
    sessions: _containers.RepeatedCompositeFieldContainer[_resources_pb2.Session]
    gone: _containers.RepeatedCompositeFieldContainer[Gone]
    resume_token: str
    caught_up: bool
    stalled: _duration_pb2.Duration
    def __init__(self, sessions: _Optional[_Iterable[_Union[_resources_pb2.Session, _Mapping]]] = ..., gone: _Optional[_Iterable[_Union[Gone, _Mapping]]] = ..., resume_token: _Optional[str] = ..., caught_up: _Optional[bool] = ..., stalled: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class GetSessionRequest(_message.Message):
    __slots__ = ("project", "session_id", "view")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    project: str
    session_id: str
    view: SessionView
    def __init__(self, project: _Optional[str] = ..., session_id: _Optional[str] = ..., view: _Optional[_Union[SessionView, str]] = ...) -> None: ...

class GetSessionResponse(_message.Message):
    __slots__ = ("session", "traces", "transcript", "turns", "findings")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    TRACES_FIELD_NUMBER: _ClassVar[int]
    TRANSCRIPT_FIELD_NUMBER: _ClassVar[int]
    TURNS_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    session: _resources_pb2.Session
    traces: _containers.RepeatedCompositeFieldContainer[_resources_pb2.Trace]
    transcript: _containers.RepeatedCompositeFieldContainer[_conversation_pb2.TranscriptEntry]
    turns: _containers.RepeatedCompositeFieldContainer[_conversation_pb2.TurnFigures]
    findings: _containers.RepeatedCompositeFieldContainer[_conversation_pb2.Finding]
    def __init__(self, session: _Optional[_Union[_resources_pb2.Session, _Mapping]] = ..., traces: _Optional[_Iterable[_Union[_resources_pb2.Trace, _Mapping]]] = ..., transcript: _Optional[_Iterable[_Union[_conversation_pb2.TranscriptEntry, _Mapping]]] = ..., turns: _Optional[_Iterable[_Union[_conversation_pb2.TurnFigures, _Mapping]]] = ..., findings: _Optional[_Iterable[_Union[_conversation_pb2.Finding, _Mapping]]] = ...) -> None: ...

class ListTracesRequest(_message.Message):
    __slots__ = ("project", "session_id", "user_id", "since", "filter", "order_by", "page_size", "page_token", "until")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    ORDER_BY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    project: str
    session_id: str
    user_id: str
    since: _timestamp_pb2.Timestamp
    filter: str
    order_by: str
    page_size: int
    page_token: str
    until: _timestamp_pb2.Timestamp
    def __init__(self, project: _Optional[str] = ..., session_id: _Optional[str] = ..., user_id: _Optional[str] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., filter: _Optional[str] = ..., order_by: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListTracesResponse(_message.Message):
    __slots__ = ("traces", "next_page_token")
    TRACES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    traces: _containers.RepeatedCompositeFieldContainer[_resources_pb2.Trace]
    next_page_token: str
    def __init__(self, traces: _Optional[_Iterable[_Union[_resources_pb2.Trace, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class StreamTracesRequest(_message.Message):
    __slots__ = ("project", "session_id", "user_id", "since", "filter", "order_by", "follow", "resume_token", "changes_only", "until")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    ORDER_BY_FIELD_NUMBER: _ClassVar[int]
    FOLLOW_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CHANGES_ONLY_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    project: str
    session_id: str
    user_id: str
    since: _timestamp_pb2.Timestamp
    filter: str
    order_by: str
    follow: bool
    resume_token: str
    changes_only: bool
    until: _timestamp_pb2.Timestamp
    def __init__(self, project: _Optional[str] = ..., session_id: _Optional[str] = ..., user_id: _Optional[str] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., filter: _Optional[str] = ..., order_by: _Optional[str] = ..., follow: _Optional[bool] = ..., resume_token: _Optional[str] = ..., changes_only: _Optional[bool] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class StreamTracesResponse(_message.Message):
    __slots__ = ("traces", "gone", "resume_token", "caught_up", "stalled")
    TRACES_FIELD_NUMBER: _ClassVar[int]
    GONE_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CAUGHT_UP_FIELD_NUMBER: _ClassVar[int]
    STALLED_FIELD_NUMBER: _ClassVar[int]
    traces: _containers.RepeatedCompositeFieldContainer[_resources_pb2.Trace]
    gone: _containers.RepeatedCompositeFieldContainer[Gone]
    resume_token: str
    caught_up: bool
    stalled: _duration_pb2.Duration
    def __init__(self, traces: _Optional[_Iterable[_Union[_resources_pb2.Trace, _Mapping]]] = ..., gone: _Optional[_Iterable[_Union[Gone, _Mapping]]] = ..., resume_token: _Optional[str] = ..., caught_up: _Optional[bool] = ..., stalled: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class GetTraceRequest(_message.Message):
    __slots__ = ("trace_id", "raw")
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    RAW_FIELD_NUMBER: _ClassVar[int]
    trace_id: str
    raw: bool
    def __init__(self, trace_id: _Optional[str] = ..., raw: _Optional[bool] = ...) -> None: ...

class GetTraceResponse(_message.Message):
    __slots__ = ("trace", "spans", "traces_data", "repaired_span_ids", "raw_spans")
    TRACE_FIELD_NUMBER: _ClassVar[int]
    SPANS_FIELD_NUMBER: _ClassVar[int]
    TRACES_DATA_FIELD_NUMBER: _ClassVar[int]
    REPAIRED_SPAN_IDS_FIELD_NUMBER: _ClassVar[int]
    RAW_SPANS_FIELD_NUMBER: _ClassVar[int]
    trace: _resources_pb2.Trace
    spans: _containers.RepeatedCompositeFieldContainer[_resources_pb2.Span]
    traces_data: _trace_pb2.TracesData
    repaired_span_ids: _containers.RepeatedScalarFieldContainer[str]
    raw_spans: _containers.RepeatedCompositeFieldContainer[RawSpan]
    def __init__(self, trace: _Optional[_Union[_resources_pb2.Trace, _Mapping]] = ..., spans: _Optional[_Iterable[_Union[_resources_pb2.Span, _Mapping]]] = ..., traces_data: _Optional[_Union[_trace_pb2.TracesData, _Mapping]] = ..., repaired_span_ids: _Optional[_Iterable[str]] = ..., raw_spans: _Optional[_Iterable[_Union[RawSpan, _Mapping]]] = ...) -> None: ...

class RawSpan(_message.Message):
    __slots__ = ("resource", "resource_schema_url", "scope", "scope_schema_url", "span", "received_time")
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_SCHEMA_URL_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    SCOPE_SCHEMA_URL_FIELD_NUMBER: _ClassVar[int]
    SPAN_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_TIME_FIELD_NUMBER: _ClassVar[int]
    resource: bytes
    resource_schema_url: bytes
    scope: bytes
    scope_schema_url: bytes
    span: bytes
    received_time: _timestamp_pb2.Timestamp
    def __init__(self, resource: _Optional[bytes] = ..., resource_schema_url: _Optional[bytes] = ..., scope: _Optional[bytes] = ..., scope_schema_url: _Optional[bytes] = ..., span: _Optional[bytes] = ..., received_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ExplainRequest(_message.Message):
    __slots__ = ("trace_id",)
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    trace_id: str
    def __init__(self, trace_id: _Optional[str] = ...) -> None: ...

class ExplainResponse(_message.Message):
    __slots__ = ("trace", "figures", "calls", "uncounted_spans")
    TRACE_FIELD_NUMBER: _ClassVar[int]
    FIGURES_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    UNCOUNTED_SPANS_FIELD_NUMBER: _ClassVar[int]
    trace: _resources_pb2.Trace
    figures: _containers.RepeatedCompositeFieldContainer[_resources_pb2.Figure]
    calls: _containers.RepeatedCompositeFieldContainer[_resources_pb2.ExplainedCall]
    uncounted_spans: _containers.RepeatedCompositeFieldContainer[_resources_pb2.UncountedSpan]
    def __init__(self, trace: _Optional[_Union[_resources_pb2.Trace, _Mapping]] = ..., figures: _Optional[_Iterable[_Union[_resources_pb2.Figure, _Mapping]]] = ..., calls: _Optional[_Iterable[_Union[_resources_pb2.ExplainedCall, _Mapping]]] = ..., uncounted_spans: _Optional[_Iterable[_Union[_resources_pb2.UncountedSpan, _Mapping]]] = ...) -> None: ...

class GetUserRequest(_message.Message):
    __slots__ = ("project", "user_id")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    project: str
    user_id: str
    def __init__(self, project: _Optional[str] = ..., user_id: _Optional[str] = ...) -> None: ...

class ListUsersRequest(_message.Message):
    __slots__ = ("project", "since", "filter", "order_by", "page_size", "page_token", "until")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    ORDER_BY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    project: str
    since: _timestamp_pb2.Timestamp
    filter: str
    order_by: str
    page_size: int
    page_token: str
    until: _timestamp_pb2.Timestamp
    def __init__(self, project: _Optional[str] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., filter: _Optional[str] = ..., order_by: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListUsersResponse(_message.Message):
    __slots__ = ("users", "next_page_token")
    USERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    users: _containers.RepeatedCompositeFieldContainer[_resources_pb2.User]
    next_page_token: str
    def __init__(self, users: _Optional[_Iterable[_Union[_resources_pb2.User, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class Gone(_message.Message):
    __slots__ = ("project", "id", "reason")
    class Reason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        REASON_UNSPECIFIED: _ClassVar[Gone.Reason]
        REASON_NO_MATCH: _ClassVar[Gone.Reason]
        REASON_REMOVED: _ClassVar[Gone.Reason]
    REASON_UNSPECIFIED: Gone.Reason
    REASON_NO_MATCH: Gone.Reason
    REASON_REMOVED: Gone.Reason
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    project: str
    id: str
    reason: Gone.Reason
    def __init__(self, project: _Optional[str] = ..., id: _Optional[str] = ..., reason: _Optional[_Union[Gone.Reason, str]] = ...) -> None: ...

class StatsRequest(_message.Message):
    __slots__ = ("of", "project", "session_id", "user_id", "since", "until", "filter", "bucket", "group_by", "group_limit")
    OF_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    GROUP_BY_FIELD_NUMBER: _ClassVar[int]
    GROUP_LIMIT_FIELD_NUMBER: _ClassVar[int]
    of: StatsOf
    project: str
    session_id: str
    user_id: str
    since: _timestamp_pb2.Timestamp
    until: _timestamp_pb2.Timestamp
    filter: str
    bucket: _duration_pb2.Duration
    group_by: str
    group_limit: int
    def __init__(self, of: _Optional[_Union[StatsOf, str]] = ..., project: _Optional[str] = ..., session_id: _Optional[str] = ..., user_id: _Optional[str] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., filter: _Optional[str] = ..., bucket: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., group_by: _Optional[str] = ..., group_limit: _Optional[int] = ...) -> None: ...

class StatsResponse(_message.Message):
    __slots__ = ("total", "groups", "buckets", "group_count")
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    BUCKETS_FIELD_NUMBER: _ClassVar[int]
    GROUP_COUNT_FIELD_NUMBER: _ClassVar[int]
    total: Statistics
    groups: _containers.RepeatedCompositeFieldContainer[StatsGroup]
    buckets: _containers.RepeatedCompositeFieldContainer[StatsBucket]
    group_count: int
    def __init__(self, total: _Optional[_Union[Statistics, _Mapping]] = ..., groups: _Optional[_Iterable[_Union[StatsGroup, _Mapping]]] = ..., buckets: _Optional[_Iterable[_Union[StatsBucket, _Mapping]]] = ..., group_count: _Optional[int] = ...) -> None: ...

class StatsGroup(_message.Message):
    __slots__ = ("label", "rest", "statistics")
    class Rest(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        REST_UNSPECIFIED: _ClassVar[StatsGroup.Rest]
        REST_OTHERS: _ClassVar[StatsGroup.Rest]
        REST_NONE: _ClassVar[StatsGroup.Rest]
    REST_UNSPECIFIED: StatsGroup.Rest
    REST_OTHERS: StatsGroup.Rest
    REST_NONE: StatsGroup.Rest
    LABEL_FIELD_NUMBER: _ClassVar[int]
    REST_FIELD_NUMBER: _ClassVar[int]
    STATISTICS_FIELD_NUMBER: _ClassVar[int]
    label: str
    rest: StatsGroup.Rest
    statistics: Statistics
    def __init__(self, label: _Optional[str] = ..., rest: _Optional[_Union[StatsGroup.Rest, str]] = ..., statistics: _Optional[_Union[Statistics, _Mapping]] = ...) -> None: ...

class StatsBucket(_message.Message):
    __slots__ = ("start_time", "total", "groups")
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    start_time: _timestamp_pb2.Timestamp
    total: Statistics
    groups: _containers.RepeatedCompositeFieldContainer[StatsGroup]
    def __init__(self, start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., total: _Optional[_Union[Statistics, _Mapping]] = ..., groups: _Optional[_Iterable[_Union[StatsGroup, _Mapping]]] = ...) -> None: ...

class Statistics(_message.Message):
    __slots__ = ("count", "failed_count", "error_rate", "input_tokens", "output_tokens", "trace_count", "unpriced_call_count", "duration_ms", "ttft_ms", "cost_usd", "total_tokens")
    COUNT_FIELD_NUMBER: _ClassVar[int]
    FAILED_COUNT_FIELD_NUMBER: _ClassVar[int]
    ERROR_RATE_FIELD_NUMBER: _ClassVar[int]
    INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    TRACE_COUNT_FIELD_NUMBER: _ClassVar[int]
    UNPRICED_CALL_COUNT_FIELD_NUMBER: _ClassVar[int]
    DURATION_MS_FIELD_NUMBER: _ClassVar[int]
    TTFT_MS_FIELD_NUMBER: _ClassVar[int]
    COST_USD_FIELD_NUMBER: _ClassVar[int]
    TOTAL_TOKENS_FIELD_NUMBER: _ClassVar[int]
    count: int
    failed_count: int
    error_rate: float
    input_tokens: int
    output_tokens: int
    trace_count: int
    unpriced_call_count: int
    duration_ms: Distribution
    ttft_ms: Distribution
    cost_usd: Distribution
    total_tokens: Distribution
    def __init__(self, count: _Optional[int] = ..., failed_count: _Optional[int] = ..., error_rate: _Optional[float] = ..., input_tokens: _Optional[int] = ..., output_tokens: _Optional[int] = ..., trace_count: _Optional[int] = ..., unpriced_call_count: _Optional[int] = ..., duration_ms: _Optional[_Union[Distribution, _Mapping]] = ..., ttft_ms: _Optional[_Union[Distribution, _Mapping]] = ..., cost_usd: _Optional[_Union[Distribution, _Mapping]] = ..., total_tokens: _Optional[_Union[Distribution, _Mapping]] = ...) -> None: ...

class Distribution(_message.Message):
    __slots__ = ("count", "total", "mean", "min", "p50", "p95", "p99", "max")
    COUNT_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    MEAN_FIELD_NUMBER: _ClassVar[int]
    MIN_FIELD_NUMBER: _ClassVar[int]
    P50_FIELD_NUMBER: _ClassVar[int]
    P95_FIELD_NUMBER: _ClassVar[int]
    P99_FIELD_NUMBER: _ClassVar[int]
    MAX_FIELD_NUMBER: _ClassVar[int]
    count: int
    total: float
    mean: float
    min: float
    p50: float
    p95: float
    p99: float
    max: float
    def __init__(self, count: _Optional[int] = ..., total: _Optional[float] = ..., mean: _Optional[float] = ..., min: _Optional[float] = ..., p50: _Optional[float] = ..., p95: _Optional[float] = ..., p99: _Optional[float] = ..., max: _Optional[float] = ...) -> None: ...
