"""Lines -> entries: what one side said at once, each tool call with its result."""

from collections import deque
from collections.abc import Iterable, Sequence

from sessiond.core.conversation.around import Around
from sessiond.core.conversation.entry import Entry, ToolUse
from sessiond.core.conversation.line import Line, Thread
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
        if line.part.kind != "call":
            return False
        first = self.first
        is_of_one = (line.thread, line.place, line.came_out) == (first.thread, first.place, first.came_out)
        is_answered = any(use.result is not None for use in self.uses)
        return is_of_one and self.role == "assistant" and line.is_asked_for and not is_answered


def entries_of(trace_id: bytes, lines: Iterable[Line], spans: Sequence[SpanFacts], around: Around) -> tuple[Entry, ...]:
    """The entries of a trace, in order."""
    return tuple(_entry(trace_id, draft, spans, around) for draft in _drafts(lines))


class _Asking:
    """The calls of a thread, found by their results."""

    __slots__ = ("_by_id", "_last", "_nameless", "_waiting")

    def __init__(self) -> None:
        self._by_id: dict[str, list[tuple[_Draft, deque[_Use]]]] = {}
        """Those of an id, apart by what they were said with."""
        self._last: _Draft | None = None
        self._waiting = deque[_Use]()
        """Of the last that were said together."""
        self._nameless = deque[_Use]()
        """Those among them without an id."""

    def add(self, draft: _Draft, use: _Use) -> None:
        """A call that was said."""
        if draft is not self._last:
            self._last, self._waiting, self._nameless = draft, deque(), deque()
        self._waiting.append(use)
        call_id = use.line.part.call_id
        if not call_id:
            self._nameless.append(use)
            return
        of_id = self._by_id.setdefault(call_id, [])
        if not of_id or of_id[-1][0] is not draft:
            of_id.append((draft, deque()))
        of_id[-1][1].append(use)

    def use_of(self, result: Line) -> _Use | None:
        """The call that a result is of: the last of its id; where one of both has none, the first of the last calls that waits."""
        call_id = result.part.call_id
        of_id = self._by_id.get(call_id, []) if call_id else []
        while of_id:
            if (use := _first_without_result(of_id[-1][1])) is not None:
                return use
            of_id.pop()
        return _first_without_result(self._nameless if call_id else self._waiting)


def _first_without_result(uses: deque[_Use]) -> _Use | None:
    while uses and uses[0].result is not None:
        uses.popleft()
    return uses[0] if uses else None


def _drafts(lines: Iterable[Line]) -> list[_Draft]:
    drafts: list[_Draft] = []
    asking: dict[Thread, _Asking] = {}
    for line in lines:
        asked = asking.get(line.thread)
        if line.part.kind == "result" and asked is not None and (use := asked.use_of(line)) is not None:
            use.result = line.part.text
            continue
        if not drafts or not drafts[-1].takes(line):
            drafts.append(_Draft(line))
        if line.part.kind == "call":
            draft, use = drafts[-1], _Use(line)
            draft.uses.append(use)
            asking.setdefault(line.thread, _Asking()).add(draft, use)
    return drafts


def _entry(trace_id: bytes, draft: _Draft, spans: Sequence[SpanFacts], around: Around) -> Entry:
    line = draft.first
    span, agent = spans[line.place], around.agents[line.place]
    part = line.part
    return Entry(
        role=draft.role,
        text="" if part.kind in ("call", "result") else part.text,
        tool_uses=_tool_uses(draft, spans),
        trace_id=trace_id,
        span_id=span.span_id,
        came_out=line.came_out,
        depth=around.depths[line.place] + (line.thread.aside is not None),
        agent=span.agent or (spans[agent].agent or spans[agent].name if agent >= 0 else None),
    )


def _tool_uses(draft: _Draft, spans: Sequence[SpanFacts]) -> tuple[ToolUse, ...]:
    part = draft.first.part
    if part.kind == "result":
        return (ToolUse(part.call_id, "", "", part.text),)
    return tuple([_tool_use(use, spans) for use in draft.uses])


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
