"""The one map from failures to gRPC status. Nothing else in the daemon knows a status code.

A sender decides by the code whether it drops a batch or sends it again: UNKNOWN and INTERNAL make a Collector drop it, and an
exception that leaves a handler becomes UNKNOWN. So none may leave one. RetryInfo is sent in both forms, because the Python exporter
reads only `google.rpc.retryinfo-bin` and the Collector only `grpc-status-details-bin`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import quote

import grpc
import structlog
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.code_pb2 import Code as RpcCode
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from sessiond.core.errors import Code, Invalid, SessiondError

DOMAIN: Final = "sessiond"
RETRY_SECONDS: Final = 1
MESSAGE_BYTES_MAX: Final = 7_000
"""Of a message in all trailers, percent-encoded in one, twice in base64 in another: above 8 KiB gRPC may fail itself."""
RETRY_TRAILER: Final = "google.rpc.retryinfo-bin"

CODES: Final[dict[Code, RpcCode]] = {
    Code.INVALID: RpcCode.INVALID_ARGUMENT,
    Code.NOT_FOUND: RpcCode.NOT_FOUND,
    Code.EXISTS: RpcCode.ALREADY_EXISTS,
    Code.TOO_LARGE: RpcCode.RESOURCE_EXHAUSTED,
    Code.BUSY: RpcCode.UNAVAILABLE,
    Code.FULL: RpcCode.UNAVAILABLE,
    Code.BROKEN: RpcCode.UNAVAILABLE,
    Code.DAMAGED: RpcCode.DATA_LOSS,
    Code.OCCUPIED: RpcCode.FAILED_PRECONDITION,
    Code.CROWDED: RpcCode.RESOURCE_EXHAUSTED,
    Code.TOO_OLD: RpcCode.OUT_OF_RANGE,
    Code.CANCELLED: RpcCode.CANCELLED,
    Code.OFF: RpcCode.FAILED_PRECONDITION,
}
_UNEXPECTED: Final = "sessiond failed unexpectedly; its log says how. Nothing of this request was acknowledged: send it again"

log = structlog.get_logger()


@contextmanager
def translated(context: grpc.ServicerContext) -> Iterator[None]:
    """End the call with the status of whatever failure leaves the block."""
    try:
        yield
    except SessiondError as error:
        context.abort_with_status(_status(CODES[error.code], str(error), error.code.name, _field_of(error)))
    except Exception as error:
        if context.is_active():
            log.exception("a call failed unexpectedly")
            context.abort_with_status(_status(RpcCode.UNAVAILABLE, _UNEXPECTED, "UNEXPECTED", "", type(error).__name__))
        raise


def _field_of(error: SessiondError) -> str:
    return error.field if isinstance(error, Invalid) else ""


def _fitting(message: str) -> str:
    """A message whose middle is left out where trailers would take more with it than gRPC lets through."""
    kept = len(message)
    shown = message
    while len(quote(shown, errors="replace")) + 3 * len(shown.encode(errors="replace")) > MESSAGE_BYTES_MAX:
        kept = kept * 3 // 4
        shown = f"{message[: kept // 2]} ... {message[-(kept // 2) :]}"
    return shown


def _status(code: RpcCode, message: str, reason: str, field: str, kind: str = "") -> grpc.Status:
    message = _fitting(message)
    details = [ErrorInfo(reason=reason, domain=DOMAIN, metadata={"kind": kind} if kind else {})]
    if field:
        details.append(BadRequest(field_violations=[BadRequest.FieldViolation(field=field, description=message)]))
    retry = RetryInfo(retry_delay=Duration(seconds=RETRY_SECONDS)) if code == RpcCode.UNAVAILABLE else None
    if retry:
        details.append(retry)
    rich = Status(code=code, message=message)
    for detail in details:
        packed = AnyMessage()
        packed.Pack(detail)
        rich.details.append(packed)
    status = rpc_status.to_status(rich)
    if retry is None:
        return status
    return status._replace(trailing_metadata=(*status.trailing_metadata, (RETRY_TRAILER, retry.SerializeToString())))
