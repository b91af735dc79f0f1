"""Lists and objects inside attributes: JSON as text, key-value lists as they are, and a Python dict's repr(). All bounded."""

import ast
import json
from collections.abc import Container, Iterable, Mapping
from typing import Final

from sessiond.core.model import Value
from sessiond.core.values import JSON_LENGTH_MAX, as_text, parsed, unquote

PYTHON_LENGTH_MAX: Final = 4096
"""Characters of a repr() that are parsed. LiteLLM's usage objects take some 400; Python's parser is slow and deep."""
TAGS_MAX: Final = 100
"""Tags kept of one span, as many as a list in a row holds."""
METADATA_KEYS_MAX: Final = 64
"""Names kept of one span's metadata."""
METADATA_VALUE_LENGTH_MAX: Final = 1024
"""Characters of a name and of a value of metadata; the span's bytes keep the whole."""

Pairs = tuple[tuple[str, str], ...]


def as_object(value: Value) -> Mapping[str, Value] | None:
    """An object, from a key-value list or from JSON text, which may be quoted once more."""
    if isinstance(value, dict):
        return value
    found = _parsed(value, "{") if isinstance(value, str) else None
    return found if isinstance(found, dict) else None


def as_python_object(value: Value) -> Mapping[str, Value] | None:
    """A dict from its repr(): literals only, nothing is evaluated. JSON text is taken too."""
    if not isinstance(value, str) or len(value) > PYTHON_LENGTH_MAX:
        return as_object(value)
    try:
        found = ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return as_object(value)
    return found if isinstance(found, dict) else None


def _parsed(text: str, begin: str) -> Value:
    """What JSON text that begins so holds; None where it is none or too long."""
    if len(text) > JSON_LENGTH_MAX:
        return None
    bare = text.strip()
    if bare.startswith('"'):
        bare = unquote(bare).strip()
    if not bare.startswith(begin):
        return None
    try:
        return parsed(bare)
    except (ValueError, RecursionError):
        return None


def at(found: Value, path: Iterable[str]) -> Value:
    """The value at the end of a path of names; None where it leads nowhere."""
    for name in path:
        if not isinstance(found, dict):
            return None
        found = found.get(name)
    return found


def as_tags(value: Value, *, commas: bool = False) -> tuple[str, ...] | None:
    """Tags from a list, a JSON list as text, or one text, which with `commas` holds several. In their order, each once."""
    if isinstance(value, str):
        listed = _parsed(value, "[")
        value = listed if isinstance(listed, list) else (value.split(",") if commas else [value])
    if not isinstance(value, (list, tuple)):
        return None
    texts = (as_text(_text_of(tag)) for tag in value[:TAGS_MAX])
    return tuple(dict.fromkeys(text for text in texts if text is not None)) or None


def as_pairs(found: Mapping[str, Value], left_out: Container[str] = ()) -> Pairs | None:
    """The names of an object with their values as text, nested ones as JSON; in order of name, at most METADATA_KEYS_MAX."""
    pairs = (as_pair(name, value) for name, value in found.items() if isinstance(name, str) and name not in left_out)
    return tuple(sorted({pair for pair in pairs if pair is not None})[:METADATA_KEYS_MAX]) or None


def as_pair(name: str, value: Value) -> tuple[str, str] | None:
    """One name with its value as text, both cut at METADATA_VALUE_LENGTH_MAX; an empty one of either is none."""
    short, text = name[:METADATA_VALUE_LENGTH_MAX].strip(), _text_of(value)
    if text is None or not short:
        return None
    text = (unquote(text) if text.startswith('"') else text).strip()[:METADATA_VALUE_LENGTH_MAX]
    return (short, text) if text else None


def _text_of(value: Value) -> str | None:
    """A value as text, as JSON writes it; None for none and for bytes."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bytes):
        return None
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, TypeError, RecursionError):
        return None
