"""The summary of a session: a pure function of the set of its traces' summaries."""

from collections.abc import Sequence
from itertools import chain
from operator import attrgetter

from sessiond.core.feedback.rollup import NO_FEEDBACK, Feedback, merged, shown, summed
from sessiond.core.figures import costs
from sessiond.core.fold import columns, covered_nano, cut, distinct, latest, percentile, shortened, total, union
from sessiond.core.model import SessionKey, SessionSummary, TraceSummary
from sessiond.core.spans import usage


def summarize(key: SessionKey, traces: Sequence[TraceSummary], feedback: Feedback = NO_FEEDBACK) -> SessionSummary:
    """The figures of a session from its traces, in any order; there is at least one. And from what was said of it as a whole."""
    turns = sorted(traces, key=attrgetter("start_unix_nano", "trace_id"))
    every = columns(turns)
    intervals = list(zip(every.start_unix_nano, every.end_unix_nano, strict=True))
    durations = sorted([end - start for start, end in intervals])
    ttfts = sorted([ttft for ttft in every.ttft_nano if ttft is not None])
    failed = [trace for trace in turns if trace.error_count]
    lists = {
        "user_ids": distinct(every.user_id),
        "models": union(every.models),
        "request_models": union(every.request_models),
        "providers": union(every.providers),
        "services": union(every.services),
        "agents": union(every.agents),
        "tools": union(every.tools),
        "tags": union(every.tags),
    }
    turns_received_unix_nano = max(every.received_unix_nano)
    scores = merged([summed(feedback.scores, turns_received_unix_nano), *every.scores])
    return SessionSummary(
        project=key.project,
        session_id=key.session_id,
        user_id=next((user_id for user_id in reversed(every.user_id) if user_id is not None), None),
        name=turns[0].name,
        start_unix_nano=turns[0].start_unix_nano,
        end_unix_nano=max(every.end_unix_nano),
        last_activity_unix_nano=max(every.updated_unix_nano),
        duration_nano=covered_nano(intervals),
        llm_duration_nano=total(every.llm_duration_nano),
        ttft_nano=percentile(ttfts, 0.5) if ttfts else None,
        ttft_first_nano=turns[0].ttft_nano,
        ttft_max_nano=ttfts[-1] if ttfts else None,
        ttft_count=len(ttfts),
        trace_duration_p50_nano=percentile(durations, 0.5),
        trace_duration_p95_nano=percentile(durations, 0.95),
        trace_duration_max_nano=durations[-1],
        usage=usage.total_over_traces(turns),
        costs=costs.total_over_traces(turns),
        trace_count=len(turns),
        failed_trace_count=len(failed),
        first_failed_trace_id=failed[0].trace_id if failed else None,
        span_count=sum(every.span_count),
        llm_call_count=sum(every.llm_call_count),
        tool_call_count=sum(every.tool_call_count),
        error_count=sum(every.error_count),
        failed_call_count=sum(every.failed_call_count),
        first_trace_id=turns[0].trace_id,
        last_trace_id=turns[-1].trace_id,
        turns_received_unix_nano=turns_received_unix_nano,
        metadata=latest(every.metadata),
        list_counts=cut({**lists, "scores": [one.name for one in scores]}, chain.from_iterable(every.list_counts)),
        annotations=feedback.annotation_count + sum(every.annotations),
        scores=shown(scores),
        **shortened(lists),
    )
