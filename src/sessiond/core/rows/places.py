"""Where a row stands in lists, which show the latest first, ties by id.

A trace goes by its start, a session by its last activity, a user by when they were last seen.
"""

from hashlib import blake2b
from typing import Final

from sessiond.core.model import SessionKey, SessionSummary, TraceSummary, UserKey
from sessiond.core.rows.fields import AnySummary

PLACE_TIME_BYTES: Final = 8
"""A place begins with the time; what comes behind is the order of ids."""
ID_BYTES: Final = 128
"""Bytes of an id that order it; ids alike so far are ordered by a digest."""
PLACE_BYTES_MAX: Final = PLACE_TIME_BYTES + ID_BYTES + 1 + 16


def place_unix_nano(row: AnySummary) -> int:
    """The time by which a row is listed."""
    if isinstance(row, TraceSummary):
        return row.start_unix_nano
    return row.last_activity_unix_nano if isinstance(row, SessionSummary) else row.last_seen_unix_nano


def place_of(row: AnySummary) -> bytes:
    """A row's place, at most PLACE_BYTES_MAX: places of a kind compare as their rows are listed, the later the larger."""
    order = row.trace_id if isinstance(row, TraceSummary) else order_of_id(row.key)
    return place_unix_nano(row).to_bytes(PLACE_TIME_BYTES, "big") + order


def order_of_id(key: SessionKey | UserKey) -> bytes:
    """Where a session or user stands among those of equal rank: by id, then (for ids alike so far) by a digest of the whole key.

    At most 145 bytes, so that it fits a key of any engine, whatever an application sends as id.
    """
    project, name = key
    encoded = name.encode()
    digest = blake2b(project.encode() + b"\0" + encoded, digest_size=16).digest()
    return encoded[:ID_BYTES] + b"\0" + digest
