"""The summary of a trace: a pure function of the set of its winning spans and their first arrivals."""

from collections.abc import Iterable, Sequence
from typing import Final

from sessiond.core import usage
from sessiond.core.fold import LIST_MAX, covered_nano, cut, union
from sessiond.core.identity import chronological, interval
from sessiond.core.model import NO_USAGE, Binding, SpanFacts, TraceSummary

DEFAULT_PROJECT: Final = "default"


def summarize(trace_id: bytes, facts: Sequence[SpanFacts]) -> TraceSummary:
    """The figures of a trace from the facts of its spans, in any order; there is at least one."""
    spans = chronological(facts)
    intervals = [interval(span) for span in spans]
    root = next((span for span in spans if not span.parent_id), None)
    root_missing = root is None
    root = root or spans[0]
    selection = usage.select(spans)
    calls = selection.calls
    counted = [call.usage or NO_USAGE for call in calls] + [spans[i].usage or NO_USAGE for i in selection.reporters]
    session_id, other_session_ids = _bound(spans, root, [span.sessions for span in spans])
    failures = [span for span in spans if span.is_error]
    failure = failures[0] if failures else None
    lists = {
        "other_session_ids": other_session_ids,
        "models": union(
            [call.response_model or call.request_model or ""] for call in calls if not call.failed or call.usage is not None
        ),
        "request_models": union([call.request_model or ""] for call in calls),
        "providers": union([span.provider or ""] for span in spans),
        "services": union([span.service or ""] for span in spans),
        "agents": union([span.agent or ""] for span in spans),
        "tools": union([span.tool or ""] for span in spans),
    }
    lists = {name: tuple(filter(None, entries)) for name, entries in lists.items()}
    return TraceSummary(
        project=_bound(spans, root, [span.projects for span in spans])[0] or DEFAULT_PROJECT,
        trace_id=trace_id,
        session_id=session_id,
        user_id=_bound(spans, root, [span.users for span in spans])[0],
        name=root.name,
        root_span_id=root.span_id,
        root_missing=root_missing,
        start_unix_nano=intervals[0][0],
        end_unix_nano=max(end for _, end in intervals),
        llm_duration_nano=covered_nano(intervals[call.position] for call in calls),
        usage=usage.total(counted) if counted else usage.NO_CALLS,
        span_count=len(spans),
        llm_call_count=len(calls),
        tool_call_count=sum(span.operation == "tool" for span in spans),
        error_count=len(failures),
        failed_call_count=sum(call.failed for call in calls),
        error_type=failure.error_type if failure else None,
        error_message=failure.error_message if failure else None,
        received_unix_nano=min(span.received_unix_nano for span in spans),
        updated_unix_nano=max(span.received_unix_nano for span in spans),
        list_counts=cut(lists),
        **{name: entries[:LIST_MAX] for name, entries in lists.items()},
    )


def _bound(
    spans: Sequence[SpanFacts], root: SpanFacts, bindings: Iterable[tuple[Binding, ...]]
) -> tuple[str | None, tuple[str, ...]]:
    """(the id that binds the trace, the other ids seen in it).

    The first key of the table that any span carries wins; within it a span before a resource, the root before the others, then
    the earlier span. `spans` are in chronological order.
    """
    found = sorted(
        (order, span is not root, position, value)
        for position, (span, held) in enumerate(zip(spans, bindings, strict=True))
        for order, value in held
    )
    if not found:
        return None, ()
    distinct = dict.fromkeys(value for *_, value in found)
    winner, *others = distinct
    return winner, tuple(others)
