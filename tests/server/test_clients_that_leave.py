"""Clients that stall, leave or are cut off take nothing of the daemon with them: no thread, no transaction, no space."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future

import grpc
import pytest

import builders
from builders import received, request, span
from daemon import DEADLINE_SECONDS, Asker, Parts, Sender, until
from sessiond.wire._pb.v1 import session_service_pb2 as pb
from sessiond.wire._pb.v1.session_service_pb2_grpc import SessionServiceStub

ROWS = 3000
TAG = "t" * 900
"""Makes rows so large that a stream of them is far more than gRPC sends ahead of a client that does not read."""


@pytest.fixture
def full(running: Parts) -> Parts:
    """A daemon with some sessions of large rows."""
    for first in range(1, ROWS, 500):
        spans = [span(trace=n, id=n, session=f"s{n}", start_ms=n, tags=[f"{TAG}{n}"]) for n in range(first, first + 500)]
        running.append(received(*spans)).result(DEADLINE_SECONDS)
    running.writer.settled("sessions").result(DEADLINE_SECONDS)
    return running


def readers(running: Parts) -> list[str]:
    """The read transactions that are open now."""
    told: str = running.store._env._env.readers()
    return [line for line in told.splitlines()[1:] if line.split()[-1] != "-"]


def write_some(running: Parts, rounds: int = 20) -> None:
    """Write pages anew, which a reader of the old ones would keep from being used again."""
    for number in range(1, rounds + 1):
        running.append(received(*(span(trace=n, id=10**6 + number, session=f"s{n}") for n in range(1, 201)))).result(
            DEADLINE_SECONDS
        )
        running.writer.settled("sessions").result(DEADLINE_SECONDS)


def file_bytes(running: Parts) -> int:
    info = running.store._env._env.info()
    return (info["last_pgno"] + 1) * running.store._env._env.stat()["psize"]


@pytest.fixture
def channel(running: Parts) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(running.query.address) as found:
        yield found


def follow(channel: grpc.Channel) -> grpc.Call:
    return SessionServiceStub(channel).StreamSessions(
        pb.StreamSessionsRequest(follow=True, changes_only=True), timeout=DEADLINE_SECONDS
    )


def test_a_slow_reader_holds_no_transaction_and_the_store_does_not_grow_for_it(full: Parts, channel: grpc.Channel) -> None:
    write_some(full)
    before = file_bytes(full)
    write_some(full)
    without = file_bytes(full) - before
    stream = SessionServiceStub(channel).StreamSessions(pb.StreamSessionsRequest(), timeout=DEADLINE_SECONDS)
    next(stream)
    until(lambda: readers(full) == [], "the stream waits for its reader outside of any transaction")
    before = file_bytes(full)
    write_some(full)
    assert readers(full) == []
    assert file_bytes(full) - before <= without + (1 << 20)
    rows = {row.session_id for message in stream for row in message.sessions}
    assert len(rows) >= ROWS - 200 - 10, "what did not change came, but for the first message"
    assert rows >= {f"s{n}" for n in range(1, 201)}, "what changed meanwhile came at the end"


def test_a_slow_reader_reads_what_does_not_fit_the_wire(full: Parts, channel: grpc.Channel) -> None:
    """The daemon waits for it, and does not read ahead into memory."""
    stream = SessionServiceStub(channel).StreamTraces(pb.StreamTracesRequest(), timeout=DEADLINE_SECONDS)
    next(stream)
    assert sum(len(message.traces) for message in stream) == ROWS - 10


@pytest.mark.parametrize("leave", ["cancelled", "cut off"])
def test_followers_that_leave_are_let_go(running: Parts, leave: str) -> None:
    """By and by as many as may follow, several times over."""
    threads = set()
    for _ in range(4):
        channels = [grpc.insecure_channel(running.query.address) for _ in range(running.followers.count_max)]
        streams = [follow(channel) for channel in channels]
        assert all(next(stream).caught_up for stream in streams)
        assert running.followers.count == running.followers.count_max
        for stream, channel in zip(streams, channels, strict=True):
            if leave == "cancelled":
                stream.cancel()
            channel.close()
        until(lambda: running.followers.count == 0, "followers are let go")
        threads.add(threading.active_count())
    assert max(threads) <= min(threads) + 2, threads
    assert readers(running) == []


def test_one_follower_too_many_is_told_so(running: Parts, refusal: type) -> None:
    channels = [grpc.insecure_channel(running.query.address) for _ in range(running.followers.count_max + 1)]
    try:
        streams = []
        for channel in channels[:-1]:
            streams.append(follow(channel))
            assert next(streams[-1]).caught_up
        with refusal() as said:
            next(follow(channels[-1]))
        assert (said.refusal.code, said.refusal.reason) == ("RESOURCE_EXHAUSTED", "CROWDED")
    finally:
        for channel in channels:
            channel.close()


def test_followers_leave_queries_their_threads(running: Parts, asker: Asker) -> None:
    channels = [grpc.insecure_channel(running.query.address) for _ in range(running.followers.count_max)]
    streams = [follow(channel) for channel in channels]
    try:
        assert all(next(stream).caught_up for stream in streams)
        calls: list[Future[pb.ListSessionsResponse]] = [
            asker.api.ListSessions.future(pb.ListSessionsRequest(), timeout=DEADLINE_SECONDS) for _ in range(20)
        ]
        assert all(call.result() == pb.ListSessionsResponse() for call in calls)
    finally:
        for channel in channels:
            channel.close()


def test_a_follower_hears_of_what_another_client_sends(running: Parts, sender: Sender, channel: grpc.Channel) -> None:
    stream = SessionServiceStub(channel).StreamSessions(pb.StreamSessionsRequest(follow=True))
    first = next(stream)
    assert (first.caught_up, list(first.sessions)) == (True, [])
    sender.export(request(span(trace=1, session="s1")))
    told = next(stream)
    assert [row.session_id for row in told.sessions] == ["s1"]
    assert told.resume_token
    stream.cancel()
    sender.export(request(span(trace=2, session="s2")))
    again = SessionServiceStub(channel).StreamSessions(pb.StreamSessionsRequest(follow=True, resume_token=told.resume_token))
    assert [row.session_id for row in next(again).sessions] == ["s2"]
    again.cancel()


@pytest.mark.parametrize("field", ["resume_token", "changes_only"])
def test_what_is_for_followers_alone_is_refused_without_follow(asker: Asker, refusal: type, field: str) -> None:
    with refusal() as said:
        next(asker.api.StreamTraces(pb.StreamTracesRequest(**{field: "x" if field == "resume_token" else True})))
    assert (said.refusal.code, said.refusal.field) == ("INVALID_ARGUMENT", field)


def test_a_query_that_is_cancelled_midway_ends(full: Parts, asker: Asker) -> None:
    """Each begins to look at all rows, and is given up at once."""
    asked = [
        (asker.api.ListTraces, pb.ListTracesRequest(filter='input:"x" OR output:"y"', order_by="duration_ms desc")),
        (asker.api.Stats, pb.StatsRequest(filter="cost_usd > p95(cost_usd)", group_by="tags")),
    ]
    for method, message in asked * 10:
        method.future(message).cancel()
    streams = [asker.api.StreamSessions(pb.StreamSessionsRequest(order_by="tags desc")) for _ in range(10)]
    for stream in streams:
        stream.cancel()
    answer = asker.api.ListSessions(pb.ListSessionsRequest(page_size=1), timeout=DEADLINE_SECONDS)
    assert len(answer.sessions) == 1
    until(lambda: readers(full) == [], "no transaction is left")
    assert full.broken == []


def test_a_page_walk_beside_a_writer_skips_nothing(full: Parts, asker: Asker) -> None:
    """While another client goes on writing to rows that the walk has yet to come to, and to new ones."""
    stop = threading.Event()

    def write() -> None:
        number = ROWS
        while not stop.is_set():
            number += 1
            changed = number % ROWS + 1
            spans = [span(trace=changed, id=number, session=f"s{changed}"), span(trace=10**6 + number, session=f"new{number}")]
            full.append(received(*spans, arrival=builders.ARRIVAL + number)).result(DEADLINE_SECONDS)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for order_by in ("", "name, start_time desc"):
            seen: set[str] = set()
            answer = asker.api.ListSessions(pb.ListSessionsRequest(page_size=500, order_by=order_by), timeout=DEADLINE_SECONDS)
            while not seen >= {f"s{n}" for n in range(1, ROWS + 1)}:
                seen |= {row.session_id for row in answer.sessions}
                if not answer.next_page_token:
                    break
                again = pb.ListSessionsRequest(page_size=500, order_by=order_by, page_token=answer.next_page_token)
                answer = asker.api.ListSessions(again, timeout=DEADLINE_SECONDS)
            assert seen >= {f"s{n}" for n in range(1, ROWS + 1)}
    finally:
        stop.set()
        writer.join()
