"""Why a trace's figures are what they are.

Of each figure the spans and attributes that it comes from, of each call its price, and which spans are not counted. Nothing is
computed here a second time: it is told what `core.figures.trace` chose, by the same functions.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from sessiond.core.figures.calls import Call, Selection, reports
from sessiond.core.figures.costs import Priced
from sessiond.core.figures.trace import in_order_of_binding, root_of
from sessiond.core.model import Binding, SpanFacts, Text, Texts, TraceSummary, Usage
from sessiond.core.spans.sources import Source

EVIDENCE_MAX: Final = 100
"""Pieces of evidence for one figure: more is no list that a person reads."""

PRICE_TABLE: Final = "price table"
_COSTS: Final = ("total_cost", "input_cost", "output_cost")
_FILLED_ANYWAY: Final = frozenset({"request_model", "response_model", "provider"})
"""Meanings that a span above several attempts fills into each of them."""
_PROPERTY: Final = ""
"""The key of what a span says by its own fields, not by an attribute."""


class Evidence(NamedTuple):
    """A span that a figure comes from: where in it, and what it said there."""

    span_id: bytes
    key: str
    value: str


class Figure(NamedTuple):
    """A field of the trace, and what it is made of, in the order that counts, cut at EVIDENCE_MAX."""

    field: str
    evidence: tuple[Evidence, ...]
    evidence_count: int


class ExplainedCall(NamedTuple):
    """A call, or a span of another kind that alone reports, with what it cost and the spans that tell of it again."""

    span_id: bytes
    merged_span_ids: tuple[bytes, ...]
    is_reporter: bool
    failed: bool
    provider: str | None
    request_model: str | None
    response_model: str | None
    usage: Usage | None
    priced: Priced


class Uncounted(NamedTuple):
    """A span that tells of usage or cost and is not counted, and why."""

    span_id: bytes
    rule: str
    counted_span_id: bytes
    """Empty where it is those below it."""
    reason: str


class Explanation(NamedTuple):
    """Everything about one trace."""

    trace: TraceSummary
    figures: tuple[Figure, ...]
    calls: tuple[ExplainedCall, ...]
    uncounted: tuple[Uncounted, ...]


class Told(NamedTuple):
    """What is known of a trace when it is explained; spans in chronological order."""

    trace: TraceSummary
    spans: Sequence[SpanFacts]
    intervals: Sequence[tuple[int, int]]
    sources: Sequence[Sequence[Source]]
    """Of each span, where its values come from."""
    selection: Selection
    priced: Mapping[int, Priced]
    texts: Texts
    asked: int | None
    """Place of the span that the input was read from."""
    answered: int | None
    """Place of the span that the output was read from."""


REASONS: Final[Mapping[str, str]] = {
    "restated": "a generation below it tells of the same call, and counts; this one fills its gaps",
    "twin": "a span beside it tells of the same call, and counts: the same response id, or the same parent and equal usage",
    "aggregate": "spans below it report what it sums up",
}


def explain(told: Told) -> Explanation:
    """Explain every figure of a trace."""
    figures = []
    for field, find in _FIGURES.items():
        evidence = list(find(told))
        figures.append(Figure(field, tuple(evidence[:EVIDENCE_MAX]), len(evidence)))
    return Explanation(told.trace, tuple(figures), tuple(_calls(told)), tuple(_uncounted(told)))


def _calls(told: Told) -> Iterator[ExplainedCall]:
    merged: dict[int, list[bytes]] = {}
    for one in told.selection.merged:
        merged.setdefault(one.into, []).append(told.spans[one.position].span_id)
    for call in told.selection.calls:
        yield _explained(told, call.position, call, tuple(merged.get(call.position, ())))
    for position in told.selection.reporters:
        yield _explained(told, position, told.spans[position], None)


def _explained(told: Told, position: int, call: Call | SpanFacts, merged: tuple[bytes, ...] | None) -> ExplainedCall:
    return ExplainedCall(
        told.spans[position].span_id,
        merged or (),
        merged is None,
        call.failed if isinstance(call, Call) else call.is_error,
        call.provider,
        call.request_model,
        call.response_model,
        call.usage,
        told.priced[position],
    )


def _uncounted(told: Told) -> Iterator[Uncounted]:
    into = {one.position: one for one in told.selection.merged}
    for position, span in enumerate(told.spans):
        if position in into:
            one = into[position]
            yield Uncounted(span.span_id, one.rule, told.spans[one.into].span_id, REASONS[one.rule])
        elif reports(span) and position not in told.priced:
            yield Uncounted(span.span_id, "aggregate", b"", REASONS["aggregate"])


# -- evidence ------------------------------------------------------------------------------------------------------------------

Find = Callable[[Told], Iterator[Evidence]]


def _at(told: Told, position: int, *meanings: str) -> Iterator[Evidence]:
    """What a span says of some meanings; a meaning with a dot behind it is all that begin so."""
    for source in told.sources[position]:
        if source.meaning.partition(".")[0] in meanings:
            yield Evidence(told.spans[position].span_id, source.key, source.value_text)


def _everywhere(*meanings: str) -> Find:
    return lambda told: (found for position in range(len(told.spans)) for found in _at(told, position, *meanings))


def _of_calls(*meanings: str) -> Find:
    """What the spans that count say; of what one leaves out, what the spans that fill its gaps do."""
    return lambda told: (found for position in told.priced for found in _of_call(told, position, *meanings))


def _of_call(told: Told, position: int, *meanings: str) -> Iterator[Evidence]:
    known: set[str] = set()
    merged = [one for one in told.selection.merged if one.into == position]
    for place, fills_usage in ((position, True), *((one.position, one.fills_usage) for one in merged)):
        wanted = set(meanings if fills_usage else _FILLED_ANYWAY.intersection(meanings)) - known
        said = [one for one in told.sources[place] if one.meaning in wanted and not _is_vain(told, position, one)]
        yield from (Evidence(told.spans[place].span_id, one.key, one.value_text) for one in said)
        known.update(one.meaning for one in said)


def _is_vain(told: Told, position: int, source: Source) -> bool:
    """Whether it says that a call cost nothing, and another span knew better."""
    cost = told.priced[position].cost
    return source.meaning in _COSTS and source.value_text == "0" and cost is not None and bool(cost[_COSTS.index(source.meaning)])


def _models(told: Told) -> Iterator[Evidence]:
    """Of each call that was answered the model that did, else the one that was asked for."""
    for call in told.selection.calls:
        if not call.failed or call.usage is not None:
            meaning = "request_model" if call.response_model is None else "response_model"
            yield from _of_call(told, call.position, meaning)


def _bound(meaning: str, bindings: Callable[[SpanFacts], tuple[Binding, ...]]) -> Find:
    """Every id found, the one that binds first."""

    def find(told: Told) -> Iterator[Evidence]:
        for _, position, value in in_order_of_binding(told.spans, [bindings(span) for span in told.spans]):
            said = (one for one in _at(told, position, meaning) if one.value == value)
            yield next(said, Evidence(told.spans[position].span_id, _PROPERTY, value))

    return find


def _others(told: Told) -> Iterator[Evidence]:
    return (one for one in _bound("session", _sessions)(told) if one.value != told.trace.session_id)


def _sessions(span: SpanFacts) -> tuple[Binding, ...]:
    return span.sessions


def _property(told: Told, position: int, value: object) -> Iterator[Evidence]:
    yield Evidence(told.spans[position].span_id, _PROPERTY, str(value))


def _root(told: Told) -> Iterator[Evidence]:
    root = root_of(told.spans) or told.spans[0]
    yield Evidence(root.span_id, _PROPERTY, root.name)


def _start(told: Told) -> Iterator[Evidence]:
    return _property(told, 0, told.intervals[0][0])


def _end(told: Told) -> Iterator[Evidence]:
    last = max(range(len(told.spans)), key=lambda position: told.intervals[position][1])
    return _property(told, last, told.intervals[last][1])


def _duration(told: Told) -> Iterator[Evidence]:
    yield from _start(told)
    yield from _end(told)


def _first_token(told: Told) -> Iterator[Evidence]:
    """That of the call whose first token came first, then those of the others."""
    timed = sorted((call.first_token_unix_nano, call.position) for call in told.selection.calls if call.first_token_unix_nano)
    yield from (found for _, position in timed for found in _of_call(told, position, "first_token"))


def _cost(*meanings: str) -> Find:
    """What was reported under these meanings, then the rows by which the other calls are estimated."""

    def find(told: Told) -> Iterator[Evidence]:
        yield from _reported(told, *meanings)
        yield from _estimated(told)

    return find


def _reported(told: Told, *meanings: str) -> Iterator[Evidence]:
    for position, priced in told.priced.items():
        if priced.cost is not None and priced.row is None:
            yield from _of_call(told, position, *(meanings or _COSTS))


def _estimated(told: Told) -> Iterator[Evidence]:
    for position, priced in told.priced.items():
        if priced.row is not None:
            yield Evidence(told.spans[position].span_id, PRICE_TABLE, priced.row.description)


def _unpriced(told: Told) -> Iterator[Evidence]:
    calls: dict[int, Call | SpanFacts] = {call.position: call for call in told.selection.calls}
    for position, priced in told.priced.items():
        if priced.cost is None and priced.is_billed:
            call = calls.get(position, told.spans[position])
            yield from _property(told, position, call.response_model or call.request_model or "no model is told")


def _call_spans(told: Told) -> Iterator[Evidence]:
    for call in told.selection.calls:
        yield from _at(told, call.position, "operation")


def _failed_calls(told: Told) -> Iterator[Evidence]:
    for call in told.selection.calls:
        if call.failed:
            twins = (one.position for one in told.selection.merged if one.into == call.position and one.rule == "twin")
            for position in (call.position, *twins):
                if told.spans[position].is_error:
                    yield from _at(told, position, "error_mark", "error_type")


def _tool_calls(told: Told) -> Iterator[Evidence]:
    for position, span in enumerate(told.spans):
        if span.operation == "tool":
            yield from _at(told, position, "operation")


def _errors(told: Told) -> Iterator[Evidence]:
    for position, span in enumerate(told.spans):
        if span.is_error:
            yield from _at(told, position, "error_mark")


def _earliest_error(meaning: str) -> Find:
    def find(told: Told) -> Iterator[Evidence]:
        earliest = next((position for position, span in enumerate(told.spans) if span.is_error), None)
        return iter(()) if earliest is None else _at(told, earliest, meaning)

    return find


def _every_span(told: Told) -> Iterator[Evidence]:
    return (Evidence(span.span_id, _PROPERTY, span.name) for span in told.spans)


def _arrivals(told: Told) -> Iterator[Evidence]:
    """The first arrival first, the latest after it."""
    ordered = sorted(range(len(told.spans)), key=lambda position: told.spans[position].received_unix_nano)
    for position in dict.fromkeys((ordered[0], ordered[-1])):
        yield from _property(told, position, told.spans[position].received_unix_nano)


def _input(told: Told) -> Iterator[Evidence]:
    return _said(told, told.asked, "input", told.texts.input)


def _output(told: Told) -> Iterator[Evidence]:
    return _said(told, told.answered, "output", told.texts.output)


def _said(told: Told, position: int | None, meaning: str, text: Text | None) -> Iterator[Evidence]:
    """The span that a text was read from, and the first attribute by which it showed that it holds one."""
    if position is not None and text is not None:
        yield from (one._replace(value=text.beginning) for one in _at(told, position, meaning))


_FIGURES: Final[Mapping[str, Find]] = {
    "project": _bound("project", lambda span: span.projects),
    "session_id": _bound("session", _sessions),
    "other_session_ids": _others,
    "user_id": _bound("user", lambda span: span.users),
    "name": _root,
    "root_span_id": _root,
    "root_missing": _root,
    "start_time": _start,
    "end_time": _end,
    "duration_ms": _duration,
    "ttft_ms": _first_token,
    "llm_duration_ms": _call_spans,
    "input_tokens": _of_calls("input_tokens", "cache_share"),
    "output_tokens": _of_calls("output_tokens"),
    "cache_read_tokens": _of_calls("cache_read_tokens"),
    "cache_write_tokens": _of_calls("cache_write_tokens"),
    "reasoning_tokens": _of_calls("reasoning_tokens"),
    "total_tokens": _of_calls("input_tokens", "output_tokens"),
    "cost_usd": _cost(*_COSTS),
    "input_cost_usd": _cost("input_cost"),
    "output_cost_usd": _cost("output_cost"),
    "cost_reported_usd": _reported,
    "cost_estimated_usd": _estimated,
    "unpriced_call_count": _unpriced,
    "models": _models,
    "request_models": _of_calls("request_model"),
    "providers": _everywhere("provider"),
    "services": _everywhere("service"),
    "agents": _everywhere("agent"),
    "tools": _everywhere("tool"),
    "span_count": _every_span,
    "llm_call_count": _call_spans,
    "tool_call_count": _tool_calls,
    "error_count": _errors,
    "failed_call_count": _failed_calls,
    "status": _errors,
    "error_type": _earliest_error("error_type"),
    "error_message": _earliest_error("error_message"),
    "received_time": _arrivals,
    "updated_time": _arrivals,
    "tags": _everywhere("tags"),
    "metadata": _everywhere("metadata"),
    "input": _input,
    "output": _output,
}
"""Every field of a trace that is a figure, in the order of `core.rows.fields`."""
