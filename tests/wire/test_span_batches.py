"""Batches between stores: large ones are divided, and each span keeps its bytes, whose it is and when it came."""

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from builders import request, span
from sessiond.core.model import Origin
from sessiond.wire._pb.v1.transfer_service_pb2 import SpanBatch
from sessiond.wire.envelope import unfold
from sessiond.wire.repair import wrapped
from sessiond.wire.span_batches import cut, divided, span_batch


class Came(NamedTuple):
    """A span's bytes, whose they are and when they came."""

    origin: Origin
    data: bytes
    received_unix_nano: int


ORIGINS = [
    Origin(resource, b"", scope, url) for resource in (b"", b"\x0a\x02re") for scope in (b"", b"\x0a\x01s") for url in (b"", b"u")
]
CAME = st.lists(
    st.tuples(st.sampled_from(ORIGINS), st.binary(max_size=20).map(lambda name: wrapped(name, 5))), min_size=3, max_size=30
).map(lambda spans: [Came(*span, arrival) for arrival, span in enumerate(spans, 1)])


def held(batch: SpanBatch) -> list[Came]:
    envelope = unfold(batch.SerializeToString(), spans_max=10**6)
    assert envelope.malformed_parts == 0
    spans = [(part.origin, data) for part in envelope.parts for data in part.spans]
    arrivals = list(batch.received_unix_nanos) or [0] * len(spans)
    return [Came(*one, arrival) for one, arrival in zip(spans, arrivals, strict=True)]


@given(spans=CAME, bytes_max=st.integers(1, 80), tells_arrivals=st.booleans())
def test_what_is_divided_holds_the_same_spans_each_with_its_origin_and_arrival(
    spans: list[Came], bytes_max: int, tells_arrivals: bool
) -> None:
    whole = span_batch(one if tells_arrivals else one._replace(received_unix_nano=0) for one in spans)
    parts = list(divided(whole, bytes_max))
    assert sorted(one for part in parts for one in held(part)) == sorted(held(whole))
    assert len(parts) == 1 or all(part.resource_spans for part in parts)


def test_a_batch_that_is_not_much_too_large_stays_as_it_is() -> None:
    whole = SpanBatch.FromString(request(span(trace=1), span(trace=2)).SerializeToString())
    assert list(divided(whole, whole.ByteSize() // 2 + 1)) == [whole]
    assert len(list(divided(whole, 20))) == 2


def test_what_can_t_be_divided_is_left_for_the_daemon_to_judge() -> None:
    whole = SpanBatch.FromString(request(span(trace=1), span(trace=2)).SerializeToString())
    broken = SpanBatch(resource_spans=[*whole.resource_spans, whole.resource_spans[0][:-3]])
    short = SpanBatch(resource_spans=whole.resource_spans, received_unix_nanos=[7])
    for batch in (broken, short):
        assert list(divided(batch, 1)) == [batch]


def test_a_resource_counts_once_in_each_part() -> None:
    large, small = Origin(bytes(1000), b"", b"", b""), Origin(b"", b"", b"", b"")
    spans = [Came(origin, bytes(10), 1) for origin in (large, large, small, small) for _ in range(20)]
    assert [len(part) for part in cut(spans, 1100)] == [10, 10, 10, 10, 40]
    assert [len(part) for part in cut(spans, 1 << 20)] == [80]


def test_a_span_that_is_larger_than_a_part_is_alone() -> None:
    origin = Origin(b"", b"", b"", b"")
    spans = [Came(origin, bytes(size), 1) for size in (10, 10, 500, 10, 90, 10)]
    assert [[len(one.data) for one in part] for part in cut(spans, 100)] == [[10, 10], [500], [10, 90], [10]]
