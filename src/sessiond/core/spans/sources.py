"""Where a span's values come from, told for a person: the orders that reading leaves beside each value, turned into names."""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple, cast

from sessiond.core.conventions import TABLE, Meaning, Row
from sessiond.core.spans.labels import joined_metadata, joined_tags
from sessiond.core.spans.reading import ABSENT, BINDINGS, Best, Every
from sessiond.core.values import TEXT_LENGTH_MAX


class Source(NamedTuple):
    """Where one value of a span comes from."""

    meaning: str
    """Of the table of conventions; of metadata with its name: `metadata.plan`."""
    key: str
    """The attribute, with `#` and the path inside it; or `event`, `span` or `resource` with a name behind it."""
    value_text: str
    """The value as read under that key: tokens before a cache is added, times in nanoseconds, costs in nano-dollars."""


Extra = Mapping[Meaning, tuple[Row, ...]]
"""Rows that rank before the table's own, by meaning; their orders are below 0."""

_RESOURCE: Final = "resource "


def sources_of(best: Best, every: Every, of_resource: tuple[Best, Every], extra: Extra) -> Iterator[Source]:
    """Every value that counts, in the order of the table's meanings; of ids and tags all, the best first."""
    resource_best, resource_every = of_resource
    for meaning in TABLE:
        if meaning in BINDINGS:
            yield from _ids(meaning, every, resource_every, extra)
        elif meaning == "service":
            order, value = resource_best[meaning]
            if value is not None:
                yield Source(meaning, _RESOURCE + TABLE[meaning][order].label, value)
        elif meaning == "tags":
            for tag, order in joined_tags(every.get(meaning, ())).items():
                yield Source(meaning, _label(TABLE[meaning][order], tag.partition(":")[0]), tag)
        elif meaning == "metadata":
            for name, (order, value) in sorted(joined_metadata(every.get(meaning, ())).items()):
                yield Source(f"{meaning}.{name}", _label(TABLE[meaning][order], name), value)
        elif best[meaning] is not ABSENT:
            yield _best_of(meaning, best)


def _ids(meaning: Meaning, every: Every, resource_every: Every, extra: Extra) -> Iterator[Source]:
    on_span = [(order, "", value) for order, value in every.get(meaning, ())]
    on_resource = [(order + 1, _RESOURCE, value) for order, value in resource_every.get(meaning, ())]
    for order, place, value in sorted(on_span + on_resource):
        rank = order // 2
        row = TABLE[meaning][rank] if rank >= 0 else extra[meaning][rank]
        yield Source(meaning, place + row.label, value)


def _best_of(meaning: Meaning, best: Best) -> Source:
    order, value = best[meaning]
    row = TABLE[meaning][order]
    if row.place == "meaning":
        return _best_of(cast("Meaning", row.key), best)._replace(meaning=meaning, value_text=value)
    return Source(meaning, row.label, "true" if value is True else str(value)[:TEXT_LENGTH_MAX])


def _label(row: Row, name: str) -> str:
    """What the row looked at when it found that name."""
    if row.place == "prefix":
        return row.key + name
    return f"{row.key}#{name}" if row.place == "object" else row.label
