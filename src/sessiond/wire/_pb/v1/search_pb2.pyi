import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from sessiond.wire._pb.v1 import resources_pb2 as _resources_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SearchOrder(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEARCH_ORDER_UNSPECIFIED: _ClassVar[SearchOrder]
    SEARCH_ORDER_BEST: _ClassVar[SearchOrder]
    SEARCH_ORDER_NEWEST: _ClassVar[SearchOrder]

class SearchPlace(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEARCH_PLACE_UNSPECIFIED: _ClassVar[SearchPlace]
    SEARCH_PLACE_INPUT: _ClassVar[SearchPlace]
    SEARCH_PLACE_OUTPUT: _ClassVar[SearchPlace]
    SEARCH_PLACE_TOOL_CALL: _ClassVar[SearchPlace]
    SEARCH_PLACE_TOOL_RESULT: _ClassVar[SearchPlace]
    SEARCH_PLACE_ERROR: _ClassVar[SearchPlace]
    SEARCH_PLACE_NAME: _ClassVar[SearchPlace]
SEARCH_ORDER_UNSPECIFIED: SearchOrder
SEARCH_ORDER_BEST: SearchOrder
SEARCH_ORDER_NEWEST: SearchOrder
SEARCH_PLACE_UNSPECIFIED: SearchPlace
SEARCH_PLACE_INPUT: SearchPlace
SEARCH_PLACE_OUTPUT: SearchPlace
SEARCH_PLACE_TOOL_CALL: SearchPlace
SEARCH_PLACE_TOOL_RESULT: SearchPlace
SEARCH_PLACE_ERROR: SearchPlace
SEARCH_PLACE_NAME: SearchPlace

class SearchRequest(_message.Message):
    __slots__ = ("query", "project", "session_id", "user_id", "since", "filter", "order", "by_session", "page_size", "page_token", "until")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    BY_SESSION_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    query: str
    project: str
    session_id: str
    user_id: str
    since: _timestamp_pb2.Timestamp
    filter: str
    order: SearchOrder
    by_session: bool
    page_size: int
    page_token: str
    until: _timestamp_pb2.Timestamp
    def __init__(self, query: _Optional[str] = ..., project: _Optional[str] = ..., session_id: _Optional[str] = ..., user_id: _Optional[str] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., filter: _Optional[str] = ..., order: _Optional[_Union[SearchOrder, str]] = ..., by_session: _Optional[bool] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SearchResponse(_message.Message):
    __slots__ = ("rows", "next_page_token", "cut", "behind", "building")
    ROWS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CUT_FIELD_NUMBER: _ClassVar[int]
    BEHIND_FIELD_NUMBER: _ClassVar[int]
    BUILDING_FIELD_NUMBER: _ClassVar[int]
    rows: _containers.RepeatedCompositeFieldContainer[SearchRow]
    next_page_token: str
    cut: bool
    behind: _duration_pb2.Duration
    building: bool
    def __init__(self, rows: _Optional[_Iterable[_Union[SearchRow, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., cut: _Optional[bool] = ..., behind: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., building: _Optional[bool] = ...) -> None: ...

class SearchRow(_message.Message):
    __slots__ = ("trace", "session", "hit_count", "excerpts")
    TRACE_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    HIT_COUNT_FIELD_NUMBER: _ClassVar[int]
    EXCERPTS_FIELD_NUMBER: _ClassVar[int]
    trace: _resources_pb2.Trace
    session: _resources_pb2.Session
    hit_count: int
    excerpts: _containers.RepeatedCompositeFieldContainer[SearchExcerpt]
    def __init__(self, trace: _Optional[_Union[_resources_pb2.Trace, _Mapping]] = ..., session: _Optional[_Union[_resources_pb2.Session, _Mapping]] = ..., hit_count: _Optional[int] = ..., excerpts: _Optional[_Iterable[_Union[SearchExcerpt, _Mapping]]] = ...) -> None: ...

class SearchExcerpt(_message.Message):
    __slots__ = ("place", "span_id", "text", "highlights", "cut_before", "cut_behind")
    PLACE_FIELD_NUMBER: _ClassVar[int]
    SPAN_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    HIGHLIGHTS_FIELD_NUMBER: _ClassVar[int]
    CUT_BEFORE_FIELD_NUMBER: _ClassVar[int]
    CUT_BEHIND_FIELD_NUMBER: _ClassVar[int]
    place: SearchPlace
    span_id: str
    text: str
    highlights: _containers.RepeatedCompositeFieldContainer[SearchHighlight]
    cut_before: bool
    cut_behind: bool
    def __init__(self, place: _Optional[_Union[SearchPlace, str]] = ..., span_id: _Optional[str] = ..., text: _Optional[str] = ..., highlights: _Optional[_Iterable[_Union[SearchHighlight, _Mapping]]] = ..., cut_before: _Optional[bool] = ..., cut_behind: _Optional[bool] = ...) -> None: ...

class SearchHighlight(_message.Message):
    __slots__ = ("start", "end")
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    start: int
    end: int
    def __init__(self, start: _Optional[int] = ..., end: _Optional[int] = ...) -> None: ...
