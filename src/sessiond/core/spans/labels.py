"""Tags and metadata of one span: all that its keys give, joined and bounded."""

from collections.abc import Iterable

from sessiond.core.spans.objects import METADATA_KEYS_MAX, TAGS_MAX
from sessiond.core.spans.reading import Ranked


def joined_tags(found: Iterable[Ranked]) -> dict[str, int]:
    """Tag -> order of the key that gave it first; in the order of the table, each once, at most TAGS_MAX."""
    tags: dict[str, int] = {}
    for order, given in sorted(found):
        for tag in given:
            if len(tags) < TAGS_MAX:
                tags.setdefault(tag, order)
    return tags


def joined_metadata(found: Iterable[Ranked]) -> dict[str, Ranked]:
    """Name -> (order of its key, value): of a name that several keys give, the best key's; of too many, those of the best keys."""
    metadata: dict[str, Ranked] = {}
    for order, pairs in sorted(found):
        for name, value in pairs:
            if len(metadata) < METADATA_KEYS_MAX:
                metadata.setdefault(name, (order, value))
    return metadata
