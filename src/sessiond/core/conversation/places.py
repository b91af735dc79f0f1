"""Where in a thread a part was told, found without a look at each line: a long run repeats thousands, thousands of times."""

from bisect import bisect_left, insort
from collections.abc import Iterator
from operator import attrgetter

from sessiond.core.conversation.line import Line
from sessiond.core.conversation.parts import Part, is_same

_Key = tuple[object, ...]
_ORDER = attrgetter("order")


class Places:
    """The lines of one thread by what they may be told as."""

    def __init__(self) -> None:
        self._lines: dict[_Key, list[Line]] = {}
        self._new: list[Line] = []
        """Not in `_lines` yet: mostly all that is looked for is what comes next."""

    def add(self, line: Line) -> None:
        """A line that was told."""
        self._new.append(line)

    def remove(self, line: Line) -> None:
        """It is told as another part from now on: `add` it then."""
        self._take_in()
        for key in _keys_of(line.part):
            lines = self._lines[key]
            del lines[bisect_left(lines, line.order, key=_ORDER)]

    def first(self, part: Part, start: Line | None) -> Line | None:
        """The first line, from `start` on, that may be told again by a part; None where nothing is from there on."""
        if start is None or is_same(start.part, part):
            return start
        self._take_in()
        found: list[Line] = []
        for key in _keys_for(part):
            lines = self._lines.get(key, ())
            at = bisect_left(lines, start.order, key=_ORDER)
            found += lines[at : at + 1]
        return min(found, key=_ORDER, default=None)

    def _take_in(self) -> None:
        for line in self._new:
            for key in _keys_of(line.part):
                lines = self._lines.setdefault(key, [])
                if not lines or lines[-1].order < line.order:
                    lines.append(line)
                else:
                    insort(lines, line, key=_ORDER)
        self._new = []


def _keys_of(part: Part) -> Iterator[_Key]:
    """What a line is found by, so that `_keys_for` a part finds those that `is_same` as it."""
    yield part.kind, "text", part.key
    yield (part.kind, "id", part.call_id) if part.call_id else (part.kind, "nameless", part.key)


def _keys_for(part: Part) -> Iterator[_Key]:
    if part.call_id:
        yield part.kind, "id", part.call_id
        yield part.kind, "nameless", part.key
    else:
        yield part.kind, "text", part.key
