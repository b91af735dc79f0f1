"""The summary of a trace: a pure function of the set of its winning spans and their first arrivals."""

from collections.abc import Iterable, Sequence
from typing import Final

from sessiond.core.feedback.rollup import NO_FEEDBACK, Feedback, shown, summed
from sessiond.core.figures import costs
from sessiond.core.figures.calls import Call, Selection, select
from sessiond.core.figures.pricing import PriceBook
from sessiond.core.fold import columns, covered_nano, cut, distinct, latest, shortened, union
from sessiond.core.identity import chronological
from sessiond.core.model import NO_USAGE, Binding, SessionKey, SpanFacts, TraceSummary
from sessiond.core.spans import usage

DEFAULT_PROJECT: Final = "default"


def summarize(trace_id: bytes, facts: Iterable[SpanFacts], prices: PriceBook, feedback: Feedback = NO_FEEDBACK) -> TraceSummary:
    """The figures of a trace from the facts of its spans, in any order; there is at least one. And from what was said of it."""
    spans, intervals = chronological(facts)
    every = columns(spans)
    root = root_of(spans)
    root_missing = root is None
    root = root or spans[0]
    selection = select(spans, intervals)
    calls, reporters, _ = selection
    used = [call.usage or NO_USAGE for call in calls] + [spans[i].usage or NO_USAGE for i in reporters]
    session_id, other_session_ids = _bound(spans, every.sessions)
    failure = next((span for span in spans if span.is_error), None)
    answered = [call for call in calls if not call.failed or call.usage is not None]
    lists = {
        "other_session_ids": other_session_ids,
        "models": distinct([call.response_model or call.request_model for call in answered]),
        "request_models": distinct([call.request_model for call in calls]),
        "providers": distinct(every.provider),
        "services": distinct(every.service),
        "agents": distinct(every.agent),
        "tools": distinct(every.tool),
        "tags": union(every.tags),
    }
    scores = summed(feedback.scores)
    start_unix_nano = intervals[0][0]
    return TraceSummary(
        project=_bound(spans, every.projects)[0] or DEFAULT_PROJECT,
        trace_id=trace_id,
        session_id=session_id,
        user_id=_bound(spans, every.users)[0],
        name=root.name,
        root_span_id=root.span_id,
        root_missing=root_missing,
        start_unix_nano=start_unix_nano,
        end_unix_nano=max([end for _, end in intervals]),
        ttft_nano=_first_token_nano(calls, start_unix_nano),
        llm_duration_nano=covered_nano([intervals[call.position] for call in calls]),
        usage=usage.total(used) if used else usage.NO_CALLS,
        costs=costs.sum_of(priced(spans, intervals, selection, prices).values()),
        span_count=len(spans),
        llm_call_count=len(calls),
        tool_call_count=every.operation.count("tool"),
        error_count=every.is_error.count(True),
        failed_call_count=[call.failed for call in calls].count(True),
        error_type=failure.error_type if failure else None,
        error_message=failure.error_message if failure else None,
        received_unix_nano=min(every.received_unix_nano),
        updated_unix_nano=max(every.received_unix_nano),
        metadata=latest(every.metadata),
        list_counts=cut({**lists, "scores": [one.name for one in scores]}),
        annotations=feedback.annotation_count,
        scores=shown(scores),
        **shortened(lists),
    )


def session_of(facts: Iterable[SpanFacts]) -> SessionKey | None:
    """The session to which `summarize` counts a trace, alone."""
    spans, _ = chronological(facts)
    session_id, _ = _bound(spans, [span.sessions for span in spans])
    if session_id is None:
        return None
    return SessionKey(_bound(spans, [span.projects for span in spans])[0] or DEFAULT_PROJECT, session_id)


def priced(
    spans: Sequence[SpanFacts], intervals: Sequence[tuple[int, int]], selection: Selection, prices: PriceBook
) -> dict[int, costs.Priced]:
    """Position -> what the call there cost, or the span that alone reports."""
    found = {call.position: costs.price(call, intervals[call.position][0], prices, failed=call.failed) for call in selection.calls}
    for i in selection.reporters:
        found[i] = costs.price(spans[i], intervals[i][0], prices, failed=spans[i].is_error)
    return found


def _first_token_nano(calls: Sequence[Call], start_unix_nano: int) -> int | None:
    """What the trace's user waited for the first token of any of its calls."""
    told = [call.first_token_unix_nano for call in calls if call.first_token_unix_nano is not None]
    return min(told) - start_unix_nano if told else None


def _bound(spans: Sequence[SpanFacts], bindings: Sequence[tuple[Binding, ...]]) -> tuple[str | None, tuple[str, ...]]:
    """(the id that binds the trace, the other ids seen in it).

    The first key of the table that any span carries wins; within it a span before a resource, the root before the others, then
    the earlier span. `spans` are in chronological order.
    """
    values = {value for held in set(bindings) for _, value in held}  # mostly every span says the same
    if len(values) <= 1:
        return next(iter(values), None), ()
    winner, *others = dict.fromkeys(value for *_, value in in_order_of_binding(spans, bindings))
    return winner, tuple(others)


def in_order_of_binding(spans: Sequence[SpanFacts], bindings: Sequence[tuple[Binding, ...]]) -> list[tuple[int, int, str]]:
    """(order, position of the span, id) of every id found, the one that binds first. `spans` are in chronological order."""
    root = root_of(spans) or spans[0]
    found = sorted(
        (order, span is not root, position, value)
        for position, (span, held) in enumerate(zip(spans, bindings, strict=True))
        for order, value in held
    )
    return [(order, position, value) for order, _, position, value in found]


def root_of(spans: Iterable[SpanFacts]) -> SpanFacts | None:
    """The earliest span without a parent; `spans` are in chronological order."""
    return next((span for span in spans if not span.parent_id), None)
