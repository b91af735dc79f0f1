"""The outer structure of an OTLP export request, read straight from the wire: whose spans they are, and where each one's bytes lie.

ExportTraceServiceRequest, ResourceSpans and ScopeSpans are unfolded here without protobuf, for three reasons: 64 MiB of empty spans
parse to 5.6 GiB (measured), so that messages must be counted before any is built; span bytes are wanted as they came; and one
broken part must not cost the others. A span takes about 0.4 us.
"""

from typing import Final, NamedTuple

from sessiond.core.errors import TooLarge
from sessiond.core.model import Origin

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_VARINT_BYTES_MAX: Final = 10
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
    """Take a request apart. Raises TooLarge as soon as it holds more than `spans_max` messages, before anything is built."""
    parts: list[Part] = []
    malformed = 0
    left = spans_max
    resources, whole = _fields(body, _REQUEST_RESOURCE_SPANS, spans_max)
    malformed += not whole
    for resource_spans in resources[_REQUEST_RESOURCE_SPANS]:
        scopes, whole = _fields(resource_spans, _PARTS, left)
        malformed += not whole
        left -= len(scopes[_PARTS]) + 1
        for scope_spans in scopes[_PARTS]:
            spans, whole = _fields(scope_spans, _PARTS, left)
            malformed += not whole
            left -= len(spans[_PARTS])
            if spans[_PARTS]:
                origin = Origin(_last(scopes, _HEAD), _last(scopes, _SCHEMA_URL), _last(spans, _HEAD), _last(spans, _SCHEMA_URL))
                parts.append(Part(origin, spans[_PARTS]))
    return Envelope(parts, malformed, bool(resources[_REQUEST_RESOURCE_SPANS]))


def _last(fields: dict[int, list[bytes]], number: int) -> bytes:
    values = fields[number]
    return values[-1] if values else b""


def _fields(message: bytes, counted: int, count_max: int) -> tuple[dict[int, list[bytes]], bool]:
    """The length-delimited fields 1 to 3 of a message, and whether it could be read to its end."""
    found: dict[int, list[bytes]] = {_HEAD: [], _PARTS: [], _SCHEMA_URL: []}
    repeated = found[counted]
    tag_counted = counted << 3 | _BYTES
    position, end = 0, len(message)
    try:
        while position < end:
            tag = message[position]
            if tag == tag_counted:
                length = message[position + 1]
                position += 2
                if length >= _CONTINUED:
                    length, position = read_varint(message, position - 1)
                limit = position + length
                if limit > end:
                    return found, False
                repeated.append(message[position:limit])
                position = limit
                if len(repeated) > count_max:
                    raise TooLarge(
                        f"the request holds more spans than the limit of {count_max}",
                        hint="export smaller batches, or raise receiver.spans_max",
                    )
                continue
            tag, position = read_varint(message, position)
            position = _skip(message, position, tag, found)
    except (IndexError, Malformed):
        return found, False
    return found, position == end


def _skip(message: bytes, position: int, tag: int, found: dict[int, list[bytes]]) -> int:
    """Pass over one field's value, keeping it in `found` if it is wanted; the position after it."""
    number, wire_type = tag >> 3, tag & 7
    if number == 0:
        raise Malformed
    if wire_type == _VARINT:
        return read_varint(message, position)[1]
    if wire_type == _BYTES:
        length, position = read_varint(message, position)
        if position + length > len(message):
            raise Malformed
        if number in found:
            found[number].append(message[position : position + length])
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
