"""Hygiene of attribute values: what counts as an id, a count, a text. Each reader gives None for what it can't take.

Emitters send numbers as strings (Micrometer), integers as doubles (JavaScript), strings quoted once more as JSON (MLflow,
Langfuse), NaN for "no usage" (AI SDK 4), and redacted ids (Logfire): docs/conventions.md.
"""

import json
import re
from typing import Final

from sessiond.core.model import Value

ID_LENGTH_MAX: Final = 1024
"""Characters. Longer than any id a person makes; an id is repeated in many rows."""
TEXT_LENGTH_MAX: Final = 1024
"""Characters of a name, model or error message kept in a row; the span's bytes keep the whole."""

COUNT_END: Final = 2**40
"""A count from here on is nonsense: a million times the largest context there is."""

JUNK_IDS: Final = frozenset({"", "null", "none", "undefined", "unknown", "<nil>", "nan"})
JUNK_LENGTH_MAX: Final = max(map(len, JUNK_IDS))
REDACTED: Final = re.compile(r"\[Scrubbed due to |\[REDACTED\]$|<REDACTED>$|\*+$")
REDACTED_BEGIN: Final = frozenset("[<*")


def unquote(text: str) -> str:
    """The string inside a JSON-quoted string; any other text as it is.

    Callers look for the quote themselves: nearly no text has one, and a span has some six texts to look at.
    """
    try:
        inner = json.loads(text)
    except ValueError:
        return text
    # "\\ud800" is JSON for half a character, which is no text that could be stored or sent.
    return inner.encode("utf-8", "replace").decode() if isinstance(inner, str) else text


def as_id(value: Value) -> str | None:
    """An id as text: a string, an int, or a double without a fraction. Junk, redacted and overlong ones are none.

    A redacted id must not pass: `[Scrubbed due to 'session']` would merge strangers into one session.
    """
    if isinstance(value, str):
        return _id_of(value) if len(value) <= ID_LENGTH_MAX else None
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return str(value)
    return str(int(value)) if isinstance(value, float) and value.is_integer() else None


def _id_of(text: str) -> str | None:
    bare = (unquote(text) if text.startswith('"') else text).strip()
    # Most ids are neither short nor begin so: two quick looks spare them the slow ones.
    if len(bare) <= JUNK_LENGTH_MAX and bare.lower() in JUNK_IDS:
        return None
    return None if bare[:1] in REDACTED_BEGIN and REDACTED.match(bare) else bare


def as_count(value: Value) -> int | None:
    """A count from an int, a double or a decimal string; NaN, infinite and negative ones are none."""
    if isinstance(value, str):
        try:
            value = int(value) if value.isdecimal() else float(unquote(value) if value.startswith('"') else value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if 0 <= value < COUNT_END else None


def as_text(value: Value) -> str | None:
    """A short text such as a model or tool name, cut at TEXT_LENGTH_MAX; empty is none."""
    if not isinstance(value, str):
        return None
    text = (unquote(value) if value.startswith('"') else value).strip()
    return (text if len(text) <= TEXT_LENGTH_MAX else text[:TEXT_LENGTH_MAX]) or None
