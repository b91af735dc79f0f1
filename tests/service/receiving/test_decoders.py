"""Decoding in processes of their own: the same spans, and nothing lost when one of them dies."""

import os
import random
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing

import pytest

from builders import ARRIVAL, RULES, request, span
from daemon import DEADLINE_SECONDS, until
from sessiond.core.errors import Busy, Invalid, TooLarge
from sessiond.service.receiving import decoder_child
from sessiond.service.receiving import decoders as decoders_module
from sessiond.service.receiving.decode import Decoded, Decoder
from sessiond.service.receiving.decoder_child import DecoderChild, DecoderDied
from sessiond.service.receiving.decoders import REQUESTS_PER_PROCESS, Decoders
from sessiond.wire import otlp

LARGE = request(
    *(span(id=number, filler=str(number) * 500, session="s1", tokens_in=3) for number in range(1, 301))
).SerializeToString()
SMALL = request(span(id=1)).SerializeToString()
SEVERAL_PARTS = request(
    *(span(id=number, filler=random.Random(number).randbytes(otlp.BATCH_BYTES_MAX)) for number in range(1, 4))
).SerializeToString()
"""Each of them longer than the pipe."""
DAMAGED = LARGE + request(span(id=1000, trace=0)).SerializeToString()


@pytest.fixture
def decoders() -> Iterator[Decoders]:
    opened = Decoders(RULES.keys, processes_max=1)
    yield opened
    opened.stop()


@pytest.fixture
def pair() -> Iterator[Decoders]:
    opened = Decoders(RULES.keys, processes_max=2)
    yield opened
    opened.stop()


def decoded(decoders: Decoders, body: bytes, spans_max: int = 10**6, *, alone: bool = False) -> list[Decoded]:
    return list(decoders.decode(body, received_unix_nano=ARRIVAL, spans_max=spans_max, alone=alone))


def in_place(body: bytes) -> list[Decoded]:
    return list(Decoder(RULES.keys.normalizer()).decode(body, received_unix_nano=ARRIVAL, spans_max=10**6))


@pytest.mark.parametrize("body", [LARGE, SMALL, DAMAGED, b""], ids=["large", "small", "with a bad span", "empty"])
def test_a_request_gives_the_same_spans_wherever_it_is_decoded(decoders: Decoders, body: bytes) -> None:
    assert decoded(decoders, body) == in_place(body)


def test_a_request_of_several_parts_comes_whole(decoders: Decoders, monkeypatch: pytest.MonkeyPatch) -> None:
    many = request(*(span(id=number, filler="x" * 50) for number in range(1, otlp.BATCH_SPANS_MAX + 2))).SerializeToString()
    assert [sum(packed.span_count for packed in part.traces) for part in decoded(decoders, many)] == [otlp.BATCH_SPANS_MAX, 1]


def test_failures_are_those_of_decoding_in_place(decoders: Decoders) -> None:
    with pytest.raises(TooLarge):
        decoded(decoders, LARGE, spans_max=10)
    with pytest.raises(Invalid):
        decoded(decoders, b"no request" * 10_000)
    assert decoded(decoders, LARGE) == in_place(LARGE)


def test_a_process_that_died_is_replaced_and_its_request_may_be_sent_again(decoders: Decoders) -> None:
    decoded(decoders, LARGE)
    os.kill(decoders._processes[0]._process.pid, signal.SIGKILL)
    with pytest.raises(DecoderDied):
        decoded(decoders, LARGE)
    assert decoded(decoders, LARGE) == in_place(LARGE)


def test_a_request_given_up_halfway_does_not_leak_into_the_next(decoders: Decoders) -> None:
    begun = decoders.decode(LARGE, received_unix_nano=ARRIVAL, spans_max=10**6)
    next(begun)
    begun.close()
    assert decoded(decoders, DAMAGED) == in_place(DAMAGED)


def test_a_process_of_another_version_is_not_used(decoders: Decoders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder_child, "FINGERPRINT", b"another")
    assert decoded(decoders, LARGE) == in_place(LARGE)
    assert decoders._processes == []


def no_fork(*_: object, **__: object) -> None:
    raise BlockingIOError(11, "Resource temporarily unavailable")


def test_where_no_process_can_be_started_requests_are_decoded_in_place_and_later_in_one_again(
    decoders: Decoders, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as without:
        without.setattr(decoder_child.subprocess, "Popen", no_fork)
        assert decoded(decoders, LARGE) == in_place(LARGE)
        with pytest.raises(Busy, match="no process can be started to decode the request alone; send the request again"):
            decoded(decoders, LARGE, alone=True)
    assert decoded(decoders, LARGE) == in_place(LARGE)
    assert decoders._processes == []
    decoders._start_again_at -= decoders_module.START_AGAIN_SECONDS
    assert decoded(decoders, LARGE) == in_place(LARGE)
    assert len(decoders._processes) == 1


def test_a_process_at_work_takes_the_next_request_where_no_other_can_be_started(
    pair: Decoders, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(pair.decode(LARGE, received_unix_nano=ARRIVAL, spans_max=10**6)) as first:
        next(first)
        monkeypatch.setattr(decoder_child.subprocess, "Popen", no_fork)
        with pair._used(alone=False) as process:
            assert process is pair._processes[0]


def test_a_request_ends_while_another_process_starts(pair: Decoders, monkeypatch: pytest.MonkeyPatch) -> None:
    greeted = DecoderChild.is_of_our_kind
    starting, gate = threading.Event(), threading.Event()

    def greeted_late(process: DecoderChild) -> bool:
        starting.set()
        assert gate.wait(DEADLINE_SECONDS)
        return greeted(process)

    first = pair.decode(SEVERAL_PARTS, received_unix_nano=ARRIVAL, spans_max=10**6)
    parts = [next(first)]
    monkeypatch.setattr(DecoderChild, "is_of_our_kind", greeted_late)
    with ThreadPoolExecutor(2) as pool:
        second = pool.submit(decoded, pair, LARGE)
        assert starting.wait(DEADLINE_SECONDS)
        try:
            parts += pool.submit(list, first).result(DEADLINE_SECONDS)
        finally:
            gate.set()
        assert second.result(DEADLINE_SECONDS) == in_place(LARGE)
    assert parts == in_place(SEVERAL_PARTS)


def test_a_request_alone_has_a_process_to_itself_which_ends_with_it(decoders: Decoders) -> None:
    with closing(decoders.decode(LARGE, received_unix_nano=ARRIVAL, spans_max=10**6, alone=True)) as alone:
        next(alone)
        (own,) = decoders._processes
        assert decoded(decoders, LARGE) == in_place(LARGE)
        assert (own.users, len(decoders._processes)) == (1, 2)
        with pytest.raises(Busy, match="another request is decoded alone"):
            decoded(decoders, LARGE, alone=True)
    assert own.has_ended
    assert [process.is_shared for process in decoders._processes] == [True]
    assert decoded(decoders, LARGE, alone=True) == in_place(LARGE)


@pytest.mark.parametrize("alone", [True, False])
def test_a_death_says_whether_its_request_was_alone(decoders: Decoders, alone: bool) -> None:
    begun = decoders.decode(SEVERAL_PARTS, received_unix_nano=ARRIVAL, spans_max=10**6, alone=alone)
    next(begun)
    os.kill(decoders._processes[0]._process.pid, signal.SIGKILL)
    with pytest.raises(DecoderDied) as caught:
        list(begun)
    assert caught.value.was_alone == alone
    assert decoders._processes == []


def test_no_process_is_started_for_small_requests(decoders: Decoders) -> None:
    decoded(decoders, SMALL)
    assert decoders._processes == []


def test_an_idle_process_is_ended(decoders: Decoders, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded(decoders, LARGE)
    process = decoders._processes[0]._process
    decoders.end_idle()
    assert process.poll() is None
    monkeypatch.setattr(decoders_module, "IDLE_SECONDS", -1.0)
    decoders.end_idle()
    assert process.poll() == 0
    assert decoders._processes == []


def stopped_at_work(decoders: Decoders, pool: ThreadPoolExecutor, count: int) -> list[Future[list[Decoded]]]:
    """That many requests, to a process that does nothing."""
    decoded(decoders, LARGE)
    (process,) = decoders._processes
    os.kill(process._process.pid, signal.SIGSTOP)
    under_way = [pool.submit(decoded, decoders, LARGE) for _ in range(count)]
    until(lambda: process.users == min(count, REQUESTS_PER_PROCESS))
    return under_way


def test_a_stop_gives_up_what_is_being_decoded_and_what_waits_for_it(decoders: Decoders) -> None:
    with ThreadPoolExecutor(4) as pool:
        under_way = stopped_at_work(decoders, pool, 3)
        (process,) = decoders._processes
        stopping = threading.Thread(target=decoders.stop, daemon=True)
        stopping.start()
        stopping.join(DEADLINE_SECONDS)
        hangs = stopping.is_alive()
        process._process.kill()  # lets the test end where the stop did not
        for answer in under_way:
            with pytest.raises(Busy, match="sessiond is stopping; send the request again"):
                answer.result(DEADLINE_SECONDS)
    assert not hangs
    assert (process.has_ended, decoders._processes) == (True, [])


def test_a_process_that_is_at_one_request_for_too_long_is_killed_and_the_next_request_taken(
    decoders: Decoders, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ThreadPoolExecutor(4) as pool:
        under_way = stopped_at_work(decoders, pool, 2)
        (process,) = decoders._processes
        until(lambda: process.seconds_at_work() > 0)
        decoders.kill_stuck()
        assert not process.has_ended
        monkeypatch.setattr(decoders_module, "WORK_SECONDS_MAX", 0.0)
        decoders.kill_stuck()
        for answer in under_way:
            with pytest.raises(DecoderDied):
                answer.result(DEADLINE_SECONDS)
    assert decoded(decoders, LARGE) == in_place(LARGE)


def test_a_request_whose_parts_wait_for_the_disk_does_not_keep_its_process_at_work(
    decoders: Decoders, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(decoders.decode(SEVERAL_PARTS, received_unix_nano=ARRIVAL, spans_max=10**6)) as begun:
        parts = [next(begun)]
        monkeypatch.setattr(decoders_module, "WORK_SECONDS_MAX", 0.0)
        decoders.kill_stuck()
        assert [*parts, *begun] == in_place(SEVERAL_PARTS)
