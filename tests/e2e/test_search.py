"""Searching a daemon as people do, and what becomes of its index when processes are killed."""

import json
import os
import shutil
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import grpc
import pytest

from builders import DATA, request, span, trace_id
from daemon import DEADLINE_SECONDS, Asker, Daemon, runs, sessiond, until
from sessiond.service.searching.indexer import DEATHS_BEFORE_ANEW
from sessiond.wire._pb.v1 import admin_service_pb2 as admin_pb
from sessiond.wire._pb.v1 import search_pb2 as pb

READY = admin_pb.SearchIndexStatus.STATE_READY
DOWN = admin_pb.SearchIndexStatus.STATE_DOWN
NEWEST = pb.SEARCH_ORDER_NEWEST


def turn(number: int, said: str, session: str | None = "s1", answer: str = "", *, root: bool = True, **more: Any) -> Any:
    """A turn of one call, which starts as many seconds after T0 as its number."""
    more = {"gen_ai__input__messages": message("user", said), **more}
    if answer:
        more["gen_ai__output__messages"] = message("assistant", answer)
    parent = None if root else 10**9
    return span(
        trace=number, id=number, parent=parent, start_ms=number * 1000, operation="chat", session=session, name="turn", **more
    )


def message(role: str, text: str) -> str:
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])


def send(daemon: Daemon, *spans: Any) -> None:
    with daemon.sender() as sender:
        sender.export(request(*spans))


def search(asker: Asker, query: str, **more: Any) -> pb.SearchResponse:
    return asker.api.Search(pb.SearchRequest(query=query, **more), timeout=DEADLINE_SECONDS)


def numbers(rows: Iterable[pb.SearchRow]) -> list[int]:
    return [int(row.trace.trace_id, 16) for row in rows]


def found(asker: Asker, query: str, **more: Any) -> list[int]:
    """The traces of all pages."""
    rows: list[int] = []
    token = ""
    while True:
        page = search(asker, query, page_token=token, **more)
        rows += numbers(page.rows)
        token = page.next_page_token
        if not token:
            return rows


def index_of(asker: Asker) -> admin_pb.SearchIndexStatus:
    return asker.status().search


def await_index(asker: Asker, traces: int) -> None:
    """Wait until the index has so many traces and nothing is missing in it."""

    def is_there() -> bool:
        index = index_of(asker)
        return index.state == READY and index.trace_count == traces and not index.behind.ToNanoseconds()

    until(is_there, f"an index of {traces} traces: {index_of(asker)}")


def indexer_of(daemon: Daemon) -> int:
    """The process that keeps the index."""
    found: list[int] = []

    def looked() -> bool:
        found[:] = [
            child for child in daemon.children() if b"sessiond.indexer" in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
        ]
        return bool(found)

    until(looked, "an indexer's process")
    return found[0]


def test_a_real_capture_is_found_by_what_was_said_and_done(daemon: Daemon) -> None:
    with daemon.sender() as sender:
        for body in sorted((DATA / "captures" / "openinference_openai").glob("*.binpb")):
            sender.export(body.read_bytes())
    with daemon.asker() as asker:
        await_index(asker, 6)
        (row,) = search(asker, "get_weather lisbon").rows
        (excerpt,) = (one for one in row.excerpts if one.place == pb.SEARCH_PLACE_TOOL_CALL)
        marked = [excerpt.text[one.start : one.end] for one in excerpt.highlights]
        assert (row.trace.session_id, marked) == ("sess-alice-openinference_openai", ["get_weather", "Lisbon"])
        assert excerpt.span_id
        status = index_of(asker)
        assert (status.state, status.trace_count, status.death_count) == (READY, 6, 0)
    done = sessiond("search", "weath*", "--json", "--limit", "1", "--endpoint", daemon.query)
    printed = json.loads(done.stdout.splitlines()[0])
    assert (done.returncode, printed["hit_count"], printed["session"]) == (0, 1, None)


def test_a_turn_is_found_in_its_session_as_soon_as_it_is_acknowledged(daemon: Daemon) -> None:
    with daemon.asker() as asker:
        for number in range(1, 30):
            send(daemon, turn(number, f"the weather of day{number}"))
            assert found(asker, "weather", session_id="s1", order=NEWEST) == list(range(number, 0, -1))
            assert found(asker, f'"of day{number}"', session_id="s1") == [number]
        send(daemon, turn(7, "nothing of that sort", end_ms=8000))
        assert 7 not in found(asker, "weather", session_id="s1")


def test_in_a_session_the_best_come_first_whether_they_are_in_the_index_or_not(daemon: Daemon) -> None:
    with daemon.asker() as asker:
        send(daemon, turn(1, "rain " * 9), turn(2, "rain" + " and many other words" * 20), turn(9, "sun"))
        await_index(asker, 3)
        os.kill(indexer_of(daemon), signal.SIGSTOP)
        try:
            stopped = indexer_of(daemon)
            send(daemon, turn(3, "rain " * 3), turn(4, "rain" + " and many other words" * 40))
        finally:
            os.kill(stopped, signal.SIGCONT)
        order = found(asker, "rain", session_id="s1")
        assert order == [1, 3, 2, 4]


def test_hits_are_combined_with_filters_and_orders(daemon: Daemon) -> None:
    send(daemon, *(turn(number, "weather", f"s{number % 3}", user=f"u{number % 2}") for number in range(1, 13)))
    with daemon.asker() as asker:
        await_index(asker, 12)
        assert found(asker, "weather", order=NEWEST) == list(range(12, 0, -1))
        assert sorted(found(asker, "weather", filter='user_id = "u1"')) == [1, 3, 5, 7, 9, 11]
        assert sorted(found(asker, "weather", user_id="u0", session_id="s1")) == [4, 10]
        assert found(asker, "weather", filter="duration_ms > p50(duration_ms)") == []
        assert found(asker, "weather", filter='start_time < "2026-09-21T14:13:23Z"', order=NEWEST) == [2, 1]
        assert found(asker, "weather", project="other") == []
        assert found(asker, "weather", filter='session_id = "s2"', order=NEWEST) == [11, 8, 5, 2]


def test_ten_matching_turns_of_a_session_are_one_row(daemon: Daemon) -> None:
    send(daemon, *(turn(number, "weather", "long") for number in range(1, 11)))
    send(daemon, turn(11, "weather", "short"), turn(12, "weather", None), turn(13, "other", "short"))
    with daemon.asker() as asker:
        await_index(asker, 13)
        page = search(asker, "weather", by_session=True, order=NEWEST)
        rows = [(row.session.session_id, row.hit_count, row.session.trace_count) for row in page.rows]
        assert (rows, page.next_page_token) == ([("short", 1, 2), ("long", 10, 10)], "")
        assert len(found(asker, "weather")) == 12
        (first,) = search(asker, "weather", by_session=True, order=NEWEST, page_size=1).rows
        assert first.session.session_id == "short"
        (row,) = search(asker, "weather", by_session=True, filter="trace_count > 5").rows
        assert row.session.session_id == "long"
        (row,) = search(asker, "weather", by_session=True, session_id="long").rows
        assert (row.hit_count, row.trace.trace_id) == (10, trace_id(10).hex())


@pytest.mark.parametrize("by_session", [False, True])
def test_pages_show_every_row_once_while_spans_keep_coming(daemon: Daemon, by_session: bool) -> None:
    count = 60
    send(daemon, *(turn(number, "weather " * (number % 7 + 1), f"s{number}") for number in range(1, count + 1)))
    with daemon.asker() as asker:
        await_index(asker, count)
        shown: list[int] = []
        token = ""
        for more in range(count + 1, 2 * count):
            page = search(asker, "weather", page_size=7, page_token=token, by_session=by_session)
            shown += numbers(page.rows)
            token = page.next_page_token
            if not token:
                break
            send(daemon, turn(more, "weather and other words", f"s{more}"))
        assert len(shown) == len(set(shown))
        assert set(shown) >= set(range(1, count + 1))


def test_a_token_is_good_for_its_own_search_alone(daemon: Daemon) -> None:
    send(daemon, *(turn(number, "weather") for number in range(1, 4)))
    with daemon.asker() as asker:
        await_index(asker, 3)
        token = search(asker, "weather", page_size=1).next_page_token
        for wrong in ({"query": "other"}, {"query": "weather", "by_session": True}, {"query": "weather", "page_token": "no"}):
            with pytest.raises(grpc.RpcError) as refused:
                asker.api.Search(pb.SearchRequest(**{"page_token": token, **wrong}))
            assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_a_trace_that_moves_to_a_session_is_found_in_it(daemon: Daemon) -> None:
    send(daemon, turn(1, "weather", None, root=False))
    with daemon.asker() as asker:
        await_index(asker, 1)
        assert found(asker, "weather", session_id="late") == []
        send(daemon, span(trace=1, id=10**9, session="late", start_ms=0, end_ms=3000))
        assert found(asker, "weather", session_id="late") == [1]
        await_index(asker, 1)
        assert [row.session.session_id for row in search(asker, "weather", by_session=True).rows] == ["late"]


def test_a_killed_indexer_is_started_again_and_misses_nothing(daemon: Daemon) -> None:
    send(daemon, turn(1, "weather"))
    with daemon.asker() as asker:
        await_index(asker, 1)
        for number in range(2, 6):
            killed = indexer_of(daemon)
            send(daemon, turn(number, "weather"))
            os.kill(killed, signal.SIGKILL)
            send(daemon, turn(number + 10, "weather"))
            assert number in found(asker, "weather", session_id="s1")
        await_index(asker, 9)
        assert sorted(found(asker, "weather")) == [1, 2, 3, 4, 5, 12, 13, 14, 15]
        status = index_of(asker)
        assert (status.death_count, status.last_failure) == (4, "it ended with exit code -9")


def test_what_an_index_that_is_made_anew_does_not_find_yet_is_told(daemon: Daemon) -> None:
    send(daemon, *(turn(number, "weather") for number in range(1, 200)))
    with daemon.asker() as asker:
        await_index(asker, 199)
        for _ in range(DEATHS_BEFORE_ANEW):
            os.kill(indexer_of(daemon), signal.SIGKILL)
            answer = search(asker, "weather")
            assert answer.rows or answer.building
        await_index(asker, 199)
        assert not search(asker, "weather").building


def test_after_the_daemon_is_killed_the_next_goes_on_with_its_index(tmp_path: Path) -> None:
    with Daemon.start(tmp_path) as first:
        send(first, *(turn(number, "weather") for number in range(1, 20)))
        with first.asker() as asker:
            await_index(asker, 19)
        indexer = indexer_of(first)
        send(first, *(turn(number, "weather") for number in range(20, 40)))
        first.kill()
    until(lambda: not runs(indexer), "the end of the indexer")
    with Daemon.start(tmp_path) as second, second.asker() as asker:
        await_index(asker, 39)
        assert found(asker, "weather", order=NEWEST) == list(range(39, 0, -1))


@pytest.mark.parametrize("damage", ["missing", "cut", "garbage", "of another store", "a file"])
def test_an_index_that_cannot_be_used_is_made_anew(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "data" / "search"
    with Daemon.start(tmp_path) as first, first.asker() as asker:
        send(first, turn(1, "weather"), turn(2, "weather"))
        await_index(asker, 2)
        first.stop()
    harm(path, damage, tmp_path)
    with Daemon.start(tmp_path) as second, second.asker() as asker:
        await_index(asker, 2)
        assert found(asker, "weather", order=NEWEST) == [2, 1]


def harm(path: Path, damage: str, tmp_path: Path) -> None:
    if damage == "of another store":
        with Daemon.start(tmp_path, tmp_path / "other") as other, other.asker() as asker:
            send(other, turn(3, "weather"))
            await_index(asker, 1)
            other.stop()
        shutil.rmtree(path)
        shutil.move(tmp_path / "other" / "search", path)
        return
    files = sorted(file for file in path.iterdir() if not file.name.startswith("."))
    for file in files if damage in ("cut", "garbage") else []:
        file.write_bytes(b"" if damage == "cut" else os.urandom(file.stat().st_size))
    if damage in ("missing", "a file"):
        shutil.rmtree(path)
    if damage == "a file":
        path.write_text("in the way")


def test_an_indexer_that_cannot_run_is_told_and_harms_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "tantivy.py").write_text("raise ImportError('not for this machine')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "broken"))
    with Daemon.start(tmp_path) as daemon, daemon.asker() as asker:
        send(daemon, turn(1, "weather"))
        until(lambda: index_of(asker).death_count > 1, "two deaths")
        send(daemon, turn(2, "weather"))
        assert [row.trace_count for row in asker.sessions()] == [2]
        status = index_of(asker)
        assert (status.state, status.last_failure) == (DOWN, "it ended with exit code 1")
        assert "search" in sessiond("status", "--endpoint", daemon.query).stdout
        assert daemon.stop().code == 0


def test_searching_can_be_switched_off(tmp_path: Path) -> None:
    with Daemon.start(tmp_path, search={"enabled": False}) as daemon, daemon.asker() as asker:
        send(daemon, turn(1, "weather"))
        with pytest.raises(grpc.RpcError) as refused:
            search(asker, "weather")
        assert refused.value.code() == grpc.StatusCode.FAILED_PRECONDITION
        assert not asker.status().HasField("search")
        assert not (tmp_path / "data" / "search").exists()


def test_a_query_that_says_nothing_is_refused_with_what_to_do(daemon: Daemon) -> None:
    with daemon.asker() as asker:
        for query, told in (("", "give words"), ("a (b", "opened at character 3"), ("x*", "at least 2 letters")):
            with pytest.raises(grpc.RpcError) as refused:
                search(asker, query)
            assert (refused.value.code(), told in refused.value.details()) == (grpc.StatusCode.INVALID_ARGUMENT, True)
