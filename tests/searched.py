"""What of a trace is searched, beside what its turn adds to the conversation: the same words."""

from collections.abc import Iterable

from sessiond.core.conversation.entry import Entry
from sessiond.core.conversation.parts import arguments_key, bare
from sessiond.core.search.document import Piece

PLACES = {"user": "input", "assistant": "output", "tool": "tool_result"}

Words = set[tuple[str, str]]
"""(place, text), however white space and JSON in it are written; of calls without arguments nothing: their names are searched."""


def words_of_entries(entries: Iterable[Entry]) -> Words:
    """What entries say and do, instructions aside."""
    found: Words = set()
    for entry in entries:
        if entry.text and entry.role in PLACES:
            found.add((PLACES[entry.role], bare(entry.text)))
        for use in entry.tool_uses:
            if use.arguments:
                found.add(("tool_call", f"{use.name} {arguments_key(use.arguments)}"))
            if use.result:
                found.add(("tool_result", arguments_key(use.result)))
    return found


def words_of_pieces(pieces: Iterable[Piece]) -> Words:
    """What pieces say and do, errors and names aside."""
    return {(piece.place, _OF_PLACE.get(piece.place, bare)(piece.text)) for piece in pieces if piece.place not in {"error", "name"}}


def _call(text: str) -> str:
    name, arguments = text.split(" ", 1)
    return f"{name} {arguments_key(arguments)}"


_OF_PLACE = {"tool_call": _call, "tool_result": arguments_key}
