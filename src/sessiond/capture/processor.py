"""The span processor that stamps every span as it starts. `instrument` adds one; a provider of one's own takes it as any other."""

from opentelemetry.context import Context, get_current
from opentelemetry.sdk.trace import Span, SpanProcessor

from sessiond.capture.stamp import attributes


class StampProcessor(SpanProcessor):
    """Sets on a span what its parent context says; an attribute that the span has of its own stays."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        own = span.attributes or {}
        # An empty context is one too: a span that was told to have no parent belongs to nobody.
        for key, value in attributes(get_current() if parent_context is None else parent_context).items():
            if key not in own:
                span.set_attribute(key, value)
