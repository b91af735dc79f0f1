"""What is stamped on spans, and where it is kept meanwhile: in OpenTelemetry's context.

Ids are W3C baggage and nothing else, so that one rule holds within a process and between services: what was said last counts,
whoever said it. Tags and metadata have no size to speak of that is safe in a header; they stay in the process.
"""

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from opentelemetry import baggage
from opentelemetry.context import Context, create_key, get_value, set_value

from sessiond.capture.said import Said, sendable, text
from sessiond.capture.warning import warn

SESSION: Final = "session.id"
USER: Final = "user.id"
TAGS: Final = "tag.tags"
METADATA: Final = "metadata"
"""Names that others than sessiond read too: OpenTelemetry's, and for tags and metadata OpenInference's."""

TAGS_MAX: Final = 100
"""As many as sessiond reads of a span."""
METADATA_LENGTH_MAX: Final = 16 * 1024
"""As JSON, in characters. Every span carries it: a batch of 512 stays below the 64 MiB that a request to sessiond may have, even
where each character takes four bytes."""


class Labels(NamedTuple):
    """Tags and metadata of everything inside a capture."""

    tags: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = {}
    metadata_json: str = ""
    """The metadata again as it is stamped, so that it is written once a capture and not once a span."""


_LABELS: Final = create_key("sessiond-labels")


def stamped(context: Context, said: Said) -> Context:
    """A context inside another: ids that are given take the place of those outside, tags are united, keys of metadata replaced."""
    for key, given in ((SESSION, said.session_id), (USER, said.user_id)):
        if given:
            context = baggage.set_baggage(key, given, context)
    if not said.tags and not said.metadata:
        return context
    return set_value(_LABELS, _merged(_labels(context), said), context)


def attributes(context: Context) -> dict[str, str | tuple[str, ...]]:
    """What a context says of the spans in it, by attribute name; what it doesn't say is left out."""
    labels = _labels(context)
    found: dict[str, str | tuple[str, ...]] = {
        SESSION: text(baggage.get_baggage(SESSION, context)),
        USER: text(baggage.get_baggage(USER, context)),
        TAGS: labels.tags,
        METADATA: labels.metadata_json,
    }
    return {key: value for key, value in found.items() if value}


def _merged(outer: Labels, said: Said) -> Labels:
    tags = tuple(dict.fromkeys((*outer.tags, *said.tags)))
    if len(tags) > TAGS_MAX:
        warn(f"{len(tags) - TAGS_MAX} tags are left out: there are at most {TAGS_MAX}")
    labels = outer._replace(tags=tags[:TAGS_MAX])
    if not said.metadata:
        return labels
    metadata = {**outer.metadata, **said.metadata}
    metadata_json = sendable(json.dumps(metadata, ensure_ascii=False))
    if len(metadata_json) > METADATA_LENGTH_MAX:
        warn(
            f"metadata is left out: all of it is at most {METADATA_LENGTH_MAX} characters of JSON, and this is {len(metadata_json)}"
        )
        return labels
    return labels._replace(metadata=metadata, metadata_json=metadata_json)


def _labels(context: Context) -> Labels:
    found = get_value(_LABELS, context)
    return found if isinstance(found, Labels) else Labels()
