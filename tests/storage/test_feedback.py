"""What `storage.api` promises of scores and annotations, held against every engine."""

import pytest

from builders import ARRIVAL, RULES, annotation, packed, score, span, span_id, trace_id
from sessiond.core.feedback.annotation import Anchor, Annotation
from sessiond.core.feedback.score import Score
from sessiond.core.feedback.target import TraceTarget
from sessiond.core.model import ScoreSum, SessionKey
from sessiond.service.settling.settle import Settler
from sessiond.storage.api import Marks, Store

S1 = SessionKey("default", "s1")
TRACE, SPAN = TraceTarget(trace_id(1)), TraceTarget(trace_id(1), span_id(2))


def received(store: Store, number: int = 1, session: str | None = "s1") -> None:
    store.append(packed(span(trace=number, id=1, session=session)))
    Settler(store, RULES).settle_all()


@pytest.mark.parametrize(
    "item",
    [
        score("a", TRACE, value=0.25, comment="why", metadata=(("k", "v"),), author="ann", source="human"),
        score("a", SPAN, value=True),
        score("a", S1, value="bad"),
        annotation("a", S1, tags=("x", "y"), author="bob"),
        annotation("a", SPAN, anchor=Anchor(message_index=0, begin=1, end=4)),
    ],
)
def test_what_was_put_is_there_as_it_was_given(store: Store, item: Score | Annotation) -> None:
    store.put_feedback([item])
    shelf = store.scores if isinstance(item, Score) else store.annotations
    other = store.annotations if isinstance(item, Score) else store.scores
    found = shelf.get("a")
    assert (found, type(found), found and type(found.target)) == (item, type(item), type(item.target))
    assert isinstance(found, Annotation) or type(found and found.value) is type(item.value)  # type: ignore[union-attr]
    assert (other.get("a"), shelf.get("b")) == (None, None)


def test_feedback_is_listed_by_what_it_is_of_and_as_a_whole_the_latest_first(store: Store) -> None:
    scores = [
        score("a", TRACE, create_unix_nano=3),
        score("b", SPAN, create_unix_nano=5),
        score("c", S1, create_unix_nano=4),
        score("d", TRACE, create_unix_nano=3),
        score("e", SessionKey("other", "s1"), create_unix_nano=9),
    ]
    store.put_feedback([*scores, annotation("z", TRACE)])
    assert [one.id for one in store.scores.of(trace_id(1))] == ["b", "d", "a"]
    assert [one.id for one in store.scores.of(S1)] == ["c"]
    assert [store.scores.count(subject) for subject in (trace_id(1), S1, trace_id(2))] == [3, 1, 0]
    assert [one.id for one in store.annotations.of(trace_id(1))] == ["z"]
    assert paged(store, None) == ["e", "b", "c", "d", "a"]
    assert paged(store, trace_id(1)) == ["b", "d", "a"]
    assert paged(store, trace_id(9)) == []


def paged(store: Store, subject: bytes | SessionKey | None, limit: int = 2) -> list[str]:
    found: list[str] = []
    after = None
    while True:
        page, after = store.scores.page(subject, after, limit)
        assert len(page) <= limit
        found += [one.id for one in page]
        if after is None:
            return found


def test_put_again_it_stands_in_place_of_the_one_before(store: Store) -> None:
    first = score("a", TRACE, create_unix_nano=1)
    store.put_feedback([first])
    store.put_feedback([first._replace(value=0.75), first._replace(value=1.0)])
    assert store.scores.of(trace_id(1)) == [first._replace(value=1.0)]
    store.put_feedback([first._replace(target=S1, create_unix_nano=7)])
    assert (store.scores.of(trace_id(1)), [one.id for one in store.scores.of(S1)], paged(store, None)) == ([], ["a"], ["a"])


@pytest.mark.parametrize("name", ["", "x" * 129, "x" * 600, "Ω" * 200])
def test_there_is_nothing_of_an_id_that_can_not_be_one(store: Store, name: str) -> None:
    store.put_feedback([score("x" * 128, TRACE)])
    assert (store.scores.get(name), store.annotations.get(name)) == (None, None)


def test_what_is_removed_is_gone_and_what_is_not_there_can_be_removed(store: Store) -> None:
    kept, gone = score("kept", TRACE), score("gone", TRACE)
    store.put_feedback([kept, gone, annotation("gone", TRACE)])
    store.put_feedback([], [gone])
    store.put_feedback([], [gone, score("never", S1)])
    assert (paged(store, trace_id(1)), paged(store, None), store.scores.get("gone")) == (["kept"], ["kept"], None)
    assert store.annotations.count(trace_id(1)) == 1


def test_feedback_marks_what_is_known_of_its_targets(store: Store) -> None:
    received(store)
    assert store.put_feedback([score("a", TRACE), score("b", SPAN)]) == Marks(traces=(trace_id(1),))
    assert store.marks() == Marks(traces=(trace_id(1),))
    Settler(store, RULES).settle_all()
    assert store.put_feedback([annotation("c", S1)]) == Marks(sessions=(S1,))
    assert store.marks() == Marks(sessions=(S1,))
    Settler(store, RULES).settle_all()
    assert store.put_feedback([], [score("a", TRACE), annotation("c", S1)]) == Marks((trace_id(1),), (S1,))


def test_feedback_of_what_was_not_received_marks_nothing_and_shows_when_it_comes(store: Store) -> None:
    assert store.put_feedback([score("a", TRACE, value=0.5), score("b", S1, value=True), annotation("c", SPAN)]) == Marks()
    assert store.marks() == Marks()
    received(store)
    trace, session = store.trace(trace_id(1)), store.session(S1)
    assert trace is not None
    assert session is not None
    assert (trace.scores, trace.annotations) == ((ScoreSum("helpful", 1, 1, 0.5, ()),), 1)
    assert (session.scores, session.annotations) == ((ScoreSum("helpful", 2, 2, 1.5, (), stale_count=1),), 1)


def test_feedback_of_a_session_that_is_gone_is_kept(store: Store) -> None:
    store.put_feedback([score("a", S1)])
    store.append(packed(span(trace=1, id=5, session="s1", start_ms=5)))
    Settler(store, RULES).settle_all()
    store.append(packed(span(trace=1, id=1, session="s2"), arrival=ARRIVAL + 1))  # the root, which decides
    Settler(store, RULES).settle_all()
    assert (store.session(S1), [one.id for one in store.scores.of(S1)]) == (None, ["a"])
