"""What is erased is found no more, whatever process is killed meanwhile."""

import os
import signal
from pathlib import Path

from daemon import DEADLINE_SECONDS, Asker, Daemon
from e2e.test_search import await_index, found, indexer_of, search, send, turn
from sessiond.wire._pb.v1 import admin_service_pb2 as admin_pb


def erase(asker: Asker, *numbers: int) -> None:
    ids = [f"{number:032x}" for number in numbers]
    list(asker.admin.Erase(admin_pb.EraseRequest(trace_ids=ids), timeout=DEADLINE_SECONDS))


def test_what_is_erased_is_in_no_answer_from_then_on(daemon: Daemon) -> None:
    send(daemon, *(turn(number, "weather", f"s{number % 2}") for number in range(1, 11)))
    with daemon.asker() as asker:
        await_index(asker, 10)
        os.kill(indexer := indexer_of(daemon), signal.SIGSTOP)
        try:
            erase(asker, 2, 3, 4)
        finally:
            os.kill(indexer, signal.SIGCONT)
        assert sorted(found(asker, "weather")) == [1, 5, 6, 7, 8, 9, 10]
        assert sorted(found(asker, "weather", session_id="s0")) == [6, 8, 10]
        assert {row.session.session_id: row.hit_count for row in search(asker, "weather", by_session=True).rows} == {
            "s0": 3,
            "s1": 4,
        }
        await_index(asker, 7)


def test_what_is_erased_while_processes_are_killed_is_not_found_again(tmp_path: Path) -> None:
    with Daemon.start(tmp_path) as first, first.asker() as asker:
        send(first, *(turn(number, "weather") for number in range(1, 21)))
        await_index(asker, 20)
        os.kill(indexer_of(first), signal.SIGKILL)
        erase(asker, *range(1, 6))
        send(first, *(turn(number, "weather") for number in range(21, 26)))
        first.kill()
    with Daemon.start(tmp_path) as second, second.asker() as asker:
        await_index(asker, 20)
        assert sorted(found(asker, "weather")) == list(range(6, 26))
        erase(asker, 6)
        os.kill(indexer_of(second), signal.SIGKILL)
        assert sorted(found(asker, "weather", session_id="s1")) == list(range(7, 26))
        await_index(asker, 19)
        assert sorted(found(asker, "weather")) == list(range(7, 26))
