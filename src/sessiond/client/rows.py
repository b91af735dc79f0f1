"""Messages as rows of plain values, as the JSON of the command line shows them: names and order from `core.rows.fields`.

A time is RFC 3339 in UTC with nine digits and `Z`, an enum its lower-case name, bytes base64, an integer an int, a duration a float
in milliseconds. What is absent is None; a list or map without entries is empty, not absent.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias, cast

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from sessiond.core.rows.fields import SESSION_FIELDS, TRACE_FIELDS, USER_FIELDS, Field
from sessiond.wire._pb.v1.resources_pb2 import Session, Trace, User

Value: TypeAlias = str | int | float | bool | list["Value"] | Mapping[str, "Value"] | None
Row: TypeAlias = dict[str, Value]

_WORDS: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
"""Between the words of an enum's name."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def session_row(session: Session) -> Row:
    """Every field of the table of a session, in its order."""
    return _by_table(session, SESSION_FIELDS)


def trace_row(trace: Trace) -> Row:
    """Every field of the table of a trace, in its order."""
    return _by_table(trace, TRACE_FIELDS)


def user_row(user: User) -> Row:
    """Every field of the table of a user, in its order."""
    return _by_table(user, USER_FIELDS)


def row(message: Message) -> Row:
    """Every field of a message that no table describes, in the order of its declaration."""
    return {name: _value(message, field) for name, field in _declared(message).items()}


def rfc3339(time: Timestamp) -> str:
    """A time in UTC with nine digits and `Z`."""
    return f"{_EPOCH + timedelta(seconds=time.seconds):%Y-%m-%dT%H:%M:%S}.{time.nanos:09}Z"


def enum_name(enum: EnumDescriptor, number: int) -> str | None:
    """The lower-case name of an enum's value without the enum's own: "ok" for STATUS_OK. None for 0 and for an unknown one."""
    value = enum.values_by_number.get(number)
    own = f"{_WORDS.sub('_', enum.name)}_".upper()
    return value.name.removeprefix(own).lower() if value and number else None


def _by_table(message: Message, table: Iterable[Field[Any]]) -> Row:
    declared = _declared(message)
    return {field.name: _value(message, declared[field.name]) if field.name in declared else None for field in table}


def _declared(message: Message) -> dict[str, FieldDescriptor]:
    return {field.name: cast("FieldDescriptor", field) for field in message.DESCRIPTOR.fields}


def _value(message: Message, field: FieldDescriptor) -> Value:
    if field.has_presence and not message.HasField(field.name):
        return None
    value = getattr(message, field.name)
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return {key: row(item) if isinstance(item, Message) else item for key, item in sorted(value.items())}
    render = _RENDER.get(field.type, lambda _, value: value)
    return [render(field, item) for item in value] if field.is_repeated else render(field, value)  # type: ignore[no-untyped-call]


_RENDER: Final[Mapping[int, Callable[[FieldDescriptor, Any], Value]]] = {
    FieldDescriptor.TYPE_MESSAGE: lambda _, value: rfc3339(value) if isinstance(value, Timestamp) else row(value),
    FieldDescriptor.TYPE_ENUM: lambda field, value: enum_name(cast("EnumDescriptor", field.enum_type), value),
    FieldDescriptor.TYPE_BYTES: lambda _, value: b64encode(value).decode(),
}
