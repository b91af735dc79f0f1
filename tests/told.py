"""What spans tell of a conversation: written short, read through a store."""

import json
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from builders import packed, span
from searched import words_of_entries, words_of_pieces
from sessiond.core.conversation.entry import Entry, Turn
from sessiond.core.conversation.transcript import transcript
from sessiond.core.search.added import said_in
from sessiond.service.conversation import added_by, listened
from sessiond.storage.memory import MemoryStore

Said = tuple[str, str] | dict[str, Any]
"""(role, text), or a whole message."""


def messages(*said: Said) -> str:
    """Messages as JSON."""
    return json.dumps([{"role": one[0], "content": one[1]} if isinstance(one, tuple) else one for one in said])


def calls(*wanted: tuple[str | None, str, str], text: str = "") -> dict[str, Any]:
    """An answer that calls tools: (id, name, arguments)."""
    made = [
        {"type": "function", "function": {"name": name, "arguments": given}} | ({"id": call_id} if call_id else {})
        for call_id, name, given in wanted
    ]
    return {"role": "assistant", "content": text, "tool_calls": made}


def result(text: str, call_id: str | None = None) -> dict[str, Any]:
    return {"role": "tool", "content": text} | ({"tool_call_id": call_id} if call_id else {})


def chat(given: tuple[Said, ...] = (), out: tuple[Said, ...] = (), **more: Any) -> Span:
    """A call to a model."""
    told = {"gen_ai.input.messages": messages(*given)} if given else {}
    told |= {"gen_ai.output.messages": messages(*out)} if out else {}
    return span(operation=more.pop("operation", "chat"), **told, **more)


def tool(name: str, arguments: str = "", result: str = "", **more: Any) -> Span:
    """The run of a tool."""
    told = {"gen_ai.tool.name": name, "gen_ai.tool.call.arguments": arguments, "gen_ai.tool.call.result": result}
    return span(operation="execute_tool", **{key: value for key, value in told.items() if value}, **more)


def turns(*spans: Span, scope: str = "scope") -> list[Turn]:
    """What each trace of the spans adds, in order of the traces' ids. A search is given the same words, or this raises."""
    store = MemoryStore()
    store.append(packed(*spans, scope=scope))
    found = [added_by(store, trace) for trace in sorted({one.trace_id for one in spans})]
    for turn in found:
        *heard, _ = listened(store, turn.trace_id, store.facts(turn.trace_id))
        assert words_of_pieces(said_in(*heard)) == words_of_entries(turn.entries)
    return found


def added(*spans: Span) -> list[str]:
    """What the one trace of the spans adds."""
    (turn,) = turns(*spans)
    return list(map(line, turn.entries))


def told(*spans: Span) -> list[str]:
    """The transcript of the traces of the spans."""
    return [line(entry) for some in transcript(turns(*spans)) for entry in some]


def line(entry: Entry) -> str:
    """An entry in short: `  user: Hello`, deeper ones further in; a call `name(arguments)=result`, and `!error`."""
    uses = "".join(
        f" {use.name}({use.arguments})"
        + (f"={use.result}" if use.result is not None else "")
        + (f"!{use.error}" if use.error else "")
        for use in entry.tool_uses
    )
    return f"{'  ' * entry.depth}{entry.role}: {entry.text}".rstrip() + uses
