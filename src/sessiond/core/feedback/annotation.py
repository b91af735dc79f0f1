"""An annotation: a note in words, on a whole or on a place in it."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from sessiond.core.errors import Invalid
from sessiond.core.feedback import checked
from sessiond.core.feedback.target import SPAN_ID_BYTES, TRACE_ID_BYTES, Target, check_target, place_of, target_of
from sessiond.core.model import SessionKey

INDEX_END: Final = 2**31
"""Of places in lists and texts: what a message's field holds."""


class Anchor(NamedTuple):
    """A place inside the target. What is not given does not narrow it."""

    trace_id: bytes = b""
    """Of a session's annotation: in which trace. Empty otherwise, where the target says it."""
    span_id: bytes = b""
    message_index: int | None = None
    """Which of the messages, counted from 0 in the order in which they were shown."""
    begin: int | None = None
    """First character of the range, counted from 0."""
    end: int | None = None
    """The character after its last."""


class Annotation(NamedTuple):
    """One annotation as it is stored."""

    id: str
    target: Target
    text: str
    author: str = ""
    tags: tuple[str, ...] = ()
    anchor: Anchor | None = None
    create_unix_nano: int = 0
    update_unix_nano: int = 0
    """When its content was last given."""

    @property
    def content(self) -> tuple[object, ...]:
        """All that its maker says. Equal contents are the same annotation given again."""
        return self[:-2]

    @property
    def place(self) -> bytes:
        """Where it stands in lists, which show the latest first."""
        return place_of(self.create_unix_nano, self.id)

    @classmethod
    def of_row(cls, row: tuple[Any, ...]) -> "Annotation":
        """The annotation from the plain tuples that a codec made of it."""
        name, target, text, author, tags, anchor, *times = row
        return cls(name, target_of(target), text, author, tags, anchor and Anchor(*anchor), *times)


def checked_annotation(annotation: Annotation) -> Annotation:
    """The annotation. Raises Invalid where something of it is out of bounds."""
    checked.feedback_id("annotation_id", annotation.id)
    check_target(annotation.target)
    if not annotation.text.strip():
        raise Invalid("text", annotation.text[:80], "must not be empty")
    checked.prose("text", annotation.text)
    checked.optional_word("author", annotation.author)
    checked.check_tags(annotation.tags)
    checked.check_times(annotation.create_unix_nano, annotation.update_unix_nano)
    if annotation.anchor is not None:
        _check_anchor(annotation.anchor, annotation.target)
    return annotation


def _check_anchor(anchor: Anchor, target: Target) -> None:
    if anchor.trace_id and not isinstance(target, SessionKey):
        raise Invalid("anchor.trace_id", anchor.trace_id.hex(), "is for annotations of a session", hint="the target says it")
    if anchor.span_id and isinstance(target, SessionKey) and not anchor.trace_id:
        raise Invalid("anchor.span_id", anchor.span_id.hex(), "is of no trace", hint="give anchor.trace_id too")
    if anchor.span_id and not isinstance(target, SessionKey) and target.span_id:
        raise Invalid("anchor.span_id", anchor.span_id.hex(), "is for annotations of a whole trace", hint="the target says it")
    for field, value, size in (("trace_id", anchor.trace_id, TRACE_ID_BYTES), ("span_id", anchor.span_id, SPAN_ID_BYTES)):
        if value and len(value) != size:
            raise Invalid(f"anchor.{field}", value.hex(), f"must be {2 * size} hexadecimal digits")
    for field, place in (("message_index", anchor.message_index), ("begin", anchor.begin), ("end", anchor.end)):
        if place is not None and not 0 <= place < INDEX_END:
            raise Invalid(f"anchor.{field}", place, "must not be negative")
    if (anchor.begin is None) != (anchor.end is None):
        raise Invalid("anchor.end", anchor.end, "goes with anchor.begin", hint="give both or none")
    if anchor.begin is not None and anchor.end is not None and anchor.begin >= anchor.end:
        raise Invalid("anchor.end", anchor.end, "must be larger than anchor.begin")


def updated_annotation(old: Annotation, changes: Mapping[str, Any], now_unix_nano: int) -> Annotation:
    """The old annotation with other values in some fields, given now: what it is of stays. Raises Invalid."""
    return checked_annotation(old._replace(**changes, update_unix_nano=max(now_unix_nano, old.create_unix_nano)))
