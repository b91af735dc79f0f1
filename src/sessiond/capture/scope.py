"""One capture under way: its span, and the context in which all that belongs to it runs."""

import contextvars
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.context import attach, detach, get_current
from opentelemetry.trace import Status, StatusCode

from sessiond.capture.stamp import Id, attributes, stamped

TRACER: Final = "sessiond.capture"


class Scope:
    """An open span. Whoever opens it ends it, or hands it to a stream that does; ending it again changes nothing."""

    def __init__(self, name: str, session_id: Id, user_id: Id, tags: Sequence[str], metadata: Mapping[str, Any]) -> None:
        inside = stamped(get_current(), session_id, user_id, tags, metadata)
        # Its own span is stamped without the processor too: one span with an id is enough for the whole trace.
        self.span = trace.get_tracer(TRACER).start_span(name, inside, attributes=attributes(inside))
        self.context = trace.set_span_in_context(self.span, inside)
        self._ended = False

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run what is in the block inside the capture. An exception ends the span and passes through."""
        token = attach(self.context)
        try:
            yield
        except BaseException as error:
            self.end(error)
            raise
        finally:
            detach(token)

    def copied(self) -> contextvars.Context:
        """All context variables as they are now, with the capture's context among them."""
        copy = contextvars.copy_context()
        copy.run(attach, self.context)
        return copy

    def end(self, error: BaseException | None = None) -> None:
        """End the span; an error is recorded on it, with status error.

        As in OpenTelemetry's own `use_span`, what is not an Exception is no error: a task cancelled, a generator closed.
        """
        if self._ended:
            return
        self._ended = True
        if isinstance(error, Exception):
            self.span.record_exception(error)
            self.span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))
        self.span.end()
