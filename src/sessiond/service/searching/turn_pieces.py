"""What is searched of a trace, read from its spans: what the turn adds, its tools' calls and results, errors and names."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from sessiond.core.identity import chronological
from sessiond.core.messages import input_messages, output_messages
from sessiond.core.model import Message, SpanFacts, SpanView
from sessiond.core.search.document import Piece, Place, bounded
from sessiond.service.said import key_of
from sessiond.storage.api import Store, span_pages
from sessiond.wire.spans import read_span


def pieces_of(store: Store, trace_id: bytes) -> list[Piece]:
    """The pieces of a trace that are searched, within the bounds of `core.search.document`; of an unknown trace none."""
    facts = store.facts(trace_id)
    spans, _ = chronological(facts)
    held = _views(store, trace_id, facts)
    said = chain.from_iterable(_said(span, held[key_of(span)]) for span in spans if key_of(span) in held)
    return bounded(chain(said, _errors(spans), _names(spans)))


def _views(store: Store, trace_id: bytes, facts: Sequence[SpanFacts]) -> dict[tuple[bytes, int], SpanView]:
    wanted = {key_of(span) for span in facts if span.has_input or span.has_output}
    if not wanted:
        return {}
    views = (read_span(stored.data) for page in span_pages(store, trace_id) for stored in page)
    return {(view.span_id, view.kind): view for view in views if view is not None and (view.span_id, view.kind) in wanted}


def _said(span: SpanFacts, view: SpanView) -> Iterator[Piece]:
    given = input_messages(view) if span.has_input else ()
    last = max((place for place, one in enumerate(given) if one.role == "assistant"), default=-1)
    yield from _pieces(span, given[last + 1 :], "input")
    yield from _pieces(span, output_messages(view) if span.has_output else (), "output")


def _pieces(span: SpanFacts, messages: Iterable[Message], side: Place) -> Iterator[Piece]:
    for message in messages:
        if message.role == "system":
            continue
        place: Place = "tool_result" if message.role == "tool" else side
        if span.operation == "tool":
            place = "tool_call" if side == "input" else "tool_result"
        yield Piece(place, message.text, span.span_id)
        for call in message.tool_calls:
            yield Piece("tool_call", f"{call.name} {call.arguments}", span.span_id)


def _errors(spans: Iterable[SpanFacts]) -> Iterator[Piece]:
    for span in spans:
        if span.is_error:
            yield Piece("error", " ".join(filter(None, (span.error_type, span.error_message))), span.span_id)


def _names(spans: Iterable[SpanFacts]) -> Iterator[Piece]:
    for span in spans:
        for name in (span.name, span.agent, span.tool):
            yield Piece("name", name or "", span.span_id)
