"""Out of the store all that can't be made again. The way in is `service.receiving`, with arrivals, and `service.feedback`."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, Final

from sessiond.core.feedback.annotation import Annotation
from sessiond.core.feedback.score import Score
from sessiond.core.feedback.target import Subject
from sessiond.core.model import SessionSummary, StoredSpan, TraceSummary, UserSummary
from sessiond.service.asking.query import IsWanted, Queries, always
from sessiond.service.asking.question import Question
from sessiond.service.feedback.asked import each_of
from sessiond.storage.api import Store
from sessiond.wire.span_batches import cut

BATCH_BYTES: Final = 128 << 10
"""Of spans and what they are of, or of feedback, given at once: a line of a file, and so what a broken line costs."""

AnyFeedback = Score | Annotation


class Transfer:
    """The use cases. Every method may be called from any thread, and raises as `Queries.page`.

    What changes meanwhile may come twice: a row comes again at the end as it then is, and what it is made of with it.
    """

    def __init__(self, store: Store, queries: Queries) -> None:
        self._store = store
        self._queries = queries

    def spans(self, question: Question[Any], is_wanted: IsWanted = always) -> Iterator[list[StoredSpan]]:
        """All spans of the rows that match, some at a time; those of one trace follow each other."""
        return cut(self._spans(question, is_wanted), BATCH_BYTES)

    def feedback(self, question: Question[Any], is_wanted: IsWanted = always) -> Iterator[AnyFeedback]:
        """All feedback on the rows that match and on the traces that they are made of.

        Where nothing restricts the question it is all that there is, on what was not received too.
        """
        return self._of_rows(question, is_wanted) if question.is_restricted else self._all(is_wanted)

    def _spans(self, question: Question[Any], is_wanted: IsWanted) -> Iterator[StoredSpan]:
        for rows in self._queries.stream(question, is_wanted):
            for trace_id in self._queries.traces_of(question.kind, rows):
                for page in self._queries.spans(trace_id):
                    yield from page

    def _all(self, is_wanted: IsWanted) -> Iterator[AnyFeedback]:
        return chain(each_of(self._store.scores, is_wanted), each_of(self._store.annotations, is_wanted))

    def _of_rows(self, question: Question[Any], is_wanted: IsWanted) -> Iterator[AnyFeedback]:
        for rows in self._queries.stream(question, is_wanted):
            for row in rows:
                for subject in self._subjects(question, row):
                    yield from self._store.scores.of(subject)
                    yield from self._store.annotations.of(subject)

    def _subjects(self, question: Question[Any], row: TraceSummary | SessionSummary | UserSummary) -> Iterable[Subject]:
        """What feedback may be on, of a row; of a trace or session that has none, nothing."""
        if not isinstance(row, UserSummary) and not (row.scores or row.annotations):
            return ()
        own: tuple[Subject, ...] = (row.key,) if isinstance(row, SessionSummary) else ()
        return chain(own, self._queries.traces_of(question.kind, [row]))
