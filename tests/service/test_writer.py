"""The writer: who is released when, and what becomes of appends when the store is full, fails or breaks."""

import random
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import lmdb
import pytest

import builders
from daemon import DEADLINE_SECONDS, STORE_BYTES_MAX, GatedStore, Parts, parts, until
from sessiond.core.errors import Busy, Damaged, StoreBroken, StoreFull
from sessiond.core.model import ReceivedSpan, SessionKey
from sessiond.service.receiving.ingest import DAMAGED, Answer
from sessiond.storage.api import Appended, span_pages
from sessiond.storage.lmdb.store import LmdbStore
from sessiond.storage.packing import Packer


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Parts]:
    with parts(tmp_path / "data") as found:
        yield found


def spans_of(number: int, size: int = 0) -> list[ReceivedSpan]:
    """One span, in a trace of its own."""
    padding = {"padding": random.Random(number).randbytes(size)} if size else {}
    return builders.received(builders.span(trace=number, id=number, **padding))


def queue_size(spans: list[ReceivedSpan]) -> int:
    return sum(packed.byte_count for packed in Packer().traces(spans))


def occupy(running: Parts, number: int) -> Future[Appended]:
    """Append a span and let the writer wait with it inside the store."""
    begun = len(running.store.begun)
    running.store.close_gate()
    done = running.append(spans_of(number))
    until(lambda: len(running.store.begun) > begun)
    return done


def outcome(done: Future[Appended]) -> Appended | str:
    """What an append ended with: its value, or its error in words."""
    error = done.exception(DEADLINE_SECONDS)
    return done.result() if error is None else f"{type(error).__name__}: {error}"


def stored(store: GatedStore | LmdbStore) -> list[bytes]:
    """The bytes of every span in a store."""
    return [span.data for trace_id in store.trace_ids() for page in span_pages(store, trace_id) for span in page]


def data_of(*numbers: int) -> list[bytes]:
    return [span.data for number in numbers for span in spans_of(number)]


def one_trace(number: int) -> Appended:
    return Appended(1, 0, 0, (builders.trace_id(number),))


def test_a_sender_is_released_only_when_the_store_has_returned(running: Parts) -> None:
    done = occupy(running, 1)
    assert not done.done()
    running.store.open_gate()
    assert outcome(done) == one_trace(1)


def test_appends_that_wait_are_committed_together_and_all_released(running: Parts) -> None:
    first = occupy(running, 1)
    others = [running.append(spans_of(number)) for number in range(2, 12)]
    assert not any(done.done() for done in others)
    running.store.open_gate()
    together = Appended(10, 0, 0, tuple(map(builders.trace_id, range(2, 12))))
    assert [outcome(done) for done in (first, *others)] == [one_trace(1), *[together] * 10]
    assert [[span.data for span in spans] for spans in running.store.begun] == [data_of(1), data_of(*range(2, 12))]


def test_the_spans_of_a_released_append_are_read_by_the_store_opened_anew(tmp_path: Path) -> None:
    with parts(tmp_path / "data") as running:
        outcome(running.append(spans_of(1)))
    store = LmdbStore.open(tmp_path / "data", bytes_max=STORE_BYTES_MAX)
    assert stored(store) == data_of(1)
    store.close()


def test_a_full_queue_refuses_and_takes_again_when_it_was_written(tmp_path: Path) -> None:
    size = queue_size(spans_of(2))
    with parts(tmp_path / "data", queue_bytes_max=2 * size) as running:
        occupy(running, 1)
        taken = [running.append(spans_of(number)) for number in (2, 3)]
        assert running.writer.queue_bytes == 2 * size
        with pytest.raises(Busy, match="the queue of spans to be written is full"):
            running.append(spans_of(4))
        running.store.open_gate()
        assert [outcome(done) for done in taken] == [Appended(2, 0, 0, (builders.trace_id(2), builders.trace_id(3)))] * 2
        assert running.writer.queue_bytes == 0
        assert outcome(running.append(spans_of(4))) == one_trace(4)


def test_an_append_larger_than_the_queue_is_taken_when_it_is_alone(tmp_path: Path) -> None:
    with parts(tmp_path / "data", queue_bytes_max=10) as running:
        assert outcome(running.append(spans_of(1, size=1000))) == one_trace(1)


def test_stop_commits_what_was_taken_and_refuses_what_comes_after(tmp_path: Path) -> None:
    with parts(tmp_path / "data") as running:
        taken = [occupy(running, 1), *(running.append(spans_of(number)) for number in (2, 3))]
        stopping = threading.Thread(target=running.writer.stop)
        stopping.start()
        until(lambda: running.writer._stopping)
        with pytest.raises(Busy, match="sessiond is stopping"):
            running.append(spans_of(4))
        with pytest.raises(Busy, match="sessiond is stopping"):
            running.writer.settled("traces")
        running.store.open_gate()
        stopping.join(DEADLINE_SECONDS)
        together = Appended(2, 0, 0, (builders.trace_id(2), builders.trace_id(3)))
        assert [outcome(done) for done in taken] == [one_trace(1), together, together]
        assert stored(running.store) == data_of(1, 2, 3)


def test_stop_releases_a_query_that_waits(running: Parts) -> None:
    occupy(running, 1)
    asked = running.writer.settled("sessions")
    stopping = threading.Thread(target=running.writer.stop)
    stopping.start()
    until(lambda: running.writer._stopping)
    running.store.open_gate()
    stopping.join(DEADLINE_SECONDS)
    assert asked.result(DEADLINE_SECONDS) is None


def test_a_full_store_fails_the_append_and_a_later_one_works_again(running: Parts) -> None:
    full = StoreFull("the disk can't take more", hint="free disk space")
    running.store.fail_with(full)
    assert outcome(running.append(spans_of(1))) == "StoreFull: the disk can't take more; free disk space"
    assert running.writer.full is full
    assert outcome(running.append(spans_of(1))) == one_trace(1)
    assert running.writer.full is None
    assert running.broken == []


def test_a_store_at_its_quota_refuses_goes_on_reading_and_takes_again_with_a_larger_one(tmp_path: Path) -> None:
    with parts(tmp_path / "data", bytes_max=1 << 20) as running:
        taken = []
        for number in range(1, 1000):
            error = running.append(spans_of(number, size=50_000)).exception(DEADLINE_SECONDS)
            if error is not None:
                break
            taken.append(number)
        assert isinstance(error, StoreFull)
        assert running.writer.full is error
        assert len(stored(running.store)) == len(taken) > 0
    with parts(tmp_path / "data", bytes_max=1 << 24) as running:
        assert outcome(running.append(spans_of(1000))) == one_trace(1000)
        assert running.store.trace_ids() == [builders.trace_id(number) for number in (*taken, 1000)]


def test_spans_that_can_not_be_stored_cost_only_their_own_request(running: Parts) -> None:
    def failing(spans: list[ReceivedSpan]) -> Exception | None:
        return ValueError("bad") if any(span.trace_id == builders.trace_id(3) for span in spans) else None

    running.store.failing = failing
    occupied = occupy(running, 1)
    others = [running.append(spans_of(number)) for number in (2, 3, 4)]
    running.store.open_gate()
    assert [outcome(done) for done in (occupied, *others)] == [one_trace(1), one_trace(2), "ValueError: bad", one_trace(4)]
    assert stored(running.store) == data_of(1, 2, 4)


@pytest.mark.parametrize("tree", ["chunks", "facts", "spans", "traces", "sessions", "marked_traces", "projects"])
def test_one_rotten_row_costs_its_own_trace_alone_and_the_writer_goes_on(tmp_path: Path, tree: str) -> None:
    def sent(*numbers: int, end_ms: int) -> bytes:
        spans = (builders.span(trace=number, id=number, session=f"s{number}", end_ms=end_ms) for number in numbers)
        return builders.request(*spans).SerializeToString()

    with parts(tmp_path) as running:
        running.ingest.export(sent(1, 2, end_ms=5))
        running.writer.settled("sessions").result(DEADLINE_SECONDS)
        running.ingest.export(sent(3, end_ms=5))
    with (
        lmdb.open(str(tmp_path), max_dbs=99, map_size=2 * STORE_BYTES_MAX) as env,
        env.begin(write=True) as txn,
        txn.cursor(db=env.open_db(tree.encode(), txn=txn)) as cursor,
    ):
        if cursor.first():
            cursor.put(cursor.key(), cursor.value()[:-3] + bytes([cursor.value()[-3] ^ 1]) + cursor.value()[-2:])
    with parts(tmp_path) as running:
        answer = running.ingest.export(sent(1, 4, end_ms=9))
        assert answer in (Answer(0, ""), Answer(1, f"1 x {DAMAGED.message}"))
        assert (answer.rejected_spans == 1) == (tree in {"chunks", "facts", "spans"})
        for need in ("sessions", "users"):
            running.writer.settled(need).result(DEADLINE_SECONDS)
        running.writer.sweep().result(DEADLINE_SECONDS)
        assert running.ingest.export(sent(5, end_ms=9)) == Answer(0, "")
        assert (running.broken, running.store.trace_ids()) == ([], [builders.trace_id(number) for number in (1, 2, 3, 4, 5)])
        if tree != "projects":
            running.writer.settled("sessions").result(DEADLINE_SECONDS)
            assert running.store.session(SessionKey("default", "s5")) is not None


def test_a_task_that_meets_a_rotten_row_fails_alone(running: Parts) -> None:
    def damaged(through: int) -> None:
        raise Damaged(f"no word of {through}")

    running.store.forget_removals = damaged
    assert isinstance(running.writer.forget_removals(7).exception(DEADLINE_SECONDS), Damaged)
    assert outcome(running.append(spans_of(1))) == one_trace(1)


def test_a_broken_store_is_told_and_nothing_is_taken_after_it(running: Parts) -> None:
    broken = StoreBroken("LMDB failed")
    running.store.fail_with(broken)
    assert outcome(running.append(spans_of(1))) == "StoreBroken: LMDB failed"
    until(lambda: running.broken == [broken])
    with pytest.raises(Busy, match="sessiond is stopping"):
        running.append(spans_of(2))


def test_a_broken_store_releases_everybody_who_waits_in_the_queue(running: Parts) -> None:
    occupied = occupy(running, 1)
    queued = [running.append(spans_of(number)) for number in (2, 3)]
    asked = running.writer.settled("sessions")
    running.store.fail_with(StoreBroken("LMDB failed"))
    running.store.open_gate()
    assert [outcome(done) for done in (occupied, *queued)] == ["StoreBroken: LMDB failed"] * 3
    assert asked.result(DEADLINE_SECONDS) is None


def test_a_broken_store_releases_a_query_taken_in_the_same_step(running: Parts) -> None:
    occupy(running, 1)
    queued = running.append(spans_of(2))
    asked = running.writer.settled("sessions")
    running.store.fail_with(None, StoreBroken("LMDB failed"))
    running.store.open_gate()
    assert outcome(queued) == "StoreBroken: LMDB failed"
    until(lambda: running.broken)
    assert asked.done()


def test_a_store_that_breaks_in_a_task_releases_everybody_taken_in_the_same_step(running: Parts) -> None:
    def breaks(through: int) -> None:
        raise StoreBroken(f"no word of {through}")

    running.store.forget_removals = breaks
    first = occupy(running, 1)
    waiting = [running.append(spans_of(2)), running.writer.forget_removals(7), running.writer.forget_removals(8)]
    query = running.writer.settled("traces")
    running.store.open_gate()
    assert first.exception(DEADLINE_SECONDS) is None
    assert [str(done.exception(DEADLINE_SECONDS)) for done in waiting] == ["no word of 7"] * 3
    assert query.result(DEADLINE_SECONDS) is None
    until(lambda: running.broken)


def test_a_store_that_breaks_while_the_bad_request_is_looked_for_releases_all_of_them(running: Parts) -> None:
    occupy(running, 1)
    queued = [running.append(spans_of(number)) for number in (2, 3, 4)]
    running.store.fail_with(None, ValueError("bad"), StoreBroken("LMDB failed"))
    running.store.open_gate()
    until(lambda: running.broken)
    assert [done.done() for done in queued] == [True, True, True]
    assert [outcome(done) for done in queued] == ["StoreBroken: LMDB failed"] * 3


def test_a_writer_with_nothing_to_do_is_not_at_work(running: Parts) -> None:
    until(lambda: running.writer.seconds_at_work() == 0.0)
    occupy(running, 1)
    assert running.writer.seconds_at_work() > 0.0
    running.store.open_gate()
    until(lambda: running.writer.seconds_at_work() == 0.0)
