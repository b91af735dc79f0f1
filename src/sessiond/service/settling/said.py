"""What the user of a trace asked and was answered, read from the few of its spans that may tell."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from sessiond.core.conventions import GENERATION_KINDS
from sessiond.core.identity import SpanKey
from sessiond.core.model import NO_TEXTS, Message, SpanFacts, SpanView, Text, Texts
from sessiond.core.text.messages import TextsHeld, answer, arguments, input_messages, output_messages, question, shorten, texts_held
from sessiond.core.text.spans import input_spans, output_spans
from sessiond.wire.spans import read_span


class Said(NamedTuple):
    """The texts of a trace, and the places among its facts of the spans that they were read from."""

    texts: Texts = NO_TEXTS
    asked: int | None = None
    answered: int | None = None


Read = Callable[[SpanView, TextsHeld], tuple[Message, ...]]
Pick = Callable[[Sequence[Message]], str | None]
BytesAt = Callable[[int], bytes | None]
"""Gives the bytes of the span at a place among the facts; one that it does not give is passed over."""


def said_in(facts: Sequence[SpanFacts], bytes_at: BytesAt) -> Said:
    """The texts of a trace of these spans, in whatever order they are; `wanted_places` are those whose bytes may be asked for."""
    views: dict[int, tuple[SpanView, TextsHeld] | None] = {}

    def view_at(place: int) -> tuple[SpanView, TextsHeld] | None:
        if place not in views:
            view = read_span(bytes_at(place) or b"")
            # Beside a writer, facts and spans may be of different moments, and another span stand at the place.
            is_there = view is not None and (view.span_id, view.kind) == key_of(facts[place])
            views[place] = (view, texts_held(view)) if view is not None and is_there else None
        return views[place]

    def first(places: Iterable[int], read: Read, pick: Pick) -> tuple[Text | None, int | None]:
        for place in places:
            seen = view_at(place)
            text = pick(read(*seen)) if seen else None
            if text:
                return Text(*shorten(text)), place
        return None, None

    asked, asked_at = first(input_spans(facts), input_messages, question)
    if asked_at is not None and facts[asked_at].operation not in GENERATION_KINDS:
        seen = view_at(asked_at)
        given = arguments(input_messages(*seen)) if seen and asked and "\n" in asked.beginning else ()
        if given:  # if a call was given one of them, that one was said
            calls = (at for at in input_spans(facts) if facts[at].operation in GENERATION_KINDS)
            called, called_at = first(calls, input_messages, question)
            if called in [Text(*shorten(one)) for one in given]:
                asked, asked_at = called, called_at
    answered, answered_at = first(output_spans(facts), output_messages, answer)
    return Said(Texts(asked, answered), asked_at, answered_at)


def wanted_places(facts: Sequence[SpanFacts]) -> set[int]:
    """The places of all spans that may tell the texts of a trace."""
    return {*input_spans(facts), *output_spans(facts)}


def key_of(span: SpanFacts) -> SpanKey:
    return span.span_id, span.kind
