"""What a client asks of rows: which, and in what order."""

from typing import Generic, NamedTuple, TypeVar

from sessiond.core.errors import Invalid
from sessiond.core.filter import Filter, Order, parse_filter, parse_order
from sessiond.core.model import SessionSummary, TraceSummary, UserSummary
from sessiond.core.rows.fields import Kind

Summary = TypeVar("Summary", TraceSummary, SessionSummary, UserSummary)


class Within(NamedTuple):
    """What a request restricts rows by besides its filter; None does not restrict."""

    project: str | None = None
    session_id: str | None = None
    user_id: str | None = None
    since_unix_nano: int | None = None
    """Start, or of a user when they were first seen, at or after this."""
    until_unix_nano: int | None = None
    """The same before this."""


EVERYWHERE = Within()


class Question(NamedTuple, Generic[Summary]):
    """Rows of one kind."""

    kind: Kind
    filter: Filter
    order: Order
    asked: tuple[object, ...]
    """What was asked, in plain values: what a page token is bound to."""

    @property
    def is_restricted(self) -> bool:
        """Whether some rows may not match."""
        return any(self.asked[1:-1])


def ask_traces(within: Within = EVERYWHERE, filter: str = "", order_by: str = "") -> Question[TraceSummary]:  # noqa: A002  (AIP-160's name)
    """Traces that match. Raises Invalid."""
    return Question(*_asked("trace", within, filter, order_by))


def ask_sessions(within: Within = EVERYWHERE, filter: str = "", order_by: str = "") -> Question[SessionSummary]:  # noqa: A002
    """Sessions that match. Raises Invalid."""
    return Question(*_asked("session", within, filter, order_by))


def ask_users(within: Within = EVERYWHERE, filter: str = "", order_by: str = "") -> Question[UserSummary]:  # noqa: A002
    """Users that match. Raises Invalid, also where they are asked for by a session: a user is of many."""
    if within.session_id is not None:
        raise Invalid("session_id", within.session_id[:80], "is not for users", hint="leave it empty")
    return Question(*_asked("user", within, filter, order_by))


def _asked(kind: Kind, within: Within, filter_text: str, order_by: str) -> tuple[Kind, Filter, Order, tuple[object, ...]]:
    found = parse_filter(filter_text, kind).within(**within._asdict())
    return kind, found, parse_order(order_by, kind), (kind, *within, filter_text, order_by)
