"""Rows as filters and orders see them: made of a summary, and generated so that many values are equal, absent or at an edge."""

from functools import lru_cache
from random import Random
from typing import Any, NamedTuple

from builders import ARRIVAL, MS, score, turn
from sessiond.core.feedback import rollup
from sessiond.core.feedback.score import Score
from sessiond.core.figures import session, user
from sessiond.core.identity import CLOCK_SKEW_MAX_NANO
from sessiond.core.model import NO_TEXTS, Costs, SessionKey, Text, Texts, TraceSummary, Usage, UserKey
from sessiond.core.rows.fields import AnySummary, Kind
from sessiond.core.rows.numbers import numbers_of, signature_of
from sessiond.core.rows.places import place_of


class SeenRow(NamedTuple):
    """`core.rows.seen.Seen` of a summary at hand."""

    numbers: tuple[int, ...]
    signature: int
    summary: Any
    texts: Texts = NO_TEXTS
    is_live: bool = False

    @property
    def place(self) -> bytes:
        return place_of(self.summary)


def kind_of(summary: AnySummary) -> Kind:
    return "trace" if isinstance(summary, TraceSummary) else "session" if hasattr(summary, "session_id") else "user"


def seen(summary: AnySummary, *, texts: Texts = NO_TEXTS, is_live: bool = False) -> SeenRow:
    kind = kind_of(summary)
    return SeenRow(tuple(numbers_of(kind, summary)), signature_of(kind, summary), summary, texts, is_live)


WORDS = ("", "a", "ab", "b", "B", "Straße", "a*b", 'say "hi"', "back\\slash", "Ω", "\U0001f600", "￿", "10", "9.5", "a b", "OR")
"""Texts: beginnings of each other, signs of the language, numbers, and pairs whose order in UTF-16 is another."""
IDS = ("a", "ab", "b", "Ω")
HOUR_MS = CLOCK_SKEW_MAX_NANO // MS
COUNTS = (0, 1, 2, 1000)

SCORED = (0.0, 0.5, 1.0, True, False, -1.0, 0.1, "a", "ab", "b", "10")
"""Values of scores: the same numbers in two shapes, and categories that begin each other or look like numbers."""

MOMENTS_MS = (-HOUR_MS, -1, 0, 1, HOUR_MS)
POOL_SIZE = 300


@lru_cache
def pool(kind: Kind) -> tuple[SeenRow, ...]:
    """Many rows of a kind, always the same. Users have no texts, and only sessions live."""
    chance = Random(kind)
    return tuple(_row(kind, chance) for _ in range(POOL_SIZE))


def _row(kind: Kind, chance: Random) -> SeenRow:
    if kind == "trace":
        return seen(_trace(chance), texts=_texts(chance))
    project, name = chance.choice(IDS), chance.choice(IDS)
    traces = [_trace(chance, project=project) for _ in range(chance.choice((1, 1, 2, 3)))]
    if kind == "user":
        return seen(user.summarize(UserKey(project, name), traces))
    return seen(session.summarize(SessionKey(project, name), traces), texts=_texts(chance), is_live=chance.random() < 0.5)


def _texts(chance: Random) -> Texts:
    return Texts(*(chance.choice((None, Text(chance.choice(WORDS), chance.choice(COUNTS)))) for _ in range(2)))


def _trace(chance: Random, **fixed: Any) -> TraceSummary:
    """A trace whose times keep the rules: it starts at most an hour after its latest arrival, and ends no earlier."""
    one = chance.choice
    updated = ARRIVAL + one(MOMENTS_MS) * MS
    start = updated + one(MOMENTS_MS) * MS
    drawn = {
        "trace_id": chance.randbytes(16),
        "project": one(IDS),
        "session_id": one((None, *IDS)),
        "other_session_ids": _list(chance),
        "user_id": one((None, *IDS)),
        "name": one(WORDS),
        "root_span_id": one((b"\0" * 8, b"\xab" * 8)),
        "root_missing": one((False, True)),
        "start_unix_nano": start,
        "end_unix_nano": min(max(start, start + one(MOMENTS_MS) * MS), updated + CLOCK_SKEW_MAX_NANO),
        "ttft_nano": one((None, *COUNTS)),
        "models": _list(chance),
        "tools": _list(chance),
        "tags": _list(chance),
        "error_count": one(COUNTS),
        "error_type": one((None, *WORDS)),
        "metadata": tuple((key, one(WORDS)) for key in ("a b", "http.route", "plan") if chance.random() < 0.5),
        "list_counts": one(((), (("models", 101), ("tools", 1000)))),
        "scores": rollup.summed(_scores(chance)),
        "annotations": one(COUNTS),
        "received_unix_nano": updated,
        "updated_unix_nano": updated,
        "usage": Usage(*(one((None, *COUNTS)) for _ in Usage._fields)),
        "costs": Costs(*(one((None, 0, 1, 50_000_000, 2 * 10**9)) for _ in range(5)), one(COUNTS)),
    }
    return turn()._replace(**{**drawn, **fixed})


def _scores(chance: Random) -> list[Score]:
    names = [name for name in ("helpful", "a b", "http.route") if chance.random() < 0.4]
    return [score(name=name, value=chance.choice(SCORED)) for name in names for _ in range(chance.choice((1, 1, 2)))]


def _list(chance: Random) -> tuple[str, ...]:
    return tuple(chance.sample(WORDS, chance.choice((0, 0, 1, 2, 3))))
