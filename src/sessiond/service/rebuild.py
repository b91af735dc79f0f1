"""Making everything but span bytes and arrival times again, into an empty store."""

from collections.abc import Iterator
from typing import NamedTuple

from sessiond.core.model import ReceivedSpan, Rejection
from sessiond.service.rules import Rules
from sessiond.service.settle import Settler
from sessiond.service.writer import COMMIT_BYTES_MAX, COMMIT_SPANS_MAX
from sessiond.storage.api import Spans, Store, span_pages
from sessiond.storage.packing import Packer


class Rebuilt(NamedTuple):
    """How far it is. A span that this version can't read is left out, and said in `problems`."""

    spans: int
    problems: list[str]


def rebuild(old: Spans, new: Store, rules: Rules) -> Iterator[Rebuilt]:
    """Copy every span of `old`, with its first arrival, into the empty store `new` and settle it; tells of each commit.

    Which traces were erased is copied too.
    """
    _copy_erasures(old, new)
    packer = Packer()
    spans = size = 0
    batch: list[ReceivedSpan] = []
    problems: list[str] = []
    for received in _received(old, rules):
        if isinstance(received, Rejection):
            problems.append(received.message)
            continue
        batch.append(received)
        size += len(received.data)
        if len(batch) == COMMIT_SPANS_MAX or size > COMMIT_BYTES_MAX:
            spans += new.append(packer.traces(batch)).stored
            yield Rebuilt(spans, problems)
            batch, size, problems = [], 0, []
    spans += new.append(packer.traces(batch)).stored
    Settler(new, rules).settle_all()
    yield Rebuilt(spans, problems)


def _copy_erasures(old: Spans, new: Store) -> None:
    after: bytes | None = None
    while erasures := old.erasures(after):
        new.remember_erased(erasures)
        after = erasures[-1].trace_id


def _received(store: Spans, rules: Rules) -> Iterator[ReceivedSpan | Rejection]:
    """Every span of a store made again from its bytes."""
    after: bytes | None = None
    while trace_ids := store.trace_ids(after):
        after = trace_ids[-1]
        for trace_id in trace_ids:
            for page in span_pages(store, trace_id):
                for stored in page:
                    yield rules.read(stored)
