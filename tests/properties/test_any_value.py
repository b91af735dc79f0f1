"""Whatever stands in an attribute: reading a span never fails, and gives what can be stored and sent."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from tries import examples

from builders import any_value, facts, request, span
from daemon import DEADLINE_SECONDS, Asker, Sender, parts
from sessiond.core.conventions import TABLE
from sessiond.core.conversation import heard
from sessiond.core.spans.normalize import DEFAULT
from sessiond.core.text.messages import INPUT, INSTRUCTIONS, OUTPUT
from sessiond.storage.packing import pack_facts, unpack_facts
from sessiond.wire._pb.v1 import session_service_pb2 as pb
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
            '{"\\udfff": ["\\ud800"], "model": "a\\ud800"}',
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


HALF = "half \ud83d"
SOURCES = (*INPUT, *OUTPUT, *INSTRUCTIONS)
TEXT_KEYS = {
    *(source.key for source in SOURCES if not source.events),
    *(f"{source.key}.0.{name}" for source in SOURCES for name in source.indexed),
}
TOOL_KEYS = {*heard.ARGUMENT_KEYS, *heard.RESULT_KEYS, *heard.CALL_ID_KEYS}
PARTS = (
    {"type": "text", "text": HALF},
    {"type": "tool_call", "id": HALF, "name": HALF, "arguments": {HALF: [HALF]}},
    {"type": "tool_call_response", "id": HALF, "response": {HALF: HALF}},
)
MESSAGES = [
    {"role": "user", "content": HALF},
    {"role": "assistant", "content": HALF, "tool_calls": [{"id": HALF, "function": {"name": HALF, "arguments": HALF}}]},
    {"role": "tool", "tool_call_id": HALF, "content": [HALF]},
    *({"role": role, "parts": PARTS} for role in ("user", "assistant")),
]


def halves_at(paths: Iterable[str]) -> dict[str, Any]:
    """An object with half a character at each path, and in a name and a value beside them."""
    found: dict[str, Any] = {HALF: HALF}
    for path in paths:
        *above, last = path.split(".")
        inner = found
        for name in above:
            inner = inner.setdefault(name, {HALF: HALF})
        inner[last] = HALF
    return found


def spans_with_halves() -> list[Span]:
    """A span and a trace for each key under which JSON may stand, so that no better key hides it, and for each shape."""
    paths = {key: [row.path for rows in TABLE.values() for row in rows if row.key == key and row.path] for key in KEYS}
    carried: list[tuple[str, dict[str, Any]]] = []
    for value in (HALF, [HALF, {HALF: HALF}], MESSAGES):
        held = {key: json.dumps(value) for key in sorted({*KEYS, *TEXT_KEYS, *TOOL_KEYS})}
        carried += [("chat", {key: said}) for key, said in held.items()]
        carried += [("execute_tool", {key: held[key]}) for key in sorted(TOOL_KEYS)]
        events = [(name, {source.key: json.dumps(value)}) for source in SOURCES for name in source.events]
        carried += [("chat", {"events": [(name, 1, values)]}) for name, values in events]
    carried += [("chat", {key: json.dumps(halves_at(held))}) for key, held in paths.items()]
    return [
        span(trace=at, id=at, operation=operation, session=f"s{at % 9}", **values)
        for at, (operation, values) in enumerate(carried, 1)
    ]


def test_half_a_character_in_the_json_of_any_attribute_is_stored_and_told(tmp_path: Path):
    spans = spans_with_halves()
    with parts(tmp_path / "data") as run, Sender(run.receiver.address) as sender, Asker(run.query.address) as asker:
        assert not sender.export(request(*spans)).HasField("partial_success")
        assert asker.status().span_count == len(asker.traces()) == len(spans)
        entries = []
        for one in asker.sessions():
            asked = pb.GetSessionRequest(session_id=one.session_id, project=one.project, view=pb.SESSION_VIEW_FULL)
            entries += [entry for told in asker.api.GetSession(asked, timeout=DEADLINE_SECONDS) for entry in told.transcript]
        uses = [use for entry in entries for use in entry.tool_uses]
        assert {"half ?"} <= {entry.text for entry in entries} & {use.name for use in uses} & {use.call_id for use in uses}
        for built in spans[-len(KEYS) :]:  # the objects, out of which most facts come
            assert asker.trace(built.trace_id)
            assert list(asker.api.Explain(pb.ExplainRequest(trace_id=built.trace_id.hex()), timeout=DEADLINE_SECONDS))
