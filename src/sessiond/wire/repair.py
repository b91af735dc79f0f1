"""Making bytes parse that a standard protobuf refuses: text that is not UTF-8, messages nested too deep, a message cut short."""

from typing import Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from sessiond.wire.envelope import FIELD_NUMBER_MAX, Malformed, read_varint
from sessiond.wire.values import text

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED_BYTES: Final = {_FIXED64: 8, _FIXED32: 4}


def repaired(data: bytes, descriptor: Descriptor, depth_max: int) -> bytes:
    """The message with bad text as U+FFFD, messages deeper than `depth_max` emptied, and what follows a broken field left out."""
    out = bytearray()
    position = 0
    while position < len(data):
        try:
            end, number, wire_type, value = _field(data, position)
        except (IndexError, Malformed):
            break
        field = descriptor.fields_by_number.get(number)
        if wire_type != _BYTES or field is None:
            out += data[position:end]
        else:
            mended = _mended(value, field, depth_max)
            out += _varint(number << 3 | _BYTES) + _varint(len(mended)) + mended
        position = end
    return bytes(out)


def _mended(value: bytes, field: FieldDescriptor, depth_max: int) -> bytes:
    if field.type == FieldDescriptor.TYPE_STRING:
        return text(value).encode()
    if field.message_type is None:
        return value
    return repaired(value, field.message_type, depth_max - 1) if depth_max > 0 else b""


def _field(data: bytes, position: int) -> tuple[int, int, int, bytes]:
    """(position after the field, its number, its wire type, its bytes if it is length-delimited)."""
    tag, position = read_varint(data, position)
    number, wire_type = tag >> 3, tag & 7
    if not 0 < number <= FIELD_NUMBER_MAX:
        raise Malformed
    value = b""
    if wire_type == _VARINT:
        _, position = read_varint(data, position)
    elif wire_type == _BYTES:
        length, position = read_varint(data, position)
        value = data[position : position + length]
        position += length
    elif wire_type in _FIXED_BYTES:
        position += _FIXED_BYTES[wire_type]
    else:
        raise Malformed
    if position > len(data):
        raise Malformed
    return position, number, wire_type, value


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:  # noqa: PLR2004  (seven bits a byte)
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def wrapped(data: bytes, *numbers: int) -> bytes:
    """A message inside messages: as the field of the last number, that as the one of the number before, and so on."""
    for number in reversed(numbers):
        data = _varint(number << 3 | _BYTES) + _varint(len(data)) + data
    return data
