"""`sessiond traces` and `sessiond trace`."""

import json

import grpc
import pytest

from client.canned import MOMENT, TRACE_ID, Canned, span, trace
from sessiond.cli.output import Layout, drawn
from sessiond.cli.tree import LEVELS_MAX, LINES_MAX, Line, outline, span_tree
from sessiond.client.rows import row, trace_row
from sessiond.core.rows.fields import TRACE_FIELDS
from sessiond.wire._pb.v1.resources_pb2 import STATUS_ERROR
from sessiond.wire._pb.v1.session_service_pb2 import RawSpan, StreamTracesRequest

CHAIN = [span(number, parent=number - 1) for number in range(1, 30_001)]


def test_json_has_every_field_of_the_table(run_json):
    rows = run_json(Canned(traces=[trace(), trace("f" * 32, session_id="s1")]), "traces")
    assert rows == [trace_row(trace()), trace_row(trace("f" * 32, session_id="s1"))]
    assert [list(row) for row in rows] == [[field.name for field in TRACE_FIELDS]] * 2


def test_a_filter_and_an_order_reach_the_daemon(run):
    canned = Canned(traces=[trace()])
    assert run(canned, "traces", "--filter", "status = error", "--order-by", "duration_ms desc").exit_code == 0
    assert canned.asked == [StreamTracesRequest(filter="status = error", order_by="duration_ms desc")]


def test_an_id_is_shown_whole_and_an_error_by_its_type(run):
    canned = Canned(traces=[trace(session_id="chat-1", status=STATUS_ERROR, error_type="RateLimit", error_message="slow down")])
    header, line = run(canned, "traces").stdout.splitlines()
    assert header.split() == "STARTED TRACE SESSION NAME DURATION LLM CALLS TOKENS IN / OUT COST FIRST TOKEN MODELS STATUS".split()  # noqa: SIM905
    assert line.split()[2:] == [TRACE_ID, "chat-1", "ask", "0", "ms", "0", "-", "/", "-", "-", "-", "-", "RateLimit"]


def test_no_trace_says_what_to_do(run):
    assert run(Canned(), "traces").stderr == ("No traces yet. Send spans to the OTLP address that `sessiond status` shows.\n")


def test_a_trace_is_its_figures_and_its_spans_as_a_tree(run):
    spans = [
        span(1, name="turn", operation="agent", duration_ms=1500),
        span(
            2,
            parent=1,
            name="chat gpt-5",
            operation="chat",
            duration_ms=412,
            request_model="gpt-5",
            input_tokens=1200,
            output_tokens=3,
        ),
        span(3, parent=2, name="POST", duration_ms=400, status=STATUS_ERROR, error_type="Timeout", error_message="gone"),
        span(4, parent=1, name="search", operation="tool", duration_ms=0.25),
    ]
    result = run(Canned(traces=[trace(duration_ms=1500)], spans=spans), "trace", TRACE_ID)
    assert (result.exit_code, result.stderr) == (0, "")
    figures, tree = result.stdout.split("\n\n")
    assert figures.splitlines()[0].split() == ["trace", TRACE_ID]
    assert tree.splitlines() == [
        "4 spans",
        "└── turn  agent  1.5 s",
        "    ├── chat gpt-5  chat  412 ms  1,200 / 3 tokens  gpt-5",
        "    │   └── POST  other  400 ms  error: Timeout: gone",
        "    └── search  tool  0.25 ms",
    ]


def test_json_of_a_trace_is_the_trace_and_then_a_line_a_span(run_json):
    spans = [span(1), span(2, parent=1, start_time=MOMENT)]
    rows = run_json(Canned(traces=[trace()], spans=spans), "trace", TRACE_ID)
    assert rows == [trace_row(trace()), *map(row, spans)]


def test_raw_is_a_line_a_span_in_base64(run):
    raw = [RawSpan(resource=b"\xff", span=b"\x00"), RawSpan(span=b"\x01")]
    result = run(Canned(traces=[trace()], raw_spans=raw), "trace", TRACE_ID, "--raw")
    absent = {"resource": "", "resource_schema_url": "", "scope": "", "scope_schema_url": "", "received_time": None}
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        absent | {"resource": "/w==", "span": "AA=="},
        absent | {"span": "AQ=="},
    ]


def test_an_id_that_is_none_exits_with_2(run):
    canned = Canned(failure=(grpc.StatusCode.INVALID_ARGUMENT, "trace_id: 'x' must be 32 hexadecimal digits"))
    result = run(canned, "trace", "x")
    assert (result.exit_code, result.stderr) == (2, "sessiond: trace_id: 'x' must be 32 hexadecimal digits\n")


def test_a_chain_of_30_000_spans_is_outlined_to_its_end():
    lines = list(outline(CHAIN))
    assert (len(lines), lines[0], lines[-1]) == (30_000, Line(CHAIN[0], 1), Line(CHAIN[-1], 30_000))


def test_a_deep_trace_is_flattened_and_cut():
    lines = drawn(span_tree(CHAIN), Layout()).splitlines()
    assert (len(lines), lines[0], lines[-1]) == (LINES_MAX + 2, "30,000 spans", "└── 29,000 spans more; --json shows all")
    assert lines[LEVELS_MAX : LEVELS_MAX + 2] == [
        f"│{' ' * (4 * LEVELS_MAX - 5)}├── span {LEVELS_MAX}  other  0 ms",
        f"│{' ' * (4 * LEVELS_MAX - 5)}├── depth {LEVELS_MAX + 1}  span {LEVELS_MAX + 1}  other  0 ms",
    ]


def test_a_cycle_and_an_orphan_are_roots():
    spans = [span(1, parent=2), span(2, parent=1), span(3, parent=9)]
    assert [(line.span.span_id[-1], line.depth) for line in outline(spans)] == [("1", 1), ("2", 2), ("3", 1)]


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_what_a_span_says_never_steers_the_terminal(run, arguments):
    hostile = "\x1b]0;x\x07\x9b1m\x7f[red]"
    spans = [span(1, name=hostile, status=STATUS_ERROR, error_message=hostile, request_model=hostile, operation=hostile)]
    output = run(Canned(traces=[trace(name=hostile, error_message=hostile)], spans=spans), "trace", TRACE_ID, *arguments).output
    assert all(letter.isprintable() or letter == "\n" for letter in output)
    assert "[red]" in output
