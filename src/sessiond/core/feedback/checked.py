"""Bounds of what feedback says. A value over one is refused, never cut: it is a client's own words, and a person can act on it."""

import re
from collections.abc import Sequence
from typing import Final

from sessiond.core.errors import Invalid
from sessiond.core.model import Metadata
from sessiond.core.spans.objects import METADATA_KEYS_MAX, METADATA_VALUE_LENGTH_MAX
from sessiond.core.values import ID_LENGTH_MAX

FEEDBACK_ID_LENGTH_MAX: Final = 128
"""Characters of a score's or annotation's own id: a UUID with a long prefix. It is a key in the store, which takes 511 bytes."""
NAME_LENGTH_MAX: Final = 128
"""Characters of a score's name, a category, a tag, an author or a key of metadata: words that stand in a column or a filter."""
COMMENT_LENGTH_MAX: Final = 10_000
"""Characters of a comment or an annotation: some pages that a person writes; a few dozen of them still make a message."""
TAGS_MAX: Final = 32
"""Tags of an annotation: more than a person sorts by."""

_ID: Final = re.compile(r"[A-Za-z0-9._:~-]+")


def feedback_id(field: str, text: str) -> None:
    """Raise Invalid where a text can't be the id of a score or annotation."""
    if len(text) > FEEDBACK_ID_LENGTH_MAX or not _ID.fullmatch(text):
        told = f"must be 1 to {FEEDBACK_ID_LENGTH_MAX} of the characters A-Z a-z 0-9 . _ : ~ -"
        raise Invalid(field, _shown(text), told, hint="leave it empty to be given one")


def identifier(field: str, text: str) -> None:
    """Raise Invalid where a text can't be an id that an application gave."""
    if not text:
        raise Invalid(field, text, "must not be empty")
    if len(text) > ID_LENGTH_MAX:
        raise Invalid(field, _shown(text), f"must have at most {ID_LENGTH_MAX:,} characters")


def word(field: str, text: str, length_max: int = NAME_LENGTH_MAX) -> None:
    """Raise Invalid where a text can't be a name: empty, too long, with blanks at its ends or with characters that don't print."""
    if not text or text != text.strip() or not text.isprintable():
        raise Invalid(field, _shown(text), "must be a printable text without blanks at its ends")
    if len(text) > length_max:
        raise Invalid(field, _shown(text), f"must have at most {length_max:,} characters")


def optional_word(field: str, text: str) -> None:
    """As `word`; it may be empty."""
    if text:
        word(field, text)


def prose(field: str, text: str) -> None:
    """Raise Invalid where a text is longer than a comment may be."""
    if len(text) > COMMENT_LENGTH_MAX:
        raise Invalid(field, _shown(text), f"must have at most {COMMENT_LENGTH_MAX:,} characters")


def check_metadata(pairs: Metadata) -> None:
    """Raise Invalid for metadata of too many keys, or with a key or value that is too long."""
    if len(pairs) > METADATA_KEYS_MAX:
        raise Invalid("metadata", f"{len(pairs):,} keys", f"must have at most {METADATA_KEYS_MAX}")
    for key, value in pairs:
        word("metadata", key)
        if len(value) > METADATA_VALUE_LENGTH_MAX:
            raise Invalid("metadata", key, f"has a value of more than {METADATA_VALUE_LENGTH_MAX:,} characters")


def check_tags(tags: Sequence[str]) -> None:
    """Raise Invalid for too many tags, or for one that is none."""
    if len(tags) > TAGS_MAX:
        raise Invalid("tags", f"{len(tags):,} tags", f"must be at most {TAGS_MAX}")
    for tag in tags:
        word("tags", tag)


def check_times(create_unix_nano: int, update_unix_nano: int) -> None:
    """Raise Invalid where something was changed before it was made."""
    if update_unix_nano < create_unix_nano:
        raise Invalid("update_time", update_unix_nano, "must not be before create_time")


def _shown(text: str) -> str:
    return text[:80]
