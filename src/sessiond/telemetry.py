"""What the daemon tells of itself: counters, and how its log is written. Knows nothing of what is counted."""

import logging
import sys
import threading
import time
from collections import Counter
from typing import Final, NamedTuple

import structlog

LOG_LEVELS: Final = ("debug", "info", "warning", "error")


class Failure(NamedTuple):
    """Something that went wrong and was no sender's fault."""

    message: str
    time_unix_nano: int


class Counts(NamedTuple):
    """The counters at one moment, since the start of the daemon."""

    accepted_spans: int
    duplicate_spans: int
    conflicting_spans: int
    refused_spans: dict[str, int]
    accepted_requests: int
    refused_requests: dict[str, int]
    commits: int
    last_commit_seconds: float | None
    last_failure: Failure | None


class Telemetry:
    """Counters that any thread may add to. They start at 0 with the daemon."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counter: Counter[str] = Counter()
        self._refused_spans: Counter[str] = Counter()
        self._refused_requests: Counter[str] = Counter()
        self._last_commit_seconds: float | None = None
        self._last_failure: Failure | None = None

    def committed(self, *, stored: int, duplicates: int, conflicts: int, seconds: float) -> None:
        """A transaction of spans is on disk."""
        with self._lock:
            self._counter["commits"] += 1
            self._counter["accepted"] += stored
            self._counter["duplicates"] += duplicates
            self._counter["conflicts"] += conflicts
            self._last_commit_seconds = seconds

    def acknowledged(self, refused_spans: Counter[str]) -> None:
        """A request was answered with OK, some of its spans perhaps refused."""
        with self._lock:
            self._counter["requests"] += 1
            self._refused_spans.update(refused_spans)

    def refused(self, reason: str) -> None:
        """A request was refused as a whole."""
        with self._lock:
            self._refused_requests[reason] += 1

    def failed(self, message: str) -> None:
        """Something went wrong that was no sender's fault."""
        with self._lock:
            self._last_failure = Failure(message, time.time_ns())

    def counts(self) -> Counts:
        """All counters at this moment."""
        with self._lock:
            return Counts(
                accepted_spans=self._counter["accepted"],
                duplicate_spans=self._counter["duplicates"],
                conflicting_spans=self._counter["conflicts"],
                refused_spans=dict(self._refused_spans),
                accepted_requests=self._counter["requests"],
                refused_requests=dict(self._refused_requests),
                commits=self._counter["commits"],
                last_commit_seconds=self._last_commit_seconds,
                last_failure=self._last_failure,
            )


def configure_logging(level: str, *, json: bool) -> None:
    """Log to stderr, one event a line: key=value for people, JSON for machines."""
    renderer = structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
