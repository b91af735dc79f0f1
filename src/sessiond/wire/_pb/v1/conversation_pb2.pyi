from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TranscriptEntry(_message.Message):
    __slots__ = ("role", "text", "text_length", "tool_uses", "trace_id", "span_id", "depth", "agent", "came_out", "turn_trace_id")
    class Role(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ROLE_UNSPECIFIED: _ClassVar[TranscriptEntry.Role]
        ROLE_SYSTEM: _ClassVar[TranscriptEntry.Role]
        ROLE_USER: _ClassVar[TranscriptEntry.Role]
        ROLE_ASSISTANT: _ClassVar[TranscriptEntry.Role]
        ROLE_TOOL: _ClassVar[TranscriptEntry.Role]
    ROLE_UNSPECIFIED: TranscriptEntry.Role
    ROLE_SYSTEM: TranscriptEntry.Role
    ROLE_USER: TranscriptEntry.Role
    ROLE_ASSISTANT: TranscriptEntry.Role
    ROLE_TOOL: TranscriptEntry.Role
    ROLE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TEXT_LENGTH_FIELD_NUMBER: _ClassVar[int]
    TOOL_USES_FIELD_NUMBER: _ClassVar[int]
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    SPAN_ID_FIELD_NUMBER: _ClassVar[int]
    DEPTH_FIELD_NUMBER: _ClassVar[int]
    AGENT_FIELD_NUMBER: _ClassVar[int]
    CAME_OUT_FIELD_NUMBER: _ClassVar[int]
    TURN_TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    role: TranscriptEntry.Role
    text: str
    text_length: int
    tool_uses: _containers.RepeatedCompositeFieldContainer[ToolUse]
    trace_id: str
    span_id: str
    depth: int
    agent: str
    came_out: bool
    turn_trace_id: str
    def __init__(self, role: _Optional[_Union[TranscriptEntry.Role, str]] = ..., text: _Optional[str] = ..., text_length: _Optional[int] = ..., tool_uses: _Optional[_Iterable[_Union[ToolUse, _Mapping]]] = ..., trace_id: _Optional[str] = ..., span_id: _Optional[str] = ..., depth: _Optional[int] = ..., agent: _Optional[str] = ..., came_out: _Optional[bool] = ..., turn_trace_id: _Optional[str] = ...) -> None: ...

class ToolUse(_message.Message):
    __slots__ = ("call_id", "name", "arguments", "arguments_length", "result", "result_length", "error", "span_id")
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ARGUMENTS_FIELD_NUMBER: _ClassVar[int]
    ARGUMENTS_LENGTH_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    RESULT_LENGTH_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    SPAN_ID_FIELD_NUMBER: _ClassVar[int]
    call_id: str
    name: str
    arguments: str
    arguments_length: int
    result: str
    result_length: int
    error: str
    span_id: str
    def __init__(self, call_id: _Optional[str] = ..., name: _Optional[str] = ..., arguments: _Optional[str] = ..., arguments_length: _Optional[int] = ..., result: _Optional[str] = ..., result_length: _Optional[int] = ..., error: _Optional[str] = ..., span_id: _Optional[str] = ...) -> None: ...

class TurnFigures(_message.Message):
    __slots__ = ("trace_id", "cost_ratio", "tokens_ratio", "duration_ratio", "ttft_ratio", "prompt_tokens", "prompt_growth_tokens", "asked_again", "cut")
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    COST_RATIO_FIELD_NUMBER: _ClassVar[int]
    TOKENS_RATIO_FIELD_NUMBER: _ClassVar[int]
    DURATION_RATIO_FIELD_NUMBER: _ClassVar[int]
    TTFT_RATIO_FIELD_NUMBER: _ClassVar[int]
    PROMPT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    PROMPT_GROWTH_TOKENS_FIELD_NUMBER: _ClassVar[int]
    ASKED_AGAIN_FIELD_NUMBER: _ClassVar[int]
    CUT_FIELD_NUMBER: _ClassVar[int]
    trace_id: str
    cost_ratio: float
    tokens_ratio: float
    duration_ratio: float
    ttft_ratio: float
    prompt_tokens: int
    prompt_growth_tokens: int
    asked_again: bool
    cut: bool
    def __init__(self, trace_id: _Optional[str] = ..., cost_ratio: _Optional[float] = ..., tokens_ratio: _Optional[float] = ..., duration_ratio: _Optional[float] = ..., ttft_ratio: _Optional[float] = ..., prompt_tokens: _Optional[int] = ..., prompt_growth_tokens: _Optional[int] = ..., asked_again: _Optional[bool] = ..., cut: _Optional[bool] = ...) -> None: ...

class Finding(_message.Message):
    __slots__ = ("kind", "trace_ids", "times", "tool", "detail")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KIND_UNSPECIFIED: _ClassVar[Finding.Kind]
        KIND_FIRST_FAILURE: _ClassVar[Finding.Kind]
        KIND_TOOL_ERRORS: _ClassVar[Finding.Kind]
        KIND_LOOP: _ClassVar[Finding.Kind]
        KIND_CALL_AGAIN: _ClassVar[Finding.Kind]
        KIND_ASKED_AGAIN: _ClassVar[Finding.Kind]
        KIND_PROMPT_GROWTH: _ClassVar[Finding.Kind]
    KIND_UNSPECIFIED: Finding.Kind
    KIND_FIRST_FAILURE: Finding.Kind
    KIND_TOOL_ERRORS: Finding.Kind
    KIND_LOOP: Finding.Kind
    KIND_CALL_AGAIN: Finding.Kind
    KIND_ASKED_AGAIN: Finding.Kind
    KIND_PROMPT_GROWTH: Finding.Kind
    KIND_FIELD_NUMBER: _ClassVar[int]
    TRACE_IDS_FIELD_NUMBER: _ClassVar[int]
    TIMES_FIELD_NUMBER: _ClassVar[int]
    TOOL_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    kind: Finding.Kind
    trace_ids: _containers.RepeatedScalarFieldContainer[str]
    times: int
    tool: str
    detail: str
    def __init__(self, kind: _Optional[_Union[Finding.Kind, str]] = ..., trace_ids: _Optional[_Iterable[str]] = ..., times: _Optional[int] = ..., tool: _Optional[str] = ..., detail: _Optional[str] = ...) -> None: ...
