"""What is searched of a trace, read from its spans: what the turn adds, its tools' calls and results, errors and names."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

from sessiond.core.conversation.entry import Entry
from sessiond.core.model import Role, SpanFacts
from sessiond.core.search.document import Piece, Place, bounded
from sessiond.service.conversation import added_in
from sessiond.storage.api import Store

_PLACES: dict[Role, Place] = {"user": "input", "assistant": "output", "tool": "tool_result"}
"""Instructions are not among them: every turn of an application repeats them."""


SPANS_MAX: Final = 2_000
"""Spans of a trace, the earliest, whose words are searched: all of them are read again whenever the trace grows, a tenth of a
second for so many."""


def pieces_of(store: Store, trace_id: bytes) -> list[Piece]:
    """The pieces of a trace that are searched, within the bounds of `core.search.document`; of an unknown trace none."""
    facts = store.facts(trace_id)
    said = chain.from_iterable(map(_said, added_in(store, trace_id, facts, SPANS_MAX).entries))
    return bounded(chain(said, _errors(facts), _names(facts)))


def _said(entry: Entry) -> Iterator[Piece]:
    if entry.text and entry.role in _PLACES:
        yield Piece(_PLACES[entry.role], entry.text, entry.span_id)
    for use in entry.tool_uses:
        span_id = use.span_id or entry.span_id
        yield Piece("tool_call", f"{use.name} {use.arguments}".strip(), span_id)
        if use.result:
            yield Piece("tool_result", use.result, span_id)


def _errors(facts: Iterable[SpanFacts]) -> Iterator[Piece]:
    for span in facts:
        if span.is_error:
            yield Piece("error", " ".join(filter(None, (span.error_type, span.error_message))), span.span_id)


def _names(facts: Iterable[SpanFacts]) -> Iterator[Piece]:
    """Each name once, with the first of the spans that have it."""
    named = {name: span.span_id for span in reversed(list(facts)) for name in (span.tool, span.agent, span.name) if name}
    return (Piece("name", name, span_id) for name, span_id in reversed(named.items()))
