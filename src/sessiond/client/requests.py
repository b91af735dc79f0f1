"""What both clients ask: keyword arguments made into requests. Sends nothing."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypeAlias, TypedDict

from google.protobuf.timestamp_pb2 import Timestamp

from sessiond.wire._pb.v1 import admin_service_pb2 as admin_pb
from sessiond.wire._pb.v1 import session_service_pb2 as pb
from sessiond.wire._pb.v1 import transfer_service_pb2 as transfer_pb
from sessiond.wire._pb.v1.search_pb2 import SearchRequest

Moment: TypeAlias = datetime | Timestamp
"""A datetime must know its zone."""
PAGE_SIZE_MAX: Final = 1000
SEARCH_PAGE_SIZE_MAX: Final = 100
"""A daemon gives no more rows at once."""


SearchOrder: TypeAlias = Literal["best", "newest"]
EraseOf: TypeAlias = Literal["traces", "sessions"]
"""What the conditions of an erasure are about."""
StatsOf: TypeAlias = Literal["traces", "sessions", "users"]
"""What statistics are over, or whose spans are meant."""


class FollowConditions(TypedDict, total=False):
    """Which sessions or traces. What is left out does not restrict; all that is given must hold."""

    project: str
    """Only this project."""
    session_id: str
    """Only this session; of traces those of it."""
    user_id: str
    """Only what this user took part in."""
    since: Moment | None
    """Only what started at or after this."""
    until: Moment | None
    """Only what started before this."""
    filter: str
    """Only what this filter holds for: AIP-160, over the fields of a row."""


class Conditions(FollowConditions, total=False):
    """Which sessions or traces, and in which order."""

    order_by: str
    """Names of fields, each with " desc" behind it or not, separated by commas."""


class UserConditions(TypedDict, total=False):
    """Which users, and in which order; otherwise as Conditions."""

    project: str
    since: Moment | None
    """Only users whose first trace started at or after this."""
    until: Moment | None
    """The same before this."""
    filter: str
    order_by: str


class StatsConditions(TypedDict, total=False):
    """Over which rows, and how they are divided; otherwise as Conditions."""

    of: StatsOf
    """Traces, where it is left out."""
    project: str
    session_id: str
    user_id: str
    since: Moment | None
    until: Moment | None
    """Only what started before this."""
    filter: str
    bucket: timedelta | None
    """Length of the pieces of time that are told one by one: a minute to a week. None: no pieces."""
    group_by: str
    """A field whose labels are told one by one, such as models."""
    group_limit: int
    """Labels told, those of most rows; the others come together. 0 is 20."""


class SearchConditions(TypedDict, total=False):
    """Among which rows, and how they come; otherwise as Conditions."""

    project: str
    session_id: str
    """Only this session, whose every span that was acknowledged is searched."""
    user_id: str
    since: Moment | None
    until: Moment | None
    filter: str
    """Over the fields of a trace, with `by_session` of a session."""
    order: SearchOrder
    """The best first, where it is left out."""
    by_session: bool
    """One row a session that has hits, instead of one a trace."""


class EraseConditions(TypedDict, total=False):
    """What is to be erased: these traces, or what the conditions match, or everything. What is left out does not restrict."""

    trace_ids: Sequence[str]
    """These traces; without further conditions."""
    of: EraseOf
    """Traces, where it is left out. Sessions are erased with all their traces."""
    project: str
    session_id: str
    user_id: str
    since: Moment | None
    until: Moment | None
    """Only what started before this."""
    filter: str
    everything: bool
    """All there is; without further conditions."""


class SpanConditions(FollowConditions, total=False):
    """Whose spans."""

    of: StatsOf
    """What the conditions are about: traces, where it is left out."""


def sessions(conditions: Conditions) -> pb.StreamSessionsRequest:
    return pb.StreamSessionsRequest(**_fields(conditions, Conditions))


def traces(conditions: Conditions) -> pb.StreamTracesRequest:
    return pb.StreamTracesRequest(**_fields(conditions, Conditions))


def follow_sessions(conditions: FollowConditions, *, changes_only: bool) -> pb.StreamSessionsRequest:
    return pb.StreamSessionsRequest(**_fields(conditions, FollowConditions), follow=True, changes_only=changes_only)


def follow_traces(conditions: FollowConditions, *, changes_only: bool) -> pb.StreamTracesRequest:
    return pb.StreamTracesRequest(**_fields(conditions, FollowConditions), follow=True, changes_only=changes_only)


def users(conditions: UserConditions, limit: int | None) -> pb.ListUsersRequest:
    """The first page, no longer than `limit`."""
    page_size = PAGE_SIZE_MAX if limit is None else min(limit, PAGE_SIZE_MAX)
    return pb.ListUsersRequest(**_fields(conditions, UserConditions), page_size=page_size)


def stats(conditions: StatsConditions) -> pb.StatsRequest:
    fields = _fields(conditions, StatsConditions)
    return pb.StatsRequest(**fields | {"of": f"STATS_OF_{fields.get('of', 'traces').upper()}"})


def search(query: str, conditions: SearchConditions) -> SearchRequest:
    fields = _fields(conditions, SearchConditions)
    return SearchRequest(**fields | {"query": query, "order": f"SEARCH_ORDER_{fields.get('order', 'best').upper()}"})


def erase(conditions: EraseConditions, *, validate_only: bool) -> admin_pb.EraseRequest:
    fields = _fields(conditions, EraseConditions)
    return admin_pb.EraseRequest(**fields | {"of": f"ERASE_OF_{fields.get('of', 'traces').upper()}"}, validate_only=validate_only)


def export_spans(conditions: SpanConditions) -> transfer_pb.ExportSpansRequest:
    fields = _fields(conditions, SpanConditions)
    return transfer_pb.ExportSpansRequest(**fields | {"of": f"SPANS_OF_{fields.get('of', 'traces').upper()}"})


def _fields(conditions: Mapping[str, Any], allowed: type) -> dict[str, Any]:
    """The conditions as a request takes them. Raises TypeError for a name that is none of them: a request has more fields."""
    unknown = conditions.keys() - allowed.__annotations__.keys()
    if unknown:
        raise TypeError(f"unexpected arguments: {', '.join(sorted(unknown))}")
    return {name: _zoned(name, value) if isinstance(value, datetime) else value for name, value in conditions.items()}


def _zoned(name: str, moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"{name}: {moment} has no time zone; give one, such as datetime.now(UTC)")
    return moment
