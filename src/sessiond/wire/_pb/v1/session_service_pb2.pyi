import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from opentelemetry.proto.trace.v1 import trace_pb2 as _trace_pb2
from sessiond.wire._pb.v1 import resources_pb2 as _resources_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListSessionsRequest(_message.Message):
    __slots__ = ("project", "session_id", "user_id", "since", "filter", "order_by", "page_size", "page_token")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    ORDER_BY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    project: str
    session_id: str
    user_id: str
    since: _timestamp_pb2.Timestamp
    filter: str
    order_by: str
    page_size: int
    page_token: str
    def __init__(self, project: _Optional[str] = ..., session_id: _Optional[str] = ..., user_id: _Optional[str] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., filter: _Optional[str] = ..., order_by: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListSessionsResponse(_message.Message):
    __slots__ = ("sessions", "next_page_token")
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    sessions: _containers.RepeatedCompositeFieldContainer[_resources_pb2.Session]
    next_page_token: str
    def __init__(self, sessions: _Optional[_Iterable[_Union[_resources_pb2.Session, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class StreamSessionsRequest(_message.Message):
    __slots__ = ("project", "session_id", "user_id", "since", "filter", "order_by")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    ORDER_BY_FIELD_NUMBER: _ClassVar[int]
    project: str
    session_id: str
    user_id: str
    since: _timestamp_pb2.Timestamp
    filter: str
    order_by: str
    def __init__(self, project: _Optional[str] = ..., session_id: _Optional[str] = ..., user_id: _Optional[str] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., filter: _Optional[str] = ..., order_by: _Optional[str] = ...) -> None: ...

class StreamSessionsResponse(_message.Message):
    __slots__ = ("sessions",)
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    sessions: _containers.RepeatedCompositeFieldContainer[_resources_pb2.Session]
    def __init__(self, sessions: _Optional[_Iterable[_Union[_resources_pb2.Session, _Mapping]]] = ...) -> None: ...

class GetSessionRequest(_message.Message):
    __slots__ = ("project", "session_id")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    project: str
    session_id: str
    def __init__(self, project: _Optional[str] = ..., session_id: _Optional[str] = ...) -> None: ...

class GetSessionResponse(_message.Message):
    __slots__ = ("session", "traces")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    TRACES_FIELD_NUMBER: _ClassVar[int]
    session: _resources_pb2.Session
    traces: _containers.RepeatedCompositeFieldContainer[_resources_pb2.Trace]
    def __init__(self, session: _Optional[_Union[_resources_pb2.Session, _Mapping]] = ..., traces: _Optional[_Iterable[_Union[_resources_pb2.Trace, _Mapping]]] = ...) -> None: ...

class ListTracesRequest(_message.Message):
    __slots__ = ("project", "session_id", "user_id", "since", "filter", "order_by", "page_size", "page_token")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    ORDER_BY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    project: str
    session_id: str
    user_id: str
    since: _timestamp_pb2.Timestamp
    filter: str
    order_by: str
    page_size: int
    page_token: str
    def __init__(self, project: _Optional[str] = ..., session_id: _Optional[str] = ..., user_id: _Optional[str] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., filter: _Optional[str] = ..., order_by: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListTracesResponse(_message.Message):
    __slots__ = ("traces", "next_page_token")
    TRACES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    traces: _containers.RepeatedCompositeFieldContainer[_resources_pb2.Trace]
    next_page_token: str
    def __init__(self, traces: _Optional[_Iterable[_Union[_resources_pb2.Trace, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class StreamTracesRequest(_message.Message):
    __slots__ = ("project", "session_id", "user_id", "since", "filter", "order_by")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    ORDER_BY_FIELD_NUMBER: _ClassVar[int]
    project: str
    session_id: str
    user_id: str
    since: _timestamp_pb2.Timestamp
    filter: str
    order_by: str
    def __init__(self, project: _Optional[str] = ..., session_id: _Optional[str] = ..., user_id: _Optional[str] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., filter: _Optional[str] = ..., order_by: _Optional[str] = ...) -> None: ...

class StreamTracesResponse(_message.Message):
    __slots__ = ("traces",)
    TRACES_FIELD_NUMBER: _ClassVar[int]
    traces: _containers.RepeatedCompositeFieldContainer[_resources_pb2.Trace]
    def __init__(self, traces: _Optional[_Iterable[_Union[_resources_pb2.Trace, _Mapping]]] = ...) -> None: ...

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
