"""What an application says of a capture, made fit to be sent.

Ids, tags and metadata often come out of data: what can't be taken is left out with a warning, and the application goes on.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple
from uuid import UUID

from sessiond.capture.warning import warn

TEXT_LENGTH_MAX: Final = 1024
"""Of an id or a tag, in characters: sessiond takes no longer id."""

Id = str | int | UUID | None
"""None, or text that is empty or blank, says nothing: an id from outside stays."""


class Said(NamedTuple):
    """What one capture adds to what is said outside it."""

    session_id: str = ""
    user_id: str = ""
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = {}
    """Plain values of JSON, and the application's own no longer: it may change those."""


def said(session_id: object, user_id: object, tags: object, metadata: object) -> Said:
    """What of these can be taken; a warning for each that can't."""
    return Said(_text("session_id", session_id), _text("user_id", user_id), _tags(tags), _metadata(metadata))


def text(value: object) -> str:
    """An id or a tag as it is sent; empty where it is none, or longer than TEXT_LENGTH_MAX."""
    found = sendable(str(value).strip()) if isinstance(value, str | int | UUID) and not isinstance(value, bool) else ""
    return found if len(found) <= TEXT_LENGTH_MAX else ""


def sendable(found: str) -> str:
    """Text in which halves of a surrogate pair became question marks: no protocol can carry them, and headers fail on them."""
    return found.encode(errors="replace").decode()


def _text(name: str, value: object) -> str:
    found = text(value)
    if not found and value is not None and not (isinstance(value, str) and not value.strip()):
        what = f"{len(value)} characters" if isinstance(value, str) else f"of type {type(value).__name__}"
        warn(f"{name} is left out: it is text of at most {TEXT_LENGTH_MAX} characters, an int or a UUID, and this is {what}")
    return found


def _tags(value: object) -> tuple[str, ...]:
    if isinstance(value, str):  # taken as a sequence it would be a tag for each letter
        value = (value,)
    if isinstance(value, Iterable) and not isinstance(value, Mapping | bytes):
        return tuple(filter(None, [_text("a tag", tag) for tag in value]))
    if value is not None:
        warn(f"tags are left out: they are a list of texts, and this is of type {type(value).__name__}")
    return ()


def _metadata(value: object) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        warn(f"metadata is left out: it is a dict, and this is of type {type(value).__name__}")
        return {}
    try:
        # What JSON has no word for is told as text.
        found: dict[str, Any] = json.loads(json.dumps(dict(value), default=str, skipkeys=True))
    except Exception as error:  # noqa: BLE001  (a value's own `__str__` runs here, and may raise anything)
        warn(f"metadata is left out: it can't be written as JSON: {type(error).__name__}")
        return {}
    return found
