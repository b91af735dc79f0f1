"""What only the LMDB engine has: a directory that is ours alone, a format, a quota, and rows that can rot."""

import os
import struct
import subprocess
import sys
from contextlib import closing
from hashlib import blake2b
from pathlib import Path

import lmdb
import pytest

from builders import MS, RULES, T0, packed, received, span, trace_id
from sessiond.core.errors import Damaged, Invalid, Occupied, StoreFull
from sessiond.core.feedback.annotation import Anchor, Annotation
from sessiond.core.feedback.score import Score
from sessiond.core.model import (
    Costs,
    ScoreSum,
    SessionKey,
    SessionSummary,
    SpanFacts,
    Text,
    Texts,
    TraceSummary,
    Usage,
    UserKey,
    UserSummary,
)
from sessiond.core.rows.numbers import NUMBERS
from sessiond.core.rows.where import Where
from sessiond.service.settling.settle import Settler
from sessiond.storage.api import RULES_BYTES, Appended, Marks
from sessiond.storage.lmdb import environment, keys, settled
from sessiond.storage.lmdb.environment import refuse_network_file_system
from sessiond.storage.lmdb.store import LmdbStore
from sessiond.storage.packing import Packer, seal

QUOTA = 1 << 30


def test_a_store_keeps_its_identity_and_shares_it_with_no_other(tmp_path: Path) -> None:
    def identity(name: str) -> bytes:
        with closing(LmdbStore.open(tmp_path / name, bytes_max=QUOTA)) as store:
            return store.identity

    assert identity("one") == identity("one") != identity("other")


def test_another_process_reads_beside_the_one_that_writes_and_sees_each_commit(tmp_path: Path) -> None:
    read = (
        "import sys; from pathlib import Path; from sessiond.storage.lmdb.store import LmdbStore;"
        f"store = LmdbStore.beside(Path({str(tmp_path)!r}), bytes_max={QUOTA});"
        "print(store.identity.hex(), flush=True);"
        "[print(len(store.trace_ids()), flush=True) for _ in sys.stdin]"
    )
    with closing(LmdbStore.open(tmp_path, bytes_max=QUOTA)) as store:
        with subprocess.Popen([sys.executable, "-c", read], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
            assert reader.stdin is not None
            assert reader.stdout is not None
            assert reader.stdout.readline().strip() == store.identity.hex()
            for number in range(1, 4):
                store.append(packed(span(trace=number, name="x" * 5000)))
                reader.stdin.write("\n")
                reader.stdin.flush()
                assert reader.stdout.readline().strip() == str(number)
            reader.kill()
        store.forget_dead_readers()
        store.append(packed(span(trace=9)))


def test_what_a_reader_that_died_held_back_is_let_go(tmp_path: Path) -> None:
    hold = (
        "import os, signal; from pathlib import Path; from sessiond.storage.lmdb.store import LmdbStore;"
        f"store = LmdbStore.beside(Path({str(tmp_path)!r}), bytes_max={QUOTA});"
        "held = store._env.read(); held.__enter__(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    with closing(LmdbStore.open(tmp_path, bytes_max=QUOTA)) as store:
        died = subprocess.Popen([sys.executable, "-c", hold])
        died.wait()
        readers = store._env._env.readers
        assert str(died.pid) in readers()
        store.forget_dead_readers()
        assert str(died.pid) not in readers()


def test_there_is_nothing_to_read_beside_where_nobody_writes(tmp_path: Path) -> None:
    with pytest.raises(Occupied, match="holds no store"):
        LmdbStore.beside(tmp_path, bytes_max=QUOTA)
    assert list(tmp_path.iterdir()) == []


def test_what_was_appended_is_there_after_reopening(tmp_path: Path) -> None:
    store = LmdbStore.open(tmp_path, bytes_max=QUOTA)
    store.append(packed(span(id=1, session="s1")))
    store.close()
    store = LmdbStore.open(tmp_path, bytes_max=QUOTA)
    Settler(store, RULES).settle_all()
    assert [row.summary.session_id for row in store.sessions.page(Where(), None, 9).rows] == ["s1"]
    store.close()


def test_numbers_are_never_given_out_again(tmp_path: Path) -> None:
    for number in (1, 2):
        store = LmdbStore.open(tmp_path, bytes_max=QUOTA)
        store.append(packed(span(trace=number, id=number)))
        store.close()
    with lmdb.open(str(tmp_path), max_dbs=99, readonly=True) as env, env.begin() as txn:
        numbers = [txn.get(trace_id(number), db=env.open_db(b"trace_ids", txn=txn)) for number in (1, 2)]
    assert numbers == [keys.number(1), keys.number(2)]


def test_a_directory_held_by_another_process_is_refused_with_its_number(tmp_path: Path) -> None:
    code = (
        "import pathlib, sys; from sessiond.storage.lmdb.store import LmdbStore; "
        f"store = LmdbStore.open(pathlib.Path({str(tmp_path)!r}), bytes_max={QUOTA}); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout.readline() == "held\n"
        with pytest.raises(Occupied, match=f"in use by another sessiond \\(process {owner.pid}\\)"):
            LmdbStore.open(tmp_path, bytes_max=QUOTA)
        owner.stdin.close()
    LmdbStore.open(tmp_path, bytes_max=QUOTA).close()


def test_a_store_of_another_format_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    LmdbStore.open(tmp_path, bytes_max=QUOTA).close()
    written = keys.FORMAT
    monkeypatch.setattr(keys, "FORMAT", 99)
    with pytest.raises(Occupied, match=f"has format {written}, this sessiond reads format 99"):
        LmdbStore.open(tmp_path, bytes_max=QUOTA)


def test_an_environment_of_someone_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    with lmdb.open(str(tmp_path)) as env, env.begin(write=True) as txn:
        txn.put(b"theirs", b"1")
    with pytest.raises(Occupied, match="not sessiond's"):
        LmdbStore.open(tmp_path, bytes_max=QUOTA)
    with lmdb.open(str(tmp_path)) as env, env.begin() as txn:
        assert [key for key, _ in txn.cursor()] == [b"theirs"]


def test_a_directory_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Invalid, match="choose another --data-dir"):
        LmdbStore.open(tmp_path / "file" / "below", bytes_max=QUOTA)


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "9p", "fuse.sshfs", "fuse.glusterfs"])
def test_a_network_file_system_is_refused(tmp_path: Path, kind: str) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"1 0 8:1 / / rw - ext4 /dev/sda rw\n2 1 0:9 / {tmp_path} rw shared:1 - {kind} server:/x rw\n")
    with pytest.raises(Occupied, match="network file system"):
        refuse_network_file_system(tmp_path / "data", mounts)
    refuse_network_file_system(tmp_path.parent / "elsewhere", mounts)


def test_a_local_disk_below_a_network_mount_is_taken(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"1 0 8:1 / / rw - nfs4 server:/ rw\n2 1 0:9 / {tmp_path} rw - ext4 /dev/sda rw\n")
    refuse_network_file_system(tmp_path / "data", mounts)


def test_over_its_quota_the_store_takes_no_span_and_still_reads(tmp_path: Path) -> None:
    store = LmdbStore.open(tmp_path, bytes_max=1 << 20)
    numbers = iter(range(1, 1000))

    def fill() -> None:
        for number in numbers:
            store.append(packed(span(trace=number, id=number, filler=os.urandom(15_000).hex())))

    with pytest.raises(StoreFull, match="quota"):
        fill()
    held = store.extent().span_count
    assert 0 < held < 200
    Settler(store, RULES).settle_all()
    assert len(store.traces.page(Where(), None, 999).rows) == held
    store.close()


def test_a_full_map_keeps_nothing_of_the_transaction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "MAP_BYTES_PER_QUOTA", 1)
    store = LmdbStore.open(tmp_path, bytes_max=1 << 20)
    store.append(packed(span(id=1)))
    large = received(*(span(trace=2, id=number, filler=bytes(30_000)) for number in range(2, 90)))
    incompressible = [one._replace(data=one.data + os.urandom(30_000)) for one in large]
    with pytest.raises(StoreFull):
        store.append(Packer().traces(incompressible))
    assert store.extent().span_count == 1
    assert store.append(packed(span(id=3))).stored == 1
    store.close()


def test_a_map_that_is_full_to_its_last_page_erases_nothing_by_halves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """LMDB writes what it changes to new pages, so that deleting needs some too. A quota of half the map leaves them."""
    monkeypatch.setattr(environment, "MAP_BYTES_PER_QUOTA", 1)
    store = LmdbStore.open(tmp_path, bytes_max=1 << 20)

    def fill() -> None:
        for number in range(1, 999):
            store.append(packed(span(trace=number, id=number, filler=os.urandom(9_000).hex())))

    with pytest.raises(StoreFull):
        fill()
    held = store.trace_ids()
    with pytest.raises(StoreFull, match="full"):
        store.erase(held, 1)
    assert (store.trace_ids(), store.erasures()) == (held, [])
    assert [problem for page in store.check() for problem in page] == []
    store.close()


def test_what_erasing_freed_in_a_full_map_is_written_to_by_the_next_transaction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LMDB takes what a transaction frees from the second after it on: one that fails does not count."""
    monkeypatch.setattr(environment, "MAP_BYTES_PER_QUOTA", 1)
    store = LmdbStore.open(tmp_path, bytes_max=8 << 20)
    numbers = iter(range(1, 999))

    def fill() -> None:
        for number in numbers:
            store.append(packed(span(trace=number, id=number, filler=os.urandom(300_000).hex())))

    with pytest.raises(StoreFull, match="full"):
        fill()
    store.erase(store.trace_ids()[:3], 1)
    assert not store.sweep()
    assert store.append(packed(span(trace=1000, id=1, filler=os.urandom(300_000).hex()))).stored == 1
    assert [problem for page in store.check() for problem in page] == []
    store.close()


def test_a_rotten_row_is_told_and_not_shown(tmp_path: Path) -> None:
    store = LmdbStore.open(tmp_path, bytes_max=QUOTA)
    store.append(packed(span(id=1)))
    Settler(store, RULES).settle_all()
    store.close()
    with lmdb.open(str(tmp_path), max_dbs=99) as env, env.begin(write=True) as txn:
        traces = env.open_db(b"traces", txn=txn)
        row = txn.get(keys.number(1), db=traces)
        txn.put(keys.number(1), row[:-1] + bytes([row[-1] ^ 1]), db=traces)
    store = LmdbStore.open(tmp_path, bytes_max=QUOTA)
    with pytest.raises(Damaged, match="checksum"):
        store.trace(trace_id(1))
    assert any("checksum" in problem for page in store.check() for problem in page)
    store.close()


def test_a_row_of_another_shape_is_told_and_not_shown(tmp_path: Path) -> None:
    store = LmdbStore.open(tmp_path, bytes_max=QUOTA)
    store.append(packed(span(id=1)))
    Settler(store, RULES).settle_all()
    store.close()
    with lmdb.open(str(tmp_path), max_dbs=99) as env, env.begin(write=True) as txn:
        traces, facts = env.open_db(b"traces", txn=txn), env.open_db(b"facts", txn=txn)
        head = txn.get(keys.number(1), db=traces)[: struct.calcsize(f">{2 + len(NUMBERS['trace'])}q")]
        txn.put(keys.number(1), head + seal((1, 0, 0, ["default"])), db=traces)
        with txn.cursor(db=facts) as cursor:
            assert cursor.first()
            txn.put(cursor.key(), cursor.value()[:RULES_BYTES] + seal([("no", "facts")]), db=facts)
    store = LmdbStore.open(tmp_path, bytes_max=QUOTA)
    for read in (store.trace, store.facts):
        with pytest.raises(Damaged, match=r"a row of the store can't be read: .*; run `sessiond check`"):
            read(trace_id(1))
    store.close()


def rot(data_dir: Path, *trees: str) -> None:
    """Turn a bit of the first value of some trees of a closed store."""
    with lmdb.open(str(data_dir), max_dbs=99) as env, env.begin(write=True) as txn:
        for name in trees:
            with txn.cursor(db=env.open_db(name.encode(), txn=txn)) as cursor:
                assert cursor.first()
                value = cursor.value()
                cursor.put(cursor.key(), value[:-3] + bytes([value[-3] ^ 1]) + value[-2:])


@pytest.mark.parametrize("tree", ["chunks", "facts", "spans"])
def test_spans_that_a_rotten_row_keeps_from_being_compared_are_refused_alone(tmp_path: Path, tree: str) -> None:
    with closing(LmdbStore.open(tmp_path, bytes_max=QUOTA)) as store:
        store.append(packed(span(trace=1, id=1, end_ms=5), span(trace=1, id=2)))
        store.append(packed(span(trace=1, id=3, end_ms=5)))
    rot(tmp_path, tree)
    with closing(LmdbStore.open(tmp_path, bytes_max=QUOTA)) as store:
        stored = store.extent()
        again = packed(span(trace=1, id=1, end_ms=9), span(trace=1, id=3, end_ms=9), span(trace=2, id=4))
        refused = Appended(1, 0, 0, (trace_id(2),), 2, damaged=frozenset({trace_id(1)}))
        assert store.append(again) == refused
        assert store.append(packed(span(trace=1, id=3, end_ms=9)))[:3] == (0, 0, 1)  # of a commit that is sound
        assert store.extent()[:2] == (stored.span_count + 1, 2)


def test_traces_whose_rows_are_rotten_are_renewed_as_far_as_they_can_be(tmp_path: Path) -> None:
    with closing(LmdbStore.open(tmp_path, bytes_max=QUOTA)) as store:
        for number in (1, 2):
            store.append(packed(span(trace=number, id=number)))
    rot(tmp_path, "facts")
    with closing(LmdbStore.open(tmp_path, bytes_max=QUOTA, rules=b"rules--2")) as store:
        store.renew([trace_id(1), trace_id(2)], RULES.facts)
        assert store.outdated() == ([], None)
        with pytest.raises(Damaged):
            store.facts(trace_id(1))


def test_rotten_marks_are_left_to_the_check(tmp_path: Path) -> None:
    with closing(LmdbStore.open(tmp_path, bytes_max=QUOTA)) as store:
        store.append(packed(span(trace=1, session="s1", user="u1"), span(trace=2, session="s2", user="u2", start_ms=1)))
        Settler(store, RULES).step()
    rot(tmp_path, "marked_sessions", "marked_users")
    with closing(LmdbStore.open(tmp_path, bytes_max=QUOTA)) as store:
        assert store.marks() == Marks((), (SessionKey("default", "s2"),), (UserKey("default", "u2"),))


FIRST, SECOND = b"rules--1", b"rules--2"


def outdated(store: LmdbStore) -> list[int]:
    return [int.from_bytes(one, "big") for one in store.outdated()[0]]


def test_confirmed_rules_are_remembered(tmp_path: Path) -> None:
    store = LmdbStore.open(tmp_path, bytes_max=QUOTA, rules=FIRST)
    assert store.may_be_outdated()
    store.confirm_rules()
    store.close()
    store = LmdbStore.open(tmp_path, bytes_max=QUOTA, rules=FIRST)
    assert not store.may_be_outdated()
    store.close()


def test_what_was_renewed_stays_so_where_the_end_came_before_it_was_confirmed(tmp_path: Path) -> None:
    store = LmdbStore.open(tmp_path, bytes_max=QUOTA, rules=FIRST)
    store.append(packed(span(trace=1, id=1), span(trace=2, id=2)))
    store.confirm_rules()
    store.close()
    store = LmdbStore.open(tmp_path, bytes_max=QUOTA, rules=SECOND)
    store.renew([trace_id(1)], RULES.facts)
    store.close()
    store = LmdbStore.open(tmp_path, bytes_max=QUOTA, rules=SECOND)
    assert store.may_be_outdated()
    assert outdated(store) == [2]
    assert set(store.marks().traces) == {trace_id(1), trace_id(2)}
    store.renew([trace_id(2)], RULES.facts)
    store.confirm_rules()
    store.close()
    store = LmdbStore.open(tmp_path, bytes_max=QUOTA, rules=SECOND)
    assert not store.may_be_outdated()
    store.close()


def test_a_store_opened_with_other_rules_in_between_is_not_taken_as_confirmed(tmp_path: Path) -> None:
    store = LmdbStore.open(tmp_path, bytes_max=QUOTA, rules=FIRST)
    store.confirm_rules()
    store.close()
    store = LmdbStore.open(tmp_path, bytes_max=QUOTA, rules=SECOND)
    store.append(packed(span(trace=1, id=1)))
    store.close()
    store = LmdbStore.open(tmp_path, bytes_max=QUOTA, rules=FIRST)
    assert store.may_be_outdated()
    assert outdated(store) == [1]
    store.close()


def test_a_text_of_no_trace_is_found(tmp_path: Path) -> None:
    store = LmdbStore.open(tmp_path, bytes_max=QUOTA)
    store.append(packed(span(id=1, operation="chat", input__value="hello")))
    Settler(store, RULES).settle_all()
    assert [problem for page in store.check() for problem in page] == []
    store.close()
    with lmdb.open(str(tmp_path), max_dbs=99) as env, env.begin(write=True) as txn:
        texts = env.open_db(b"texts", txn=txn)
        txn.put(keys.number(9), txn.get(keys.number(1), db=texts), db=texts)
    store = LmdbStore.open(tmp_path, bytes_max=QUOTA)
    assert [problem for page in store.check() for problem in page] == [f"texts {keys.number(9).hex()}: belongs to no trace"]
    store.close()


@pytest.mark.parametrize(
    ("where", "numbers"),
    [
        (Where(since_unix_nano=T0 + 2 * MS), [4, 3, 2]),
        (Where(until_unix_nano=T0 + 3 * MS), [2, 1]),
        (Where(since_unix_nano=T0 + 2 * MS, until_unix_nano=T0 + 4 * MS), [3, 2]),
        (Where(session_id="s1"), [3, 1]),
        (Where(user_id="ann", until_unix_nano=T0 + 4 * MS), [2]),
        (Where(project="none"), []),
    ],
)
def test_an_index_leaves_out_what_is_not_wanted(tmp_path: Path, where: Where, numbers: list[int]) -> None:
    store = LmdbStore.open(tmp_path, bytes_max=QUOTA)
    told = {1: ("s1", None), 2: (None, "ann"), 3: ("s1", None), 4: ("s2", "ann")}
    store.append(packed(*(span(trace=n, start_ms=n, session=session, user=user) for n, (session, user) in told.items())))
    Settler(store, RULES).settle_all()
    assert [int.from_bytes(row.summary.trace_id, "big") for row in store.traces.page(where, None, 9).rows] == numbers
    store.close()


def test_the_layout_of_rows_is_that_of_the_format() -> None:
    """Whoever changes a summary or a numeric field changes what stored rows mean: raise FORMAT, and this digest with it."""
    shapes = [
        each._fields
        for each in (TraceSummary, SessionSummary, UserSummary, SpanFacts, Usage, Costs, ScoreSum, Score, Annotation, Anchor)
    ]
    numbers = {kind: [field.name for field in fields] for kind, fields in NUMBERS.items()}
    laid_out = blake2b(repr((shapes, numbers, keys.TREES)).encode(), digest_size=8).hexdigest()
    assert (keys.FORMAT, laid_out) == (4, "ffa72491fa4d4011")


def test_texts_that_came_with_a_trace_are_there_until_it_changes_or_is_settled(tmp_path: Path) -> None:
    store = LmdbStore.open(tmp_path, bytes_max=QUOTA)
    for trace in (1, 2):
        store.append(packed(span(trace=trace, id=1, input__value="hello")))
    store.append(packed(span(trace=2, id=2, parent=1)))
    store.append(packed(span(trace=3, id=2, parent=1, input__value="hello")))  # not whole, without its root
    assert [store.fresh_texts(trace_id(trace)) for trace in (1, 2, 3)] == [Texts(Text("hello", 5)), None, None]
    Settler(store, RULES).settle_all()
    assert store.fresh_texts(trace_id(1)) is None
    store.close()


def test_summaries_put_of_late_are_held_as_many_as_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settled, "BYTES_MAX", 1000)
    store = LmdbStore.open(tmp_path, bytes_max=QUOTA)
    for number, trace in enumerate((1, 2, 3, 2, 4), 1):
        store.append(packed(span(trace=trace, id=number, start_ms=trace, session="s1")))
        Settler(store, RULES).settle_all()
    key = SessionKey("default", "s1")

    def held() -> list[int]:
        given, again = store.traces_to_settle(key), store.traces_to_settle(key)
        assert given == store.traces_of_session(key)
        return [int.from_bytes(one.trace_id, "big") for one, other in zip(given, again, strict=True) if one is other]

    assert held() == [2, 4]
    store.erase([trace_id(1)], None)
    assert held() == []
    store.close()
