"""Decoding in processes of their own: the same spans, and nothing lost when one of them dies."""

import os
import signal
from collections.abc import Iterator

import pytest

from builders import ARRIVAL, RULES, request, span
from sessiond.core.errors import Invalid, TooLarge
from sessiond.service.receiving import decoders as decoders_module
from sessiond.service.receiving.decode import Decoded, Decoder
from sessiond.service.receiving.decoders import DecoderDied, Decoders
from sessiond.wire import otlp

LARGE = request(
    *(span(id=number, filler=str(number) * 500, session="s1", tokens_in=3) for number in range(1, 301))
).SerializeToString()
SMALL = request(span(id=1)).SerializeToString()
DAMAGED = LARGE + request(span(id=1000, trace=0)).SerializeToString()


@pytest.fixture
def decoders() -> Iterator[Decoders]:
    opened = Decoders(RULES.keys, processes_max=1)
    yield opened
    opened.stop()


def decoded(decoders: Decoders, body: bytes, spans_max: int = 10**6) -> list[Decoded]:
    return list(decoders.decode(body, received_unix_nano=ARRIVAL, spans_max=spans_max))


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
    monkeypatch.setattr(decoders_module, "FINGERPRINT", b"another")
    assert decoded(decoders, LARGE) == in_place(LARGE)
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
