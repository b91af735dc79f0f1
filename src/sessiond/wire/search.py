"""Rows of a search -> messages of sessiond.v1."""

from collections.abc import Iterable, Mapping
from typing import Final

from sessiond.core.search.document import Place
from sessiond.core.search.excerpts import Excerpt
from sessiond.wire._pb.v1 import search_pb2 as pb
from sessiond.wire.api import Fields

_PLACES: Final[Mapping[Place, pb.SearchPlace]] = {
    "input": pb.SEARCH_PLACE_INPUT,
    "output": pb.SEARCH_PLACE_OUTPUT,
    "tool_call": pb.SEARCH_PLACE_TOOL_CALL,
    "tool_result": pb.SEARCH_PLACE_TOOL_RESULT,
    "error": pb.SEARCH_PLACE_ERROR,
    "name": pb.SEARCH_PLACE_NAME,
}


def search_fields(trace: Fields, session: Fields | None, hit_count: int, excerpts: Iterable[Excerpt]) -> Fields:
    """A row, as the fields of its message."""
    return {"trace": trace, "session": session, "hit_count": hit_count, "excerpts": [_excerpt(one) for one in excerpts]}


def _excerpt(excerpt: Excerpt) -> Fields:
    return {
        "place": _PLACES[excerpt.place],
        "span_id": excerpt.span_id.hex(),
        "text": excerpt.text,
        "highlights": [{"start": one.start, "end": one.end} for one in excerpt.highlights],
        "cut_before": excerpt.is_cut_before,
        "cut_behind": excerpt.is_cut_behind,
    }
