"""AdminService: how the daemon is, whether its store is sound, and what is made again or erased in it."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

import grpc

from sessiond.core.errors import Invalid
from sessiond.core.rows.fields import Kind
from sessiond.server.status import translated
from sessiond.server.within import within
from sessiond.service.searching.indexer import Indexer, State
from sessiond.service.settling.renewal import Renewed
from sessiond.service.upkeep.check import Checked
from sessiond.service.upkeep.erase import Eraser, wanted
from sessiond.service.writer import Writer
from sessiond.storage.api import Store
from sessiond.telemetry import Telemetry
from sessiond.wire import api
from sessiond.wire._pb.v1 import admin_service_pb2 as pb
from sessiond.wire._pb.v1.admin_service_pb2_grpc import AdminServiceServicer
from sessiond.wire.api import timestamp

ERASE_KINDS: Final[Mapping[int, Kind]] = {
    pb.ERASE_OF_UNSPECIFIED: "trace",
    pb.ERASE_OF_TRACES: "trace",
    pb.ERASE_OF_SESSIONS: "session",
}


class Identity(NamedTuple):
    """What does not change while the daemon runs."""

    version: str
    start_unix_nano: int
    data_dir: str
    store_format: int
    addresses: Mapping[str, str]


class AdminService(AdminServiceServicer):
    """The servicer over the daemon's parts."""

    def __init__(
        self,
        identity: Identity,
        store: Store,
        writer: Writer,
        telemetry: Telemetry,
        *,
        check: Callable[[], Iterator[Checked]],
        reprice: Callable[[], Iterator[Renewed]],
        indexer: Indexer | None,
        eraser: Eraser,
    ) -> None:
        self._identity = identity
        self._store = store
        self._writer = writer
        self._telemetry = telemetry
        self._check = check
        self._reprice = reprice
        self._indexer = indexer
        self._eraser = eraser

    def GetStatus(self, request: pb.GetStatusRequest, context: grpc.ServicerContext) -> pb.GetStatusResponse:  # noqa: N802, ARG002
        with translated(context):
            counts, waiting, extent = self._telemetry.counts(), self._writer.waiting(), self._store.extent()
            failure, renewed = counts.last_failure, self._writer.renewed()
            return pb.GetStatusResponse(
                version=self._identity.version,
                start_time=timestamp(self._identity.start_unix_nano),
                serving=self._writer.full is None,
                accepted_span_count=counts.accepted_spans,
                refused_span_counts=counts.refused_spans,
                duplicate_span_count=counts.duplicate_spans,
                conflicting_span_count=counts.conflicting_spans,
                accepted_request_count=counts.accepted_requests,
                refused_request_counts=counts.refused_requests,
                queue_bytes=self._writer.queue_bytes,
                commit_count=counts.commits,
                last_commit_ms=None if counts.last_commit_seconds is None else counts.last_commit_seconds * 1000,
                dirty_trace_count=waiting.traces,
                dirty_session_count=waiting.sessions,
                dirty_user_count=waiting.users,
                last_error=failure.message if failure else None,
                last_error_time=timestamp(failure.time_unix_nano) if failure else None,
                data_dir=self._identity.data_dir,
                store_format=self._identity.store_format,
                trace_count=extent.trace_count,
                session_count=extent.session_count,
                user_count=extent.user_count,
                span_count=extent.span_count,
                store_used_bytes=extent.used_bytes,
                store_bytes_max=extent.bytes_max,
                addresses=self._identity.addresses,
                renewed_trace_count=renewed.traces if renewed else None,
                search=_search_message(self._indexer.state()) if self._indexer else None,
            )

    def Check(self, request: pb.CheckRequest, context: grpc.ServicerContext) -> Iterator[pb.CheckResponse]:  # noqa: N802, ARG002
        with translated(context):
            for checked in self._check():
                yield pb.CheckResponse(
                    checked_trace_count=checked.traces,
                    checked_session_count=checked.sessions,
                    checked_user_count=checked.users,
                    outdated_trace_count=checked.outdated,
                    problems=checked.problems,
                )

    def Reprice(self, request: pb.RepriceRequest, context: grpc.ServicerContext) -> Iterator[pb.RepriceResponse]:  # noqa: N802, ARG002
        with translated(context):
            for renewed in self._reprice():
                yield pb.RepriceResponse(renewed_trace_count=renewed.traces, trace_count=renewed.of)

    def Erase(self, request: pb.EraseRequest, context: grpc.ServicerContext) -> Iterator[pb.EraseResponse]:  # noqa: N802
        with translated(context):
            trace_ids = [api.trace_id(one, "trace_ids") for one in request.trace_ids]
            kind = ERASE_KINDS.get(request.of)
            if kind is None:
                raise Invalid("of", request.of, "is no EraseOf")
            meant = wanted(trace_ids, kind, within(request), request.filter, everything=request.everything)
            for told in self._eraser.erase(meant, context.is_active, validate_only=request.validate_only):
                yield pb.EraseResponse(
                    trace_count=told.traces,
                    span_count=told.spans,
                    session_count=told.sessions,
                    feedback_count=told.feedback,
                    erased_trace_count=told.erased_traces,
                )


def _search_message(state: State) -> pb.SearchIndexStatus:
    message = pb.SearchIndexStatus(state=_search_state(state), death_count=state.deaths, last_failure=state.failure)
    if state.standing is not None:
        message.trace_count = state.standing.document_count
        message.bytes = state.standing.byte_count
    message.behind.FromNanoseconds(round(state.behind_seconds * 10**9))
    return message


def _search_state(state: State) -> pb.SearchIndexStatus.State:
    if not state.is_running:
        return pb.SearchIndexStatus.STATE_DOWN if state.deaths else pb.SearchIndexStatus.STATE_IDLE
    is_built = state.standing is not None and state.standing.is_built
    return pb.SearchIndexStatus.STATE_READY if is_built else pb.SearchIndexStatus.STATE_BUILDING
