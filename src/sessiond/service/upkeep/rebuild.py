"""Making everything but span bytes, arrival times and feedback again, into an empty store."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from sessiond.core.feedback.annotation import Annotation
from sessiond.core.feedback.score import Score
from sessiond.core.model import ReceivedSpan, Rejection
from sessiond.service.settling.rules import Rules
from sessiond.service.settling.settle import Settler
from sessiond.service.writer import COMMIT_BYTES_MAX, COMMIT_SPANS_MAX
from sessiond.storage.api import Originals, Shelf, Spans, Store, span_pages
from sessiond.storage.packing import Packer

FEEDBACK_PAGE: Final = 1000
"""Scores or annotations in one transaction: three rows each, so a tenth of what one should hold."""


class Rebuilt(NamedTuple):
    """How far it is. A span that this version can't read is left out, and said in `problems`."""

    spans: int
    problems: list[str]
    feedback: int = 0
    """Scores and annotations."""


def rebuild(old: Originals, new: Store, rules: Rules) -> Iterator[Rebuilt]:
    """Copy every span of `old`, with its first arrival, and all feedback into the empty store `new` and settle it.

    Which traces were erased is copied too. Tells of each commit of spans, and at the end.
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
    feedback = _copy(old.scores, new) + _copy(old.annotations, new)
    Settler(new, rules).settle_all()
    yield Rebuilt(spans, problems, feedback)


def _copy(shelf: Shelf[Score] | Shelf[Annotation], new: Store) -> int:
    """Put everything on a shelf into a store; how much it is."""
    copied = 0
    after: bytes | None = None
    while True:
        items, after = shelf.page(None, after, FEEDBACK_PAGE)
        if items:
            new.put_feedback(items)
        copied += len(items)
        if after is None:
            return copied


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
