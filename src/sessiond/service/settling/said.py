"""What the user of a trace asked and was answered, read from the few of its spans that may tell."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from sessiond.core.conventions import GENERATION_KINDS
from sessiond.core.identity import SpanKey, chronological
from sessiond.core.model import NO_TEXTS, Message, SpanFacts, SpanView, Text, Texts
from sessiond.core.text.messages import answer, input_messages, output_messages, question, shorten
from sessiond.core.text.spans import input_spans, output_spans
from sessiond.wire.spans import read_span


class Said(NamedTuple):
    """The texts of a trace, and the places of the spans that they were read from, in chronological order."""

    texts: Texts = NO_TEXTS
    asked: int | None = None
    answered: int | None = None


NOTHING_SAID: Final = Said()

Read = Callable[[SpanView], tuple[Message, ...]]
Pick = Callable[[Sequence[Message]], str | None]
BytesOf = Callable[[set[SpanKey]], Mapping[SpanKey, bytes]]
"""Gives the bytes of some spans of the trace; those that it does not give are passed over."""


def said_in(facts: Collection[SpanFacts], bytes_of: BytesOf) -> Said:
    """The texts of a trace of these spans, whose bytes are asked for once."""
    if not any(span.has_input or span.has_output for span in facts):
        return NOTHING_SAID
    spans, _ = chronological(facts)
    to_ask, to_answer = input_spans(spans), output_spans(spans)
    held = bytes_of({key_of(spans[place]) for place in (*to_ask, *to_answer)})
    views: dict[int, SpanView | None] = {}

    def view_at(place: int) -> SpanView | None:
        if place not in views:
            key = key_of(spans[place])
            view = read_span(held.get(key, b""))
            # Beside a writer, facts and spans may be of different moments, and another span stand at the place.
            views[place] = view if view and (view.span_id, view.kind) == key else None
        return views[place]

    def first(places: Iterable[int], read: Read, pick: Pick) -> tuple[Text | None, int | None]:
        for place in places:
            view = view_at(place)
            text = pick(read(view)) if view else None
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


def key_of(span: SpanFacts) -> SpanKey:
    return span.span_id, span.kind
