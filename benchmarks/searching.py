"""What is searched for in a store with a month behind it, and the index that has to be there: made once, kept beside the store."""

import tempfile
import time
from pathlib import Path
from typing import Final

from benchmarks.asking import Ask, Daemon, Timed, repeatedly, running
from benchmarks.sessions import LONG_SESSION_ID, USER_ID
from sessiond.wire._pb.v1.admin_service_pb2 import SearchIndexStatus
from sessiond.wire._pb.v1.search_pb2 import SEARCH_ORDER_NEWEST, SearchRequest

ANSWER_SECONDS_MAX: Final = 60
POLL_SECONDS: Final = 0.1

WORD, RARE, PHRASE, NAME, BEGINNING = "luggage", "rate_limit_exceeded", '"station booking"', "get_calendar", "lugg*"
"""Texts are drawn from some 150 words, so that a word is in half of all turns. The name is a phrase too, and in as many."""


def index(data_dir: Path) -> None:
    """Have the index of a store beside it, whatever it takes; tells how long that was."""
    with (
        tempfile.TemporaryDirectory(prefix="sessiond-bench-") as directory,
        running(data_dir, Path(directory), has_index=True) as daemon,
    ):
        began = time.monotonic()
        status = _wait_current(daemon)
        seconds = time.monotonic() - began
    size = f"{status.bytes / 2**20:,.0f} MiB"
    print(f"search index: {status.trace_count:,} traces, {size}, there after {seconds:,.0f} s")


def _wait_current(daemon: Daemon) -> SearchIndexStatus:
    """How the index is when it holds everything: a daemon that was just started may still be reading it, or make it anew."""
    while not is_current(status := daemon.status().search):
        time.sleep(POLL_SECONDS)
    return status


def is_current(status: SearchIndexStatus) -> bool:
    """Whether an index holds everything."""
    return status.state == SearchIndexStatus.STATE_READY and not status.behind.ToNanoseconds()


def searches() -> dict[str, tuple[Ask, int | None]]:
    """Name -> how it is asked, and within how many milliseconds the answer is wanted."""
    return {
        "search: a session": (_search(WORD, session_id=LONG_SESSION_ID), 20),
        "search: a word": (_search(WORD), 50),
        "search: a phrase": (_search(PHRASE), 100),
        "search: a name of two words": (_search(NAME), None),
        "search: a rare word": (_search(RARE), None),
        "search: a beginning": (_search(BEGINNING), None),
        "search: a word, newest": (_search(WORD, order=SEARCH_ORDER_NEWEST), None),
        "search: a word, by session": (_search(WORD, by_session=True), None),
        "search: a user's word": (_search(WORD, filter=f'user_id = "{USER_ID}" AND cost_usd > 0.001'), None),
    }


def _search(query: str, **more: object) -> Ask:
    request = SearchRequest(query=query, **more)
    asked = repeatedly(lambda daemon: len(daemon.sessions.Search(request, timeout=ANSWER_SECONDS_MAX).rows))

    def ask(daemon: Daemon, rounds: int) -> Timed:
        _wait_current(daemon)
        return asked(daemon, rounds)

    return ask
