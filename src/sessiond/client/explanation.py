"""Explanation: everything about one trace's figures, gathered from a stream."""

from collections.abc import Iterable
from typing import NamedTuple

from sessiond.wire._pb.v1 import session_service_pb2 as pb
from sessiond.wire._pb.v1.resources_pb2 import ExplainedCall, Figure, Trace, UncountedSpan


class Explanation(NamedTuple):
    """Where each figure of a trace comes from, what each call cost and why, and which spans are not counted."""

    trace: Trace
    figures: list[Figure]
    calls: list[ExplainedCall]
    uncounted_spans: list[UncountedSpan]


def explanation_of(answers: Iterable[pb.ExplainResponse]) -> Explanation:
    """All parts of a stream together."""
    explanation = Explanation(Trace(), [], [], [])
    for answer in answers:
        if answer.HasField("trace"):
            explanation.trace.CopyFrom(answer.trace)
        explanation.figures.extend(answer.figures)
        explanation.calls.extend(answer.calls)
        explanation.uncounted_spans.extend(answer.uncounted_spans)
    return explanation
