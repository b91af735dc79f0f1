"""Hygiene of attribute values: what counts as an id, a count, a text, a sum of money. Each gives None for what it can't take.

Emitters send numbers as strings (Micrometer), integers as doubles (JavaScript), strings quoted once more as JSON (MLflow,
Langfuse), NaN for "no usage" (AI SDK 4), redacted ids (Logfire), and colours in a model's name (Claude Code):
docs/conventions.md. Lists and objects are the business of `core.spans.objects`.
"""

import json
import re
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Final, cast

import msgspec

from sessiond.core.model import Value

ID_LENGTH_MAX: Final = 1024
"""Characters. Longer than any id a person makes; an id is repeated in many rows."""
TEXT_LENGTH_MAX: Final = 1024
"""Characters of a name, model or error message kept in a row; the span's bytes keep the whole."""
NUMBER_LENGTH_MAX: Final = 64
"""Characters of a number written as text; Python takes quadratic time to read a very long one."""
JSON_LENGTH_MAX: Final = 64 * 1024
"""Characters of JSON that are parsed for a fact. The usage objects and metadata seen are below 4 KiB; this takes 1 ms at most."""

COUNT_END: Final = 2**40
"""A count from here on is nonsense: a million times the largest context there is."""
USD_END: Final = 10**9
"""As COUNT_END; and in nano-dollars it still fits 64 bits."""

JUNK_IDS: Final = frozenset({"", "null", "none", "undefined", "unknown", "<nil>", "nan"})
JUNK_LENGTH_MAX: Final = max(map(len, JUNK_IDS))
REDACTED: Final = re.compile(r"\[Scrubbed due to |\[REDACTED\]$|<REDACTED>$|\*+$")
REDACTED_BEGIN: Final = frozenset("[<*")

_ANSI: Final = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
"""A terminal's control sequence (ECMA-48, 5.4)."""


def parsed(text: str) -> Value:
    """What JSON text says, as Python's own reader has it but for halves of characters, in names and in texts: see `storable`.

    Raises ValueError where it is none, RecursionError where it is too deep. msgspec reads it in a third of the time, and the same
    but for what it refuses: NaN, infinite numbers, half a character.
    """
    try:
        return cast("Value", _decode_json(text))
    except (msgspec.DecodeError, UnicodeEncodeError):
        return _storable_throughout(json.loads(text))


_decode_json: Final = msgspec.json.Decoder().decode


def _storable_throughout(value: Value) -> Value:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list):
        return [_storable_throughout(item) for item in value]
    if isinstance(value, dict):
        return {storable(name): _storable_throughout(held) for name, held in value.items()}
    return value


def unquote(text: str) -> str:
    """The string inside a JSON-quoted string; any other text as it is, as is one longer than JSON_LENGTH_MAX.

    Callers look for the quote themselves: nearly no text has one, and a span has some six texts to look at.
    """
    if len(text) > JSON_LENGTH_MAX:
        return text
    try:
        inner = parsed(text)
    except ValueError:
        return text
    return inner if isinstance(inner, str) else text


def storable(text: str) -> str:
    """The text, what can't be encoded replaced: JSON may hold half a character (a lone surrogate), which no store can take."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def as_id(value: Value) -> str | None:
    """An id as text: a string, an int, or a double without a fraction. Junk, redacted and overlong ones are none.

    A redacted id must not pass: `[Scrubbed due to 'session']` would merge strangers into one session.
    """
    if isinstance(value, str):
        return _id_of(value) if len(value) <= ID_LENGTH_MAX else None
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        text = str(value)
        return text if len(text) <= ID_LENGTH_MAX else None
    return str(int(value)) if isinstance(value, float) and value.is_integer() else None


def _id_of(text: str) -> str | None:
    bare = (unquote(text) if text.startswith('"') else text).strip()
    # Most ids are neither short nor begin so: two quick looks spare them the slow ones.
    if len(bare) <= JUNK_LENGTH_MAX and bare.lower() in JUNK_IDS:
        return None
    return None if bare[:1] in REDACTED_BEGIN and REDACTED.match(bare) else bare


def as_number(value: Value) -> int | float | None:
    """A number of 0 or more from an int, a double or a decimal string; NaN and infinite ones are none."""
    if isinstance(value, str):
        value = _number_of(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return value if value >= 0 and (isinstance(value, int) or isfinite(value)) else None


def _number_of(text: str) -> int | float | None:
    if len(text) > NUMBER_LENGTH_MAX:
        return None
    bare = (unquote(text) if text.startswith('"') else text).strip()
    try:
        return int(bare) if bare.isdecimal() else float(bare)
    except ValueError:
        return None


def as_count(value: Value) -> int | None:
    """A count from an int, a double or a decimal string; NaN, infinite and negative ones are none."""
    if type(value) is not int:  # nearly every count is one
        number = as_number(value)
        if number is None or number >= COUNT_END:
            return None
        return int(number)
    return value if 0 <= value < COUNT_END else None


def as_nano_usd(value: Value) -> int | None:
    """Nano-dollars from dollars as a double, an int or a decimal string, rounded to the nearest (ties to even).

    By way of the decimal digits that the emitter wrote: 0.000238 dollars are 238,000 nano-dollars, and no binary fraction less.
    """
    if isinstance(value, str):
        if len(value) > NUMBER_LENGTH_MAX:
            return None
        value = (unquote(value) if value.startswith('"') else value).strip()
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    try:
        usd = Decimal(str(value))
    except (InvalidOperation, ValueError):  # ValueError: an int of too many digits
        return None
    return round(usd * 10**9) if usd.is_finite() and 0 <= usd < USD_END else None


def as_text(value: Value) -> str | None:
    """A short text such as a model or tool name, cut at TEXT_LENGTH_MAX; empty is none."""
    if not isinstance(value, str):
        return None
    text = (unquote(value) if value.startswith('"') else value).strip()
    return (text if len(text) <= TEXT_LENGTH_MAX else text[:TEXT_LENGTH_MAX]) or None


def as_text_or_code(value: Value) -> str | None:
    """A short text, or a whole number as one: an error's code comes as both."""
    return str(value) if type(value) is int else as_text(value)


def as_model(value: Value) -> str | None:
    """A model's name as written, without the colours of a terminal."""
    text = as_text(value)
    return text if text is None or "\x1b" not in text else as_text(_ANSI.sub("", text))
