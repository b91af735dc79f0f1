"""The figures of one trace, session or user, made of what a store holds of it.

Of a trace those are its facts, the texts that its spans carry, and what was said of it; of a session its traces, which are given,
and what was said of it; of a user their traces.
"""

from collections.abc import Collection, Iterator, Sequence

from sessiond.core.feedback.rollup import Feedback
from sessiond.core.feedback.target import Subject
from sessiond.core.figures import session, trace, user
from sessiond.core.model import SessionKey, SessionSummary, SpanFacts, TraceSummary, UserKey, UserSummary
from sessiond.service.settling.rules import Rules
from sessiond.service.settling.said import Said, said_in, wanted_places
from sessiond.storage.api import SettledTrace, Store, span_pages


def settled(store: Store, rules: Rules, trace_id: bytes) -> SettledTrace:
    """Everything that is computed of a trace, which has spans."""
    facts = store.facts(trace_id)
    texts = store.fresh_texts(trace_id)
    if texts is None:
        texts = said(store, trace_id, facts).texts
    return SettledTrace(trace.summarize(trace_id, facts, rules.prices, feedback_of(store, trace_id)), texts)


def settled_session(store: Store, key: SessionKey, traces: Sequence[TraceSummary]) -> SessionSummary | None:
    """Everything that is computed of a session; None where it has no traces."""
    return session.summarize(key, traces, feedback_of(store, key)) if traces else None


def settled_user(key: UserKey, traces: Sequence[TraceSummary]) -> UserSummary | None:
    """Everything that is computed of a user; None where they have no traces."""
    return user.summarize(key, traces) if traces else None


def feedback_of(store: Store, subject: Subject) -> Feedback:
    """What was said of a trace and its spans, or of a session itself."""
    return Feedback(store.scores.of(subject), store.annotations.count(subject))


def said(store: Store, trace_id: bytes, facts: Sequence[SpanFacts]) -> Said:
    """What its user asked and was answered, read from the stored spans; `facts` as `store.facts` gives them."""
    return said_in(facts, dict(bytes_at(store, trace_id, wanted_places(facts))).get)


def bytes_at(store: Store, trace_id: bytes, places: Collection[int]) -> Iterator[tuple[int, bytes]]:
    """(place, bytes) of the spans at these places among the trace's facts, a page at a time: a store gives spans in that order."""
    wanted = frozenset(places)
    place, waiting = 0, len(wanted)
    for page in span_pages(store, trace_id) if wanted else ():
        for at in sorted(wanted & frozenset(range(place, place + len(page)))):
            yield at, page[at - place].data
            waiting -= 1
        place += len(page)
        if not waiting:
            break
