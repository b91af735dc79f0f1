"""The trees of the environment and the layout of their keys. Numbers are big-endian, so that keys sort as numbers do."""

from hashlib import blake2b
from typing import TYPE_CHECKING, Final, TypeAlias

import lmdb

from sessiond.core.feedback.target import Subject
from sessiond.core.model import SessionKey, UserKey

FORMAT: Final = 4
"""Of the whole environment. A store of another format is refused. With the next one comes a way for `rebuild` to read this one."""
PREVIOUS_FORMATS: Final = (1, 2, 3)
"""What `rebuild` can read: their trace ids and chunks are laid out as now, and all else is made again from these. They
hold no feedback."""

if TYPE_CHECKING:
    Txn: TypeAlias = lmdb.Transaction[bytes]
else:
    Txn: TypeAlias = lmdb.Transaction
Tree: TypeAlias = lmdb._Database  # noqa: SLF001  (the handle's type has no public name)
Trees: TypeAlias = dict[str, Tree]

TREES: Final = (
    "meta",  # format, identity, counters, rules of all facts, how far removals are forgotten
    "projects",  # digest of name -> project number, name
    "trace_ids",  # trace id -> trace number
    "spans",  # trace number, span id, kind -> end, first arrival, digest, commit
    "chunks",  # trace number, commit -> spans' bytes, compressed
    "facts",  # trace number, commit -> rules they were made by, spans' facts in the order of the chunk
    "scores",  # id -> score
    "scores_of",  # subject, creation, id -> nothing
    "scores_by_time",  # creation, id -> nothing
    "annotations",  # as scores
    "annotations_of",  # as scores_of
    "annotations_by_time",  # as scores_by_time
    "marked_traces",  # trace number -> trace id
    "traces",  # trace number -> head (change, signature, numbers), numbers of what it belongs to, summary
    "texts",  # trace number -> input and output, where there is any
    "traces_by_start",  # project number, start, trace id -> trace number
    "trace_changes",  # change -> trace number
    "session_ids",  # digest of project and session id -> session number
    "marked_sessions",  # session number -> project, session id
    "sessions",  # session number -> head, project and user numbers, summary
    "sessions_by_activity",  # project number, last activity, order of id -> session number
    "session_changes",  # change -> session number
    "session_traces",  # session number, start, trace id -> trace number
    "user_ids",  # digest of project and user id -> user number
    "marked_users",  # user number -> project, user id
    "users",  # user number -> head, project number, summary
    "users_by_last_seen",  # project number, last seen, order of id -> user number
    "user_changes",  # change -> user number
    "user_traces",  # user number, start, trace id -> trace number
    "user_sessions",  # user number, last activity, order of id -> session number
    "removals",  # change -> kind, project, id of what is no more
    "unswept",  # trace number -> nothing; of an erased trace whose spans, chunks or facts still take space
    "erased",  # trace id -> when it was erased
    "erased_by_time",  # when it was erased, trace id -> nothing
)


PREVIOUS_TREES: Final = ("meta", "trace_ids", "spans", "chunks")
"""What is read of a store of PREVIOUS_FORMATS; of `spans` only how many there are."""


def number(value: int) -> bytes:
    """Eight bytes that sort as the number does."""
    return value.to_bytes(8, "big")


def value_of(key: bytes) -> int:
    """The number in a key or value of `number`."""
    return int.from_bytes(key, "big")


def named(key: SessionKey | UserKey | str) -> bytes:
    """A key for what a sender named, 16 bytes however long the name: LMDB takes 511 at most."""
    parts = (key,) if isinstance(key, str) else key
    digest = blake2b(digest_size=16)
    for part in parts:
        encoded = part.encode()
        digest.update(len(encoded).to_bytes(4, "big"))
        digest.update(encoded)
    return digest.digest()


SUBJECT_BYTES: Final = 1 + 16


def said_of(subject: Subject) -> bytes:
    """The beginning of the keys of what was said of a trace or session, of one length so that none begins another."""
    return b"t" + subject if isinstance(subject, bytes) else b"s" + named(subject)


def past(prefix: bytes) -> bytes:
    """The smallest key larger than all that begin with `prefix`, which is never all 0xFF (numbers begin at 1)."""
    return (int.from_bytes(prefix, "big") + 1).to_bytes(len(prefix), "big")
