"""What the requests that are about rows have in common: which rows, besides their filter."""

from google.protobuf.message import Message

from sessiond.service.asking.question import Within
from sessiond.wire import api


def within(request: Message) -> Within:
    """What a request restricts rows by besides its filter, by those of its fields that it has. Raises Invalid."""
    fields = request.DESCRIPTOR.fields_by_name

    def named(field: str) -> str | None:
        return getattr(request, field) or None if field in fields else None

    def time(field: str) -> int | None:
        return api.unix_nano(getattr(request, field), field) if field in fields and request.HasField(field) else None

    return Within(named("project"), named("session_id"), named("user_id"), time("since"), time("until"))
