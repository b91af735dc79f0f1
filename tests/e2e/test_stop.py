"""A daemon that is stopped or killed under load: nothing acknowledged is lost."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import pytest
from grpc import Compression
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import set_span_in_context

from daemon import DEADLINE_SECONDS, Daemon, Ended, runs, sessiond, until

THREADS = 6
LARGE_SPANS = 200
"""Steps of the larger traces, about 130 KB: what is decoded in a process of its own."""
ACKNOWLEDGED_MIN = 60
"""Requests acknowledged before the daemon is stopped."""


class Load:
    """Threads with an SDK exporter each, sending one trace a request until their exporter fails."""

    def __init__(self, address: str) -> None:
        self.sent: dict[str, int] = {}
        """Trace -> spans, of every request begun."""
        self.acknowledged: dict[str, int] = {}
        self._exporters = [
            OTLPSpanExporter(
                endpoint=address,
                insecure=True,
                timeout=2,
                compression=Compression.Gzip if number % 2 else Compression.NoCompression,
            )
            for number in range(THREADS)
        ]
        self._threads = [
            threading.Thread(target=self._send, args=(number, exporter), daemon=True)
            for number, exporter in enumerate(self._exporters)
        ]

    def _send(self, number: int, exporter: OTLPSpanExporter) -> None:
        tracer = TracerProvider().get_tracer("load")
        for turn in range(100_000):
            root = tracer.start_span("turn", attributes={"session.id": f"session-{number}-{turn % 5}", "user.id": f"user-{number}"})
            inside = set_span_in_context(root)
            steps = LARGE_SPANS if turn % 8 == number else turn % 30
            spans = [root, *(tracer.start_span("step", inside, attributes={"text": "x" * 500}) for _ in range(steps))]
            for span in spans:
                span.end()
            trace = format(root.get_span_context().trace_id, "032x")
            self.sent[trace] = len(spans)
            try:
                result = exporter.export(spans)
            except ValueError:  # its channel was closed under it: the daemon is gone
                return
            if result is not SpanExportResult.SUCCESS:
                return
            self.acknowledged[trace] = len(spans)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for exporter in self._exporters:
            exporter.shutdown()
        for thread in self._threads:
            thread.join(DEADLINE_SECONDS)
        assert not any(thread.is_alive() for thread in self._threads)


@contextmanager
def loaded(daemon: Daemon) -> Iterator[Load]:
    """Load on a daemon, which ends when the block does; in it, enough has been acknowledged."""
    with Load(daemon.otlp_grpc) as load:
        until(lambda: len(load.acknowledged) >= ACKNOWLEDGED_MIN)
        yield load


def assert_nothing_is_lost(load: Load, daemon: Daemon) -> None:
    with daemon.asker() as asker:
        stored = {trace.trace_id: trace.span_count for trace in asker.traces()}
        sessions = asker.sessions()
    assert {trace: stored.get(trace) for trace in load.acknowledged} == load.acknowledged
    assert {trace: load.sent.get(trace) for trace in stored} == stored
    assert sum(session.span_count for session in sessions) == sum(stored.values())


def assert_clean_end(ended: Ended, daemon: Daemon) -> None:
    assert (ended.code, [line["event"] for line in daemon.log_lines()]) == (0, ["ready", "stopping", "stopped"])
    assert "Traceback" not in ended.stderr


def assert_sound(folder: Path) -> None:
    checked = sessiond("check", "--data-dir", folder / "data")
    assert (checked.returncode, checked.stdout.partition(": ")[2], checked.stderr) == (0, "0 problems\n", "")


def test_every_acknowledged_span_is_there_after_sigterm_under_load(tmp_path: Path) -> None:
    with Daemon.start(tmp_path) as daemon, loaded(daemon) as load:
        children = daemon.children()
        ended = daemon.stop()
    assert_clean_end(ended, daemon)
    assert_sound(tmp_path)
    assert [child for child in children if runs(child)] == []
    with Daemon.start(tmp_path) as again:
        assert_nothing_is_lost(load, again)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "systemctl stop"])
def test_a_signal_to_the_whole_process_group_ends_it_as_cleanly(tmp_path: Path, sent: signal.Signals) -> None:
    with Daemon.start(tmp_path) as daemon, loaded(daemon) as load:
        os.killpg(daemon.process.pid, sent)
        ended = daemon.ended()
    assert_clean_end(ended, daemon)
    assert_sound(tmp_path)
    with Daemon.start(tmp_path) as again:
        assert_nothing_is_lost(load, again)


def test_every_acknowledged_span_is_there_after_sigkill_under_load(tmp_path: Path) -> None:
    with Daemon.start(tmp_path) as daemon, loaded(daemon) as load:
        children = daemon.children()
        assert daemon.kill().code == -signal.SIGKILL
    assert_sound(tmp_path)
    until(lambda: not any(map(runs, children)), "the end of its children")
    with Daemon.start(tmp_path) as again:
        assert_nothing_is_lost(load, again)


def test_queries_under_load_see_what_was_acknowledged_before_them(daemon: Daemon) -> None:
    with loaded(daemon) as load, daemon.asker() as asker:
        for _ in range(3):
            acknowledged = dict(load.acknowledged)
            sessions = asker.sessions()
            stored = {trace.trace_id: trace.span_count for trace in asker.traces()}
            assert {trace: stored.get(trace) for trace in acknowledged} == acknowledged
            assert sum(session.span_count for session in sessions) >= sum(acknowledged.values())


def test_sigint_ends_it_as_sigterm_does(tmp_path: Path) -> None:
    with Daemon.start(tmp_path) as daemon:
        daemon.process.send_signal(signal.SIGINT)
        ended = daemon.ended()
    assert_clean_end(ended, daemon)
