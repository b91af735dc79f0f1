"""The figures of one trace or session, made of what a store holds of it.

Of a trace those are its facts, the texts that its spans carry, and what was said
of it; of a session its traces, and what was said of it.
"""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

from sessiond.core.feedback.rollup import Feedback
from sessiond.core.feedback.target import Subject
from sessiond.core.figures import session, trace
from sessiond.core.identity import SpanKey
from sessiond.core.model import SessionKey, SessionSummary, SpanFacts
from sessiond.service.settling.rules import Rules
from sessiond.service.settling.said import Said, key_of, said_in
from sessiond.storage.api import SettledTrace, Store, span_pages


def settled(store: Store, rules: Rules, trace_id: bytes) -> SettledTrace:
    """Everything that is computed of a trace, which has spans."""
    facts = store.facts(trace_id)
    texts = store.fresh_texts(trace_id)
    if texts is None:
        texts = said(store, trace_id, facts).texts
    return SettledTrace(trace.summarize(trace_id, facts, rules.prices, feedback_of(store, trace_id)), texts)


def settled_session(store: Store, key: SessionKey) -> SessionSummary | None:
    """Everything that is computed of a session; None where it has no traces."""
    traces = store.traces_of_session(key)
    return session.summarize(key, traces, feedback_of(store, key)) if traces else None


def feedback_of(store: Store, subject: Subject) -> Feedback:
    """What was said of a trace and its spans, or of a session itself."""
    return Feedback(store.scores.of(subject), store.annotations.count(subject))


def said(store: Store, trace_id: bytes, facts: Sequence[SpanFacts]) -> Said:
    """What its user asked and was answered, read from the stored spans; `facts` as `store.facts` gives them."""
    return said_in(facts, lambda wanted: dict(bytes_of(store, trace_id, facts, wanted)))


def bytes_of(
    store: Store, trace_id: bytes, facts: Sequence[SpanFacts], wanted: AbstractSet[SpanKey]
) -> Iterator[tuple[SpanKey, bytes]]:
    """The bytes of these spans, a page at a time. A store gives spans in the order of their facts: none is parsed to be found."""
    keys = {place: key for place, span in enumerate(facts) if (key := key_of(span)) in wanted}
    place, waiting = 0, len(keys)
    for page in span_pages(store, trace_id) if keys else ():
        for place_in_page in sorted(keys.keys() & range(place, place + len(page))):
            yield keys[place_in_page], page[place_in_page - place].data
            waiting -= 1
        place += len(page)
        if not waiting:
            break
