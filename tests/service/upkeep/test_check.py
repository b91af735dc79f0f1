"""The check: nothing is found in a sound store, and each kind of damage is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lmdb
import pytest

from builders import RULES, annotation, packed, score, span, trace_id
from daemon import STORE_BYTES_MAX
from sessiond.core.feedback.target import TraceTarget
from sessiond.core.model import SessionKey, Text, Texts, UserKey
from sessiond.service.settling.settle import Settler
from sessiond.service.upkeep.check import Checked, check
from sessiond.storage import packing
from sessiond.storage.lmdb import codec, keys
from sessiond.storage.lmdb.codec import Counters
from sessiond.storage.lmdb.store import LmdbStore
from sessiond.storage.packing import Packer


class Rows:
    """The rows of a closed store, to be read and spoilt."""

    def __init__(self, env: lmdb.Environment, txn: lmdb.Transaction) -> None:
        self._env = env
        self._txn = txn

    def tree(self, name: str) -> Any:
        return self._env.open_db(name.encode(), txn=self._txn)

    def all(self, tree: str) -> list[tuple[bytes, bytes]]:
        return list(self._txn.cursor(db=self.tree(tree)))

    def first(self, tree: str) -> tuple[bytes, bytes]:
        return self.all(tree)[0]

    def put(self, tree: str, key: bytes, value: bytes) -> None:
        self._txn.put(key, value, db=self.tree(tree))

    def delete(self, tree: str, key: bytes | None = None) -> None:
        assert self._txn.delete(self.first(tree)[0] if key is None else key, db=self.tree(tree))

    def flip(self, tree: str, share: float) -> None:
        """Turn a bit of the first value, so far from its beginning."""
        key, value = self.first(tree)
        spoilt = bytearray(value)
        spoilt[int(len(spoilt) * share)] ^= 1
        self.put(tree, key, bytes(spoilt))


@contextmanager
def rows_of(data_dir: Path) -> Iterator[Rows]:
    with (
        lmdb.open(str(data_dir), map_size=2 * STORE_BYTES_MAX, max_dbs=len(keys.TREES)) as env,
        env.begin(write=True) as txn,
    ):
        yield Rows(env, txn)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """Sound and closed: three traces, two sessions, one user, a span that replaced another, a trace of two commits, a few words."""
    path = tmp_path / "data"
    store = LmdbStore.open(path, bytes_max=STORE_BYTES_MAX)
    settler = Settler(store, RULES)
    for spans in (
        [
            span(trace=1, id=1, session="s1", user="u", input__value="hi"),
            span(trace=1, id=2, parent=1, operation="chat", tokens_in=3, tokens_out=4),
        ],
        [span(trace=2, id=1, session="s1", start_ms=100, error="no"), span(trace=3, id=1, session="s2", user="u", start_ms=50)],
        [span(trace=2, id=1, session="s1", start_ms=100, end_ms=200), span(trace=2, id=2, parent=1, start_ms=110)],
    ):
        settler.note(store.append(packed(*spans)).traces)
        settler.settle_all()
    notes = [annotation("note", TraceTarget(trace_id(1))), annotation("early", TraceTarget(trace_id(9)))]
    settler.note_marks(store.put_feedback([score("a", SessionKey("default", "s1")), score("b", TraceTarget(trace_id(1))), *notes]))
    settler.settle_all()
    store.close()
    return path


def checked(data_dir: Path) -> list[Checked]:
    store = LmdbStore.open(data_dir, bytes_max=STORE_BYTES_MAX)
    try:
        return list(check(store, lambda: RULES))
    finally:
        store.close()


def problems(data_dir: Path) -> list[str]:
    return [problem for one in checked(data_dir) for problem in one.problems]


def test_a_sound_store_has_no_problems_and_all_of_it_is_looked_at(data_dir: Path) -> None:
    found = checked(data_dir)
    assert [problem for one in found for problem in one.problems] == []
    assert found[-1] == Checked(3, 2, 1, 0, [])


def test_an_empty_store_has_no_problems(tmp_path: Path) -> None:
    assert problems(tmp_path / "data") == []


def test_a_store_with_marks_that_were_never_settled_has_no_problems(data_dir: Path) -> None:
    store = LmdbStore.open(data_dir, bytes_max=STORE_BYTES_MAX)
    store.append(packed(span(trace=1, id=3, parent=1, session="s9"), span(trace=4, id=1, session="s1")))
    settler = Settler(store, RULES)
    store.append(packed(span(trace=5, id=1, session="s2", user="v")))
    settler.step()
    store.close()
    assert problems(data_dir) == []


def _delete(tree: str) -> Callable[[Rows], None]:
    return lambda rows: rows.delete(tree)


def _flip(tree: str, share: float = 0.5) -> Callable[[Rows], None]:
    return lambda rows: rows.flip(tree, share)


def _other_score(rows: Rows) -> None:
    key, row = rows.first("scores")
    rows.put("scores", key, codec.pack_feedback(codec.unpack_score(row)._replace(value=0.25)))


def _of_another_id(rows: Rows) -> None:
    (_, one), (key, _) = rows.all("scores")
    rows.put("scores", key, one)


def _orphan_chunk(rows: Rows) -> None:
    _, chunk = rows.first("chunks")
    rows.put("chunks", keys.number(99) + keys.number(1), chunk)


def _orphan_facts(rows: Rows) -> None:
    _, facts = rows.first("facts")
    rows.put("facts", keys.number(99) + keys.number(1), facts)


def _orphan_span_row(rows: Rows) -> None:
    key, row = rows.first("spans")
    rows.put("spans", key[:8] + bytes(8) + key[16:], row)


def _span_row_of_no_trace(rows: Rows) -> None:
    key, row = rows.first("spans")
    rows.put("spans", keys.number(99) + key[8:], row)


def _wrong_trace_summary(rows: Rows) -> None:
    key, packed = rows.first("traces")
    row = codec.unpack_trace(packed)
    rows.put("traces", key, codec.pack_trace(row._replace(summary=row.summary._replace(span_count=7))))


def _wrong_texts(rows: Rows) -> None:
    key, _ = rows.first("texts")
    rows.put("texts", key, codec.pack_texts(Texts(Text("other", 5))))


def _wrong_session_summary(rows: Rows) -> None:
    key, packed = rows.first("sessions")
    row = codec.unpack_session(packed)
    rows.put("sessions", key, codec.pack_session(row._replace(summary=row.summary._replace(trace_count=7))))


def _wrong_user_summary(rows: Rows) -> None:
    key, packed = rows.first("users")
    row = codec.unpack_user(packed)
    rows.put("users", key, codec.pack_user(row._replace(summary=row.summary._replace(session_count=7))))


def _wrong_facts(rows: Rows) -> None:
    key, packed = rows.first("facts")
    first, *rest = packing.unpack_facts(codec.facts_of(packed))
    spoilt = packing.pack_facts([first._replace(name="other"), *rest])
    rows.put("facts", key, codec.stamped(codec.rules_of(packed), spoilt))


def _other_bytes(rows: Rows) -> None:
    key, packed = rows.first("chunks")
    packer = Packer()
    first, *rest = packer.unpack_chunk(packed)
    rows.put("chunks", key, packer.pack_chunk([first._replace(data=first.data.replace(b"work", b"play")), *rest]))


def _fewer_bytes(rows: Rows) -> None:
    key, packed = rows.first("chunks")
    packer = Packer()
    rows.put("chunks", key, packer.pack_chunk(packer.unpack_chunk(packed)[:1]))


def _index_to_nowhere(tree: str) -> Callable[[Rows], None]:
    def spoil(rows: Rows) -> None:
        key, _ = rows.first(tree)
        rows.put(tree, key[:-1] + bytes([key[-1] ^ 0x55]), keys.number(99))

    return spoil


def _mark_of_nothing(tree: str, value: bytes) -> Callable[[Rows], None]:
    return lambda rows: rows.put(tree, keys.number(99), value)


def _erased(number: int, *trees: str) -> Callable[[Rows], None]:
    """Remember a trace as erased, by its id, by its time or by both."""

    def spoil(rows: Rows) -> None:
        when, name = keys.number(5), trace_id(number)
        for tree, key, value in (("erased", name, when), ("erased_by_time", when + name, b"")):
            if tree in trees:
                rows.put(tree, key, value)

    return spoil


def _id_leads_elsewhere(tree: str) -> Callable[[Rows], None]:
    return lambda rows: rows.put(tree, rows.first(tree)[0], keys.number(99))


INDEXES = (
    *("traces_by_start", "trace_changes", "session_traces", "user_traces"),
    *("sessions_by_activity", "session_changes", "user_sessions"),
    *("users_by_last_seen", "user_changes"),
)
DAMAGE: dict[str, tuple[Callable[[Rows], None], str]] = {
    **{f"a row of {tree} is missing": (_delete(tree), f"{tree} lacks its row") for tree in INDEXES},
    **{f"a row of {tree} leads nowhere": (_index_to_nowhere(tree), "that is not there") for tree in INDEXES},
    "a chunk is missing": (_delete("chunks"), "chunks and facts are of different commits"),
    "facts are missing": (_delete("facts"), "chunks and facts are of different commits"),
    "a span's row is missing": (_delete("spans"), "its row is missing or wrong"),
    "a trace's number is missing": (_delete("trace_ids"), "belongs to no trace"),
    "a trace's summary is missing": (_delete("traces"), "neither a summary nor a mark"),
    "a session's summary is missing": (_delete("sessions"), "the session has neither a summary nor a mark"),
    "a user's summary is missing": (_delete("users"), "the user has neither a summary nor a mark"),
    "a session's number is missing": (_delete("session_ids"), "its id leads elsewhere"),
    "a user's number is missing": (_delete("user_ids"), "its id leads elsewhere"),
    "a project's number is missing": (_delete("projects"), "project"),
    "a session's id leads elsewhere": (_id_leads_elsewhere("session_ids"), "its id leads elsewhere"),
    "a user's id leads elsewhere": (_id_leads_elsewhere("user_ids"), "its id leads elsewhere"),
    "a trace's id leads elsewhere": (_id_leads_elsewhere("trace_ids"), "belongs to no trace"),
    "a trace that is there is remembered as erased": (
        _erased(1, "erased", "erased_by_time"),
        "is remembered as erased and is there",
    ),
    "an erased trace is not listed by its time": (_erased(9, "erased"), "is not listed by time"),
    "an erased trace is listed by its time alone": (_erased(9, "erased_by_time"), "is not remembered as erased then"),
    "a trace that is there is swept away": (lambda rows: rows.put("unswept", keys.number(1), b""), "is being swept away"),
    "an orphan chunk": (_orphan_chunk, "belongs to no trace"),
    "orphan facts": (_orphan_facts, "belongs to no trace"),
    "a span's row without a span": (_orphan_span_row, "a row without a span"),
    "a span's row without a trace": (_span_row_of_no_trace, "belongs to no trace"),
    "a mark of no trace": (_mark_of_nothing("marked_traces", trace_id(99)), "marks a trace that is not there"),
    "a mark of no session": (
        _mark_of_nothing("marked_sessions", packing.seal(SessionKey("default", "x"))),
        "marks a session that is not there",
    ),
    "a mark of no user": (
        _mark_of_nothing("marked_users", packing.seal(UserKey("default", "x"))),
        "marks a user that is not there",
    ),
    "a wrong trace summary": (_wrong_trace_summary, f"trace {trace_id(1).hex()}: summary is not what the stored spans say"),
    "wrong texts": (_wrong_texts, f"trace {trace_id(1).hex()}: summary is not what the stored spans say"),
    "texts are missing": (_delete("texts"), f"trace {trace_id(1).hex()}: summary is not what the stored spans say"),
    "a flipped bit in texts": (_flip("texts"), "does not fit its checksum"),
    "a wrong session summary": (_wrong_session_summary, "session 's1' in 'default': summary is not what the stored spans say"),
    "a wrong user summary": (_wrong_user_summary, "user 'u' in 'default': summary is not what the stored spans say"),
    "wrong facts": (_wrong_facts, f"trace {trace_id(1).hex()}: facts is not what the stored spans say"),
    "other span bytes": (_other_bytes, f"trace {trace_id(1).hex()}: facts is not what the stored spans say"),
    "fewer span bytes": (_fewer_bytes, "1 spans and facts of 2"),
    "a flipped bit in a chunk": (_flip("chunks"), "a chunk of spans can't be read"),
    "a flipped bit in facts": (_flip("facts"), "does not fit its checksum"),
    "a flipped bit in a trace's summary": (_flip("traces", 0.9), "does not fit its checksum"),
    "a flipped bit in the head of a trace's row": (_flip("traces", 0.2), "its head is not that of its summary"),
    "a flipped bit in a session's summary": (_flip("sessions", 0.9), "does not fit its checksum"),
    "a flipped bit in the head of a session's row": (_flip("sessions", 0.2), "its head is not that of its summary"),
    "a flipped bit in a user's summary": (_flip("users", 0.9), "does not fit its checksum"),
    "a flipped bit in the head of a user's row": (_flip("users", 0.2), "its head is not that of its summary"),
    **{
        f"a row of {tree} is missing": (_delete(tree), f"{tree} lacks its row")
        for tree in ("scores_of", "scores_by_time", "annotations_of", "annotations_by_time")
    },
    "a score is missing": (_delete("scores"), "points at feedback that is not there"),
    "an annotation is missing": (_delete("annotations"), "points at feedback that is not there"),
    "a score of another id": (_of_another_id, "is of another id"),
    "another score of a session": (_other_score, "session 's1' in 'default': summary is not what the stored spans say"),
    "a flipped bit in a score": (_flip("scores"), "does not fit its checksum"),
    "a flipped bit in an annotation": (_flip("annotations"), "does not fit its checksum"),
    "a flipped bit in a span's row": (_flip("spans"), "its row is missing or wrong"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_found_and_the_check_goes_on_to_its_end(data_dir: Path, damage: str) -> None:
    spoil, told = DAMAGE[damage]
    with rows_of(data_dir) as rows:
        spoil(rows)
    found = problems(data_dir)
    assert [problem for problem in found if told in problem] != [], found


def test_a_session_without_any_trace_is_found(data_dir: Path) -> None:
    _leave_behind(data_dir, marked="marked_sessions")
    assert "session 's1' in 'default': summary is not what the stored spans say" in problems(data_dir)


def test_a_user_without_any_trace_is_found(data_dir: Path) -> None:
    _leave_behind(data_dir, marked="marked_users")
    assert "user 'u' in 'default': summary is not what the stored spans say" in problems(data_dir)


def _leave_behind(data_dir: Path, *, marked: str) -> None:
    """Move every trace to another session and user, and lose the marks of one kind before they are settled."""
    store = LmdbStore.open(data_dir, bytes_max=STORE_BYTES_MAX)
    settler = Settler(store, RULES)
    roots = [span(trace=number, id=1, session="moved", user="other", start_ms=-1, end_ms=10**4) for number in (1, 2, 3)]
    settler.note(store.append(packed(*roots)).traces)
    settler.step()
    store.close()
    with rows_of(data_dir) as rows:
        for key, row in rows.all(marked):
            if packing.unseal(row)[1] not in ("moved", "other"):
                rows.delete(marked, key)
    store = LmdbStore.open(data_dir, bytes_max=STORE_BYTES_MAX)
    Settler(store, RULES).settle_all()
    store.close()


def test_counters_that_lag_behind_the_numbers_given_out_are_found(data_dir: Path) -> None:
    with rows_of(data_dir) as rows:
        rows.put("meta", b"counters", codec.pack_counters(Counters(1, 1, 1, 1, 1, 1)))
    assert [problem for problem in problems(data_dir) if "counter" in problem] != []


def test_a_check_beside_a_writer_finds_nothing(data_dir: Path) -> None:
    store = LmdbStore.open(data_dir, bytes_max=STORE_BYTES_MAX)
    settler = Settler(store, RULES)
    found = []
    for number, one in enumerate(check(store, lambda: RULES)):
        found += one.problems
        settler.note(store.append(packed(span(trace=1 + number % 3, session="s1", start_ms=number))).traces)
        settler.step()
    store.close()
    assert found == []


def test_a_trace_that_is_erased_while_it_is_looked_at_is_no_problem(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = LmdbStore.open(data_dir, bytes_max=STORE_BYTES_MAX, rules=RULES.fingerprint)
    listed = store.trace_ids

    def listed_and_erased(after: bytes | None = None, limit: int = 1000) -> list[bytes]:
        found = listed(after, limit)
        store.erase(found, None)
        return found

    monkeypatch.setattr(store, "trace_ids", listed_and_erased)
    assert [problem for one in check(store, lambda: RULES) for problem in one.problems] == []
    store.close()
