import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sessiond.wire._pb.v1 import feedback_service_pb2 as _feedback_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SpansOf(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SPANS_OF_UNSPECIFIED: _ClassVar[SpansOf]
    SPANS_OF_TRACES: _ClassVar[SpansOf]
    SPANS_OF_SESSIONS: _ClassVar[SpansOf]
    SPANS_OF_USERS: _ClassVar[SpansOf]
SPANS_OF_UNSPECIFIED: SpansOf
SPANS_OF_TRACES: SpansOf
SPANS_OF_SESSIONS: SpansOf
SPANS_OF_USERS: SpansOf

class ExportSpansRequest(_message.Message):
    __slots__ = ("of", "project", "session_id", "user_id", "since", "filter", "until")
    OF_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    of: SpansOf
    project: str
    session_id: str
    user_id: str
    since: _timestamp_pb2.Timestamp
    filter: str
    until: _timestamp_pb2.Timestamp
    def __init__(self, of: _Optional[_Union[SpansOf, str]] = ..., project: _Optional[str] = ..., session_id: _Optional[str] = ..., user_id: _Optional[str] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., filter: _Optional[str] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SpanBatch(_message.Message):
    __slots__ = ("resource_spans", "received_unix_nanos")
    RESOURCE_SPANS_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_UNIX_NANOS_FIELD_NUMBER: _ClassVar[int]
    resource_spans: _containers.RepeatedScalarFieldContainer[bytes]
    received_unix_nanos: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, resource_spans: _Optional[_Iterable[bytes]] = ..., received_unix_nanos: _Optional[_Iterable[int]] = ...) -> None: ...

class FeedbackBatch(_message.Message):
    __slots__ = ("scores", "annotations")
    SCORES_FIELD_NUMBER: _ClassVar[int]
    ANNOTATIONS_FIELD_NUMBER: _ClassVar[int]
    scores: _containers.RepeatedCompositeFieldContainer[_feedback_service_pb2.Score]
    annotations: _containers.RepeatedCompositeFieldContainer[_feedback_service_pb2.Annotation]
    def __init__(self, scores: _Optional[_Iterable[_Union[_feedback_service_pb2.Score, _Mapping]]] = ..., annotations: _Optional[_Iterable[_Union[_feedback_service_pb2.Annotation, _Mapping]]] = ...) -> None: ...

class ImportSpansResponse(_message.Message):
    __slots__ = ("accepted_span_count", "rejected_span_count", "error_message")
    ACCEPTED_SPAN_COUNT_FIELD_NUMBER: _ClassVar[int]
    REJECTED_SPAN_COUNT_FIELD_NUMBER: _ClassVar[int]
    ERROR_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    accepted_span_count: int
    rejected_span_count: int
    error_message: str
    def __init__(self, accepted_span_count: _Optional[int] = ..., rejected_span_count: _Optional[int] = ..., error_message: _Optional[str] = ...) -> None: ...
