"""A store of the previous format: the daemon refuses it and says what to do, and a rebuild brings it to the present one."""

from pathlib import Path

import lmdb
import pytest

from builders import ARRIVAL, RULES, packed, span
from daemon import STORE_BYTES_MAX, Daemon, sessiond
from sessiond.core.rows.where import Where
from sessiond.service.settling.settle import Settler
from sessiond.storage.lmdb.store import LmdbStore

PREVIOUS_TREES = (
    *("meta", "projects", "trace_ids", "spans", "chunks", "facts", "marked_traces", "traces", "traces_by_start", "trace_changes"),
    *("session_ids", "marked_sessions", "sessions", "sessions_by_activity", "session_changes", "session_traces"),
    *("user_ids", "marked_users", "users", "user_traces", "user_sessions"),
)
TREES_SINCE = {
    2: ("texts",),
    3: ("texts", "session_changes", "sessions_by_activity", "user_changes", "users_by_last_seen", "removals"),
}
STAMP_BYTES = 8
"""What stands before facts since format 2."""


@pytest.fixture(params=[1, 2, 3])
def previous(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A store as an earlier format laid it out: in 1 without texts, rules and stamps; summaries that nobody reads; no feedback."""
    of: int = request.param
    now = tmp_path / "now"
    store = LmdbStore.open(now, bytes_max=STORE_BYTES_MAX, rules=RULES.fingerprint)
    store.append(packed(span(trace=1, id=1, session="s1", user="u", operation="chat", model="gpt-4o", tokens_in=5, tokens_out=1)))
    store.append(packed(span(trace=2, id=2, session="s2"), span(trace=1, id=3, parent=1), arrival=ARRIVAL + 9))
    Settler(store, RULES).settle_all()
    store.close()
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    with lmdb.open(str(now), max_dbs=99) as source, lmdb.open(str(data_dir), max_dbs=99) as target:
        for name in trees_of(of):
            held, to = source.open_db(name.encode()), target.open_db(name.encode())
            with source.begin(db=held) as reading, target.begin(write=True, db=to) as writing:
                for key, value in reading.cursor():
                    writing.put(key, _as_it_was(name, value, of))
                if name == "meta":
                    if of == 1:
                        writing.delete(b"rules")
                    writing.put(b"format", str(of).encode())
    return data_dir


def trees_of(of: int) -> tuple[str, ...]:
    return (*PREVIOUS_TREES, *TREES_SINCE.get(of, ()))


def _as_it_was(tree: str, value: bytes, of: int) -> bytes:
    if tree == "facts" and of == 1:
        return value[STAMP_BYTES:]
    return b"of another shape" if tree in {"traces", "sessions", "users"} else value


def test_the_daemon_refuses_it_and_says_to_rebuild(previous: Path) -> None:
    refused = sessiond("serve", "--data-dir", previous)
    assert refused.returncode == 1
    assert "this sessiond reads format 4; run `sessiond rebuild`, or choose another --data-dir" in refused.stderr


def test_a_refused_store_is_left_as_it_was(previous: Path) -> None:
    sessiond("serve", "--data-dir", previous)
    with lmdb.open(str(previous), max_dbs=99, readonly=True) as env, env.begin() as txn:
        assert {key.decode() for key, _ in txn.cursor()} in (set(trees_of(of)) for of in (1, 2, 3))


def test_a_rebuild_brings_every_span_to_the_present_format(previous: Path, tmp_path: Path) -> None:
    rebuilt = sessiond("rebuild", "--data-dir", previous)
    assert (rebuilt.returncode, rebuilt.stdout, rebuilt.stderr) == (0, f"{previous}: rebuilt from 3 spans\n", "")
    checked = sessiond("check", "--data-dir", previous)
    assert (checked.returncode, checked.stdout) == (0, "2 traces, 2 sessions, 1 user checked: 0 problems\n")
    expected = LmdbStore.open(tmp_path / "now", bytes_max=STORE_BYTES_MAX, rules=RULES.fingerprint)
    with Daemon.start(tmp_path, previous) as daemon, daemon.asker() as asker:
        assert [(row.session_id, row.span_count) for row in asker.sessions()] == [
            (row.summary.session_id, row.summary.span_count) for row in expected.sessions.page(Where(), None, 9).rows
        ]
    expected.close()


def test_a_store_of_a_later_format_is_refused_by_the_rebuild_too(previous: Path) -> None:
    with lmdb.open(str(previous), max_dbs=99) as env, env.begin(write=True, db=env.open_db(b"meta")) as txn:
        txn.put(b"format", b"5")
    refused = sessiond("rebuild", "--data-dir", previous)
    assert refused.returncode != 0
    assert "has format 5, this sessiond reads format 4; start the sessiond that wrote it" in refused.stderr
