"""The daemon's end of the pipe: however the indexer's process ends, another is started."""

import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from daemon import until
from sessiond.service.bell import Bell
from sessiond.service.searching import indexer as indexer_module
from sessiond.service.searching.indexer import Indexer, Place

GREETING = """
import os, sys, time
from sessiond.service.receiving.decode import read_frame, write_frame
from sessiond.service.searching.protocol import FINGERPRINT, OK, RING, TOLD, packed, unpacked

def say(number, *what):
    write_frame(sys.stdout.buffer, packed((number, OK, what)))

def asked():
    while (frame := read_frame(sys.stdin.buffer)) is not None:
        number, verb, _ = unpacked(frame)
        if verb != RING:
            yield number

say(TOLD, FINGERPRINT, "")
"""
ANSWERS = "for number in asked(): say(number, 'answer')"
ANSWERS_AND_DIES = "for number in asked(): say(number, 'answer'); os._exit(1)"


class Scripted(Place):
    """A place whose process is a script, in `path`."""

    def command(self, *, anew: bool) -> list[str]:
        return [sys.executable, "-c", GREETING + self.path.read_text()]


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[[str], Indexer]]:
    opened: list[Indexer] = []

    def start(script: str) -> Indexer:
        (tmp_path / "script").write_text(script)
        opened.append(Indexer(Scripted(tmp_path, 1, tmp_path / "script"), Bell(), lambda: 1, lambda: None))
        opened[-1].start()
        return opened[-1]

    yield start
    for indexer in opened:
        indexer.stop()


def test_a_process_that_answers_and_ends_at_once_is_started_again(
    started: Callable[[str], Indexer], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()

    class Slow(indexer_module.Future[Any]):
        """Whoever waits goes on with the answer only when the process has ended."""

        def result(self, timeout: float | None = None) -> Any:
            found = super().result(timeout)
            ended.wait(1.0)
            return found

    monkeypatch.setattr(indexer_module, "Future", Slow)
    indexer = started(ANSWERS_AND_DIES)
    monkeypatch.setattr(indexer, "_forget_dead_readers", ended.set)
    assert [indexer.ask("search", "q") for _ in range(2)] == [("answer",)] * 2
    until(lambda: indexer.state().deaths == 2)


def test_where_no_process_can_be_started_it_is_tried_again(
    started: Callable[[str], Indexer], monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failures = indexer_module.subprocess.Popen, [BlockingIOError(11, "Resource temporarily unavailable")]

    def popen(*arguments: Any, **more: Any) -> Any:
        if failures:
            raise failures.pop()
        return real(*arguments, **more)

    monkeypatch.setattr(indexer_module.subprocess, "Popen", popen)
    indexer = started(ANSWERS)
    assert indexer.ask("search", "q") == ("answer",)
    state = indexer.state()
    assert (state.deaths, state.failure) == (1, "it could not be started: [Errno 11] Resource temporarily unavailable")
