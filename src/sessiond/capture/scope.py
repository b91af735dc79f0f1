"""One capture under way: its span, and the context in which all that belongs to it runs."""

import contextvars
from contextvars import Token
from types import TracebackType
from typing import Final, Self

from opentelemetry import trace
from opentelemetry.context import Context, attach, detach, get_current
from opentelemetry.trace import Status, StatusCode

from sessiond.capture.said import Said
from sessiond.capture.stamp import attributes, stamped

TRACER: Final = "sessiond.capture"


class Scope:
    """An open span. Whoever opens it ends it, or hands it to a stream that does; ending it again changes nothing.

    In a `with` block, once, its context is the current one; an exception that leaves the block ends it and passes through.
    """

    def __init__(self, name: str, said: Said) -> None:
        inside = stamped(get_current(), said)
        # Its own span is stamped without the processor too: one span with an id is enough for the whole trace.
        self.span = trace.get_tracer(TRACER).start_span(name, inside, attributes=attributes(inside))
        self._context = trace.set_span_in_context(self.span, inside)
        self._token: Token[Context] | None = None
        self._ended = False

    def __enter__(self) -> Self:
        self._token = attach(self._context)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._token is not None:
            detach(self._token)
        if error is not None:
            self.end(error)

    def copied(self) -> contextvars.Context:
        """All context variables as they are now, with the capture's context among them."""
        copy = contextvars.copy_context()
        copy.run(attach, self._context)
        return copy

    def end(self, error: BaseException | None = None) -> None:
        """End the span; an error is recorded on it, with status error.

        As in OpenTelemetry's own `use_span`, what is not an Exception is no error: a task cancelled, a generator closed.
        """
        if self._ended:
            return
        self._ended = True
        if isinstance(error, Exception):
            self.span.set_status(Status(StatusCode.ERROR, self._recorded(error)))
        self.span.end()

    def _recorded(self, error: Exception) -> str:
        """Record an exception; what it says. One whose own text can't be had must pass through all the same."""
        try:
            self.span.record_exception(error)
            return f"{type(error).__name__}: {error}"
        except Exception:  # noqa: BLE001  (its `__str__` may raise anything)
            return type(error).__name__
