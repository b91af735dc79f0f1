"""The daemon's end of the pipe: whatever the indexer's process does, it is ended where it hangs, and another is started."""

import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from daemon import until
from sessiond.core.errors import Busy
from sessiond.service.bell import Bell
from sessiond.service.searching import indexer as indexer_module
from sessiond.service.searching.indexer import Indexer, Place

PROTOCOL = """
import io, os, sys, time
from sessiond.service.receiving.decode import read_frame, write_frame
from sessiond.service.searching.protocol import FINGERPRINT, MISSED, OK, RING, TOLD, packed, unpacked

def say(number, *what):
    write_frame(sys.stdout.buffer, packed((number, OK, what)))

def asked():
    while (frame := read_frame(sys.stdin.buffer)) is not None:
        number, verb, _ = unpacked(frame)
        if verb != RING:
            yield number
"""
GREETS = """
say(TOLD, FINGERPRINT, "")
"""
ANSWERS = GREETS + "for number in asked(): say(number, 'answer')"
ANSWERS_AND_DIES = GREETS + "for number in asked(): say(number, 'answer'); os._exit(1)"
TELLS_AND_NEVER_ANSWERS = (
    GREETS
    + """
for number in asked():
    while True:
        say(TOLD, 1, True, 1, 1)
        time.sleep(0.01)
"""
)
TELLS_MUCH_AT_ITS_END = (
    ANSWERS
    + """
told = io.BytesIO()
write_frame(told, packed((TOLD, OK, (1, True, 1, 1))))
os.write(1, told.getvalue() * (60_000 // len(told.getvalue())))
os._exit(0)
"""
)
MISSES = (
    GREETS
    + """
write_frame(sys.stdout.buffer, packed((TOLD, MISSED, ("0b", "RecursionError('too deep')"))))
for number in asked(): say(number, 'answer')
"""
)
IS_ANOTHER = """
say(TOLD, "another", "")
say(TOLD, 1, True, 1, 1)
"""


class Scripted(Place):
    """A place whose process is a script, in `path`."""

    def command(self, *, anew: bool) -> list[str]:
        return [sys.executable, "-c", PROTOCOL + self.path.read_text()]


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


def test_a_process_that_answers_nothing_is_ended_though_it_tells_where_it_stands(
    started: Callable[[str], Indexer], monkeypatch: pytest.MonkeyPatch
) -> None:
    indexer = started(TELLS_AND_NEVER_ANSWERS)
    until(lambda: indexer.state().is_running)
    monkeypatch.setattr(indexer_module, "ANSWER_SECONDS_MAX", 0.05)
    monkeypatch.setattr(indexer_module, "STALLED_SECONDS", 0.5)
    with pytest.raises(Busy, match="the search index does not answer"):
        indexer.ask("search", "q")

    def is_ended() -> bool:
        indexer.keep_up()
        return indexer.state().deaths == 1

    until(is_ended)


def test_a_process_that_owes_no_answer_is_left_alone(started: Callable[[str], Indexer], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexer_module, "STALLED_SECONDS", -1.0)
    indexer = started(ANSWERS)
    assert indexer.ask("search", "q") == ("answer",)
    indexer.keep_up()
    assert indexer.ask("search", "q") == ("answer",)
    assert indexer.state().deaths == 0


def test_a_trace_that_the_process_missed_is_in_the_log(started: Callable[[str], Indexer]) -> None:
    with capture_logs() as logged:
        assert started(MISSES).ask("search", "q") == ("answer",)
    assert [(line["trace"], line["reason"]) for line in logged if "trace" in line] == [("0b", "RecursionError('too deep')")]


def test_a_process_of_another_version_is_told_of_and_tried_again(started: Callable[[str], Indexer]) -> None:
    indexer = started(IS_ANOTHER)
    until(lambda: indexer.state().deaths == 2)
    assert indexer.state().failure == "the installed sessiond is another than the one that runs; restart it"


def test_what_the_process_tells_at_its_end_is_heard_out(started: Callable[[str], Indexer]) -> None:
    indexer = started(TELLS_MUCH_AT_ITS_END)
    assert indexer.ask("search", "q") == ("answer",)
    indexer.stop()
    assert indexer.state().standing is not None
