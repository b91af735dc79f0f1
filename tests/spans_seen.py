"""What became of an application's spans, as tests of capture compare it."""

from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

TRACER = "app"


def work(name: str = "work") -> None:
    """Start a span as an instrumentation does, which knows of no capture."""
    trace.get_tracer(TRACER).start_span(name).end()


class Spans:
    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self._exporter = exporter

    def all(self) -> dict[str, ReadableSpan]:
        """Every ended span by its name, in the order of their ends."""
        found = self._exporter.get_finished_spans()
        assert len({span.name for span in found}) == len(found)
        return {span.name: span for span in found}

    def stamps(self) -> dict[str, dict[str, Any]]:
        return {name: dict(span.attributes or {}) for name, span in self.all().items()}

    def sessions(self) -> dict[str, Any]:
        return {name: stamp.get("session.id") for name, stamp in self.stamps().items()}

    def parents(self) -> dict[str, str | None]:
        names = {span.context.span_id: name for name, span in self.all().items()}
        return {name: span.parent and names[span.parent.span_id] for name, span in self.all().items()}
