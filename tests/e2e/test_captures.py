"""Requests of eight real instrumentations, sent through the port in any order and twice: what a person would expect comes out."""

import json
import random
import re
from collections import Counter
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from daemon import Daemon
from sessiond.wire._pb.v1 import admin_service_pb2 as admin_pb
from sessiond.wire._pb.v1 import session_service_pb2 as pb
from sessiond.wire._pb.v1.conversation_pb2 import TranscriptEntry
from sessiond.wire._pb.v1.resources_pb2 import STATUS_ERROR, Session, Span, Trace

CAPTURES = sorted(path.parent for path in (Path(__file__).parents[1] / "data" / "captures").glob("*/manifest.json"))

TTFT_MS_MAX_OFF = 50
"""Between the server's clock, which starts with a request, and an emitter's, which starts with a call."""
COST_MAX_OFF = 0.02

SILENT: Final[dict[str, dict[str, str]]] = {
    "otel_openai_v2": {
        "cache_read_tokens": "cached tokens are not sent (emitter_gaps)",
        "cost_usd": "so the whole input is priced as if none was cached: 2.4 % and 7.8 % above the list price (emitter_gaps)",
        "reasoning_tokens": "no attribute holds them",
    },
    "strands": {
        "models": "no response model is sent; the request model stands in (emitter_gaps)",
        "reasoning_tokens": "no attribute holds them",
    },
    "langfuse_v3": {
        "request_models": "its attribute for a model holds the one that answered; only of a failed call the requested one",
    },
}
"""What an emitter does not say, and so nobody can know: field -> why."""

UNCACHED_COST_MAX_OFF = 0.08
FIRST_CALL_SET_UP_MS_MAX: Final = {"strands": 750}
"""The first call of the process includes about 0.7 s of client set-up in its time to first token (emitter_gaps)."""

SYSTEM = "You are a terse weather assistant."
MARKS = re.compile(r"\[(?:tool|cache|cachewrite|think)\] ")
"""By which a turn tells the server what to do; it leaves them out of its answer."""


def send_shuffled_and_twice(daemon: Daemon, captures: list[Path]) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # noqa: T201  (so that a failure can be had again)
    files = [file for capture in captures for file in sorted(capture.glob("*.traces.*.binpb"))] * 2
    random.Random(seed).shuffle(files)
    with daemon.sender() as sender:
        answers = [sender.export(file.read_bytes()) for file in files]
    assert [answer.partial_success.rejected_spans for answer in answers] == [0] * len(files)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Daemon:
    with Daemon.start(tmp_path_factory.mktemp("captures")) as daemon:
        send_shuffled_and_twice(daemon, CAPTURES)
        yield daemon


class Held(NamedTuple):
    """What the daemon holds of a capture, beside what its maker knows of it."""

    name: str
    manifest: dict[str, Any]
    scenario: dict[str, Any]
    sessions: dict[str, Session]
    traces: dict[str, Trace]
    spans: dict[str, list[Span]]
    """Of each trace."""

    @property
    def rows(self) -> dict[str, dict[str, Any]]:
        """What is expected of each session."""
        return {row["session_id"]: row for row in self.manifest["expected"]["session_table"]}

    @property
    def turns(self) -> list[tuple[dict[str, Any], dict[str, Any], Trace]]:
        """Each turn as the manifest and the scenario tell it, and its trace."""
        told = zip(self.manifest["turns"], self.scenario["turns"], strict=True)
        return [(turn, script, self.traces[script["trace_id"]]) for turn, script in told]

    def can_know(self, field: str) -> bool:
        return field not in SILENT.get(self.name, {})


@pytest.fixture(scope="module", params=CAPTURES, ids=lambda path: path.name)
def held(filled: Daemon, request: pytest.FixtureRequest) -> Held:
    manifest, scenario = (json.loads((request.param / f"{name}.json").read_text()) for name in ("manifest", "scenario"))
    with filled.asker() as asker:
        found = [asker.session(row["session_id"]) for row in manifest["expected"]["session_table"]]
        traces = {trace.trace_id: trace for _, traces in found for trace in traces}
        spans = {
            trace_id: [span for message in asker.trace(bytes.fromhex(trace_id)) for span in message.spans] for trace_id in traces
        }
    return Held(request.param.name, manifest, scenario, {one.session_id: one for one, _ in found}, traces, spans)


def known(message: Session | Trace, field: str) -> Any:
    return getattr(message, field) if message.HasField(field) else None


def test_sessions_and_their_counts_are_those_of_the_conversations(held: Held) -> None:
    expected = held.manifest["expected"]
    assert {
        name: {
            "user_id": one.user_id,
            "users": list(one.user_ids),
            "traces": one.trace_count,
            "spans": one.span_count,
            "llm_calls": one.llm_call_count,
            "tool_runs": one.tool_call_count,
            "failed_turns": one.failed_trace_count,
            "failed_llm_calls": one.failed_call_count,
        }
        for name, one in held.sessions.items()
    } == {
        name: {
            "users": [row["user_id"]],
            **{each: row[each] for each in ("user_id", "traces", "spans", "llm_calls", "tool_runs")},
            **{each: row[each] for each in ("failed_turns", "failed_llm_calls")},
        }
        for name, row in held.rows.items()
    }
    assert (len(held.sessions), len(held.traces)) == (expected["sessions"], expected["traces"])
    assert sum(map(len, held.spans.values())) == expected["spans_in_payload"]


def test_models_are_those_that_answered_and_those_that_were_asked_for(held: Held) -> None:
    for name, row in held.rows.items():
        answered, asked = row["response_models"], row["request_models"]
        assert list(held.sessions[name].models) == (answered if held.can_know("models") else asked)
        if held.can_know("request_models"):
            assert list(held.sessions[name].request_models) == asked
        else:
            assert list(held.sessions[name].request_models) == answered + asked * row["failed_llm_calls"]


def test_tokens_are_those_of_the_servers_ledger(held: Held) -> None:
    parts = ("cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
    for expected, message in [
        *((row, held.sessions[name]) for name, row in held.rows.items()),
        *((turn, trace) for turn, _, trace in held.turns if not turn["error"]),
    ]:
        whole = ("input_tokens", "output_tokens", "total_tokens")
        assert {name: known(message, name) for name in whole} == {name: expected[name] for name in whole}
        for part in parts:
            if not held.can_know(part):
                assert known(message, part) is None
            elif expected[part] or known(message, part) is not None:  # none used may be told as 0 or not at all
                assert known(message, part) == expected[part]


def test_costs_are_the_list_prices(held: Held) -> None:
    most = COST_MAX_OFF if held.can_know("cost_usd") else UNCACHED_COST_MAX_OFF
    messages = [(row["list_price_usd"], held.sessions[name]) for name, row in held.rows.items()]
    if held.can_know("cost_usd"):
        messages += [(turn["list_price_usd"], trace) for turn, _, trace in held.turns if not turn["error"]]
    for list_price_usd, message in messages:
        assert known(message, "cost_usd") == pytest.approx(list_price_usd, rel=most)
        assert message.cost_usd == pytest.approx(message.cost_reported_usd + message.cost_estimated_usd)
        assert message.unpriced_call_count == 0
    assert [trace.cost_usd for turn, _, trace in held.turns if turn["error"]] == [0]


def test_a_turn_waited_for_its_first_token_as_the_server_made_it_wait(held: Held) -> None:
    is_sent = held.manifest["ttft_on_wire"] is not None
    set_up_ms = FIRST_CALL_SET_UP_MS_MAX.get(held.name, 0)
    for turn, script, trace in held.turns:
        waits = [call["ttft_first_content"] for call in script["llm_calls"] if "ttft_first_content" in call]
        assert trace.HasField("ttft_ms") == bool(is_sent and waits)
        if trace.HasField("ttft_ms"):
            assert 0 <= trace.ttft_ms - 1000 * waits[0] <= TTFT_MS_MAX_OFF + set_up_ms
            set_up_ms = 0
        assert trace.HasField("ttft_ms") <= turn["streaming"]


def test_a_session_tells_of_the_waits_of_its_turns(held: Held) -> None:
    for name, session in held.sessions.items():
        traces = [trace for turn, _, trace in held.turns if turn["session"] == name]
        waits = [trace.ttft_ms for trace in traces if trace.HasField("ttft_ms")]
        assert session.ttft_count == len(waits)
        assert known(session, "ttft_first_ms") == known(traces[0], "ttft_ms")
        assert known(session, "ttft_max_ms") == max(waits, default=None)
        assert session.HasField("ttft_ms") == bool(waits)
        assert not waits or min(waits) <= session.ttft_ms <= max(waits)


def test_each_turn_is_what_it_was(held: Held) -> None:
    for turn, script, trace in held.turns:
        tools = list(dict.fromkeys(call["tool_call"] for call in script["llm_calls"] if call.get("tool_call")))
        assert (trace.session_id, trace.user_id, trace.span_count) == (turn["session"], turn["user"], turn["on_wire"]["spans"])
        assert (trace.llm_call_count, trace.tool_call_count, list(trace.tools)) == (turn["llm_calls"], turn["tool_runs"], tools)
        assert (trace.status == STATUS_ERROR, trace.failed_call_count) == (turn["error"], int(turn["error"]))
        assert trace.root_missing is not turn["on_wire"]["root_present"]


def test_a_turns_counted_spans_are_its_calls(held: Held) -> None:
    for turn, _, trace in held.turns:
        counted = [span for span in held.spans[trace.trace_id] if span.counted]
        assert len(counted) == turn["llm_calls"]
        assert sum(span.cost_usd for span in counted) == pytest.approx(trace.cost_usd)


def test_texts_are_what_was_said(held: Held) -> None:
    answers = {}
    for _, script, trace in held.turns:
        said, failed = script["text"], script["kind"] == "error"
        answers[trace.trace_id] = None if failed else f"The answer for '{MARKS.sub('', said)}' is: sunny, 21 degrees."
        assert (known(trace, "input"), known(trace, "input_length")) == (said, len(said))
        assert known(trace, "output") == answers[trace.trace_id]
        assert known(trace, "output_length") == (None if failed else len(answers[trace.trace_id] or ""))
    for name, session in held.sessions.items():
        turns = [(script["text"], answers[trace.trace_id]) for turn, script, trace in held.turns if turn["session"] == name]
        assert (known(session, "input"), known(session, "output")) == (turns[0][0], turns[-1][1])


def test_a_transcript_is_what_was_said(filled: Daemon, held: Held) -> None:
    roles = TranscriptEntry.Role
    for name in held.sessions:
        with filled.asker() as asker:
            answers = asker.api.GetSession(pb.GetSessionRequest(session_id=name, view=pb.SESSION_VIEW_FULL), timeout=20)
            told = [entry for answer in answers for entry in answer.transcript]
        expected = [(roles.Value("ROLE_SYSTEM"), SYSTEM)]
        for turn, script, _ in held.turns:
            if turn["session"] == name:
                expected.append((roles.Value("ROLE_USER"), script["text"]))
                expected += [(roles.Value("ROLE_ASSISTANT"), "")] * turn["tool_runs"]
                answer = f"The answer for '{MARKS.sub('', script['text'])}' is: sunny, 21 degrees."
                expected += [] if turn["error"] else [(roles.Value("ROLE_ASSISTANT"), answer)]
        assert [(entry.role, entry.text) for entry in told] == expected
        uses = [use for entry in told for use in entry.tool_uses]
        assert [(json.loads(use.arguments), json.loads(use.result)["sky"]) for use in uses] == [
            ({"city": "Lisbon"}, "sunny")
        ] * len(uses)
        assert len(uses) == sum(turn["tool_runs"] for turn, _, _ in held.turns if turn["session"] == name)


def test_users_have_what_all_emitters_tell_of_them(filled: Daemon) -> None:
    rows = [row for one in CAPTURES for row in json.loads((one / "manifest.json").read_text())["expected"]["session_table"]]
    names = {"session_count": "sessions", "trace_count": "traces", "failed_trace_count": "failed_turns"}
    for user_id in {row["user_id"] for row in rows}:
        theirs = [{**row, "sessions": 1} for row in rows if row["user_id"] == user_id]
        with filled.asker() as asker:
            user = asker.api.GetUser(pb.GetUserRequest(user_id=user_id))
        assert {name: getattr(user, name) for name in (*names, "input_tokens", "output_tokens", "total_tokens")} == {
            name: sum(row[names.get(name, name)] for row in theirs)
            for name in (*names, "input_tokens", "output_tokens", "total_tokens")
        }
        assert user.cost_usd == pytest.approx(sum(row["list_price_usd"] for row in theirs), rel=COST_MAX_OFF)


def test_nothing_is_wrong_with_what_is_stored(filled: Daemon) -> None:
    with filled.asker() as asker:
        checked = list(asker.admin.Check(admin_pb.CheckRequest()))
    assert [problem for one in checked for problem in one.problems] == []
    assert checked[-1].outdated_trace_count == 0


def test_all_captures_together_are_counted_once(filled: Daemon) -> None:
    manifests = [json.loads((capture / "manifest.json").read_text())["expected"] for capture in CAPTURES]
    total = Counter({key: sum(one[key] for one in manifests) for key in ("sessions", "traces_in_payload", "spans_in_payload")})
    with filled.asker() as asker:
        assert len(asker.sessions()) == total["sessions"]
        assert len(asker.traces()) == total["traces_in_payload"]
        status = asker.status()
    assert (status.session_count, status.trace_count, status.span_count, status.user_count) == (
        total["sessions"],
        total["traces_in_payload"],
        total["spans_in_payload"],
        len({user for one in manifests for user in one["users"]}),
    )
    spans = total["spans_in_payload"]
    assert (status.accepted_span_count, status.duplicate_span_count, status.conflicting_span_count) == (spans, spans, 0)
