"""What a batch of spans that was refused as a whole is answered: it costs only itself, and those behind it go on."""

from typing import Final

import grpc

from sessiond.client.failure import request_failed
from sessiond.wire._pb.v1.transfer_service_pb2 import ImportSpansResponse, SpanBatch
from sessiond.wire.span_batches import span_count

_REFUSED: Final = (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED)
"""What it holds, or its size, is over what the daemon takes: sending it again can't help."""


def refused(batch: SpanBatch, error: grpc.RpcError, endpoint: str) -> ImportSpansResponse:
    """The answer to a batch of which no span was kept. Raises the error again where it is not about the batch."""
    if error.code() not in _REFUSED:
        raise error
    return ImportSpansResponse(
        rejected_span_count=max(1, span_count(batch.SerializeToString())), error_message=str(request_failed(error, endpoint))
    )
