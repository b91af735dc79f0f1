"""How far facts that were made by other rules are renewed: a walk over all traces, as often as it takes to find none."""

from typing import Final, NamedTuple

from sessiond.storage.api import Store

TRACES_PER_STEP: Final = 200
"""Traces looked at in one transaction, and renewed in another: some 50 ms, which an export that arrives meanwhile waits longer."""


class Renewed(NamedTuple):
    """How far it is. `of` is how many traces there were when the walk began."""

    traces: int
    of: int


class Renewal:
    """The walk. Its state is the store's: a walk that ends early, by a crash too, begins again."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.begin(may_move=True)

    def begin(self, *, may_move: bool) -> None:
        """Begin the walk where facts may be of other rules, by which a trace `may_move` to another session, user or project."""
        self.may_move = may_move
        self.is_under_way = self._store.may_be_outdated()
        self._after: bytes | None = None
        self._found = False
        self._passed = 0
        self._of = self._store.extent().trace_count if self.is_under_way else 0

    def progress(self) -> Renewed | None:
        """None where nothing is to be renewed. May be asked from any thread."""
        return Renewed(self._passed, self._of) if self.is_under_way and self._of else None

    @property
    def moves(self) -> bool:
        """Whether a trace may yet turn out to belong elsewhere than where it is found."""
        return self.is_under_way and self.may_move

    def step(self) -> list[bytes]:
        """The outdated ones among the next traces, to be renewed before the next step."""
        if not self.is_under_way:
            return []
        outdated, self._after = self._store.outdated(self._after, TRACES_PER_STEP)
        self._found |= bool(outdated)
        self._passed = min(self._passed + TRACES_PER_STEP, self._of)
        if self._after is None:
            self._end_walk()
        return outdated

    def _end_walk(self) -> None:
        """Begin the next walk, which looks whether this one was the last that was needed."""
        if not self._found:
            self._store.confirm_rules()
            self.is_under_way = False
        self._found = False
