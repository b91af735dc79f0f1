"""What feedback is about, and in whose row it shows."""

from typing import Final, NamedTuple, TypeAlias

from sessiond.core.errors import Invalid
from sessiond.core.feedback.checked import FEEDBACK_ID_LENGTH_MAX, identifier
from sessiond.core.model import SessionKey

TRACE_ID_BYTES: Final = 16
SPAN_ID_BYTES: Final = 8
PLACE_TIME_BYTES: Final = 8
"""A place begins with the time; what comes behind is the id."""
PLACE_BYTES_MAX: Final = PLACE_TIME_BYTES + FEEDBACK_ID_LENGTH_MAX


class TraceTarget(NamedTuple):
    """A trace, or one of its spans. It may not have been received yet."""

    trace_id: bytes
    span_id: bytes = b""
    """Empty: the trace as a whole."""


Target: TypeAlias = TraceTarget | SessionKey
Subject: TypeAlias = bytes | SessionKey
"""In whose row feedback shows: the id of a trace, or a session."""


def subject_of(target: Target) -> Subject:
    """In whose row feedback on a target shows."""
    return target if isinstance(target, SessionKey) else target.trace_id


def target_of(row: tuple[bytes, bytes] | tuple[str, str]) -> Target:
    """The target from the plain tuple that a codec made of it: ids of traces are bytes, those of sessions text."""
    first, second = row
    if isinstance(first, bytes) and isinstance(second, bytes):
        return TraceTarget(first, second)
    return SessionKey(str(first), str(second))


def check_target(target: Target) -> None:
    """Raise Invalid where a target can't be one."""
    if isinstance(target, SessionKey):
        identifier("project", target.project)
        identifier("session_id", target.session_id)
        return
    if len(target.trace_id) != TRACE_ID_BYTES or not any(target.trace_id):
        raise Invalid("trace_id", target.trace_id.hex(), "must be 32 hexadecimal digits, not all 0")
    if target.span_id and (len(target.span_id) != SPAN_ID_BYTES or not any(target.span_id)):
        raise Invalid("span_id", target.span_id.hex(), "must be 16 hexadecimal digits, not all 0")


def place_of(create_unix_nano: int, item_id: str) -> bytes:
    """Where a score or annotation stands among others: by when it was made, then by id; the later the larger."""
    return create_unix_nano.to_bytes(PLACE_TIME_BYTES, "big") + item_id.encode()
