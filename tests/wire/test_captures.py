"""Real exports of eight instrumentations come to what a person who watched the conversations would expect."""

import json
import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from builders import ARRIVAL, DATA, PRICES, by_trace
from sessiond.core.figures import session, trace, user
from sessiond.core.model import ReceivedSpan, SessionKey, SessionSummary, TraceSummary, UserKey
from sessiond.wire import otlp

SEEDS = range(5)


class Capture(NamedTuple):
    """The files of one instrumentation's exports, in order, and what is expected of them."""

    name: str
    files: list[Path]
    manifest: dict[str, Any]


def captures() -> Iterator[Capture]:
    for folder in sorted(path.parent for path in (DATA / "captures").glob("*/manifest.json")):
        manifest = json.loads((folder / "manifest.json").read_text())
        yield Capture(folder.name, [folder / one["file"] for one in manifest["files"]], manifest)


CAPTURES = list(captures())


each_capture = pytest.mark.parametrize("capture", CAPTURES, ids=lambda one: one.name)

# Langfuse 3 has one key for the model, and writes the one that answered over the one that was asked for.
each_capture_that_tells_what_was_asked_for = pytest.mark.parametrize(
    "capture", [one for one in CAPTURES if one.name != "langfuse_v3"], ids=lambda one: one.name
)

PARTS = ("cache_read_tokens", "cache_write_tokens", "reasoning_tokens")


def decoded(path: Path) -> list[ReceivedSpan]:
    batches = list(otlp.decode(path.read_bytes(), received_unix_nano=ARRIVAL, spans_max=10**6))
    assert [rejection for batch in batches for rejection in batch.rejections] == []
    return [one for batch in batches for one in batch.spans]


def turns(spans: list[ReceivedSpan]) -> list[TraceSummary]:
    return [trace.summarize(trace_id, facts, PRICES) for trace_id, facts in by_trace(spans).items()]


def sessions(traces: list[TraceSummary]) -> dict[str, SessionSummary]:
    members: dict[str, list[TraceSummary]] = defaultdict(list)
    for one in traces:
        if one.session_id is not None:
            members[one.session_id].append(one)
    return {session_id: session.summarize(SessionKey("default", session_id), members[session_id]) for session_id in members}


def spans_of(capture: Capture) -> list[ReceivedSpan]:
    return [one for path in capture.files for one in decoded(path)]


def test_all_eight_captures_are_here():
    assert len(CAPTURES) == 8


@each_capture
def test_sessions_are_the_conversations_that_were_held(capture: Capture):
    spans = spans_of(capture)
    found = sessions(turns(spans))
    expected = capture.manifest["expected"]
    assert len(spans) == expected["spans_in_payload"]
    assert len(by_trace(spans)) == expected["traces_in_payload"]
    assert {
        one.session_id: {
            "user_id": one.user_id,
            "traces": one.trace_count,
            "llm_calls": one.llm_call_count,
            "tool_runs": one.tool_call_count,
            "failed_turns": one.failed_trace_count,
            "failed_llm_calls": one.failed_call_count,
            "spans": one.span_count,
        }
        for one in found.values()
    } == {
        row["session_id"]: {
            name: row[name] for name in ("user_id", "traces", "llm_calls", "tool_runs", "failed_turns", "failed_llm_calls", "spans")
        }
        for row in expected["session_table"]
    }


@each_capture
def test_models_are_those_that_answered(capture: Capture):
    silent = any("no response model" in gap for gap in capture.manifest["emitter_gaps"])
    found = sessions(turns(spans_of(capture)))
    assert {each: one.models for each, one in found.items()} == {
        row["session_id"]: tuple(row["request_models" if silent else "response_models"])
        for row in capture.manifest["expected"]["session_table"]
    }


@each_capture_that_tells_what_was_asked_for
def test_requested_models_are_those_that_were_asked_for(capture: Capture):
    found = sessions(turns(spans_of(capture)))
    assert {each: one.request_models for each, one in found.items()} == {
        row["session_id"]: tuple(row["request_models"]) for row in capture.manifest["expected"]["session_table"]
    }


@each_capture
def test_tokens_are_those_that_the_servers_ledger_shows(capture: Capture):
    found = sessions(turns(spans_of(capture)))
    for row in capture.manifest["expected"]["session_table"]:
        usage = found[row["session_id"]].usage
        assert (usage.input_tokens, usage.output_tokens) == (row["input_tokens"], row["output_tokens"])
        told = {name: count for name, count in usage._asdict().items() if name in PARTS and count is not None}
        assert told == {name: row[name] for name in told}


@each_capture
def test_each_turn_is_what_it_was(capture: Capture):
    found = {one.trace_id.hex(): one for one in turns(spans_of(capture))}
    for turn in capture.manifest["turns"]:
        (trace_id,) = turn["trace_ids"]
        one = found[trace_id]
        assert (one.session_id, one.user_id, one.llm_call_count, one.tool_call_count, one.error_count > 0, one.root_missing) == (
            turn["session"],
            turn["user"],
            turn["llm_calls"],
            turn["tool_runs"],
            turn["error"],
            not turn["on_wire"]["root_present"],
        )
        if not turn["error"]:
            assert (one.usage.input_tokens, one.usage.output_tokens) == (turn["input_tokens"], turn["output_tokens"])


@each_capture
def test_users_have_the_turns_that_were_theirs(capture: Capture):
    traces = turns(spans_of(capture))
    for row in capture.manifest["expected"]["session_table"]:
        theirs = [one for one in traces if one.user_id == row["user_id"]]
        found = user.summarize(UserKey("default", row["user_id"]), theirs)
        assert (found.session_count, found.trace_count, found.failed_trace_count) == (1, row["traces"], row["failed_turns"])
    assert sorted({one.user_id or "" for one in traces}) == capture.manifest["expected"]["users"]


@each_capture
@pytest.mark.parametrize("seed", SEEDS)
def test_figures_do_not_depend_on_the_order_of_files_or_spans(capture: Capture, seed: int):
    chance = random.Random(seed)
    files = [decoded(path) for path in chance.sample(capture.files, len(capture.files))]
    spans = [one for each in files for one in chance.sample(each, len(each))]
    in_order = turns(spans_of(capture))
    assert {one.trace_id: one for one in turns(spans)} == {one.trace_id: one for one in in_order}
    assert sessions(turns(spans)) == sessions(in_order)


def test_all_captures_together_are_what_each_is_alone():
    spans = [one for capture in CAPTURES for one in spans_of(capture)]
    random.Random(0).shuffle(spans)
    alone = {key: one for capture in CAPTURES for key, one in sessions(turns(spans_of(capture))).items()}
    assert sessions(turns(spans)) == alone
    assert len(alone) == 16
