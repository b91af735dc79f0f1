"""One pass over attributes: what each says, by the table, and of each meaning the best.

What an attribute says depends on its bytes alone, and those that name something come again and again: models, tools, the session on
every span of it. So what they say is remembered, and reading a span is for the most part looking up.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from sessiond.core.conventions import TABLE, Meaning, Row
from sessiond.core.model import AttributesView, Value
from sessiond.core.spans.objects import as_object, as_pair, as_pairs, as_python_object, as_tags, at
from sessiond.core.spans.provider import as_provider
from sessiond.core.values import as_count, as_id, as_model, as_nano_usd, as_text, as_text_or_code

LEARNED_MAX: Final = 16_384
"""Attributes remembered, in some 10 MiB. When full, it forgets them and begins again."""
LEARNED_BYTES_MAX: Final = 128
"""Bytes of an attribute that is remembered; longer ones are texts, which seldom come again."""
SHORT_BYTES_MAX: Final = 24
"""Bytes behind its key of one that says nothing and is remembered all the same: a yes or no, a small number, a word, a list of
one (`gen_ai.response.finish_reasons`)."""
NESTED_BYTES_MAX: Final = 64 * 1024
"""Bytes of a list or object that is read: as many as are parsed of JSON text."""

SELDOM_AGAIN: Final[frozenset[Meaning]] = frozenset({"response_id", "first_token", "total_cost", "input_cost", "output_cost"})
"""Meanings whose values are another on each span."""
BINDINGS: Final[frozenset[Meaning]] = frozenset({"session", "user", "project"})
COSTS: Final[tuple[Meaning, ...]] = ("total_cost", "input_cost", "output_cost")
EVERY: Final[frozenset[Meaning]] = frozenset({*BINDINGS, *COSTS, "first_token", "tags", "metadata"})
"""Meanings of which every valid value is kept: they are chosen among, or joined, by more than the order of their keys."""

Reader = Callable[[Value], Any]
"""Gives None for what is not valid."""
Ranked = tuple[int, Any]
"""(order, value) under one key of a meaning; the smaller order is the better key."""


ABSENT: Final[Ranked] = (2**31, None)
"""What stands where no key has said anything: worse than any."""
Best = dict[Meaning, Ranked]
"""The value of the best key of each meaning, or ABSENT; every meaning is there."""
_NOTHING_YET: Final[Best] = dict.fromkeys(TABLE, ABSENT)
Every = dict[Meaning, list[Ranked]]
"""All values, of the meanings in EVERY. Lists, since a span may give a meaning under very many keys."""
Waiting = list[tuple[Meaning, int, Any]]
"""(meaning, order, value) of rows with a condition, which can be judged only when the whole span was read."""


_BEST, _ALL, _LATER = range(3)

Finding = tuple[Meaning, Ranked, int]
"""What an attribute says of one meaning, and how that is kept: _BEST, _ALL or _LATER. A plain tuple, which is unpacked fastest."""
Findings = tuple[Finding, ...]


class _Hit(NamedTuple):
    meaning: Meaning
    order: int
    read: Reader
    keeps: int
    """_BEST, _ALL or _LATER."""


class Plan(NamedTuple):
    """All that one attribute key means. Where it holds an object, `inside` gives the plans and values found in that."""

    hits: tuple[_Hit, ...] = ()
    inside: Callable[[Value], "list[tuple[Plan, Value]]"] | None = None
    given: Findings | None = None
    """What the key says whatever its value; None where that depends on it."""
    recurs: bool = False
    """Whether the same value is likely to come again."""

    def findings(self, value: Value) -> Findings:
        """What the attribute says with this value."""
        found = [(meaning, (order, said), keeps) for meaning, order, read, keeps in self.hits if (said := read(value)) is not None]
        if self.inside is not None:
            for plan, held in self.inside(value):
                found += plan.findings(held)
        return tuple(found)


Said = tuple[bytes, Findings]
"""A key and what it says on some span."""


class Index:
    """Attributes -> what they say, by the table.

    `extra` holds keys that rank before the table's own. They get orders below 0, so that the table's stay what they are in facts
    that were stored under another configuration.
    """

    __slots__ = ("_plans", "_prefixed", "_prefixes", "learned")

    def __init__(self, extra: Mapping[Meaning, Sequence[Row]]) -> None:
        ranked: list[tuple[Meaning, int, Row]] = [
            *((meaning, rank - len(rows), row) for meaning, rows in extra.items() for rank, row in enumerate(rows)),
            *((meaning, rank, row) for meaning, rows in TABLE.items() for rank, row in enumerate(rows)),
        ]
        self._plans = {key.encode(): plan for key, plan in _plans(ranked).items()}
        self._prefixed = [(row.key.encode(), meaning, rank) for meaning, rank, row in ranked if row.place == "prefix"]
        self._prefixes = tuple(prefix for prefix, *_ in self._prefixed)
        self.learned: dict[bytes, Said] = {}
        """Attribute -> what it says, of those that are remembered."""

    def read(self, attributes: AttributesView) -> tuple[Best, Every, Waiting]:
        """What the attributes say, rows with a condition put aside."""
        learned = self.learned
        found: dict[bytes, Findings] = {}
        for encoded in attributes.encoded:
            said = learned.get(encoded) if len(encoded) <= LEARNED_BYTES_MAX else None
            if said is None:
                said = self._said(encoded, attributes)
                if said is None:
                    continue
            found[said[0]] = said[1]
        best = _NOTHING_YET.copy()
        every: Every = {}
        waiting: Waiting = []
        for findings in found.values():
            for meaning, ranked, keeps in findings:
                if not keeps:  # _BEST, as nearly all are
                    if ranked[0] <= best[meaning][0]:
                        best[meaning] = ranked
                elif keeps == _ALL:
                    if meaning in every:
                        every[meaning].append(ranked)
                    else:
                        every[meaning] = [ranked]
                else:
                    waiting.append((meaning, *ranked))
        return best, every, waiting

    def _said(self, encoded: bytes, attributes: AttributesView) -> Said | None:
        """What one attribute says, remembered if it may come again; None where its key means nothing."""
        key = attributes.key_of(encoded)
        plan = self._plans.get(key)
        if plan is None and key.startswith(self._prefixes):
            plan = self._plan_by_prefix(key)
        if plan is None:
            if len(encoded) - len(key) <= SHORT_BYTES_MAX:
                self._learn(encoded, (key, ()))
            return None
        if plan.given is not None:
            return key, plan.given
        said = key, plan.findings(attributes.value_of(encoded, NESTED_BYTES_MAX))
        if plan.recurs:
            self._learn(encoded, said)
        return said

    def _learn(self, encoded: bytes, said: Said) -> None:
        if len(encoded) <= LEARNED_BYTES_MAX:
            if len(self.learned) >= LEARNED_MAX:
                self.learned.clear()
            self.learned[encoded] = said

    def _plan_by_prefix(self, key: bytes) -> Plan | None:
        for prefix, meaning, rank in self._prefixed:
            if key.startswith(prefix) and len(key) > len(prefix):
                name = key.removeprefix(prefix).decode("utf-8", "replace")
                return Plan((_Hit(meaning, rank, partial(_NAMED[meaning], name), _ALL),), recurs=True)
        return None


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
    plans: dict[str, Plan] = {}
    for key in {**hits, **inner}:
        plan = Plan(
            tuple(hits.get(key, ())),
            partial(_opened, parsers[key], tuple(inner[key])) if key in inner else None,
            recurs=SELDOM_AGAIN.isdisjoint(hit.meaning for hit in hits.get(key, ())),
        )
        plans[key] = plan if key in inner or key in valued else plan._replace(given=plan.findings(None))
    return plans


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
    "response_id": as_id,
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
