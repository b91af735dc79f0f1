"""What went wrong over the turns of a session, each kind by its definition in docs/turns.md."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, Literal, NamedTuple

from sessiond.core.conversation.entry import Entry, Turn
from sessiond.core.conversation.transcript import transcript
from sessiond.core.model import Texts, TraceSummary
from sessiond.core.turns.figures import TurnFigures, figures_of
from sessiond.core.turns.tools import Repeated, ToolWatch

FindingKind = Literal["first_failure", "tool_errors", "loop", "call_again", "asked_again", "prompt_growth"]

FINDINGS_MAX: Final = 100
"""Of one kind: a person reads no more, and each is a row."""
TRACES_SHOWN_MAX: Final = 100
"""Turns named in a finding; `times` is of all."""
PROMPT_TIMES_MIN: Final = 4
"""How many times the first turn's prompt the largest has, where growth is a finding: a talk of a few turns doubles it."""
PROMPT_TOKENS_MIN: Final = 10_000
"""Tokens of the largest prompt from which on its growth matters: below, it costs less than a cent."""


class Finding(NamedTuple):
    """Something that went wrong, or may have."""

    kind: FindingKind
    trace_ids: tuple[bytes, ...]
    """The turns in which it did, in order; of `asked_again` the one after which."""
    times: int = 1
    """How often; of `prompt_growth` the tokens of the largest prompt."""
    tool: str | None = None
    detail: str | None = None
    """An error's message or type, or the arguments of a call."""


class Assessment(NamedTuple):
    """How a session went."""

    turns: list[TurnFigures]
    findings: list[Finding]


class Watch:
    """Takes what the turns of a session add, in their order, and keeps little of it.

    What a later turn only repeats is not taken again: an emitter without a span around its calls makes a trace of each.
    """

    def __init__(self) -> None:
        self._tools = ToolWatch()
        self._asking: set[bytes] = set()
        """The turns with words of their user's own."""
        self._prompts: dict[bytes, int | None] = {}
        self._cut: set[bytes] = set()

    def over(self, turns: Iterable[Turn]) -> Iterator[tuple[Entry, ...]]:
        """The transcript of the turns, which are taken as it goes by."""
        for entries in transcript(map(self._taken, turns)):
            for entry in entries:
                if entry.role == "user" and not entry.depth:
                    self._asking.add(entry.trace_id)
                self._tools.add_calls(entry.turn_id or entry.trace_id, entry.tool_uses)
            yield entries

    def assess(self, traces: Sequence[TraceSummary], texts: Sequence[Texts]) -> Assessment:
        """How the session of these turns went; a turn that was not taken has no tools and no prompt."""
        turns = [
            turn._replace(is_cut=turn.trace_id in self._cut)
            for turn in figures_of(
                traces,
                texts,
                [self._prompts.get(trace.trace_id) for trace in traces],
                [trace.trace_id in self._asking for trace in traces],
            )
        ]
        kinds: list[Iterator[Finding]] = [
            _first_failure(traces),
            (_of("tool_errors", one) for one in self._tools.errors()),
            (_of("loop", one) for one in self._tools.loops()),
            (_of("call_again", one) for one in self._tools.calls_again()),
            (Finding("asked_again", (turn.trace_id,)) for turn in turns if turn.asked_again),
            _prompt_growth(turns),
        ]
        return Assessment(turns, [finding for kind in kinds for finding in islice(kind, FINDINGS_MAX)])

    def _taken(self, turn: Turn) -> Turn:
        self._prompts[turn.trace_id] = turn.prompt_tokens
        if turn.is_cut:
            self._cut.add(turn.trace_id)
        self._tools.add_errors(turn.trace_id, (use for entry in turn.entries for use in entry.tool_uses))
        return turn


def _of(kind: FindingKind, repeated: Repeated) -> Finding:
    return Finding(kind, repeated.trace_ids[:TRACES_SHOWN_MAX], repeated.times, repeated.tool, repeated.detail)


def _first_failure(traces: Sequence[TraceSummary]) -> Iterator[Finding]:
    failed = [trace for trace in traces if trace.error_count]
    if failed:
        yield Finding("first_failure", (failed[0].trace_id,), len(failed), detail=failed[0].error_message or failed[0].error_type)


def _prompt_growth(turns: Sequence[TurnFigures]) -> Iterator[Finding]:
    known = [(turn.prompt_tokens, turn.trace_id) for turn in turns if turn.prompt_tokens]
    if known:
        first, (largest, trace_id) = known[0][0], max(known, key=lambda one: one[0])
        if largest >= max(PROMPT_TOKENS_MIN, PROMPT_TIMES_MIN * first):
            yield Finding("prompt_growth", (trace_id,), largest)
