"""What a client searches for, and among which rows."""

from typing import Any, NamedTuple

from sessiond.core.filter import Filter
from sessiond.core.rows.where import Where
from sessiond.core.search.language import is_ranked, parse
from sessiond.service.asking.question import Question, Within, ask_sessions, ask_traces


class SearchQuestion(NamedTuple):
    """A search. `rows` are traces, or sessions where hits are wanted by session: the filter is over these."""

    query: str
    rows: Question[Any]
    by_session: bool
    by_time: bool
    """The latest first, because it was asked for or because nothing that is found is better than another."""

    @property
    def filter(self) -> Filter:
        """Which rows."""
        return self.rows.filter

    @property
    def where(self) -> Where:
        """What the trace of every hit fulfils, as far as an index can tell.

        A session's times and users are not those of each of its traces.
        """
        where = self.filter.where
        return Where(where.project, where.session_id) if self.by_session else where

    @property
    def is_within_session(self) -> bool:
        """Whether hits can only be in one session (of one id: there may be one in each project)."""
        return self.where.session_id is not None

    @property
    def asked(self) -> tuple[object, ...]:
        """What a page token is bound to."""
        return self.query, self.by_session, self.by_time, *self.rows.asked


def ask_search(query: str, within: Within, filter: str = "", *, by_session: bool = False, by_time: bool = False) -> SearchQuestion:  # noqa: A002  (AIP-160's name)
    """A search of a query. Raises Invalid."""
    by_time = by_time or not is_ranked(parse(query))
    ask = ask_sessions if by_session else ask_traces
    return SearchQuestion(query, ask(within, filter), by_session, by_time)
