"""The summary of a session: a pure function of the set of its traces' summaries."""

from collections.abc import Sequence

from sessiond.core.feedback.rollup import NO_FEEDBACK, Feedback, merged, shown, summed
from sessiond.core.figures import costs
from sessiond.core.fold import covered_nano, cut, distinct, latest, percentile, shortened, total, union
from sessiond.core.model import SessionKey, SessionSummary, TraceSummary
from sessiond.core.spans import usage


def summarize(key: SessionKey, traces: Sequence[TraceSummary], feedback: Feedback = NO_FEEDBACK) -> SessionSummary:
    """The figures of a session from its traces, in any order; there is at least one. And from what was said of it as a whole."""
    turns = sorted(traces, key=lambda trace: (trace.start_unix_nano, trace.trace_id))
    durations = sorted(trace.end_unix_nano - trace.start_unix_nano for trace in turns)
    ttfts = sorted(trace.ttft_nano for trace in turns if trace.ttft_nano is not None)
    failed = [trace for trace in turns if trace.error_count]
    lists = {
        "user_ids": distinct(trace.user_id for trace in turns),
        "models": union(trace.models for trace in turns),
        "request_models": union(trace.request_models for trace in turns),
        "providers": union(trace.providers for trace in turns),
        "services": union(trace.services for trace in turns),
        "agents": union(trace.agents for trace in turns),
        "tools": union(trace.tools for trace in turns),
        "tags": union(trace.tags for trace in turns),
    }
    turns_received_unix_nano = max(trace.received_unix_nano for trace in turns)
    scores = merged([summed(feedback.scores, turns_received_unix_nano), *(trace.scores for trace in turns)])
    return SessionSummary(
        project=key.project,
        session_id=key.session_id,
        user_id=next((trace.user_id for trace in reversed(turns) if trace.user_id is not None), None),
        name=turns[0].name,
        start_unix_nano=turns[0].start_unix_nano,
        end_unix_nano=max(trace.end_unix_nano for trace in turns),
        last_activity_unix_nano=max(trace.updated_unix_nano for trace in turns),
        duration_nano=covered_nano((trace.start_unix_nano, trace.end_unix_nano) for trace in turns),
        llm_duration_nano=total(trace.llm_duration_nano for trace in turns),
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
        span_count=sum(trace.span_count for trace in turns),
        llm_call_count=sum(trace.llm_call_count for trace in turns),
        tool_call_count=sum(trace.tool_call_count for trace in turns),
        error_count=sum(trace.error_count for trace in turns),
        failed_call_count=sum(trace.failed_call_count for trace in turns),
        first_trace_id=turns[0].trace_id,
        last_trace_id=turns[-1].trace_id,
        turns_received_unix_nano=turns_received_unix_nano,
        metadata=latest(trace.metadata for trace in turns),
        list_counts=cut(
            {**lists, "scores": [one.name for one in scores]}, (count for trace in turns for count in trace.list_counts)
        ),
        annotations=feedback.annotation_count + sum(trace.annotations for trace in turns),
        scores=shown(scores),
        **shortened(lists),
    )
