"""What is exported and imported into an empty store gives the same sessions, traces and users, down to when spans arrived."""

import json
import time

import pytest
from conversations import Turn, conversations
from hypothesis import given, settings
from hypothesis import strategies as st
from test_arrival import Figures, figures

from builders import RULES, packed
from sessiond.core.model import StoredSpan
from sessiond.core.normalize import DEFAULT
from sessiond.files.otlp_json import batch_of, line_of
from sessiond.service.decode import Decoder
from sessiond.service.settle import Settler
from sessiond.storage.api import Store, span_pages
from sessiond.storage.memory import MemoryStore
from sessiond.wire._pb.v1.transfer_service_pb2 import SpanBatch
from sessiond.wire.span_batches import span_batch

ARRIVALS = st.lists(st.integers(1_790_000_000 * 10**9, 1_790_000_100 * 10**9), min_size=8, max_size=8)


def stored(told: list[Turn], arrivals: list[int]) -> Store:
    """Each span of the turns, in a store where it arrived at a time of its own."""
    store = MemoryStore()
    spans = [built for turn in told for built in turn.spans]
    for place, built in enumerate(spans):
        store.append(packed(built, arrival=arrivals[place % len(arrivals)], scope=f"scope {place % 2}", region=f"r{place % 3}"))
    return store


def exported(store: Store) -> list[SpanBatch]:
    return [span_batch(page) for trace_id in store.trace_ids() for page in span_pages(store, trace_id)]


def spans_of(store: Store) -> set[StoredSpan]:
    """Byte for byte, with origins and arrivals."""
    return {span for trace_id in store.trace_ids() for page in span_pages(store, trace_id) for span in page}


def imported(batches: list[SpanBatch]) -> Store:
    store = MemoryStore()
    decoder = Decoder(DEFAULT)
    for batch in batches:
        body = batch.SerializeToString()
        arrivals = batch.received_unix_nanos
        for decoded in decoder.decode(body, received_unix_nano=time.time_ns(), spans_max=10**6, arrivals=arrivals):
            assert decoded.rejections == []
            store.append(decoded.traces)
    return store


def settled(store: Store) -> Figures:
    Settler(store, RULES).settle_all()
    return figures(store)


@settings(deadline=None)
@pytest.mark.parametrize("through_json", [False, True])
@given(told=conversations(), arrivals=ARRIVALS)
def test_an_import_of_an_export_has_the_same_figures(through_json: bool, told: list[Turn], arrivals: list[int]) -> None:
    store = stored(told, arrivals)
    batches = exported(store)
    carried = [batch_of(json.loads(line_of(batch))) for batch in batches] if through_json else batches
    copy = imported(carried)
    assert settled(copy) == settled(store)
    if not through_json:
        assert spans_of(copy) == spans_of(store)
