"""Traces to a daemon: the OpenTelemetry SDK with OpenInference's instrumentation of the OpenAI SDK."""

from collections.abc import Sequence
from typing import Final

from openinference.instrumentation import OITracer, TraceConfig
from openinference.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

FLUSH_MILLIS_MAX: Final = 10_000


class CountingExporter(SpanExporter):
    """An exporter that counts what became of the spans: a batch processor throws that away and merely logs failures."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self.delivered = 0
        self.lost = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        if result is SpanExportResult.SUCCESS:
            self.delivered += len(spans)
        else:
            self.lost += len(spans)
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


class Telemetry:
    """Spans on their way to the OTLP/gRPC address of a daemon."""

    def __init__(self, otlp_address: str) -> None:
        self._exporter = CountingExporter(OTLPSpanExporter(endpoint=f"http://{otlp_address}", insecure=True))
        self._provider = TracerProvider(resource=Resource.create({"service.name": "travel-assistant"}))
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        OpenAIInstrumentor().instrument(tracer_provider=self._provider)
        self.tracer = OITracer(self._provider.get_tracer("examples.demo"), TraceConfig())

    def flush(self) -> int:
        """Deliver every span that has ended, and stop; how many the daemon acknowledged. Raises RuntimeError where one is lost."""
        flushed = self._provider.force_flush(FLUSH_MILLIS_MAX)
        self._provider.shutdown()
        delivered, lost = self._exporter.delivered, self._exporter.lost
        if not flushed or lost:
            raise RuntimeError(f"the daemon did not take every span: {delivered} delivered, {lost} lost")
        return delivered
