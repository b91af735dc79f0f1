"""The outer structure of an OTLP export request, read straight from the wire: whose spans they are, and where each one's bytes lie.

ExportTraceServiceRequest, ResourceSpans and ScopeSpans are unfolded here by hand, for two reasons: 64 MiB of empty spans parse to
5.6 GiB (measured), so that messages must be counted before any is built; and one broken part must not cost the others. Only what
can't hold too many spans, and is whole, is left to protobuf, which takes a fifth of the time.
"""

from typing import Final, NamedTuple

from google.protobuf.message import DecodeError

from sessiond.core.errors import TooLarge
from sessiond.core.model import Origin
from sessiond.wire._pb.wire import view_pb2 as view

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
FIELD_NUMBER_MAX: Final = 2**29 - 1
"""protobuf's own bound."""
_VARINT_BYTES_MAX: Final = 10
_SPAN_BYTES_MIN: Final = 2
"""What the smallest span takes in its ScopeSpans: a tag, and a length of 0."""
_CONTINUED: Final = 0x80
"""The bit of a varint's byte that says that another follows."""

# Field numbers of OTLP (trace_service.proto, trace.proto), in all three messages so laid out that 2 is the repeated part.
_REQUEST_RESOURCE_SPANS: Final = 1
_HEAD, _PARTS, _SCHEMA_URL = 1, 2, 3
"""ResourceSpans: resource, scope_spans, schema_url. ScopeSpans: scope, spans, schema_url."""


class Malformed(ValueError):
    """The bytes are no protobuf from some point on."""


class Part(NamedTuple):
    """Spans of one resource and scope, as bytes."""

    origin: Origin
    spans: list[bytes]


class Envelope(NamedTuple):
    """What a request holds. `malformed_parts` counts the parts that could not be read, whose spans can't be counted."""

    parts: list[Part]
    malformed_parts: int
    has_resources: bool
    """Whether any ResourceSpans was found, with or without spans."""


def unfold(body: bytes, *, spans_max: int) -> Envelope:
    """Take a request apart. Raises TooLarge as soon as it holds more than `spans_max` spans, or as many resources and scopes."""
    spans, groups = _Budget("spans", spans_max), _Budget("resources and scopes", spans_max)
    parts: list[Part] = []
    malformed = 0
    request = _fields(body, _REQUEST_RESOURCE_SPANS, groups)
    malformed += not request.whole
    for resource_spans in request.repeated:
        resource = _fields(resource_spans, _PARTS, groups)
        malformed += not resource.whole
        for scope_spans in resource.repeated:
            scope = _read_whole(scope_spans, spans) or _fields(scope_spans, _PARTS, spans)
            malformed += not scope.whole
            if scope.repeated:
                origin = Origin(resource.head, resource.schema_url, scope.head, scope.schema_url)
                parts.append(Part(origin, scope.repeated))
    return Envelope(parts, malformed, bool(request.repeated))


class _Budget:
    """How many messages of a kind a request may still hold."""

    def __init__(self, what: str, count_max: int) -> None:
        self._what = what
        self._count_max = count_max
        self.left = count_max

    def refuse(self) -> TooLarge:
        return TooLarge(
            f"the request holds more than {self._count_max} {self._what}",
            hint="export smaller batches, or raise receiver.spans_max",
        )


class _Message(NamedTuple):
    """What is wanted of a message: its repeated part, head and schema URL, and whether it could be read to its end."""

    repeated: list[bytes]
    head: bytes
    schema_url: bytes
    whole: bool


def _read_whole(scope_spans: bytes, budget: _Budget) -> _Message | None:
    """A ScopeSpans by protobuf; None where it could hold more spans than are left, or is not whole."""
    if len(scope_spans) > _SPAN_BYTES_MIN * budget.left:
        return None
    try:
        read = view.ScopeSpans.FromString(scope_spans)
    except DecodeError:
        return None
    found = read.spans[:]
    budget.left -= len(found)
    return _Message(found, read.scope, read.schema_url, whole=True)


def _fields(message: bytes, counted: int, budget: _Budget) -> _Message:
    """Read a message's own level; `counted` is the number of its repeated field."""
    repeated: list[bytes] = []
    single = {_HEAD: b"", _SCHEMA_URL: b""}
    tag_counted = counted << 3 | _BYTES
    position, end, left = 0, len(message), budget.left
    whole = True
    try:
        while position < end:
            tag = message[position]
            position += 1
            if tag >= _CONTINUED:
                tag, position = read_varint(message, position - 1)
            if tag != tag_counted:
                position = _skip(message, position, tag, single)
                continue
            length = message[position]
            position += 1
            if length >= _CONTINUED:
                length, position = read_varint(message, position - 1)
            limit = position + length
            if limit > end:
                whole = False
                break
            if len(repeated) == left:
                raise budget.refuse()
            repeated.append(message[position:limit])
            position = limit
    except (IndexError, Malformed):
        whole = False
    budget.left -= len(repeated)
    return _Message(repeated, single[_HEAD], single[_SCHEMA_URL], whole and position == end)


def _skip(message: bytes, position: int, tag: int, single: dict[int, bytes]) -> int:
    """Pass over one field's value, keeping it in `single` if it is wanted; the position after it."""
    number, wire_type = tag >> 3, tag & 7
    if not 0 < number <= FIELD_NUMBER_MAX:
        raise Malformed
    if wire_type == _VARINT:
        return read_varint(message, position)[1]
    if wire_type == _BYTES:
        length, position = read_varint(message, position)
        if position + length > len(message):
            raise Malformed
        if number in single:
            single[number] = message[position : position + length]
        return position + length
    if wire_type in (_FIXED64, _FIXED32):
        return position + (8 if wire_type == _FIXED64 else 4)
    raise Malformed


def read_varint(message: bytes, position: int) -> tuple[int, int]:
    """(value, position after it). Raises IndexError past the end, Malformed where it is longer than ten bytes."""
    value = 0
    for shift in range(0, 7 * _VARINT_BYTES_MAX, 7):
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < _CONTINUED:
            return value, position
    raise Malformed
