"""Whatever stands in an attribute: reading a span never fails, and gives what can be stored."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tries import examples

from builders import any_value, facts, span
from sessiond.core.conventions import TABLE
from sessiond.core.spans.normalize import DEFAULT
from sessiond.storage.packing import pack_facts, unpack_facts
from sessiond.wire.spans import read_span
from sessiond.wire.values import Attributes

KEYS = sorted(
    {row.key + ("name" if row.place == "prefix" else "") for rows in TABLE.values() for row in rows if row.place != "event"}
    | {row.key for rows in TABLE.values() for row in rows if row.place == "span"}
)
EVENTS = sorted({row.key for rows in TABLE.values() for row in rows if row.place == "event"})

SCALARS = (
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text(max_size=20)
    | st.binary(max_size=5)
    | st.sampled_from(
        [
            '"',
            '""',
            "{",
            "[",
            '{"a":',
            "{'a': ",
            '{"input": NaN}',
            '{"total": 1e999}',
            '{"session_id": "\\ud800"}',
            "1e999",
            "\x1b[1m",
        ]
    )
)
PATHS = sorted({name for rows in TABLE.values() for row in rows for name in row.path.split(".") if name})
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(PATHS) | st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
ATTRIBUTES = st.dictionaries(st.sampled_from(KEYS), VALUES | VALUES.map(repr), max_size=8)


@settings(deadline=None, max_examples=examples(300))
@given(ATTRIBUTES, st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(0, 100), ATTRIBUTES), max_size=3))
def test_a_span_of_any_values_gives_facts_that_can_be_stored_and_sources(attributes: dict[str, Any], events: list[Any]):
    built = span(events=events)
    for key, value in attributes.items():
        built.attributes.add(key=key, value=any_value(value))
    (found,) = facts(built, scope="litellm")
    assert unpack_facts(pack_facts([found])) == [found]
    view = read_span(built.SerializeToString())
    assert view is not None
    for source in DEFAULT.sources(view, Attributes(()), "litellm"):
        assert source.key
        assert isinstance(source.value_text, str)


@settings(deadline=None)
@given(ATTRIBUTES)
def test_the_order_of_keys_on_the_wire_does_not_matter(attributes: dict[str, Any]):
    one, other = span(id=1), span(id=1)
    for key, value in attributes.items():
        one.attributes.add(key=key, value=any_value(value))
    for key, value in reversed(attributes.items()):
        other.attributes.add(key=key, value=any_value(value))
    assert facts(one) == facts(other)
