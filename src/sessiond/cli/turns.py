"""The turns of a session as a table with marks, and what went wrong over them as a list."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from rich.text import Text

from sessiond.cli.columns import turn_columns
from sessiond.cli.render import Column, text
from sessiond.cli.text import ABSENT, one_line
from sessiond.cli.text import number as shown
from sessiond.client import Conversation, Finding, Trace, TurnFigures

MARKED_MIN: Final = 2.0
"""Times the session's median from which on a figure is marked."""
ALARMING_MIN: Final = 5.0
DETAIL_LENGTH_MAX: Final = 120
"""Characters of an error or of arguments in a line; --json and the API have more."""
_RATIOS: Final = {
    "DURATION": "duration_ratio",
    "TOKENS IN / OUT": "tokens_ratio",
    "COST": "cost_ratio",
    "FIRST TOKEN": "ttft_ratio",
}
"""Column -> the figure of a turn that its mark shows."""


class Turn(NamedTuple):
    """One turn of a session; the first is 1."""

    number: int
    trace: Trace
    figures: TurnFigures


def turns_of(conversation: Conversation) -> list[Turn]:
    """The turns in order; of an older daemon without figures that compare them."""
    figures = {turn.trace_id: turn for turn in conversation.turns}
    return [Turn(number, trace, figures.get(trace.trace_id, TurnFigures())) for number, trace in enumerate(conversation.traces, 1)]


def columns_of(turns: Sequence[Turn], now_unix_nano: int) -> list[Column[Turn]]:
    """The columns of traces, each figure with how many times the median it is, where that is much; and how the prompt grew."""
    columns = [_marked(column) for column in turn_columns([turn.trace for turn in turns], now_unix_nano)]
    prompt = Column[Turn]("PROMPT", lambda turn: _prompt(turn.figures), rank=6, justify="right")
    figures = next(at for at, column in enumerate(columns) if column.header == "STATUS")
    return [Column("TURN", lambda turn: Text(shown(turn.number)), justify="right"), *columns[:figures], prompt, *columns[figures:]]


def went_wrong(conversation: Conversation) -> Iterator[Text]:
    """A line for each finding."""
    numbers = {trace.trace_id: at for at, trace in enumerate(conversation.traces, 1)}
    for finding in conversation.findings:
        say = _SENTENCES.get(finding.kind)
        found = [numbers[one] for one in finding.trace_ids if one in numbers]
        if say is not None and found:  # a newer daemon may find more
            yield Text("- ").append_text(text(say(finding, found)))


def _marked(column: Column[Trace]) -> Column[Turn]:
    ratio = _RATIOS.get(column.header)

    def cell(turn: Turn) -> Text:
        found = column.cell(turn.trace)
        return found.append_text(_mark(turn.figures, ratio)) if ratio else found

    return Column(column.header, cell, column.rank, column.justify, column.width_max)


def _mark(figures: TurnFigures, ratio: str) -> Text:
    times = getattr(figures, ratio) if figures.HasField(ratio) else 0.0
    return Text(f" x{times:.1f}", "bold red" if times >= ALARMING_MIN else "yellow") if times >= MARKED_MIN else Text()


def _prompt(figures: TurnFigures) -> Text:
    if not figures.HasField("prompt_tokens"):
        return Text(ABSENT)
    grown = f" {figures.prompt_growth_tokens:+,}" if figures.HasField("prompt_growth_tokens") else ""
    return Text(shown(figures.prompt_tokens)).append(grown, "dim")


Numbers = Sequence[int]


def _first_failure(finding: Finding, numbers: Numbers) -> str:
    which = f"turn {numbers[0]} is the first of {finding.times:,} that failed" if finding.times > 1 else f"{_in(numbers)} failed"
    return which + _detail(finding)


def _tool_errors(finding: Finding, numbers: Numbers) -> str:
    return f"{finding.tool} failed {finding.times:,} times in {_in(numbers)}{_detail(finding)}"


def _loop(finding: Finding, numbers: Numbers) -> str:
    return f"{finding.tool} was called {finding.times:,} times with the same arguments in {_in(numbers)}{_detail(finding)}"


def _asked_again(_: Finding, numbers: Numbers) -> str:
    return f"after {_in(numbers)} the user asked the same again"


def _prompt_growth(finding: Finding, numbers: Numbers) -> str:
    return f"the prompt grew to {finding.times:,} tokens in {_in(numbers)}"


_SENTENCES: Final[Mapping[Finding.Kind, Callable[[Finding, Numbers], str]]] = {
    Finding.KIND_FIRST_FAILURE: _first_failure,
    Finding.KIND_TOOL_ERRORS: _tool_errors,
    Finding.KIND_LOOP: _loop,
    Finding.KIND_CALL_AGAIN: _loop,
    Finding.KIND_ASKED_AGAIN: _asked_again,
    Finding.KIND_PROMPT_GROWTH: _prompt_growth,
}


def _in(numbers: Numbers) -> str:
    """`turn 3`, `turns 2, 4, 5`."""
    return f"turn{'s' if len(numbers) > 1 else ''} {', '.join(f'{number:,}' for number in numbers)}"


def _detail(finding: Finding) -> str:
    shown = one_line(finding.detail)
    cut = shown if len(shown) <= DETAIL_LENGTH_MAX else f"{shown[:DETAIL_LENGTH_MAX]}..."
    return f": {cut}" if cut else ""
