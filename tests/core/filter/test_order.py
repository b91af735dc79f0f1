"""How rows sort: in the direction of each field, what is absent last, ties by id; and that page tokens can carry the keys."""

from functools import cmp_to_key
from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import turn
from seen_rows import SeenRow, pool, seen
from sessiond.core.errors import Invalid
from sessiond.core.filter import parse_order
from sessiond.core.model import Text, Texts
from sessiond.core.rows.fields import FIELDS, Field, Kind
from sessiond.core.rows.places import order_of_id, place_of

KINDS: list[Kind] = ["trace", "session", "user"]
DEFAULT = {"trace": "start_time desc", "session": "last_activity_time desc", "user": "last_seen_time desc"}


def plain(name: str, kind: Kind, row: SeenRow) -> Any:
    """The value that rows sort by; None where it is absent."""
    of_field, _, key = name.partition(".")
    if key:
        entries = getattr(row.summary, of_field)
        return next((one.mean for one in entries if one.name == key), None) if of_field == "scores" else dict(entries).get(key)
    field = next(field for field in FIELDS[kind] if field.name == name)
    if name == "state":
        return not row.is_live
    if field.type == "enum":
        return field.values.index(field.get(row.summary))
    if field.kept == "texts":
        text = getattr(row.texts, name.removesuffix("_length"))
        return text and (text.length if name.endswith("_length") else text.beginning)
    return None if field.get(row.summary) in ((), b"") else field.get(row.summary)


def identity(row: SeenRow) -> bytes:
    return getattr(row.summary, "trace_id", None) or order_of_id(row.summary.key)


def sorted_naively(rows: list[SeenRow], kind: Kind, wanted: list[tuple[str, bool]]) -> list[SeenRow]:
    def compare(one: SeenRow, other: SeenRow) -> int:
        for name, is_descending in wanted:
            mine, theirs = plain(name, kind, one), plain(name, kind, other)
            if mine is None or theirs is None:
                difference = (mine is None) - (theirs is None)
            else:
                difference = ((mine > theirs) - (mine < theirs)) * (-1 if is_descending else 1)
            if difference:
                return difference
        mine, theirs = identity(one), identity(other)
        return ((mine > theirs) - (mine < theirs)) * (-1 if wanted[-1][1] else 1)

    return sorted(rows, key=cmp_to_key(compare))


def sortable(field: Field[Any]) -> bool:
    return field.type not in ("map", "counts", "scores")


def wanted_orders(kind: Kind) -> st.SearchStrategy[list[tuple[str, bool]]]:
    names = [field.name for field in FIELDS[kind] if sortable(field)]
    keys = [] if kind == "user" else ["metadata.plan", "metadata.http.route", "list_counts.models", "scores.helpful"]
    return st.lists(st.tuples(st.sampled_from(names + keys), st.booleans()), min_size=1, max_size=4, unique_by=lambda each: each[0])


@pytest.mark.parametrize("kind", KINDS)
def test_rows_sort_as_a_naive_sort_would_and_tokens_keep_their_keys(kind: Kind):
    distinct = list({identity(row): row for row in pool(kind)}.values())

    @settings(max_examples=150, deadline=None)
    @given(wanted_orders(kind), st.sampled_from([",", ", ", " , "]), st.sampled_from(["", " asc"]))
    def check(wanted: list[tuple[str, bool]], comma: str, ascending: str) -> None:
        order = parse_order(comma.join(f"{name}{' desc' if is_descending else ascending}" for name, is_descending in wanted), kind)
        keys = {identity(row): order.key(row) for row in distinct}
        assert sorted(distinct, key=order.key) == sorted_naively(distinct, kind, wanted)
        assert [order.unpack(msgpack.unpackb(msgpack.packb(order.pack(key)))) for key in keys.values()] == list(keys.values())
        assert all(order.key(row)[:-1] == order.rank(row) for row in distinct)

    check()


@pytest.mark.parametrize(("kind", "field"), [(kind, field) for kind in KINDS for field in FIELDS[kind] if sortable(field)])
def test_rows_sort_by_every_field_both_ways(kind: Kind, field: Field[Any]):
    some = list({identity(row): row for row in pool(kind)}.values())[:40]
    for is_descending in (False, True):
        order = parse_order(f"{field.name}{' desc' * is_descending}", kind)
        assert sorted(some, key=order.key) == sorted_naively(some, kind, [(field.name, is_descending)])


TEXTS_IN_ORDER = ["", "\0", "\0\0", "a", "a\0", "a\0b", "aa", "ab", "a\x7f", "b", "ÿ", "Ω", "\uffff", "\U00010000", "\U0010ffff"]
LISTS_IN_ORDER = [("",), ("", ""), ("", "a"), ("a",), ("a", ""), ("a", "", "b"), ("a", "\U0010ffff"), ("a\0",), ("b",)]


@pytest.mark.parametrize(("field", "values"), [("name", TEXTS_IN_ORDER), ("tags", LISTS_IN_ORDER)], ids=["texts", "lists"])
def test_texts_and_lists_sort_by_code_point_both_ways(field: str, values: list[Any]):
    rows = [seen(turn(**{field: value})) for value in values]
    assert sorted(rows, key=parse_order(field, "trace").key) == rows
    assert sorted(rows, key=parse_order(f"{field} desc", "trace").key) == rows[::-1]


@pytest.mark.parametrize("kind", KINDS)
def test_without_words_rows_come_as_they_are_listed(kind: Kind):
    rows = list({identity(row): row for row in pool(kind)}.values())
    order = parse_order(" ", kind)
    assert sorted(rows, key=order.key) == sorted(rows, key=lambda row: place_of(row.summary), reverse=True)


@pytest.mark.parametrize("kind", KINDS)
def test_the_default_is_known_however_it_is_written(kind: Kind):
    default = DEFAULT[kind]
    written = ["", "  ", default, f" {default} ", default.replace("desc", "DESC")]
    assert [parse_order(text, kind).is_default for text in written] == [True] * 5
    others = [default.split()[0], f"{default.split()[0]} asc", f"{default}, project", f"project, {default}", "cost_usd desc"]
    assert [parse_order(text, kind).is_default for text in others] == [False] * 5


@pytest.mark.parametrize(
    ("kind", "text", "beyond"),
    [
        ("trace", "cost_usd, name", False),
        ("trace", "name, input_length", True),
        ("session", "state", True),
        ("trace", "output", True),
    ],
)
def test_an_order_tells_whether_a_row_itself_is_enough(kind: Kind, text: str, beyond: bool):
    assert parse_order(text, kind).looks_beyond is beyond


def test_texts_beside_the_row_are_sorted_by():
    said = [Text("b", 1), None, Text("a", 1)]
    rows = [seen(turn(number), texts=Texts(text)) for number, text in enumerate(said)]
    assert sorted(rows, key=parse_order("input", "trace").key) == [rows[2], rows[0], rows[1]]
    assert sorted(rows, key=parse_order("input desc", "trace").key) == [rows[0], rows[2], rows[1]]


@pytest.mark.parametrize(
    ("text", "piece", "position", "words"),
    [
        ("cots_usd", "cots_usd", 1, "did you mean cost_usd"),
        ("name, cots_usd desc", "cots_usd", 7, "did you mean cost_usd"),
        ("name,", "the end", 6, "a field is wanted"),
        (", name", ",", 1, "a field is wanted"),
        ("name,,span_count", ",", 6, "a field is wanted"),
        ("name up", "up", 6, "cost_usd desc, name"),
        ("name desc asc", "asc", 11, "can't follow"),
        ('name "desc"', "desc", 6, "can't follow"),
        ("-name", "-", 1, "a field is wanted"),
        ("name = a", "=", 6, "can't follow"),
        ("name, cost_usd, name desc", "name", 17, "second time"),
        ("name, metadata.a, metadata.a", "metadata.a", 19, "second time"),
        ("name, span_count, cost_usd, ttft_ms, models", "models", 38, "at most 4"),
        ("metadata", "metadata", 1, "metadata.KEY"),
        ("list_counts desc", "list_counts", 1, "list_counts.KEY"),
        ("list_counts.nothing", "nothing", 13, "no list"),
        ("name.a", "a", 6, "has no keys"),
        ("scores", "scores", 1, "scores.KEY"),
        ('"name"', "name", 1, "a field is wanted"),
        ("name " + "x" * 9000, "name " + "x" * 55 + "...", 8193, "at most 8,192"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_to_do(text: str, piece: str, position: int, words: str):
    with pytest.raises(Invalid) as caught:
        parse_order(text, "trace")
    assert caught.value.field == "order_by"
    assert f"order_by: {piece!r} at character {position} " in caught.value.message
    assert words in str(caught.value)


ABSENT = [1]
KEYED = parse_order("cost_usd, name desc, tags", "trace")


@pytest.mark.parametrize(
    "packed",
    [
        None,
        5,
        "abc",
        [],
        [ABSENT, ABSENT, ABSENT],
        [ABSENT, ABSENT, ABSENT, b"id", "more"],
        [ABSENT, ABSENT, ABSENT, "id"],
        [ABSENT, ABSENT, ABSENT, 5],
        [[], ABSENT, ABSENT, b"id"],
        [[1, 5], ABSENT, ABSENT, b"id"],
        [[0], ABSENT, ABSENT, b"id"],
        [[2, 5], ABSENT, ABSENT, b"id"],
        [[0, 5, 5], ABSENT, ABSENT, b"id"],
        [5, ABSENT, ABSENT, b"id"],
        [[0, "5"], ABSENT, ABSENT, b"id"],
        [[0, True], ABSENT, ABSENT, b"id"],
        [[0, 5.0], ABSENT, ABSENT, b"id"],
        [[0, None], ABSENT, ABSENT, b"id"],
        [ABSENT, [0, "text"], ABSENT, b"id"],
        [ABSENT, ABSENT, [0, "text"], b"id"],
        [ABSENT, ABSENT, [0, [b"text"]], b"id"],
        [ABSENT, ABSENT, [0, [["text"]]], b"id"],
    ],
)
def test_what_is_no_key_of_the_order_is_refused(packed: object):
    with pytest.raises(ValueError):  # noqa: PT011  (its text is the value, for nobody to read)
        KEYED.unpack(packed)
    assert KEYED.unpack([ABSENT, [0, b"text"], [0, ["text"]], b"id"]) == ((1,), (0, b"text"), (0, ("text",)), b"id")


def test_equal_rows_of_other_projects_differ():
    first, other = (seen(session._replace(project=project)) for session in [pool("session")[0].summary] for project in ("p", "q"))
    assert parse_order("name", "session").key(first) != parse_order("name", "session").key(other)
