"""The figures of one trace or session, made of what a store holds of it.

Of a trace those are its facts, the texts that its spans carry, and what was said
of it; of a session its traces, and what was said of it.
"""

from collections.abc import Sequence
from functools import partial

from sessiond.core import session, trace
from sessiond.core.feedback.rollup import Feedback
from sessiond.core.feedback.target import Subject
from sessiond.core.identity import SpanKey
from sessiond.core.model import SessionKey, SessionSummary, SpanFacts
from sessiond.service.rules import Rules
from sessiond.service.said import Said, key_of, said_in
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
    return said_in(facts, partial(_bytes_of, store, trace_id, facts))


def _bytes_of(store: Store, trace_id: bytes, facts: Sequence[SpanFacts], wanted: set[SpanKey]) -> dict[SpanKey, bytes]:
    """The bytes of these spans. A store gives spans in the order of their facts, so none is parsed to be found."""
    keys = {place: key for place, span in enumerate(facts) if (key := key_of(span)) in wanted}
    found: dict[SpanKey, bytes] = {}
    place = 0
    for page in span_pages(store, trace_id):
        for place_in_page in keys.keys() & range(place, place + len(page)):
            found[keys[place_in_page]] = page[place_in_page - place].data
        place += len(page)
        if len(found) == len(keys):
            break
    return found
