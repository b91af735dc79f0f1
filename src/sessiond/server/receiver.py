"""OTLP/gRPC in: the TraceService of the OpenTelemetry Collector protocol."""

import grpc

from sessiond.server.status import translated
from sessiond.service.receiving.ingest import Ingest
from sessiond.wire import otlp

TRACE_SERVICE = "opentelemetry.proto.collector.trace.v1.TraceService"


def trace_service(ingest: Ingest) -> grpc.GenericRpcHandler:
    """The service over raw bytes: no deserializer, so that a request is unfolded by `wire`, which spares what it can."""

    def export(body: bytes, context: grpc.ServicerContext) -> bytes:
        with translated(context):
            return otlp.answer(*ingest.export(body))

    return grpc.method_handlers_generic_handler(TRACE_SERVICE, {"Export": grpc.unary_unary_rpc_method_handler(export)})
