"""Spans on their way to a daemon: the OpenTelemetry SDK, its exporter over OTLP/gRPC, and the stamps."""

import logging
import threading
from dataclasses import dataclass
from typing import Final

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from sessiond.capture.processor import StampProcessor


@dataclass(frozen=True, slots=True)
class Export:
    """The way of a provider's spans to a daemon. At the end of the process all that is left is sent, without a call."""

    provider: TracerProvider
    endpoint: str
    _batches: BatchSpanProcessor

    def flush(self) -> None:
        """Return when every span that has ended was sent, or given up: failures are in the log of OpenTelemetry."""
        self._batches.force_flush()

    def shutdown(self) -> None:
        """Send what is left, and nothing from then on. The provider, and others that it sends to, go on."""
        self._batches.shutdown()  # type: ignore[no-untyped-call]


# A global that changes, against the rule of this house: OpenTelemetry has one provider for a process, and this is what was added
# to it. The provider itself can be asked only by its private names.
_exports: list[Export] = []
_lock: Final = threading.Lock()


def export_to(endpoint: str, service_name: str | None) -> Export:
    """See `instrument`."""
    with _lock:
        provider = _provider(service_name)
        for done in _exports:
            if done.provider is provider:
                if done.endpoint != endpoint:
                    logging.getLogger(__name__).warning("spans go to %s already, and not to %s", done.endpoint, endpoint)
                return done
        batches = BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint, insecure=not endpoint.startswith("https://")))
        provider.add_span_processor(StampProcessor())
        provider.add_span_processor(batches)
        _exports.append(Export(provider, endpoint, batches))
        return _exports[-1]


def _provider(service_name: str | None) -> TracerProvider:
    """The provider that is set, or one made and set now."""
    found = trace.get_tracer_provider()
    if isinstance(found, trace.ProxyTracerProvider):
        found = TracerProvider(resource=Resource.create({"service.name": service_name} if service_name else {}))
        trace.set_tracer_provider(found)
    if not isinstance(found, TracerProvider):
        raise TypeError(f"the tracer provider that is set is not of OpenTelemetry's SDK: {type(found).__name__}")
    return found
