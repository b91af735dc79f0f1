import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EraseOf(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERASE_OF_UNSPECIFIED: _ClassVar[EraseOf]
    ERASE_OF_TRACES: _ClassVar[EraseOf]
    ERASE_OF_SESSIONS: _ClassVar[EraseOf]
ERASE_OF_UNSPECIFIED: EraseOf
ERASE_OF_TRACES: EraseOf
ERASE_OF_SESSIONS: EraseOf

class GetStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetStatusResponse(_message.Message):
    __slots__ = ("version", "start_time", "serving", "accepted_span_count", "refused_span_counts", "duplicate_span_count", "conflicting_span_count", "accepted_request_count", "refused_request_counts", "queue_bytes", "commit_count", "last_commit_ms", "dirty_trace_count", "dirty_session_count", "dirty_user_count", "last_error", "last_error_time", "data_dir", "store_format", "trace_count", "session_count", "user_count", "span_count", "store_used_bytes", "store_bytes_max", "addresses", "renewed_trace_count", "search")
    class RefusedSpanCountsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    class RefusedRequestCountsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    class AddressesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    VERSION_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    SERVING_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_SPAN_COUNT_FIELD_NUMBER: _ClassVar[int]
    REFUSED_SPAN_COUNTS_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_SPAN_COUNT_FIELD_NUMBER: _ClassVar[int]
    CONFLICTING_SPAN_COUNT_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_REQUEST_COUNT_FIELD_NUMBER: _ClassVar[int]
    REFUSED_REQUEST_COUNTS_FIELD_NUMBER: _ClassVar[int]
    QUEUE_BYTES_FIELD_NUMBER: _ClassVar[int]
    COMMIT_COUNT_FIELD_NUMBER: _ClassVar[int]
    LAST_COMMIT_MS_FIELD_NUMBER: _ClassVar[int]
    DIRTY_TRACE_COUNT_FIELD_NUMBER: _ClassVar[int]
    DIRTY_SESSION_COUNT_FIELD_NUMBER: _ClassVar[int]
    DIRTY_USER_COUNT_FIELD_NUMBER: _ClassVar[int]
    LAST_ERROR_FIELD_NUMBER: _ClassVar[int]
    LAST_ERROR_TIME_FIELD_NUMBER: _ClassVar[int]
    DATA_DIR_FIELD_NUMBER: _ClassVar[int]
    STORE_FORMAT_FIELD_NUMBER: _ClassVar[int]
    TRACE_COUNT_FIELD_NUMBER: _ClassVar[int]
    SESSION_COUNT_FIELD_NUMBER: _ClassVar[int]
    USER_COUNT_FIELD_NUMBER: _ClassVar[int]
    SPAN_COUNT_FIELD_NUMBER: _ClassVar[int]
    STORE_USED_BYTES_FIELD_NUMBER: _ClassVar[int]
    STORE_BYTES_MAX_FIELD_NUMBER: _ClassVar[int]
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    RENEWED_TRACE_COUNT_FIELD_NUMBER: _ClassVar[int]
    SEARCH_FIELD_NUMBER: _ClassVar[int]
    version: str
    start_time: _timestamp_pb2.Timestamp
    serving: bool
    accepted_span_count: int
    refused_span_counts: _containers.ScalarMap[str, int]
    duplicate_span_count: int
    conflicting_span_count: int
    accepted_request_count: int
    refused_request_counts: _containers.ScalarMap[str, int]
    queue_bytes: int
    commit_count: int
    last_commit_ms: float
    dirty_trace_count: int
    dirty_session_count: int
    dirty_user_count: int
    last_error: str
    last_error_time: _timestamp_pb2.Timestamp
    data_dir: str
    store_format: int
    trace_count: int
    session_count: int
    user_count: int
    span_count: int
    store_used_bytes: int
    store_bytes_max: int
    addresses: _containers.ScalarMap[str, str]
    renewed_trace_count: int
    search: SearchIndexStatus
    def __init__(self, version: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., serving: _Optional[bool] = ..., accepted_span_count: _Optional[int] = ..., refused_span_counts: _Optional[_Mapping[str, int]] = ..., duplicate_span_count: _Optional[int] = ..., conflicting_span_count: _Optional[int] = ..., accepted_request_count: _Optional[int] = ..., refused_request_counts: _Optional[_Mapping[str, int]] = ..., queue_bytes: _Optional[int] = ..., commit_count: _Optional[int] = ..., last_commit_ms: _Optional[float] = ..., dirty_trace_count: _Optional[int] = ..., dirty_session_count: _Optional[int] = ..., dirty_user_count: _Optional[int] = ..., last_error: _Optional[str] = ..., last_error_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., data_dir: _Optional[str] = ..., store_format: _Optional[int] = ..., trace_count: _Optional[int] = ..., session_count: _Optional[int] = ..., user_count: _Optional[int] = ..., span_count: _Optional[int] = ..., store_used_bytes: _Optional[int] = ..., store_bytes_max: _Optional[int] = ..., addresses: _Optional[_Mapping[str, str]] = ..., renewed_trace_count: _Optional[int] = ..., search: _Optional[_Union[SearchIndexStatus, _Mapping]] = ...) -> None: ...

class SearchIndexStatus(_message.Message):
    __slots__ = ("state", "trace_count", "bytes", "behind", "death_count", "last_failure")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[SearchIndexStatus.State]
        STATE_IDLE: _ClassVar[SearchIndexStatus.State]
        STATE_BUILDING: _ClassVar[SearchIndexStatus.State]
        STATE_READY: _ClassVar[SearchIndexStatus.State]
        STATE_DOWN: _ClassVar[SearchIndexStatus.State]
    STATE_UNSPECIFIED: SearchIndexStatus.State
    STATE_IDLE: SearchIndexStatus.State
    STATE_BUILDING: SearchIndexStatus.State
    STATE_READY: SearchIndexStatus.State
    STATE_DOWN: SearchIndexStatus.State
    STATE_FIELD_NUMBER: _ClassVar[int]
    TRACE_COUNT_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    BEHIND_FIELD_NUMBER: _ClassVar[int]
    DEATH_COUNT_FIELD_NUMBER: _ClassVar[int]
    LAST_FAILURE_FIELD_NUMBER: _ClassVar[int]
    state: SearchIndexStatus.State
    trace_count: int
    bytes: int
    behind: _duration_pb2.Duration
    death_count: int
    last_failure: str
    def __init__(self, state: _Optional[_Union[SearchIndexStatus.State, str]] = ..., trace_count: _Optional[int] = ..., bytes: _Optional[int] = ..., behind: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., death_count: _Optional[int] = ..., last_failure: _Optional[str] = ...) -> None: ...

class CheckRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CheckResponse(_message.Message):
    __slots__ = ("checked_trace_count", "checked_session_count", "checked_user_count", "problems", "outdated_trace_count")
    CHECKED_TRACE_COUNT_FIELD_NUMBER: _ClassVar[int]
    CHECKED_SESSION_COUNT_FIELD_NUMBER: _ClassVar[int]
    CHECKED_USER_COUNT_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    OUTDATED_TRACE_COUNT_FIELD_NUMBER: _ClassVar[int]
    checked_trace_count: int
    checked_session_count: int
    checked_user_count: int
    problems: _containers.RepeatedScalarFieldContainer[str]
    outdated_trace_count: int
    def __init__(self, checked_trace_count: _Optional[int] = ..., checked_session_count: _Optional[int] = ..., checked_user_count: _Optional[int] = ..., problems: _Optional[_Iterable[str]] = ..., outdated_trace_count: _Optional[int] = ...) -> None: ...

class RepriceRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RepriceResponse(_message.Message):
    __slots__ = ("renewed_trace_count", "trace_count")
    RENEWED_TRACE_COUNT_FIELD_NUMBER: _ClassVar[int]
    TRACE_COUNT_FIELD_NUMBER: _ClassVar[int]
    renewed_trace_count: int
    trace_count: int
    def __init__(self, renewed_trace_count: _Optional[int] = ..., trace_count: _Optional[int] = ...) -> None: ...

class EraseRequest(_message.Message):
    __slots__ = ("of", "trace_ids", "project", "session_id", "user_id", "since", "until", "filter", "everything", "validate_only")
    OF_FIELD_NUMBER: _ClassVar[int]
    TRACE_IDS_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    EVERYTHING_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    of: EraseOf
    trace_ids: _containers.RepeatedScalarFieldContainer[str]
    project: str
    session_id: str
    user_id: str
    since: _timestamp_pb2.Timestamp
    until: _timestamp_pb2.Timestamp
    filter: str
    everything: bool
    validate_only: bool
    def __init__(self, of: _Optional[_Union[EraseOf, str]] = ..., trace_ids: _Optional[_Iterable[str]] = ..., project: _Optional[str] = ..., session_id: _Optional[str] = ..., user_id: _Optional[str] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., filter: _Optional[str] = ..., everything: _Optional[bool] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class EraseResponse(_message.Message):
    __slots__ = ("trace_count", "span_count", "session_count", "feedback_count", "erased_trace_count")
    TRACE_COUNT_FIELD_NUMBER: _ClassVar[int]
    SPAN_COUNT_FIELD_NUMBER: _ClassVar[int]
    SESSION_COUNT_FIELD_NUMBER: _ClassVar[int]
    FEEDBACK_COUNT_FIELD_NUMBER: _ClassVar[int]
    ERASED_TRACE_COUNT_FIELD_NUMBER: _ClassVar[int]
    trace_count: int
    span_count: int
    session_count: int
    feedback_count: int
    erased_trace_count: int
    def __init__(self, trace_count: _Optional[int] = ..., span_count: _Optional[int] = ..., session_count: _Optional[int] = ..., feedback_count: _Optional[int] = ..., erased_trace_count: _Optional[int] = ...) -> None: ...
