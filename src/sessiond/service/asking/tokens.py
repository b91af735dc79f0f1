"""Places in a walk as opaque text that a client keeps for us: bound to the request they were given for, and never trusted."""

import base64
import binascii
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final

import msgpack

from sessiond.core.errors import Invalid
from sessiond.core.filter.literals import number_of

CHANGE_END: Final = 2**63
TOKEN_CHARACTERS_MAX: Final = 3 << 20
"""The longest holds four sort keys of a row, each a hundred texts of 1,024 characters."""
_DECIMAL: Final = 1
"""A number that is not whole, as MessagePack's extension of this type, in text."""


def write_token(asked: tuple[object, ...], place: tuple[object, ...]) -> str:
    """A token for a place, in plain values and Decimals, of a request."""
    packed: bytes = msgpack.packb((_bound_to(asked), *place), default=_packed)
    return base64.urlsafe_b64encode(packed).decode()


def read_token(token: str, field: str, asked: tuple[object, ...]) -> tuple[Any, ...]:
    """The place in a token, whose values may still be of any type. Raises Invalid about the request's `field`."""
    try:
        packed = base64.urlsafe_b64decode(token[:TOKEN_CHARACTERS_MAX].encode())
        bound_to, *place = msgpack.unpackb(packed, use_list=False, ext_hook=_unpacked)
    except (ValueError, TypeError, binascii.Error, msgpack.UnpackException) as error:
        raise not_ours(token, field) from error
    if bound_to != _bound_to(asked):
        raise Invalid(field, token[:80], "belongs to another request", hint=_HINT)
    return tuple(place)


def not_ours(token: str, field: str) -> Invalid:
    """A token was not given out by this program."""
    return Invalid(field, token[:80], "is not one of ours", hint=_HINT)


def is_change(value: object) -> bool:
    """Whether a value from a token can be the number of a change."""
    return type(value) is int and 0 <= value < CHANGE_END


_HINT: Final = "give the one of the answer before, with the same request otherwise, or none to begin anew"


def _packed(value: object) -> msgpack.ExtType:
    if not isinstance(value, Decimal):
        raise TypeError(value)
    return msgpack.ExtType(_DECIMAL, str(value).encode())


def _unpacked(kind: int, data: bytes) -> Decimal:
    number = number_of(data.decode()) if kind == _DECIMAL else None
    if number is None:
        raise ValueError(data)
    return number


def _bound_to(asked: tuple[object, ...]) -> bytes:
    return blake2b(msgpack.packb(asked), digest_size=8).digest()
