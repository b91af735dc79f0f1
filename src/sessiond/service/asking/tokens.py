"""Places in a walk as opaque text that a client keeps for us: bound to the request they were given for, and never trusted."""

import base64
import binascii
from hashlib import blake2b
from typing import Any, Final

import msgpack

from sessiond.core.errors import Invalid

CHANGE_END: Final = 2**63
TOKEN_CHARACTERS_MAX: Final = 64 * 1024
"""The longest holds four sort keys of a row."""


def write_token(asked: tuple[object, ...], place: tuple[object, ...]) -> str:
    """A token for a place, in plain values, of a request."""
    packed: bytes = msgpack.packb((_bound_to(asked), *place))
    return base64.urlsafe_b64encode(packed).decode()


def read_token(token: str, field: str, asked: tuple[object, ...]) -> tuple[Any, ...]:
    """The place in a token, whose values may still be of any type. Raises Invalid about the request's `field`."""
    try:
        bound_to, *place = msgpack.unpackb(base64.urlsafe_b64decode(token[:TOKEN_CHARACTERS_MAX].encode()), use_list=False)
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


def _bound_to(asked: tuple[object, ...]) -> bytes:
    return blake2b(msgpack.packb(asked), digest_size=8).digest()
