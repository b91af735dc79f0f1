"""Which rows are wanted, as far as an index can tell: what a store narrows a walk by."""

from typing import NamedTuple

from sessiond.core.model import SessionSummary, UserSummary
from sessiond.core.rows.fields import AnySummary
from sessiond.core.rows.places import place_unix_nano


class Where(NamedTuple):
    """All that is given must hold, what is None does not restrict."""

    project: str | None = None
    session_id: str | None = None
    """Of a trace or session. A user is of no session."""
    user_id: str | None = None
    """Of a trace its user; of a session one of its users."""
    since_unix_nano: int | None = None
    """`place_unix_nano` at or after this."""
    until_unix_nano: int | None = None
    """`place_unix_nano` before this."""

    def holds_for(self, row: AnySummary) -> bool:
        """Whether a row is wanted."""
        return (
            self.project in (None, row.project)
            and (self.session_id is None or (not isinstance(row, UserSummary) and row.session_id == self.session_id))
            and self._is_of_user(row)
            and (self.since_unix_nano or 0) <= place_unix_nano(row)
            and (self.until_unix_nano is None or place_unix_nano(row) < self.until_unix_nano)
        )

    def _is_of_user(self, row: AnySummary) -> bool:
        if self.user_id is None:
            return True
        return row.user_id == self.user_id or (isinstance(row, SessionSummary) and self.user_id in row.user_ids)
