"""The figures of one trace, made of what a store holds of it: a summary of its facts, and the texts that its spans carry."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from sessiond.core import trace
from sessiond.core.conventions import GENERATION_KINDS
from sessiond.core.identity import SpanKey, chronological
from sessiond.core.messages import answer, input_messages, output_messages, question, shorten
from sessiond.core.model import NO_TEXTS, Message, SpanFacts, SpanView, Text, Texts
from sessiond.core.text_spans import input_spans, output_spans
from sessiond.service.rules import Rules
from sessiond.storage.api import SettledTrace, Store, span_pages
from sessiond.wire.spans import read_span


class Said(NamedTuple):
    """The texts of a trace, and the places of the spans that they were read from, in chronological order."""

    texts: Texts = NO_TEXTS
    asked: int | None = None
    answered: int | None = None


NOTHING_SAID: Final = Said()

Read = Callable[[SpanView], tuple[Message, ...]]
Pick = Callable[[Sequence[Message]], str | None]


def settled(store: Store, rules: Rules, trace_id: bytes) -> SettledTrace:
    """Everything that is computed of a trace, which has spans."""
    facts = store.facts(trace_id)
    return SettledTrace(trace.summarize(trace_id, facts, rules.prices), said(store, trace_id, facts).texts)


def said(store: Store, trace_id: bytes, facts: Sequence[SpanFacts]) -> Said:
    """What its user asked and was answered, read from the few spans that may tell; `facts` as `store.facts` gives them."""
    if not any(span.has_input or span.has_output for span in facts):
        return NOTHING_SAID
    spans, _ = chronological(facts)
    to_ask, to_answer = input_spans(spans), output_spans(spans)
    held = _bytes_of(store, trace_id, facts, {_key(spans[place]) for place in (*to_ask, *to_answer)})

    def first(places: Iterable[int], read: Read, pick: Pick) -> tuple[Text | None, int | None]:
        for place in places:
            key = _key(spans[place])
            view = read_span(held.get(key, b""))
            # Beside a writer, facts and spans may be of different moments, and another span stand at the place.
            text = pick(read(view)) if view and (view.span_id, view.kind) == key else None
            if text:
                return Text(*shorten(text)), place
        return None, None

    asked, asked_at = first(to_ask, input_messages, question)
    if asked_at is not None and asked is not None and "\n" in asked.beginning and spans[asked_at].operation not in GENERATION_KINDS:
        # Several arguments of the application's function, perhaps: if a call was given one of them, that one was said.
        called, called_at = first((at for at in to_ask if spans[at].operation in GENERATION_KINDS), input_messages, question)
        if called is not None and called.beginning in asked.beginning:
            asked, asked_at = called, called_at
    answered, answered_at = first(to_answer, output_messages, answer)
    return Said(Texts(asked, answered), asked_at, answered_at)


def _bytes_of(store: Store, trace_id: bytes, facts: Sequence[SpanFacts], wanted: set[SpanKey]) -> dict[SpanKey, bytes]:
    """The bytes of these spans. A store gives spans in the order of their facts, so none is parsed to be found."""
    keys = {place: key for place, span in enumerate(facts) if (key := _key(span)) in wanted}
    found: dict[SpanKey, bytes] = {}
    place = 0
    for page in span_pages(store, trace_id):
        for place_in_page in keys.keys() & range(place, place + len(page)):
            found[keys[place_in_page]] = page[place_in_page - place].data
        place += len(page)
        if len(found) == len(keys):
            break
    return found


def _key(span: SpanFacts) -> SpanKey:
    return span.span_id, span.kind
