"""The figures of one trace, made of what a store holds of it: a summary of its facts, and the texts that its spans carry."""

from collections.abc import Sequence
from functools import partial

from sessiond.core import trace
from sessiond.core.identity import SpanKey
from sessiond.core.model import SpanFacts
from sessiond.service.rules import Rules
from sessiond.service.said import Said, key_of, said_in
from sessiond.storage.api import SettledTrace, Store, span_pages


def settled(store: Store, rules: Rules, trace_id: bytes) -> SettledTrace:
    """Everything that is computed of a trace, which has spans."""
    facts = store.facts(trace_id)
    texts = store.fresh_texts(trace_id)
    if texts is None:
        texts = said(store, trace_id, facts).texts
    return SettledTrace(trace.summarize(trace_id, facts, rules.prices), texts)


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
