"""What a query waits for before it reads: what was acknowledged before it is settled, and figures are of the rules of now."""

from collections.abc import Callable, Sequence
from typing import Final

from sessiond.core.errors import Busy, StoreFull
from sessiond.core.model import TraceSummary
from sessiond.service.settling.settle import Need
from sessiond.service.writer import Writer

SETTLE_SECONDS_MAX: Final = 25.0
"""How long a query waits for what was acknowledged before it: less than clients wait for us, so that they hear why."""


class Freshness:
    """Every method may be called from any thread. Raises Busy where the wait is too long, StoreFull where there is no room.

    `though_full` it does not raise the latter: what was settled last must do.
    """

    def __init__(self, writer: Writer, *, though_full: bool = False) -> None:
        self._writer = writer
        self._though_full = though_full

    def though_full(self) -> "Freshness":
        """The same for who goes on where the store is full."""
        return Freshness(self._writer, though_full=True)

    @property
    def is_renewing(self) -> bool:
        """Whether some figures may be of other rules, and are being renewed."""
        return self._writer.is_renewing

    def settle(self, need: Need, renewed: Sequence[bytes] = ()) -> None:
        """Wait for what was acknowledged before; and where figures may be of other rules, for these traces."""
        self._wait(need, renewed)

    def settle_all(self, need: Need) -> None:
        """Wait until everything is settled and of the rules of now."""
        self._wait(need, None if self._writer.is_renewing else ())

    def settle_moves(self, need: Need) -> None:
        """Wait until no trace can turn out to belong elsewhere than where it is found."""
        self._wait(need, None if self._writer.is_moving else ())

    def settle_owned(self, need: Need, traces: Callable[[], Sequence[TraceSummary]]) -> None:
        """Wait for one session or user, who has these traces; as long as others may turn out to be theirs too, for all."""
        if self._writer.is_moving:
            self._wait(need, None)
        else:
            self._wait(need, [trace.trace_id for trace in traces()] if self._writer.is_renewing else ())

    def _wait(self, need: Need, renewed: Sequence[bytes] | None) -> None:
        try:
            self._writer.settled(need, renewed).result(SETTLE_SECONDS_MAX)
        except StoreFull as error:
            if not self._though_full:
                raise StoreFull(
                    f"what was received before this query can't be settled: {error.message}", hint=error.hint
                ) from error
        except TimeoutError as error:
            progress = self._writer.renewed() if renewed is None else None
            if progress is not None:
                told = f"what is stored is being read by new rules, {progress.traces:,} of {progress.of:,} traces so far"
                raise Busy(told, hint="ask again") from error
            raise Busy("what was received before this query is still being settled", hint="ask again") from error
