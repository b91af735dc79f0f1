"""An application with the OpenTelemetry SDK and its OTLP exporter: its sessions come out over gRPC and on the command line."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.timestamp_pb2 import Timestamp
from grpc import Compression
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer, set_span_in_context

from daemon import Asker, Daemon, sessiond
from sessiond.client.rows import row, session_row, trace_row
from sessiond.wire._pb.v1 import session_service_pb2 as pb

MS = 10**6


@contextmanager
def application(daemon: Daemon, compression: Compression = Compression.NoCompression) -> Iterator[Tracer]:
    """A tracer whose spans have all been exported when the block ends."""
    exporter = OTLPSpanExporter(endpoint=daemon.otlp_grpc, insecure=True, compression=compression)
    provider = TracerProvider(resource=Resource.create({"service.name": "shop"}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    try:
        yield provider.get_tracer("shop.agent", "1.0")
        assert provider.force_flush()
    finally:
        provider.shutdown()


def work(tracer: Tracer, begin: int, steps: list[tuple[Any, ...]], **shared: str) -> str:
    """A turn: spans of (depth, name, start ms, end ms, attributes, error), each inside the one before it of a lesser depth."""
    open_spans: list[Any] = []
    ends: list[int] = []

    def close(depth: int) -> None:
        while len(open_spans) > depth:
            open_spans.pop().end(ends.pop())

    for depth, name, start, end, attributes, error in steps:
        close(depth)
        context = set_span_in_context(open_spans[-1]) if open_spans else None
        keys = {**({key.replace("__", "."): value for key, value in shared.items()} if depth == 0 else {}), **attributes}
        span = tracer.start_span(name, context, SpanKind.CLIENT if depth else SpanKind.SERVER, keys, start_time=begin + start * MS)
        if error is not None:
            span.record_exception(error, timestamp=begin + end * MS)
            span.set_status(Status(StatusCode.ERROR, str(error)))
        open_spans.append(span)
        ends.append(begin + end * MS)
    trace = format(open_spans[0].get_span_context().trace_id, "032x")
    close(0)
    return trace


def chat(model: str, tokens_in: int, tokens_out: int) -> dict[str, Any]:
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": model,
        "gen_ai.response.model": f"{model}-2026",
        "gen_ai.usage.input_tokens": tokens_in,
        "gen_ai.usage.output_tokens": tokens_out,
    }


def converse(tracer: Tracer, begin: int) -> tuple[str, str]:
    """A conversation of two turns, the second of which fails, and one of another user; the turns' trace ids."""
    first = work(
        tracer,
        begin,
        [
            (0, "turn", 0, 900, {}, None),
            (1, "invoke_agent seller", 10, 890, {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "seller"}, None),
            (2, "chat gpt", 20, 320, chat("gpt", 100, 20), None),
            (2, "execute_tool", 330, 430, {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "stock"}, None),
            (2, "chat gpt", 440, 640, chat("gpt", 150, 30), None),
        ],
        session__id="conversation",
        user__id="ada",
    )
    second = work(
        tracer,
        begin + 10_000 * MS,
        [
            (0, "turn", 0, 300, {}, None),
            (
                1,
                "execute_tool",
                10,
                60,
                {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "pay"},
                ValueError("no money"),
            ),
            (1, "chat gpt", 70, 270, chat("gpt", 200, 10), None),
        ],
        session__id="conversation",
        user__id="ada",
    )
    work(tracer, begin, [(0, "turn", 0, 5, {}, None)], session__id="other", user__id="bob")
    return first, second


def at(unix_nano: int) -> str:
    time_then = Timestamp()
    time_then.FromNanoseconds(unix_nano)
    return str(time_then.ToJsonString())


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
def test_a_conversation_sent_by_the_sdk_comes_out_with_its_figures(daemon: Daemon, compression: Compression) -> None:
    begin = time.time_ns() // MS * MS - 60_000 * MS
    with application(daemon, compression) as tracer:
        first, second = converse(tracer, begin)
    with daemon.asker() as asker:
        session, traces = asker.session("conversation")
        row = MessageToDict(session, preserving_proto_field_name=True)
        assert begin < Timestamp.ToNanoseconds(session.last_activity_time) < time.time_ns()
        del row["last_activity_time"]
        assert row == {
            "project": "default",
            "session_id": "conversation",
            "user_id": "ada",
            "user_ids": ["ada"],
            "name": "turn",
            "start_time": at(begin),
            "end_time": at(begin + 10_300 * MS),
            "wall_duration_ms": 10_300.0,
            "duration_ms": 1200.0,
            "llm_duration_ms": 700.0,
            "trace_duration_p50_ms": 600.0,
            "trace_duration_p95_ms": 870.0,
            "trace_duration_max_ms": 900.0,
            "input_tokens": "450",
            "output_tokens": "60",
            "total_tokens": "510",
            "ttft_count": "0",
            "unpriced_call_count": "3",
            "models": ["gpt-2026"],
            "request_models": ["gpt"],
            "providers": ["openai"],
            "services": ["shop"],
            "agents": ["seller"],
            "tools": ["stock", "pay"],
            "span_count": "8",
            "llm_call_count": "3",
            "tool_call_count": "2",
            "error_count": "1",
            "trace_count": "2",
            "failed_trace_count": "1",
            "status": "STATUS_ERROR",
            "first_failed_trace_id": second,
            "state": "STATE_LIVE",
        }
        assert [(trace.trace_id, trace.span_count, trace.duration_ms, trace.input_tokens) for trace in traces] == [
            (first, 5, 900.0, 250),
            (second, 3, 300.0, 200),
        ]
        assert (traces[1].error_type, traces[1].error_message) == ("ValueError", "no money")
        assert sorted((one.session_id, one.user_id) for one in asker.sessions()) == [("conversation", "ada"), ("other", "bob")]
        spans = [one for message in asker.trace(bytes.fromhex(first)) for one in message.spans]
        assert [(one.name, one.operation, one.counted) for one in spans] == [
            ("turn", "other", False),
            ("invoke_agent seller", "agent", False),
            ("chat gpt", "chat", True),
            ("execute_tool", "tool", False),
            ("chat gpt", "chat", True),
        ]


def json_lines(*arguments: str) -> list[dict[str, Any]]:
    done = sessiond(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def told(daemon: Daemon) -> dict[str, list[Any]]:
    """What the command line says, for the questions that a user has."""
    endpoint = ("--endpoint", daemon.query)
    return {
        "sessions": json_lines("sessions", "--json", *endpoint),
        "session": json_lines("session", "conversation", "--json", *endpoint),
        "traces": json_lines("traces", "--json", *endpoint),
    }


def test_the_command_line_says_what_grpc_says_before_and_after_a_restart(tmp_path: Path) -> None:
    with Daemon.start(tmp_path, sessions={"idle_seconds": 86_400}) as daemon:
        with application(daemon) as tracer:
            converse(tracer, time.time_ns() // MS * MS - 60_000 * MS)
        before = told(daemon)
        with daemon.asker() as asker:
            assert before == rows(asker)
        ended = daemon.stop()
        assert ended.code == 0
        assert "Traceback" not in ended.stderr
        assert [line["event"] for line in daemon.log_lines()] == ["ready", "stopping", "stopped"]
    assert sorted(row["session_id"] for row in before["sessions"]) == ["conversation", "other"]
    assert [row["span_count"] for row in before["session"]] == [8, 5, 3]
    with Daemon.start(tmp_path, sessions={"idle_seconds": 86_400}) as again:
        assert told(again) == before


def rows(asker: Asker) -> dict[str, list[Any]]:
    answers = list(asker.api.GetSession(pb.GetSessionRequest(session_id="conversation", view=pb.SESSION_VIEW_TURNS), timeout=20))
    traces, turns, findings = (
        [one for answer in answers for one in getattr(answer, name)] for name in ("traces", "turns", "findings")
    )
    return {
        "sessions": list(map(session_row, asker.sessions())),
        "session": [
            {**session_row(answers[0].session), "findings": list(map(row, findings))},
            *({**row(figures), **trace_row(trace)} for figures, trace in zip(turns, traces, strict=True)),
        ],
        "traces": list(map(trace_row, asker.traces())),
    }


def test_a_rebuilt_store_gives_the_same_answers_and_is_sound(tmp_path: Path) -> None:
    with Daemon.start(tmp_path, sessions={"idle_seconds": 86_400}) as daemon:
        with application(daemon) as tracer:
            converse(tracer, time.time_ns() // MS * MS - 60_000 * MS)
        before = told(daemon)
        daemon.stop()
    rebuilt = sessiond("rebuild", "--data-dir", tmp_path / "data")
    assert (rebuilt.returncode, rebuilt.stdout) == (0, f"{tmp_path / 'data'}: rebuilt from 9 spans\n")
    checked = sessiond("check", "--data-dir", tmp_path / "data")
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "3 traces, 2 sessions, 2 users checked: 0 problems\n", "")
    with Daemon.start(tmp_path, sessions={"idle_seconds": 86_400}) as again:
        assert told(again) == before
