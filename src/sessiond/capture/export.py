"""Spans on their way to a daemon: the OpenTelemetry SDK, its exporter over OTLP/gRPC, the stamps, and threads that keep them."""

import os
import threading
from dataclasses import dataclass
from typing import Final

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.environment_variables import OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from sessiond.capture.processor import StampProcessor
from sessiond.capture.threads import keep_context
from sessiond.capture.warning import warn

ENDPOINT: Final = "http://127.0.0.1:4317"


@dataclass(frozen=True, slots=True)
class Export:
    """The way of a provider's spans to a daemon. As the process ends its provider shuts down, and all that is left is sent."""

    provider: TracerProvider
    endpoint: str
    _batches: BatchSpanProcessor

    def flush(self) -> None:
        """Return when every span that has ended was sent, or given up: failures are in the log of OpenTelemetry."""
        self._batches.force_flush()

    def shutdown(self) -> None:
        """Send what is left, and nothing from then on. The provider, and others that it sends to, go on."""
        self._batches.shutdown()  # type: ignore[no-untyped-call]


# A global that changes, against the rule of this house: OpenTelemetry has one provider for a process, which can't be set again, and
# this is what was added to it.
_exports: Final[list[Export]] = []
_lock: Final = threading.Lock()


def export_to(endpoint: str | None, service_name: str | None) -> Export:
    """See `instrument`."""
    variables = (OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTEL_EXPORTER_OTLP_ENDPOINT)
    endpoint = endpoint or next(filter(None, map(os.environ.get, variables)), ENDPOINT)
    with _lock:
        if _exports:
            if _exports[0].endpoint != endpoint:
                warn(f"spans go to {_exports[0].endpoint} already, and not to {endpoint}")
            return _exports[0]
        provider = _provider(service_name)
        batches = BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint, insecure=not endpoint.startswith("https://")))
        provider.add_span_processor(StampProcessor())
        provider.add_span_processor(batches)
        keep_context()
        _exports.append(Export(provider, endpoint, batches))
        return _exports[0]


def _provider(service_name: str | None) -> TracerProvider:
    """The provider that is set, or one made and set now."""
    found = trace.get_tracer_provider()
    if isinstance(found, trace.ProxyTracerProvider):
        found = TracerProvider(resource=Resource.create({"service.name": service_name} if service_name else {}))
        trace.set_tracer_provider(found)
    if not isinstance(found, TracerProvider):
        raise TypeError(f"the tracer provider that is set is not of OpenTelemetry's SDK: {type(found).__name__}")
    return found
