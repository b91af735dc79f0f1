"""Conversations out of a store: what one trace adds, and the transcript of many, read a page of spans at a time."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from sessiond.core.conversation.entry import Entry, Turn
from sessiond.core.conversation.heard import Heard, Hearing
from sessiond.core.conversation.teller import wanted_places
from sessiond.core.conversation.transcript import transcript
from sessiond.core.conversation.turn import turn_of
from sessiond.core.figures.calls import Selection, select
from sessiond.core.identity import chronological
from sessiond.core.model import SpanFacts
from sessiond.service.settling.figures import bytes_at
from sessiond.service.settling.said import key_of
from sessiond.storage.api import Store
from sessiond.wire.spans import read_span


class Listened(NamedTuple):
    """What is heard of a trace: `turn_of` takes the first three."""

    spans: Sequence[SpanFacts]
    selection: Selection
    heard: dict[int, Heard]
    is_cut: bool
    """Whether it is not all, being too much."""


def added_by(store: Store, trace_id: bytes) -> Turn:
    """What a trace adds to its conversation, by the spans that are stored now; of an unknown trace nothing.

    Spans are read a page at a time, and of what they tell at most `heard.CHARACTERS_MAX` is held.
    """
    spans, selection, heard, is_cut = listened(store, trace_id, store.facts(trace_id))
    turn = turn_of(trace_id, spans, selection, heard)
    return turn._replace(is_cut=turn.is_cut or is_cut)


def listened(store: Store, trace_id: bytes, facts: Sequence[SpanFacts], spans_max: int | None = None) -> Listened:
    """What the spans of a trace tell, with its facts as `store.facts` gives them; by its earliest `spans_max` spans alone."""
    spans, intervals = chronological(facts)
    spans, intervals = spans[:spans_max], intervals[:spans_max]
    selection = select(spans, intervals)
    stored_at = {key_of(span): at for at, span in enumerate(facts)}
    places = {stored_at[key_of(spans[place])]: place for place in wanted_places(spans, selection)}
    hearing = Hearing()
    heard: dict[int, Heard] = {}
    for at, data in bytes_at(store, trace_id, places.keys()):
        view, place = read_span(data), places[at]
        # Beside a writer, facts and spans may be of different moments, and another span stand at the place.
        if view is not None and (view.span_id, view.kind) == key_of(spans[place]):
            heard[place] = hearing.hear(view, is_tool=spans[place].operation == "tool")
    return Listened(spans, selection, heard, hearing.is_cut)


def transcript_of(store: Store, trace_ids: Iterable[bytes]) -> Iterator[tuple[Entry, ...]]:
    """The conversation that the traces of a session are, in their order; some entries at a time."""
    return transcript(added_by(store, trace_id) for trace_id in trace_ids)
