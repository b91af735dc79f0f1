"""Lines -> entries: what one side said at once, each tool call with its result."""

from collections.abc import Iterable, Sequence

from sessiond.core.conversation.around import Around
from sessiond.core.conversation.entry import Entry, ToolUse
from sessiond.core.conversation.thread import Line, Thread
from sessiond.core.model import Role, SpanFacts


class _Use:
    """A call, and its result as a message tells it."""

    __slots__ = ("line", "result")

    def __init__(self, line: Line) -> None:
        self.line = line
        self.result: str | None = None


class _Draft:
    """An entry that calls and results may still be added to."""

    __slots__ = ("first", "uses")

    def __init__(self, first: Line) -> None:
        self.first = first
        self.uses: list[_Use] = []

    @property
    def role(self) -> Role:
        kind = self.first.part.kind
        if kind == "result" or not self.first.is_asked_for:
            return "tool"
        return "assistant" if kind == "call" else kind

    def takes(self, line: Line) -> bool:
        """Whether a call that comes next was said with it."""
        first = self.first
        is_of_one = (line.thread, line.place, line.came_out) == (first.thread, first.place, first.came_out)
        return is_of_one and self.role == "assistant" and line.part.kind == "call" and line.is_asked_for


def entries_of(trace_id: bytes, lines: Iterable[Line], spans: Sequence[SpanFacts], around: Around) -> tuple[Entry, ...]:
    """The entries of a trace, in order."""
    return tuple(_entry(trace_id, draft, spans, around) for draft in _drafts(lines))


def _drafts(lines: Iterable[Line]) -> list[_Draft]:
    drafts: list[_Draft] = []
    asking: dict[Thread, list[_Draft]] = {}
    for line in lines:
        if line.part.kind == "result" and (use := _use_of(line, asking.get(line.thread, ()))) is not None:
            use.result = line.part.text
            continue
        if not drafts or not drafts[-1].takes(line):
            drafts.append(_Draft(line))
        if line.part.kind == "call":
            draft = drafts[-1]
            if not draft.uses:
                asking.setdefault(line.thread, []).append(draft)
            draft.uses.append(_Use(line))
    return drafts


def _use_of(result: Line, asking: Sequence[_Draft]) -> _Use | None:
    """The call that a result is of: the last one of its id; where one of both has none, the first of the last calls that waits."""
    call_id = result.part.call_id
    if call_id:
        for draft in reversed(asking):
            for use in draft.uses:
                if use.result is None and use.line.part.call_id == call_id:
                    return use
    last = asking[-1].uses if asking else ()
    return next((use for use in last if use.result is None and not (call_id and use.line.part.call_id)), None)


def _entry(trace_id: bytes, draft: _Draft, spans: Sequence[SpanFacts], around: Around) -> Entry:
    line = draft.first
    span, agent = spans[line.place], around.agents[line.place]
    part = line.part
    lost = ToolUse(part.call_id, "", "", part.text)
    return Entry(
        role=draft.role,
        text="" if part.kind in ("call", "result") else part.text,
        tool_uses=(lost,) if part.kind == "result" else tuple(_tool_use(use, spans) for use in draft.uses),
        trace_id=trace_id,
        span_id=span.span_id,
        came_out=line.came_out,
        depth=around.depths[line.place] + (line.thread.aside is not None),
        agent=span.agent or (spans[agent].agent or spans[agent].name if agent >= 0 else None),
    )


def _tool_use(use: _Use, spans: Sequence[SpanFacts]) -> ToolUse:
    part, run = use.line.part, use.line.run
    ran_in = spans[use.line.ran_at] if use.line.ran_at >= 0 else None
    return ToolUse(
        part.call_id or (run and run.call_id) or None,
        part.name,
        part.text or (run.arguments if run else ""),
        use.result if use.result is not None else run and run.result,
        error=(ran_in.error_message or ran_in.error_type or "error") if ran_in and ran_in.is_error else None,
        span_id=ran_in.span_id if ran_in else b"",
    )
