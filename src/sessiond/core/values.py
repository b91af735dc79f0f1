"""Hygiene of attribute values: what counts as an id, a count, a text. Each reader gives None for what it can't take.

Emitters send numbers as strings (Micrometer), integers as doubles (JavaScript), strings quoted once more as JSON (MLflow,
Langfuse), NaN for "no usage" (AI SDK 4), and redacted ids (Logfire): docs/conventions.md.
"""

import json
import re
from functools import lru_cache
from typing import Final

from sessiond.core.model import Value

ID_LENGTH_MAX: Final = 1024
"""Characters. Longer than any id a person makes; an id is repeated in many rows."""
TEXT_LENGTH_MAX: Final = 1024
"""Characters of a name, model or error message kept in a row; the span's bytes keep the whole."""

TEXTS_CACHED: Final = 4096
"""Ids and names remembered in their clean form, 4 MiB at most each: the same few come with every span."""

JUNK_IDS: Final = frozenset({"", "null", "none", "undefined", "unknown", "<nil>", "nan"})
REDACTED: Final = re.compile(r"\[Scrubbed due to |\[REDACTED\]$|<REDACTED>$|\*+$")


def unquote(text: str) -> str:
    """The string inside a JSON-quoted string; any other text as it is."""
    if text != '"' and text.startswith('"') and text.endswith('"'):
        try:
            inner = json.loads(text)
        except ValueError:
            return text
        # "\\ud800" is JSON for half a character, which is no text that could be stored or sent.
        return inner.encode("utf-8", "replace").decode() if isinstance(inner, str) else text
    return text


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
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return None


@lru_cache(TEXTS_CACHED)
def _id_of(value: str) -> str | None:
    text = unquote(value).strip()
    return None if text.lower() in JUNK_IDS or REDACTED.match(text) else text


def as_count(value: Value) -> int | None:
    """A count from an int, a double or a decimal string; NaN, infinite and negative ones are none."""
    if isinstance(value, str):
        try:
            value = int(value) if value.isdecimal() else float(unquote(value))
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if not 0 <= value < 2**63:
        return None
    return int(value)


def as_text(value: Value) -> str | None:
    """A short text such as a model or tool name, cut at TEXT_LENGTH_MAX; empty is none."""
    if not isinstance(value, str):
        return None
    return _text_of(value if len(value) <= TEXT_LENGTH_MAX else value[:TEXT_LENGTH_MAX])


@lru_cache(TEXTS_CACHED)
def _text_of(value: str) -> str | None:
    return unquote(value).strip() or None
