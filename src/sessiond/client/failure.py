"""The one way in which asking a daemon fails, and how gRPC's own failures become it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import grpc

STATUS_DETAILS: Final = "grpc-status-details-bin"
"""A sessiond that refuses a call always sends it (AIP-193); without it the failure comes from gRPC or from another program."""


class RequestFailed(Exception):
    """A request got no answer: why, and `hint`, what to do about it ("" where the message already says it).

    `code` is the name of the gRPC status, such as NOT_FOUND or UNAVAILABLE.
    """

    def __init__(self, message: str, *, code: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


def unreachable(endpoint: str) -> RequestFailed:
    """Nothing that speaks gRPC answers at the endpoint."""
    return RequestFailed(
        f"no sessiond answers at {endpoint}",
        code=grpc.StatusCode.UNAVAILABLE.name,
        hint="start it with `sessiond serve`, or give --endpoint",
    )


def silent(endpoint: str) -> RequestFailed:
    """A stream on which something had to come by now."""
    return RequestFailed(
        f"{endpoint} has been silent for too long",
        code=grpc.StatusCode.UNAVAILABLE.name,
        hint="see with `sessiond status` whether the daemon still answers",
    )


def ended(endpoint: str) -> RequestFailed:
    """A stream that ended before all that it had to say."""
    return RequestFailed(f"{endpoint} ended its answer too early", code=grpc.StatusCode.UNAVAILABLE.name)


@contextmanager
def translated(endpoint: str) -> Iterator[None]:
    """Make what gRPC raises a RequestFailed."""
    try:
        yield
    except grpc.RpcError as error:
        raise request_failed(error, endpoint) from error


def request_failed(error: grpc.RpcError, endpoint: str) -> RequestFailed:
    """What a failed call means: the server's own message, or for what gRPC itself found, what to look at."""
    code, details = error.code(), error.details() or "no reason was given"
    explain = _NOT_SAID_BY_SESSIOND.get(code)
    if explain is None or _is_said_by_sessiond(error):
        return RequestFailed(details, code=code.name)
    message, hint = explain(endpoint, details)
    return RequestFailed(message, code=code.name, hint=hint)


def _is_said_by_sessiond(error: grpc.RpcError) -> bool:
    return any(key == STATUS_DETAILS for key, _ in error.trailing_metadata() or ())


def _broken(endpoint: str, details: str) -> tuple[str, str]:
    return f"the connection to {endpoint} broke: {details}", "see with `sessiond status` whether the daemon still runs"


_NOT_SAID_BY_SESSIOND: Final[Mapping[grpc.StatusCode, Callable[[str, str], tuple[str, str]]]] = {
    grpc.StatusCode.UNAVAILABLE: _broken,
    grpc.StatusCode.CANCELLED: _broken,
    grpc.StatusCode.UNIMPLEMENTED: lambda endpoint, _: (
        f"what answers at {endpoint} does not serve queries",
        "give the daemon's query address (port 4319 by default), not its OTLP address",
    ),
    grpc.StatusCode.DEADLINE_EXCEEDED: lambda endpoint, _: (f"{endpoint} did not answer in time", "ask again"),
}
"""gRPC's own texts, such as "Socket closed" or "Method not found!", help nobody."""
