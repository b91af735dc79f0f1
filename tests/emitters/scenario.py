"""What is said in every emitter's run: two users' sessions of three turns each, from scenario.json.

The scripts read the same file. The model server finds a turn by its question: questions are unique, answers known word for word.
"""

import json
from pathlib import Path
from typing import Final, NamedTuple

SCENARIO_FILE: Final = Path(__file__).with_name("scenario.json")


class Turn(NamedTuple):
    """A question and what the model makes of it."""

    question: str
    answer: str = ""
    city: str = ""
    """Where it asks for a tool first: the argument."""
    stream: bool = False
    """Whether a script asks for a stream; the model streams whatever asks for one."""
    cached: bool = False
    fails: bool = False
    reasoning_tokens: int = 0


class Session(NamedTuple):
    """One user's conversation."""

    session_id: str
    user_id: str
    turns: tuple[Turn, ...]


def _read() -> tuple[Session, ...]:
    rows = json.loads(SCENARIO_FILE.read_text())
    return tuple(Session(row["session_id"], row["user_id"], tuple(Turn(**turn) for turn in row["turns"])) for row in rows)


SESSIONS: Final = _read()
TURNS: Final = {turn.question: turn for session in SESSIONS for turn in session.turns}
