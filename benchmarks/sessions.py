"""Whose turns a history is made of and when: sessions of a month, one session of 100 turns, and one trace of 30,000 spans.

A hundred sessions in a row have 1 to 45 turns, a thousand in all, and start evenly over the days. Each commit can be made alone, in
any process, and is the same whenever it is made.
"""

import random
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from benchmarks.turns import MODELS, SPANS_PER_TURN, Conversation, Turn
from sessiond.core.model import Origin, ReceivedSpan, Rejection
from sessiond.wire import otlp

SEED: Final = 20_260_105
USERS: Final = 1000
BEGIN_UNIX_NANO: Final = 1_767_571_200 * 10**9
"""2026-01-05, midnight UTC, a Monday."""
DAY_NANO: Final = 86_400 * 10**9
DAYS: Final = 30

SESSIONS_PER_COMMIT: Final = 100
"""Some 5,000 spans."""
SESSIONS_BY_TURNS: Final = {1: 19, 2: 12, 3: 9, 5: 12, 8: 13, 12: 13, 20: 11, 30: 7, 45: 4}
"""Turns -> how many of each hundred sessions have so many: a thousand turns in all."""
TURN_COUNTS: Final = tuple(turns for turns, sessions in SESSIONS_BY_TURNS.items() for _ in range(sessions))
_STRIDE: Final = 37
"""Has no factor in common with 100, so that sessions in a row differ in their turns."""

USER_ID: Final = "user-0042"
LONG_SESSION_ID: Final = "session-long"
LONG_SESSION_TURNS: Final = 100
LARGE_TRACE_ID: Final = bytes(range(16, 32))
LARGE_TRACE_SPANS: Final = 30_000
_LARGE_ROOT_ID: Final = bytes(range(8, 16))
_SPANS_PER_REQUEST: Final = 512
_REQUEST_NANO: Final = 15 * 60 * 10**9
"""From one request of the large trace to the next. What is in it takes less."""
BESIDE_UNIX_NANO: Final = BEGIN_UNIX_NANO + DAYS // 2 * DAY_NANO
"""When the long session and the large trace begin."""

_EXPORT_DELAY_NANO: Final = 5 * 10**9
"""A span waits for its batch to leave its process, at most so long."""

Commit = Callable[[], list[ReceivedSpan]]
"""Makes the spans of one transaction, as the receiver would have read them."""


def commits(session_count: int) -> list[Commit]:
    """All of a history, in the order in which it is appended."""
    requests = range(-(-LARGE_TRACE_SPANS // _SPANS_PER_REQUEST))
    blocks = range(0, session_count, SESSIONS_PER_COMMIT)
    return [
        *(partial(_large_trace, request) for request in requests),
        _long_session,
        *(partial(_sessions, first, min(first + SESSIONS_PER_COMMIT, session_count), of=session_count) for first in blocks),
    ]


def span_count(session_count: int) -> int:
    """Spans of all those commits."""
    turns = sum(map(_turn_count, range(session_count))) + LONG_SESSION_TURNS
    return turns * SPANS_PER_TURN + LARGE_TRACE_SPANS


def _sessions(first: int, end: int, *, of: int) -> list[ReceivedSpan]:
    """Some of the ordinary sessions."""
    chance = random.Random(f"{SEED} sessions {first}")
    received: list[ReceivedSpan] = []
    for place in range(first, end):
        talk = Conversation.draw(chance, session_id=f"session-{place:06}", user_id=f"user-{chance.randrange(USERS):04}")
        start = BEGIN_UNIX_NANO + int((place + chance.random()) / of * DAYS * DAY_NANO)
        received += _conversation(chance, talk, start, _turn_count(place))
    return received


def _turn_count(place: int) -> int:
    return TURN_COUNTS[place * _STRIDE % len(TURN_COUNTS)]


def _long_session() -> list[ReceivedSpan]:
    chance = random.Random(f"{SEED} long session")
    talk = Conversation.draw(chance, session_id=LONG_SESSION_ID, user_id=USER_ID, model=MODELS[0])
    return _conversation(chance, talk, BESIDE_UNIX_NANO, LONG_SESSION_TURNS)


def _conversation(chance: random.Random, talk: Conversation, start_unix_nano: int, turn_count: int) -> list[ReceivedSpan]:
    """The spans of a session, whose user thinks between two turns."""
    received: list[ReceivedSpan] = []
    for turns_before in range(turn_count):
        turn = Turn(chance, talk, start_unix_nano).whole(turns_before)
        received += _received(turn.spans, talk.origin, turn.clock + chance.randrange(_EXPORT_DELAY_NANO))
        start_unix_nano = turn.clock + chance.randint(5, 115) * 10**9
    return received


def _large_trace(request: int) -> list[ReceivedSpan]:
    """One request of the large trace: calls and tools by turns, and in the last request the agent's span over all of it."""
    chance = random.Random(f"{SEED} large trace {request}")
    talk = Conversation.draw(random.Random(SEED), session_id="session-large-trace", user_id=USER_ID, model=MODELS[0])
    turn = Turn(chance, talk, BESIDE_UNIX_NANO, ids=(LARGE_TRACE_ID, _LARGE_ROOT_ID))
    turn.clock += request * _REQUEST_NANO
    places = range(request * _SPANS_PER_REQUEST, LARGE_TRACE_SPANS)[:_SPANS_PER_REQUEST]
    for place in places:
        if place == LARGE_TRACE_SPANS - 1:
            turn.finish("please read the whole archive", "the archive is read")
        elif place % 2:
            turn.use_tool()
        else:
            turn.call_model(2000, "this step is done and the next one follows")
    return _received(turn.spans, talk.origin, turn.clock)


def _received(spans: Iterable[bytes], origin: Origin, at_unix_nano: int) -> list[ReceivedSpan]:
    return [_read(data, origin, at_unix_nano) for data in spans]


def _read(data: bytes, origin: Origin, at_unix_nano: int) -> ReceivedSpan:
    span = otlp.decode_span(data, origin, received_unix_nano=at_unix_nano)
    if isinstance(span, Rejection):
        raise TypeError(span.message)
    return span
