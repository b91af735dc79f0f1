"""What was said and how it went -> messages of sessiond.v1, each far below what a client takes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from sessiond.core.conversation.entry import Entry, ToolUse
from sessiond.core.model import Role
from sessiond.core.turns.figures import TurnFigures
from sessiond.core.turns.findings import Finding, FindingKind
from sessiond.wire._pb.v1 import conversation_pb2 as pb

TEXT_BYTES_MAX: Final = 256 << 10
"""Of a text, as UTF-8: more than anybody reads. With its tools an entry stays below the 1 MiB at which a message ends."""
TOOL_BYTES_MAX: Final = 64 << 10
"""Of a call's arguments, and of its result."""
NAME_BYTES_MAX: Final = 1 << 10
"""Of the name of a tool and of an agent, the id of a call, and an error."""
TOOLS_BYTES_MAX: Final = 512 << 10
"""Of the tools of one entry: from there on they come in another."""

_ROLES: Final[Mapping[Role, pb.TranscriptEntry.Role]] = {
    "system": pb.TranscriptEntry.ROLE_SYSTEM,
    "user": pb.TranscriptEntry.ROLE_USER,
    "assistant": pb.TranscriptEntry.ROLE_ASSISTANT,
    "tool": pb.TranscriptEntry.ROLE_TOOL,
}
_KINDS: Final[Mapping[FindingKind, pb.Finding.Kind]] = {
    "first_failure": pb.Finding.KIND_FIRST_FAILURE,
    "tool_errors": pb.Finding.KIND_TOOL_ERRORS,
    "loop": pb.Finding.KIND_LOOP,
    "call_again": pb.Finding.KIND_CALL_AGAIN,
    "asked_again": pb.Finding.KIND_ASKED_AGAIN,
    "prompt_growth": pb.Finding.KIND_PROMPT_GROWTH,
}


def entry_messages(entry: Entry) -> Iterator[pb.TranscriptEntry]:
    """An entry as one message, or as several where it has very many tools."""
    groups = list(_groups([_tool_message(use) for use in entry.tool_uses]))
    for at, tools in enumerate(groups or [[]]):
        yield pb.TranscriptEntry(
            role=_ROLES[entry.role],
            text="" if at else _cut(entry.text, TEXT_BYTES_MAX),
            text_length=0 if at else len(entry.text),
            tool_uses=tools,
            trace_id=entry.trace_id.hex(),
            span_id=entry.span_id.hex(),
            depth=entry.depth,
            agent=None if entry.agent is None else _cut(entry.agent, NAME_BYTES_MAX),
            came_out=entry.came_out,
            turn_trace_id=(entry.turn_id or entry.trace_id).hex(),
        )


def figures_message(turn: TurnFigures) -> pb.TurnFigures:
    """How a turn stands to the others."""
    fields = {name: value for name, value in turn._asdict().items() if value is not None and name != "is_cut"}
    return pb.TurnFigures(**fields | {"trace_id": turn.trace_id.hex()}, cut=turn.is_cut)


def finding_message(finding: Finding) -> pb.Finding:
    """Something that went wrong."""
    return pb.Finding(
        kind=_KINDS[finding.kind],
        trace_ids=map(bytes.hex, finding.trace_ids),
        times=finding.times,
        tool=None if finding.tool is None else _cut(finding.tool, NAME_BYTES_MAX),
        detail=finding.detail,
    )


def _tool_message(use: ToolUse) -> pb.ToolUse:
    return pb.ToolUse(
        call_id=None if use.call_id is None else _cut(use.call_id, NAME_BYTES_MAX),
        name=_cut(use.name, NAME_BYTES_MAX),
        arguments=_cut(use.arguments, TOOL_BYTES_MAX),
        arguments_length=len(use.arguments),
        result=None if use.result is None else _cut(use.result, TOOL_BYTES_MAX),
        result_length=len(use.result or ""),
        error=None if use.error is None else _cut(use.error, NAME_BYTES_MAX),
        span_id=use.span_id.hex(),
    )


def _groups(tools: Sequence[pb.ToolUse]) -> Iterator[list[pb.ToolUse]]:
    group: list[pb.ToolUse] = []
    held = 0
    for tool in tools:
        if group and held + tool.ByteSize() > TOOLS_BYTES_MAX:
            yield group
            group, held = [], 0
        group.append(tool)
        held += tool.ByteSize()
    if group:
        yield group


def _cut(text: str, bytes_max: int) -> str:
    """The beginning of a text, as many whole characters as fit."""
    return text if len(text) * 4 <= bytes_max else text.encode()[:bytes_max].decode(errors="ignore")
