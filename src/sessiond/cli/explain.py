"""`sessiond explain`: every figure of a trace with the spans and attributes that it comes from."""

from collections.abc import Iterator, Mapping
from typing import Final

import click
from google.protobuf.timestamp_pb2 import Timestamp
from rich.table import Table
from rich.text import Text

from sessiond.cli import options
from sessiond.cli.output import Layout, layout_of_stdout, show, show_json
from sessiond.cli.render import Column, Fact, block, count, table, text
from sessiond.cli.text import ABSENT, dollars, duration, one_line, plural
from sessiond.client import Evidence, ExplainedCall, Explanation, Figure, UncountedSpan
from sessiond.client.rows import Value, rfc3339, row, trace_row

EVIDENCE_SHOWN: Final = 5
"""Pieces of evidence for a figure; --json has up to a hundred."""
VALUE_LENGTH_MAX: Final = 60
_TEXTS: Final = frozenset({"input", "output"})
_MOMENTS: Final = frozenset({"start_time", "end_time", "duration_ms", "received_time", "updated_time"})
"""Figures whose evidence is unix nanoseconds."""
ID_LENGTH_MIN: Final = 8
"""Digits of a span's id; more where so few don't tell the spans of the trace apart."""


@click.command()
@click.argument("trace_id", metavar="TRACE_ID")
@options.as_json
@options.endpoint
def explain(*, trace_id: str, as_json: bool, endpoint: str) -> None:
    """Show where each figure of a trace comes from.

    For every figure: which spans and attributes say it. For every call: what it cost, and by which row of the price table. And the
    spans that are not counted, with the reason. With --json the first line is the trace, then one object a line: figures, calls,
    spans that are not counted.
    """
    with options.asking(endpoint) as client:
        explanation = client.explain(trace_id)
    if as_json:
        show_json(trace_row(explanation.trace))
        for message in (*explanation.figures, *explanation.calls, *explanation.uncounted_spans):
            show_json(row(message))
    else:
        layout = layout_of_stdout()
        show(*_told(explanation, layout), layout=layout)


def _told(explanation: Explanation, layout: Layout) -> Iterator[Table | str]:
    _shorten_ids(explanation)
    values = trace_row(explanation.trace)
    yield block(fact for figure in explanation.figures if _is_told(figure, values) for fact in _figure(figure, values))
    if explanation.calls:
        yield f"\n{plural(len(explanation.calls), 'call')}"
        yield table(_CALLS, explanation.calls, layout)
    if explanation.uncounted_spans:
        yield f"\n{plural(len(explanation.uncounted_spans), 'span')} not counted"
        yield table(_UNCOUNTED, explanation.uncounted_spans, layout)


def _shorten_ids(explanation: Explanation) -> None:
    """Leave of each span's id as many first digits as tell it from the others."""
    evidence = [one for figure in explanation.figures for one in figure.evidence]
    told: list[Evidence | ExplainedCall | UncountedSpan] = [*evidence, *explanation.calls, *explanation.uncounted_spans]
    ids = {one.span_id for one in told}
    ids.update(span_id for call in explanation.calls for span_id in call.merged_span_ids)
    longest = max(map(len, ids), default=ID_LENGTH_MIN)
    length = next((n for n in range(ID_LENGTH_MIN, longest) if len({each[:n] for each in ids}) == len(ids)), longest)
    for one in told:
        one.span_id = one.span_id[:length]
    for call in explanation.calls:
        call.merged_span_ids[:] = [each[:length] for each in call.merged_span_ids]
    for span in explanation.uncounted_spans:
        span.counted_span_id = span.counted_span_id[:length]


def _is_told(figure: Figure, values: Mapping[str, Value]) -> bool:
    """Whether there is a figure to explain, and something that explains it."""
    return bool(figure.evidence) and values.get(figure.field) not in (None, [], {})


def _figure(figure: Figure, values: Mapping[str, Value]) -> Iterator[Fact]:
    """The figure on a line, and below it where it comes from."""
    yield Fact(figure.field, text(_shown(figure.field, values.get(figure.field))))
    for one in figure.evidence[:EVIDENCE_SHOWN]:
        where = Text.assemble(text(one.span_id, "cyan"), "  ", text(one.key or "the span itself", "dim"))
        said = _said(figure.field, one.value)
        yield Fact("", where.append("  ").append_text(text(said)) if said else where)
    if figure.evidence_count > EVIDENCE_SHOWN:
        yield Fact("", Text(f"and {figure.evidence_count - EVIDENCE_SHOWN:,} more; --json shows them", "dim"))


def _said(field: str, value: str) -> str:
    """What a span said: moments as figures show them, and no more of a text than the figure shows."""
    if field in _TEXTS:
        return ""
    if field in _MOMENTS and value.isdecimal():
        moment = Timestamp()
        moment.FromNanoseconds(int(value))
        return rfc3339(moment)
    return _cut(value)


def _shown(field: str, value: Value) -> str:
    if value is None:
        return ABSENT
    if field.endswith("_usd") and isinstance(value, float):
        return dollars(value)
    if field.endswith("_ms") and isinstance(value, float):
        return duration(value)
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={each}" for key, each in value.items())
    if isinstance(value, int):
        value = str(value).lower() if isinstance(value, bool) else f"{value:,}"
    return _cut(str(value))


def _cut(value: str) -> str:
    shown = one_line(value)
    return shown if len(shown) <= VALUE_LENGTH_MAX else f"{shown[:VALUE_LENGTH_MAX]}..."


def _known(call: ExplainedCall, field: str) -> int | None:
    return getattr(call, field) if call.HasField(field) else None


def _cost(call: ExplainedCall) -> Text:
    return text(dollars(call.cost_usd)) if call.HasField("cost_usd") else Text(ABSENT)


_CALLS: Final = (
    Column[ExplainedCall]("SPAN", lambda call: text(call.span_id)),
    Column[ExplainedCall]("MODEL", lambda call: text(call.response_model or call.request_model), rank=2),
    Column[ExplainedCall]("PROVIDER", lambda call: text(call.provider), rank=6),
    Column[ExplainedCall]("IN", lambda call: count(_known(call, "input_tokens")), rank=1, justify="right"),
    Column[ExplainedCall]("OUT", lambda call: count(_known(call, "output_tokens")), rank=1, justify="right"),
    Column[ExplainedCall]("CACHE READ", lambda call: count(_known(call, "cache_read_tokens")), rank=7, justify="right"),
    Column[ExplainedCall]("CACHE WRITTEN", lambda call: count(_known(call, "cache_write_tokens")), rank=8, justify="right"),
    Column[ExplainedCall]("REASONING", lambda call: count(_known(call, "reasoning_tokens")), rank=9, justify="right"),
    Column[ExplainedCall]("COST", _cost, justify="right"),
    Column[ExplainedCall]("COST IS", lambda call: text(call.cost_source)),
    Column[ExplainedCall]("PRICE", lambda call: text(call.price_row), rank=3),
    Column[ExplainedCall]("ALSO TOLD BY", lambda call: text(", ".join(call.merged_span_ids)), rank=4),
)

_UNCOUNTED: Final = (
    Column[UncountedSpan]("SPAN", lambda span: text(span.span_id)),
    Column[UncountedSpan]("COUNTED", lambda span: text(span.counted_span_id)),
    Column[UncountedSpan]("WHY", lambda span: text(span.reason)),
)
