"""The Python client: asks a running daemon and knows nothing of its inner parts. What it answers with is named here too."""

from sessiond.client.aio import AsyncClient
from sessiond.client.conversation import Conversation
from sessiond.client.explanation import Explanation
from sessiond.client.failure import RequestFailed
from sessiond.client.feedback.aio import AsyncFeedback
from sessiond.client.feedback.requests import Failure, Imported
from sessiond.client.feedback.sync import Feedback
from sessiond.client.following import Update
from sessiond.client.requests import (
    Conditions,
    EraseConditions,
    EraseOf,
    FollowConditions,
    SearchConditions,
    SearchOrder,
    SpanConditions,
    StatsConditions,
    StatsOf,
    UserConditions,
)
from sessiond.client.sync import Client
from sessiond.wire._pb.v1.admin_service_pb2 import (
    CheckResponse,
    EraseResponse,
    GetStatusResponse,
    RepriceResponse,
    SearchIndexStatus,
)
from sessiond.wire._pb.v1.conversation_pb2 import Finding, ToolUse, TranscriptEntry, TurnFigures
from sessiond.wire._pb.v1.feedback_service_pb2 import Anchor, Annotation, Score, ScoreSource
from sessiond.wire._pb.v1.resources_pb2 import (
    Evidence,
    ExplainedCall,
    Figure,
    ScoreSum,
    Session,
    Span,
    State,
    Status,
    Trace,
    UncountedSpan,
    User,
)
from sessiond.wire._pb.v1.search_pb2 import SearchExcerpt, SearchHighlight, SearchPlace, SearchResponse, SearchRow
from sessiond.wire._pb.v1.session_service_pb2 import (
    Distribution,
    Gone,
    RawSpan,
    Statistics,
    StatsBucket,
    StatsGroup,
    StatsResponse,
)
from sessiond.wire._pb.v1.transfer_service_pb2 import FeedbackBatch, ImportSpansResponse, SpanBatch

__all__ = [
    "Anchor",
    "Annotation",
    "AsyncClient",
    "AsyncFeedback",
    "CheckResponse",
    "Client",
    "Conditions",
    "Conversation",
    "Distribution",
    "EraseConditions",
    "EraseOf",
    "EraseResponse",
    "Evidence",
    "ExplainedCall",
    "Explanation",
    "Failure",
    "Feedback",
    "FeedbackBatch",
    "Figure",
    "Finding",
    "FollowConditions",
    "GetStatusResponse",
    "Gone",
    "ImportSpansResponse",
    "Imported",
    "RawSpan",
    "RepriceResponse",
    "RequestFailed",
    "Score",
    "ScoreSource",
    "ScoreSum",
    "SearchConditions",
    "SearchExcerpt",
    "SearchHighlight",
    "SearchIndexStatus",
    "SearchOrder",
    "SearchPlace",
    "SearchResponse",
    "SearchRow",
    "Session",
    "Span",
    "SpanBatch",
    "SpanConditions",
    "State",
    "Statistics",
    "StatsBucket",
    "StatsConditions",
    "StatsGroup",
    "StatsOf",
    "StatsResponse",
    "Status",
    "ToolUse",
    "Trace",
    "TranscriptEntry",
    "TurnFigures",
    "UncountedSpan",
    "Update",
    "User",
    "UserConditions",
]
