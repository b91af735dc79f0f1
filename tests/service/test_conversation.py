"""What eight real emitters say was said, out of a store: the conversation that the scenario had, word for word."""

import json
import random
import re
from typing import Any

import pytest

from builders import DATA
from searched import words_of_entries, words_of_pieces
from sessiond.core.conversation.entry import Entry
from sessiond.core.spans.normalize import DEFAULT
from sessiond.service.conversation import added_by, transcript_of
from sessiond.service.receiving.decode import Decoder
from sessiond.service.searching.turn_pieces import pieces_of
from sessiond.storage.api import Store
from sessiond.storage.memory import MemoryStore

NAMES = sorted(path.parent.name for path in (DATA / "captures").glob("*/scenario.json"))
ARRIVAL = 1_795_500_000_000_000_000
"""Later than all of them, so that their times count as they were sent."""
MARKS = re.compile(r"\[(?:tool|cache|cachewrite|think)\] ")
"""By which a turn tells the server what to do; it leaves them out of its answer."""
TOOLS = {"strands": "get_weather_tool"}
WEATHER = '{"city": "Lisbon", "temp_c": 21, "sky": "sunny"}'
SYSTEM = ("system", "You are a terse weather assistant.", [])


def scenario(name: str) -> list[dict[str, Any]]:
    turns: list[dict[str, Any]] = json.loads((DATA / "captures" / name / "scenario.json").read_text())["turns"]
    return turns


def filled(name: str) -> Store:
    """A store that was sent the capture's requests in any order, and twice."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # noqa: T201  (so that a failure can be had again)
    files = sorted((DATA / "captures" / name).glob("*.traces.*.binpb")) * 2
    random.Random(seed).shuffle(files)
    store = MemoryStore()
    for file in files:
        for decoded in Decoder(DEFAULT).decode(file.read_bytes(), received_unix_nano=ARRIVAL, spans_max=10**6):
            store.append(decoded.traces)
    return store


def said_in(turn: dict[str, Any], tool: str) -> list[tuple[str, str, list[tuple[str, str, str | None, str | None]]]]:
    """(role, text, tools used) of each side in a turn, by the script that had it."""
    text = turn["text"]
    call = ("assistant", "", [(tool, '{"city": "Lisbon"}', WEATHER, None)])
    answer = ("assistant", f"The answer for '{MARKS.sub('', text)}' is: sunny, 21 degrees.", [])
    return [("user", text, []), *{"tool": [call, answer], "error": []}.get(turn["kind"], [answer])]


def shown(entry: Entry) -> tuple[str, str, list[tuple[str, str, str | None, str | None]]]:
    return entry.role, entry.text, [(use.name, use.arguments, use.result, use.error) for use in entry.tool_uses]


@pytest.mark.parametrize("name", NAMES)
def test_a_transcript_is_what_the_scenario_said_word_for_word(name: str):
    store, turns, tool = filled(name), scenario(name), TOOLS.get(name, "get_weather")
    for session in {turn["session"] for turn in turns}:
        of_session = [turn for turn in turns if turn["session"] == session]
        entries = [one for some in transcript_of(store, [bytes.fromhex(turn["trace_id"]) for turn in of_session]) for one in some]
        assert list(map(shown, entries)) == [SYSTEM, *(one for turn in of_session for one in said_in(turn, tool))]
        assert [entry.depth for entry in entries] == [0] * len(entries)


@pytest.mark.parametrize("name", NAMES)
def test_a_trace_alone_adds_its_turn_and_no_history(name: str):
    store = filled(name)
    for turn in scenario(name):
        added = added_by(store, bytes.fromhex(turn["trace_id"]))
        expected = [SYSTEM, *said_in(turn, TOOLS.get(name, "get_weather"))]
        assert list(map(shown, added.entries)) == expected
        assert words_of_pieces(pieces_of(store, added.trace_id)) == words_of_entries(added.entries)
        assert not added.is_cut


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_names_the_spans_that_it_is_read_from(name: str):
    store = filled(name)
    for turn in scenario(name):
        trace_id = bytes.fromhex(turn["trace_id"])
        # Of a call that failed Pydantic AI sends no text.
        teller = "agent" if (name, turn["kind"]) == ("pydantic_ai", "error") else "chat"
        ids = {facts.span_id: facts for facts in store.facts(trace_id)}
        for entry in added_by(store, trace_id).entries:
            assert entry.trace_id == trace_id
            assert ids[entry.span_id].operation == teller
            assert [ids[use.span_id].operation for use in entry.tool_uses] == ["tool"] * len(entry.tool_uses)


def test_an_unknown_trace_adds_nothing():
    assert added_by(MemoryStore(), bytes(16)).entries == ()
