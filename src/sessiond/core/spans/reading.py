"""One pass over attributes against one index: key -> what it means there, in which order, and how its value is read.

The index is made of the table once; a key that is met for the first time is looked up among the prefixes and remembered. Asking
a span for each of the table's keys took a prototype twice as long.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from sessiond.core.conventions import TABLE, Meaning, Row
from sessiond.core.model import AttributesView, Value
from sessiond.core.spans.objects import as_object, as_pair, as_pairs, as_python_object, as_tags, at
from sessiond.core.spans.provider import as_provider
from sessiond.core.values import as_count, as_id, as_model, as_nano_usd, as_text, as_text_or_code

KEYS_LEARNED_MAX: Final = 4096
"""Keys outside the table that an index remembers; a fleet uses some hundreds. When full, it forgets them and begins again."""
KEY_LENGTH_LEARNED_MAX: Final = 256
"""Characters of a key that is remembered; with the number of keys this bounds the memory to some 2 MiB."""

BINDINGS: Final[frozenset[Meaning]] = frozenset({"session", "user", "project"})
COSTS: Final[tuple[Meaning, ...]] = ("total_cost", "input_cost", "output_cost")
EVERY: Final[frozenset[Meaning]] = frozenset({*BINDINGS, *COSTS, "first_token", "tags", "metadata"})
"""Meanings of which every valid value is kept: they are chosen among, or joined, by more than the order of their keys."""

Reader = Callable[[Value], Any]
"""Gives None for what is not valid."""
Ranked = tuple[int, Any]
"""(order, value) under one key of a meaning; the smaller order is the better key."""


Best = dict[Meaning, Ranked]
"""The value of the best key of each meaning."""
Every = dict[Meaning, list[Ranked]]
"""All values, of the meanings in EVERY."""
Waiting = list[tuple[Meaning, int, Any]]
"""(meaning, order, value) of rows with a condition, which can be judged only when the whole span was read."""


class _Hit(NamedTuple):
    meaning: Meaning
    order: int
    read: Reader
    keeps: int
    """_BEST, _ALL or _LATER."""


_BEST, _ALL, _LATER = range(3)


class Plan(NamedTuple):
    """All that one attribute key means. Where it holds an object, `inside` gives the plans and values found in that."""

    hits: tuple[_Hit, ...] = ()
    inside: Callable[[Value], "list[tuple[Plan, Value]]"] | None = None
    needs_value: bool = True


class Index(dict[str, Plan | None]):
    """Attribute key -> plan, or None for a key that means nothing. Asking for any key gives an answer.

    `extra` holds keys that rank before the table's own. They get orders below 0, so that the table's stay what they are in facts
    that were stored under another configuration.
    """

    def __init__(self, extra: Mapping[Meaning, Sequence[Row]]) -> None:
        super().__init__()
        ranked: list[tuple[Meaning, int, Row]] = [
            *((meaning, rank - len(rows), row) for meaning, rows in extra.items() for rank, row in enumerate(rows)),
            *((meaning, rank, row) for meaning, rows in TABLE.items() for rank, row in enumerate(rows)),
        ]
        self._prefixes = [entry for entry in ranked if entry[2].place == "prefix"]
        self._table = _plans(ranked)
        self.update(self._table)

    def __missing__(self, key: str) -> Plan | None:
        # Another thread may have just emptied the index: then even a key of the table is met here.
        plan = self._table.get(key) or self._plan_by_prefix(key)
        if len(key) <= KEY_LENGTH_LEARNED_MAX:
            if len(self) >= len(self._table) + KEYS_LEARNED_MAX:
                self.clear()
            self[key] = plan
        return plan

    def _plan_by_prefix(self, key: str) -> Plan | None:
        for meaning, rank, row in self._prefixes:
            if key.startswith(row.key) and len(key) > len(row.key):
                return Plan((_Hit(meaning, rank, partial(_NAMED[meaning], key.removeprefix(row.key)), _ALL),))
        return None

    def read(self, attributes: AttributesView) -> tuple[Best, Every, Waiting]:
        """What the attributes say, rows with a condition put aside."""
        best: Best = {}
        every: Every = {}
        waiting: Waiting = []
        pairs = attributes.matched(self)
        for (hits, inside, _), value in pairs:  # grows while it is walked
            for meaning, order, read, keeps in hits:
                held = best.get(meaning)
                if held is not None and held[0] < order:
                    continue
                found = read(value)
                if found is None:
                    continue
                if keeps == _BEST:
                    best[meaning] = (order, found)
                elif keeps == _ALL:
                    every.setdefault(meaning, []).append((order, found))
                else:
                    waiting.append((meaning, order, found))
            if inside is not None:
                pairs.extend(inside(value))
        return best, every, waiting


def _plans(ranked: Sequence[tuple[Meaning, int, Row]]) -> dict[str, Plan]:
    hits: dict[str, list[_Hit]] = {}
    inner: dict[str, list[tuple[tuple[str, ...], Plan]]] = {}
    parsers = {row.key: _PARSERS[row.place] for _, _, row in ranked if row.place in _PARSERS}
    valued = {row.key for _, _, row in ranked if row.place == "attribute"}
    for meaning, rank, row in ranked:
        if row.place in ("attribute", "present"):
            hits.setdefault(row.key, []).append(_hit(meaning, rank, row))
        elif row.place in _PARSERS:
            path = tuple(row.path.split(".")) if row.path else ()
            inner.setdefault(row.key, []).append((path, Plan((_hit(meaning, rank, row),))))
    return {
        key: Plan(
            tuple(hits.get(key, ())),
            partial(_opened, parsers[key], tuple(inner[key])) if key in inner else None,
            key in inner or key in valued,
        )
        for key in {**hits, **inner}
    }


def _opened(parse: Reader, inner: tuple[tuple[tuple[str, ...], Plan], ...], value: Value) -> list[tuple[Plan, Value]]:
    found = parse(value)
    return [] if found is None else [(plan, at(found, path)) for path, plan in inner]


def _hit(meaning: Meaning, rank: int, row: Row) -> _Hit:
    # Doubled, so that a resource's value of the same key comes right after a span's.
    order = 2 * rank if meaning in BINDINGS else rank
    keeps = _ALL if meaning in EVERY else _BEST if row.when is None else _LATER
    return _Hit(meaning, order, _reader(meaning, row), keeps)


def _reader(meaning: Meaning, row: Row) -> Reader:
    if row.place == "present":
        return partial(_given, row.value or True)
    if row.values is not None:
        return partial(_looked_up, row.values, row.upper)
    if row.value is not None:
        return partial(_given_for_object, row.value)
    if row.at_least:
        return partial(_status, row.at_least)
    return _MADE[meaning](row) if meaning in _MADE else _READERS.get(meaning, as_text)


def _looked_up(values: Mapping[str, str], upper: bool, value: Value) -> str | None:  # noqa: FBT001  (a column of the table)
    if not isinstance(value, str):
        return None
    known = values.get(value)  # nearly always written as it is listed
    if known is not None:
        return known
    text = as_text(value)
    return None if text is None else values.get(text.upper() if upper else text)


def _given(given: object, _: Value) -> object:
    return given


def _given_for_object(given: str, value: Value) -> str | None:
    return given if isinstance(value, dict) else None


def _status(at_least: int, value: Value) -> str | None:
    code = as_count(value)
    return str(code) if code is not None and code >= at_least else None


def _pairs(left_out: frozenset[str], value: Value) -> tuple[tuple[str, str], ...] | None:
    return as_pairs(value, left_out) if isinstance(value, dict) else None


def _named_pair(name: str, value: Value) -> tuple[tuple[str, str], ...] | None:
    pair = as_pair(name, value)
    return None if pair is None else (pair,)


def _named_tag(name: str, value: Value) -> tuple[str, ...] | None:
    """The name where the value is true; with the value behind it where that is more than a yes or no."""
    if isinstance(value, bool):
        return as_tags(name) if value else None
    pair = as_pair(name, value)
    return None if pair is None else as_tags(":".join(pair))


def _reader_of_tags(row: Row) -> Reader:
    return partial(as_tags, commas=row.commas)


def _reader_of_metadata(row: Row) -> Reader:
    """Of an attribute, it under its own name; of an object, all but what the same object gives as an id."""
    if row.place == "attribute":
        return partial(_named_pair, row.key)
    return partial(_pairs, frozenset(inner.path for meaning in BINDINGS for inner in TABLE[meaning] if inner.key == row.key))


def _as_it_is(value: Value) -> Value:
    return value


_MADE: Final[Mapping[Meaning, Callable[[Row], Reader]]] = {"tags": _reader_of_tags, "metadata": _reader_of_metadata}
_PARSERS: Final[Mapping[str, Reader]] = {"object": as_object, "python": as_python_object}
_NAMED: Final[Mapping[Meaning, Callable[[str, Value], Any]]] = {"metadata": _named_pair, "tags": _named_tag}
_READERS: Final[Mapping[Meaning, Reader]] = {
    **dict.fromkeys(BINDINGS, as_id),
    **dict.fromkeys(COSTS, as_nano_usd),
    "provider": as_provider,
    "request_model": as_model,
    "response_model": as_model,
    "input_tokens": as_count,
    "output_tokens": as_count,
    "total_tokens": as_count,
    "cache_read_tokens": as_count,
    "cache_write_tokens": as_count,
    "reasoning_tokens": as_count,
    **dict.fromkeys(("error_mark", "error_type", "error_message"), as_text_or_code),
    "first_token": _as_it_is,  # its unit is known when the span's duration is
}
"""How a meaning's values are read; all others are texts."""
