"""What is searched of a trace, read from its spans: what the turn adds, its tools' calls and results, errors and names."""

from collections.abc import Iterable, Iterator
from itertools import chain

from sessiond.core.conversation.entry import Entry, ToolUse
from sessiond.core.identity import chronological
from sessiond.core.model import Role, SpanFacts
from sessiond.core.search.document import Piece, Place, bounded
from sessiond.service.conversation import added_by
from sessiond.storage.api import Store

_PLACES: dict[Role, Place] = {"user": "input", "assistant": "output", "tool": "tool_result"}
"""Instructions are not among them: every turn of an application repeats them."""


def pieces_of(store: Store, trace_id: bytes) -> list[Piece]:
    """The pieces of a trace that are searched, within the bounds of `core.search.document`; of an unknown trace none."""
    spans, _ = chronological(store.facts(trace_id))
    said = chain.from_iterable(map(_said, added_by(store, trace_id).entries))
    return bounded(chain(said, _errors(spans), _names(spans)))


def _said(entry: Entry) -> Iterator[Piece]:
    if entry.role in _PLACES:
        yield Piece(_PLACES[entry.role], entry.text, entry.span_id)
    for use in entry.tool_uses:
        yield from _used(use, use.span_id or entry.span_id)


def _used(use: ToolUse, span_id: bytes) -> Iterator[Piece]:
    yield Piece("tool_call", f"{use.name} {use.arguments}".strip(), span_id)
    yield Piece("tool_result", use.result or "", span_id)


def _errors(spans: Iterable[SpanFacts]) -> Iterator[Piece]:
    for span in spans:
        if span.is_error:
            yield Piece("error", " ".join(filter(None, (span.error_type, span.error_message))), span.span_id)


def _names(spans: Iterable[SpanFacts]) -> Iterator[Piece]:
    for span in spans:
        for name in (span.name, span.agent, span.tool):
            yield Piece("name", name or "", span.span_id)
