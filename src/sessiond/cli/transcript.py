"""A conversation as a person reads it: turn by turn, who said what, and beneath each call of a tool what came of it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from rich.console import RenderableType
from rich.text import Text

from sessiond.cli.columns import cost, tokens
from sessiond.cli.facts import utc
from sessiond.cli.render import Indented, text
from sessiond.cli.text import clean, duration
from sessiond.cli.turns import Turn
from sessiond.client import Status, ToolUse, TranscriptEntry
from sessiond.client.rows import enum_name

TEXT_LENGTH_MAX: Final = 1000
"""Characters of a text that are shown without --full: a screen of it."""
TOOL_LENGTH_MAX: Final = 300
"""Characters of arguments and of a result that are shown without --full."""
INDENT: Final = 4
DEPTH_MAX: Final = 8
"""Deeper ones stand at this depth."""
_LINE_END: Final = re.compile(r"\r\n?|\n")
_STYLES: Final[Mapping[TranscriptEntry.Role, str]] = {
    TranscriptEntry.ROLE_SYSTEM: "dim",
    TranscriptEntry.ROLE_USER: "bold cyan",
    TranscriptEntry.ROLE_ASSISTANT: "bold green",
    TranscriptEntry.ROLE_TOOL: "bold yellow",
}


def told(turn: Turn, entries: Sequence[TranscriptEntry], *, is_full: bool) -> Iterator[RenderableType]:
    """A turn: its figures in a line, then its entries."""
    yield _header(turn)
    agent = entries[0].agent if entries else ""
    for entry in entries:
        yield Indented(_who(entry, agent), _indent(entry))
        agent = entry.agent
        for said in _entry(entry, is_full=is_full):
            yield Indented(said, _indent(entry) + INDENT)
    if not entries:
        yield Indented(Text("no text was sent", "dim"), INDENT)
    error = turn.trace.error_message or turn.trace.error_type
    if error and not any(use.error == error for entry in entries for use in entry.tool_uses):
        yield Indented(text(f"! {error}", "bold red"), INDENT)
    if turn.figures.cut:
        yield Indented(Text("more was said than is held", "dim"), INDENT)


def _header(turn: Turn) -> Text:
    trace = turn.trace
    parts = [
        Text(f"turn {turn.number:,}", "bold"),
        Text(utc(trace.start_time)),
        Text(duration(trace.duration_ms)),
        tokens(trace).append(" tokens"),
        cost(trace),
        *([text(", ".join(trace.models), "magenta")] if trace.models else []),
        text(trace.trace_id, "dim"),
        *([Text("failed", "bold red")] if trace.status == Status.STATUS_ERROR else []),
    ]
    return Text("  ").join(parts)


def _indent(entry: TranscriptEntry) -> int:
    return INDENT * min(entry.depth, DEPTH_MAX)


def _who(entry: TranscriptEntry, agent_before: str) -> Text:
    """The role, and the agent where it is another than that of the entry before."""
    found = Text(enum_name(TranscriptEntry.Role.DESCRIPTOR, entry.role) or "?", _STYLES.get(entry.role, ""))
    return found.append_text(text(f"  {entry.agent}", "dim")) if entry.agent not in ("", agent_before) else found


def _entry(entry: TranscriptEntry, *, is_full: bool) -> Iterator[Text]:
    style = "dim" if entry.role == TranscriptEntry.ROLE_SYSTEM else ""
    if entry.text:
        length_max = None if is_full else TEXT_LENGTH_MAX
        yield _said(entry.text, entry.text_length, length_max, entry.trace_id, style)
    for use in entry.tool_uses:
        yield from _tool(use, None if is_full else TOOL_LENGTH_MAX, entry.trace_id)


def _tool(use: ToolUse, length_max: int | None, trace_id: str) -> Iterator[Text]:
    if use.name:
        name = text(f"> {use.name}", "yellow")
        given = _said(use.arguments, use.arguments_length, length_max, trace_id, hanging=True)
        yield name.append(" ").append_text(given) if use.arguments else name
    if use.HasField("result"):
        yield Text("< ", "yellow").append_text(_said(use.result, use.result_length, length_max, trace_id, hanging=True))
    if use.HasField("error"):
        yield text(f"! {use.error}", "bold red")


def _said(said: str, length: int, length_max: int | None, trace_id: str, style: str = "", *, hanging: bool = False) -> Text:
    """A text with its lines, all but the first further in if they hang, and what is not shown of it."""
    shown = said if length_max is None else said[:length_max]
    found = Text(
        ("\n  " if hanging else "\n").join(clean(line.expandtabs(INDENT)) for line in _LINE_END.split(shown.rstrip("\r\n"))), style
    )
    if len(shown) < length:
        all_of_it = f", {length - len(shown):,} of them not shown; sessiond export spans - --filter trace_id={trace_id} has all"
        more = all_of_it if length_max is None else "; --full shows more"
        found.append(f"... ({length:,} characters{more})", "dim")
    return found
