"""What is searched of a trace, read from the store."""

from itertools import chain
from typing import Final

from sessiond.core.errors import Damaged, SessiondError
from sessiond.core.search.added import errors_in, names_in, said_in
from sessiond.core.search.document import Piece, bounded
from sessiond.service.conversation import listened
from sessiond.storage.api import Store

SPANS_MAX: Final = 2_000
"""Spans of a trace, the earliest, whose words are searched: all of them are read again whenever the trace grows, a tenth of a
second for so many."""


def pieces_of(store: Store, trace_id: bytes) -> list[Piece]:
    """The pieces of a trace that are searched, within the bounds of `core.search.document`; of an unknown trace none."""
    facts = store.facts(trace_id)
    told = listened(store, trace_id, facts, SPANS_MAX)
    return bounded(chain(said_in(told.spans, told.selection, told.heard), errors_in(facts), names_in(facts)))


def is_of_one(error: Exception) -> bool:
    """Whether what `pieces_of` raised is about its trace alone, which is to cost that one and no other."""
    return isinstance(error, Damaged) or not isinstance(error, SessiondError)
