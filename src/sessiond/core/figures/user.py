"""The summary of a user: a pure function of the set of their traces' summaries."""

from collections.abc import Sequence
from itertools import chain
from operator import attrgetter

from sessiond.core.figures import costs
from sessiond.core.fold import columns, cut, percentile, shortened, union
from sessiond.core.model import TraceSummary, UserKey, UserSummary
from sessiond.core.spans import usage


def summarize(key: UserKey, traces: Sequence[TraceSummary]) -> UserSummary:
    """The figures of a user from the traces that are theirs, in any order; there is at least one."""
    ordered = sorted(traces, key=attrgetter("start_unix_nano", "trace_id"))
    every = columns(ordered)
    known = sorted([cost.total_nano for cost in every.costs if cost.total_nano is not None])
    lists = {
        "models": union(every.models),
        "providers": union(every.providers),
        "tools": union(every.tools),
    }
    return UserSummary(
        project=key.project,
        user_id=key.user_id,
        first_seen_unix_nano=ordered[0].start_unix_nano,
        last_seen_unix_nano=max(every.end_unix_nano),
        session_count=len(set(every.session_id) - {None}),
        trace_count=len(ordered),
        failed_trace_count=sum(count > 0 for count in every.error_count),
        cost_mean_nano=round(sum(known) / len(known)) if known else None,
        cost_median_nano=percentile(known, 0.5) if known else None,
        usage=usage.total_over_traces(ordered),
        costs=costs.total_over_traces(ordered),
        list_counts=cut(lists, chain.from_iterable(every.list_counts)),
        **shortened(lists),
    )
