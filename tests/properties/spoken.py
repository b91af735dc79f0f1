"""Generated feedback on generated conversations."""

from conversations import SESSIONS
from hypothesis import strategies as st

from builders import ARRIVAL, MS, annotation, score, span_id, trace_id
from sessiond.core.feedback.annotation import Annotation
from sessiond.core.feedback.score import Score, ScoreValue
from sessiond.core.feedback.target import Target, TraceTarget
from sessiond.core.model import SessionKey

NAMES = ["helpful", "a.b", "verdict"]
VALUES: st.SearchStrategy[ScoreValue] = st.one_of(
    st.sampled_from([0.0, 0.1, 0.25, 1.0, -3.0, 1e15, True, False, "bad", "badly", "good"]), st.floats(-1, 1)
)
TIMES = st.integers(0, 12).map(lambda step: ARRIVAL + step * MS - MS // 2)
"""Between the arrivals of what is sent."""


def targets(trace_count: int) -> st.SearchStrategy[Target]:
    """Traces that come, and one that never does; spans of them; sessions."""
    traces = st.integers(1, trace_count + 1).map(trace_id)
    return st.one_of(
        traces.map(TraceTarget),
        st.builds(TraceTarget, traces, st.integers(1, 3).map(span_id)),
        st.sampled_from(SESSIONS).map(lambda name: SessionKey("default", name)),
    )


def scores(trace_count: int) -> st.SearchStrategy[Score]:
    """Scores that can be stored, some of the same id."""
    return st.builds(
        lambda number, at, **more: score(number, create_unix_nano=at, **more),
        st.integers(1, 8).map(str),
        TIMES,
        target=targets(trace_count),
        name=st.sampled_from(NAMES),
        value=VALUES,
        author=st.sampled_from(["", "ann"]),
    )


def annotations(trace_count: int) -> st.SearchStrategy[Annotation]:
    """Annotations that can be stored, some of the same id."""
    return st.builds(
        lambda number, at, **more: annotation(number, create_unix_nano=at, update_unix_nano=at, **more),
        st.integers(1, 4).map(str),
        TIMES,
        target=targets(trace_count),
        tags=st.sampled_from([(), ("x",)]),
    )
