"""The one family of failures. Each has a code that the edges translate, and where a person can act, a hint.

Bad *data* is never raised: it is a value (`core.model.Rejection`). What is raised here is a failed *operation*.
"""

from enum import Enum
from typing import ClassVar, Final

VALUE_CHARACTERS_MAX: Final = 200
"""Of a value that an error repeats: enough to know it by, and gRPC sends no message of some thousand characters."""


class Code(Enum):
    """What kind of failure it is, in words every edge can translate (`server/status.py`, `cli`)."""

    INVALID = "invalid"
    NOT_FOUND = "not_found"
    EXISTS = "exists"
    TOO_LARGE = "too_large"
    BUSY = "busy"
    FULL = "full"
    BROKEN = "broken"
    DAMAGED = "damaged"
    OCCUPIED = "occupied"
    CROWDED = "crowded"
    TOO_OLD = "too_old"
    CANCELLED = "cancelled"
    OFF = "off"


def shown(value: object) -> str:
    """A value as an error repeats it."""
    text = repr(value)
    return text if len(text) <= VALUE_CHARACTERS_MAX else f"{text[:VALUE_CHARACTERS_MAX]}... ({len(text):,} characters)"


class SessiondError(Exception):
    """A failed operation: what failed, and `hint`, what to do about it ("" where nothing can be done)."""

    code: ClassVar[Code]

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


class Invalid(SessiondError):
    """The caller's `field` holds a value that can't be used."""

    code = Code.INVALID

    def __init__(self, field: str, value: object, problem: str, *, hint: str = "") -> None:
        super().__init__(f"{field}: {shown(value)} {problem}", hint=hint)
        self.field = field


class NotFound(SessiondError):
    """Nothing is stored under that id."""

    code = Code.NOT_FOUND


class AlreadyExists(SessiondError):
    """Something else is stored under the id that the caller gave."""

    code = Code.EXISTS


class TooLarge(SessiondError):
    """A request is over a limit; sending it again can't help."""

    code = Code.TOO_LARGE


class Busy(SessiondError):
    """Not now: a queue is full or the daemon is stopping. The same request may be sent again."""

    code = Code.BUSY


class StoreFull(SessiondError):
    """The disk or the store's quota is full: nothing of the transaction was kept, reading goes on."""

    code = Code.FULL


class StoreBroken(SessiondError):
    """The engine can't be trusted any more: stop, and be restarted."""

    code = Code.BROKEN


class Damaged(SessiondError):
    """What one row of the store holds can't be read, or a row that it leads to is missing; all others are as good as before."""

    code = Code.DAMAGED

    def __init__(self, message: str) -> None:
        super().__init__(message, hint="run `sessiond check`, which names it; `sessiond rebuild` makes again what is computed")


class Occupied(SessiondError):
    """A port, a data directory or a file system can't be ours."""

    code = Code.OCCUPIED


class Crowded(SessiondError):
    """As many do this as may; one of them must end first."""

    code = Code.CROWDED


class TooOld(SessiondError):
    """What the caller wants to go on from is of too long ago; they must begin anew."""

    code = Code.TOO_OLD


class SwitchedOff(SessiondError):
    """The configuration leaves this out."""

    code = Code.OFF


class Cancelled(SessiondError):
    """Whoever asked does not wait any more."""

    code = Code.CANCELLED
