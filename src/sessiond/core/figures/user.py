"""The summary of a user: a pure function of the set of their traces' summaries."""

from collections.abc import Sequence

from sessiond.core.figures import costs
from sessiond.core.fold import cut, percentile, shortened, union
from sessiond.core.model import TraceSummary, UserKey, UserSummary
from sessiond.core.spans import usage


def summarize(key: UserKey, traces: Sequence[TraceSummary]) -> UserSummary:
    """The figures of a user from the traces that are theirs, in any order; there is at least one."""
    ordered = sorted(traces, key=lambda trace: (trace.start_unix_nano, trace.trace_id))
    known = sorted(trace.costs.total_nano for trace in ordered if trace.costs.total_nano is not None)
    lists = {
        "models": union(trace.models for trace in ordered),
        "providers": union(trace.providers for trace in ordered),
        "tools": union(trace.tools for trace in ordered),
    }
    return UserSummary(
        project=key.project,
        user_id=key.user_id,
        first_seen_unix_nano=ordered[0].start_unix_nano,
        last_seen_unix_nano=max(trace.end_unix_nano for trace in ordered),
        session_count=len({trace.session_id for trace in ordered} - {None}),
        trace_count=len(ordered),
        failed_trace_count=sum(trace.error_count > 0 for trace in ordered),
        cost_mean_nano=round(sum(known) / len(known)) if known else None,
        cost_median_nano=percentile(known, 0.5) if known else None,
        usage=usage.total_over_traces(ordered),
        costs=costs.total_over_traces(ordered),
        list_counts=cut(lists, (count for trace in ordered for count in trace.list_counts)),
        **shortened(lists),
    )
