"""What repeats among the tools that a session's turns used: errors of one tool, and the same call again."""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple, TypeVar

from sessiond.core.conversation.entry import ToolUse
from sessiond.core.conversation.parts import arguments_key

Key = TypeVar("Key")

AGAIN_MIN: Final = 2
"""Times from which on something repeats."""
GROUPS_MAX: Final = 100_000
"""Different calls of a session that are remembered: a few megabytes. Later ones are not looked for."""
SHOWN_LENGTH_MAX: Final = 1000
"""Characters of arguments and of an error that are kept to show, as of every short text."""


class Repeated(NamedTuple):
    """Uses of one tool that are alike."""

    tool: str
    times: int
    trace_ids: tuple[bytes, ...]
    """The turns, each once, in order."""
    detail: str
    """Their arguments, or the last error."""


class _Group:
    __slots__ = ("by_turn", "detail", "tool")

    def __init__(self, tool: str) -> None:
        self.tool = tool
        self.detail = ""
        self.by_turn: dict[bytes, int] = {}

    def add(self, trace_id: bytes, detail: str) -> None:
        self.by_turn[trace_id] = self.by_turn.get(trace_id, 0) + 1
        self.detail = detail[:SHOWN_LENGTH_MAX]

    def repeated(self, trace_ids: Iterable[bytes]) -> Repeated:
        turns = tuple(trace_ids)
        return Repeated(self.tool, sum(self.by_turn[one] for one in turns), turns, self.detail)


class ToolWatch:
    """Takes the uses of tools turn by turn."""

    def __init__(self) -> None:
        self._failed: dict[str, _Group] = {}
        self._called: dict[tuple[str, int], _Group] = {}

    def add_errors(self, trace_id: bytes, uses: Iterable[ToolUse]) -> None:
        """Take the failures among all uses that a turn tells."""
        for use in uses:
            if use.error is not None:
                self._take(self._failed, use.name, use.name, trace_id, use.error)

    def add_calls(self, trace_id: bytes, uses: Iterable[ToolUse]) -> None:
        """Take some uses of a turn, each once. One whose arguments are not told is like no other."""
        for use in uses:
            if use.arguments.strip():
                self._take(self._called, (use.name, hash(arguments_key(use.arguments))), use.name, trace_id, use.arguments)

    def errors(self) -> Iterator[Repeated]:
        """Of each tool that failed again its failures, in order of the first."""
        for group in self._failed.values():
            if sum(group.by_turn.values()) >= AGAIN_MIN:
                yield group.repeated(group.by_turn)

    def loops(self) -> Iterator[Repeated]:
        """The same call again within a turn: for each turn in which it is."""
        for group in self._called.values():
            for trace_id, count in group.by_turn.items():
                if count >= AGAIN_MIN:
                    yield group.repeated([trace_id])

    def calls_again(self) -> Iterator[Repeated]:
        """The same call in several turns."""
        for group in self._called.values():
            if len(group.by_turn) >= AGAIN_MIN:
                yield group.repeated(group.by_turn)

    def _take(self, groups: dict[Key, _Group], key: Key, tool: str, trace_id: bytes, detail: str) -> None:
        group = groups.get(key)
        if group is None:
            if len(groups) >= GROUPS_MAX:
                return
            group = groups[key] = _Group(tool)
        group.add(trace_id, detail)
