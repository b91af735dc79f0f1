"""What is stamped on spans, and where it is kept meanwhile: in OpenTelemetry's context.

Ids are W3C baggage and nothing else, so that one rule holds within a process and between services: what was said last counts,
whoever said it. Tags and metadata have no size to speak of that is safe in a header; they stay in the process.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from opentelemetry import baggage
from opentelemetry.context import Context, create_key, get_value, set_value

SESSION: Final = "session.id"
USER: Final = "user.id"
TAGS: Final = "tag.tags"
METADATA: Final = "metadata"
"""Names that others than sessiond read too: OpenTelemetry's, and for tags and metadata OpenInference's."""

Id = str | int | UUID | None
"""None, or text that is empty or blank, says nothing: an id from outside stays."""


class Labels(NamedTuple):
    """Tags and metadata of everything inside a capture."""

    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = {}


_LABELS: Final = create_key("sessiond-labels")


def stamped(context: Context, session_id: Id, user_id: Id, tags: Sequence[str], metadata: Mapping[str, Any]) -> Context:
    """A context inside another: ids that are given take the place of those outside, tags are united, keys of metadata replaced."""
    for key, given in ((SESSION, session_id), (USER, user_id)):
        if said := _text(given):
            context = baggage.set_baggage(key, said, context)
    outer = _labels(context)
    # A mere string is one tag: taken as a sequence it would be a tag for each letter.
    new = (tags,) if isinstance(tags, str) else map(str, tags)
    return set_value(_LABELS, Labels(tuple(dict.fromkeys((*outer.tags, *new))), {**outer.metadata, **metadata}), context)


def attributes(context: Context) -> dict[str, str | tuple[str, ...]]:
    """What a context says of the spans in it, by attribute name; what it doesn't say is left out."""
    labels = _labels(context)
    found: dict[str, str | tuple[str, ...]] = {
        SESSION: _text(baggage.get_baggage(SESSION, context)),
        USER: _text(baggage.get_baggage(USER, context)),
        TAGS: labels.tags,
        # What JSON has no word for is told as text: a stamp must not break the application.
        METADATA: json.dumps(labels.metadata, default=str, ensure_ascii=False, skipkeys=True) if labels.metadata else "",
    }
    return {key: value for key, value in found.items() if value}


def _labels(context: Context) -> Labels:
    found = get_value(_LABELS, context)
    return found if isinstance(found, Labels) else Labels()


def _text(given: object) -> str:
    return "" if given is None else str(given).strip()
