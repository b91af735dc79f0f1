"""Spans out of the store, with all that can't be made again. The way in is `service.ingest`, with arrivals."""

from collections.abc import Iterator
from typing import Any, Final

from sessiond.core.model import StoredSpan
from sessiond.service.asking.query import IsWanted, Queries, always
from sessiond.service.asking.question import Question

BATCH_BYTES: Final = 1 << 20
"""Of spans given at once: as much as is read in one transaction."""


def span_batches(queries: Queries, question: Question[Any], is_wanted: IsWanted = always) -> Iterator[list[StoredSpan]]:
    """All spans of the rows that match, some at a time; those of one trace follow each other. Raises as `Queries.page`.

    What changes meanwhile may come twice: a row comes again at the end as it then is, and its spans with it.
    """
    batch: list[StoredSpan] = []
    size = 0
    for rows in queries.stream(question, is_wanted):
        for trace_id in queries.traces_of(question.kind, rows):
            for page in queries.spans(trace_id):
                for span in page:
                    batch.append(span)
                    size += len(span.data)
                    if size >= BATCH_BYTES:
                        yield batch
                        batch, size = [], 0
    if batch:
        yield batch
