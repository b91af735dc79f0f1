"""What goes wrong outside: each is told in clear words with what to do, by the right exit code or status, never by a traceback."""

import os
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import lmdb
import pytest

from builders import request, span, trace_id
from daemon import LOOPBACK, Daemon, Sender, health_of, sessiond, until
from sessiond import app
from sessiond.config import Config
from sessiond.storage.lmdb import environment, keys

SETTINGS, WORLD = 2, 1
"""Exit codes: what the caller wrote, and what the world is like."""


def serve(*arguments: str | Path) -> tuple[int, str, str]:
    """A start that is to fail: exit code, stdout, stderr."""
    ended = sessiond("serve", "--otlp-grpc", LOOPBACK, "--query", LOOPBACK, *arguments)
    return ended.returncode, ended.stdout, ended.stderr


def config(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "config.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


# -- settings ------------------------------------------------------------------------------------------------------------------


def test_a_config_file_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "missing.yaml"
    told = f"sessiond: {path}: No such file or directory; give --config a file that can be read, or leave it away\n"
    assert serve("--config", path) == (SETTINGS, "", told)


def test_a_config_file_that_is_a_directory(tmp_path: Path) -> None:
    told = f"sessiond: {tmp_path}: Is a directory; give --config a file that can be read, or leave it away\n"
    assert serve("--config", tmp_path) == (SETTINGS, "", told)


@pytest.mark.parametrize("text", ["receiver: [", "a: b: c", b"\xff\xfe\xff", "\t- x"], ids=repr)
def test_a_config_file_that_is_no_yaml(tmp_path: Path, text: str | bytes) -> None:
    path = config(tmp_path, text)
    code, out, told = serve("--config", path)
    assert (code, out) == (SETTINGS, "")
    assert told.startswith(f"sessiond: {path} is not YAML: ")
    assert told.endswith("; compare it with config.yaml\n")
    assert "Traceback" not in told


@pytest.mark.parametrize("text", ["- receiver", "text", "5"])
def test_a_config_file_without_sections(tmp_path: Path, text: str) -> None:
    path = config(tmp_path, text)
    told = f"sessiond: {path} must hold sections such as receiver: and query:; compare it with config.yaml\n"
    assert serve("--config", path) == (SETTINGS, "", told)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("receiver: {otlp_grcp: '127.0.0.1:1'}", "receiver.otlp_grcp: there is no such setting; did you mean otlp_grpc?"),
        ("reciever: {threads: 1}", "reciever: there is no such setting; did you mean receiver?"),
        ("store: {quota: 1}", "store.quota: there is no such setting"),
        ("something: 1", "something: there is no such setting"),
    ],
)
def test_a_key_that_is_unknown_is_told_with_the_near_one(tmp_path: Path, text: str, problem: str) -> None:
    path = config(tmp_path, text)
    told = f"sessiond: {path} can't be used:\n  {problem}; every setting stands, with its default, in config.yaml\n"
    assert serve("--config", path) == (SETTINGS, "", told)


def test_all_problems_of_a_configuration_are_told_at_once(tmp_path: Path) -> None:
    path = config(
        tmp_path,
        "receiver: {otlp_grpc: nowhere, otlp_http: '127.0.0.1:4318', message_bytes_max: 0, thread: 5}\n"
        "query: {threads: many, reflection: perhaps}\n"
        "store: {bytes_max: 5 parsecs}\n"
        "sessions: {idle_seconds: -1}\n"
        "log: {level: loud}\n"
        "web: off\n",
    )
    ended = sessiond("serve", "--config", path, "--query", "127.0.0.1:99999")
    assert (ended.returncode, ended.stdout) == (SETTINGS, "")
    first, *problems = ended.stderr.splitlines()
    assert first == f"sessiond: {path} can't be used:"
    assert [problem.strip().partition(" ")[0] for problem in problems] == [
        "receiver.otlp_grpc:",
        "receiver.otlp_http:",
        "receiver.message_bytes_max:",
        "receiver.thread:",
        "query.address:",
        "query.threads:",
        "query.reflection:",
        "web:",
        "store.bytes_max:",
        "sessions.idle_seconds:",
        "log.level:",
    ]
    assert problems[0] == "  receiver.otlp_grpc: 'nowhere' must be HOST:PORT, such as 127.0.0.1:4317 or [::1]:4317"
    assert problems[1] == "  receiver.otlp_http: '127.0.0.1:4318' is not served in this version; leave it off"
    assert problems[3] == "  receiver.thread: there is no such setting; did you mean threads?"


@pytest.mark.parametrize(
    ("option", "value", "problem"),
    [
        ("--otlp-grpc", "4317", "receiver.otlp_grpc: '4317' must be HOST:PORT, such as 127.0.0.1:4317 or [::1]:4317"),
        ("--query", "host:70000", "query.address: 'host:70000' must be HOST:PORT, such as 127.0.0.1:4317 or [::1]:4317"),
        ("--web", "127.0.0.1:8080", "web.address: '127.0.0.1:8080' is not served in this version; leave it off"),
        ("--otlp-http", "127.0.0.1:4318", "receiver.otlp_http: '127.0.0.1:4318' is not served in this version; leave it off"),
    ],
)
def test_an_option_that_can_not_be_used(option: str, value: str, problem: str) -> None:
    ended = sessiond("serve", option, value)
    told = f"sessiond: the options can't be used:\n  {problem}; every setting stands, with its default, in config.yaml\n"
    assert (ended.returncode, ended.stdout, ended.stderr) == (SETTINGS, "", told)


def test_an_option_that_is_unknown() -> None:
    code, out, told = serve("--data-dri", "x")
    assert (code, out) == (SETTINGS, "")
    assert "--data-dri" in told
    assert "--data-dir" in told
    assert "Traceback" not in told


# -- addresses -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("option", "name"), [("--otlp-grpc", "otlp_grpc"), ("--query", "query")])
def test_a_port_in_use_is_told_and_leaves_its_owner_alone(daemon: Daemon, tmp_path: Path, option: str, name: str) -> None:
    address = daemon.otlp_grpc
    code, out, told = serve("--data-dir", tmp_path / "other", option, address)
    assert (code, out) == (WORLD, "")
    assert told.startswith(f"sessiond: {name}: can't listen on {address}; ")
    assert told.endswith("; stop what listens there (another sessiond or a Collector?), or choose another address\n")
    assert "Traceback" not in told
    with daemon.sender() as sender, daemon.asker() as asker:
        for number in range(1, 21):
            sender.export(request(span(trace=number)))
        assert asker.status().span_count == 20


def test_a_port_of_another_program_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        code, _, told = serve("--data-dir", tmp_path / "data", "--otlp-grpc", address)
    assert code == WORLD
    assert told.startswith(f"sessiond: otlp_grpc: can't listen on {address}; ")


def test_a_host_that_is_not_ours_is_told(tmp_path: Path) -> None:
    code, _, told = serve("--data-dir", tmp_path / "data", "--query", "192.0.2.1:4319")
    assert code == WORLD
    assert told.startswith("sessiond: query: can't listen on 192.0.2.1:4319; ")
    assert "Traceback" not in told


def test_a_start_that_failed_on_a_port_leaves_the_directory_free(daemon: Daemon, tmp_path: Path) -> None:
    assert serve("--data-dir", tmp_path / "other", "--query", daemon.query)[0] == WORLD
    with Daemon.start(tmp_path, tmp_path / "other") as second, second.asker() as asker:
        assert asker.status().serving


# -- the data directory --------------------------------------------------------------------------------------------------------


def test_a_data_directory_of_another_daemon_is_refused_and_left_alone(daemon: Daemon, tmp_path: Path) -> None:
    data = tmp_path / "data"
    told = f"sessiond: {data} is in use by another sessiond (process {daemon.process.pid}); stop it, or choose another --data-dir\n"
    assert serve("--data-dir", data) == (WORLD, "", told)
    for command in ("check", "rebuild"):
        ended = sessiond(command, "--data-dir", data)
        assert (ended.returncode, ended.stderr) == (WORLD, told)
    with daemon.sender() as sender, daemon.asker() as asker:
        sender.export(request(span(trace=1)))
        assert asker.status().span_count == 1


def test_a_lock_file_left_behind_by_a_killed_daemon_does_not_stop_a_start(tmp_path: Path) -> None:
    with Daemon.start(tmp_path) as daemon:
        daemon.kill()
    assert (tmp_path / "data" / environment.LOCK_FILE).exists()
    with Daemon.start(tmp_path) as again, again.asker() as asker:
        assert asker.status().serving


def test_a_store_of_another_format_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with lmdb.open(str(data), max_dbs=len(keys.TREES)) as env, env.begin(write=True) as txn:
        txn.put(b"format", b"999", db=env.open_db(b"meta", txn=txn))
    told = (
        f"sessiond: the store in {data} has format 999, this sessiond reads format {keys.FORMAT}; "
        "start the sessiond that wrote it, or choose another --data-dir\n"
    )
    assert serve("--data-dir", data) == (WORLD, "", told)


@pytest.mark.parametrize("database", [None, b"theirs"], ids=["main database", "named database"])
def test_a_foreign_lmdb_environment_is_refused_and_left_as_it_was(tmp_path: Path, database: bytes | None) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with lmdb.open(str(data), max_dbs=5) as env, env.begin(write=True) as txn:
        txn.put(b"key", b"value", db=env.open_db(database, txn=txn))
    before = (data / environment.STORE_FILE).read_bytes()
    told = f"sessiond: {data} holds an LMDB environment that is not sessiond's; choose another --data-dir\n"
    assert serve("--data-dir", data) == (WORLD, "", told)
    assert (data / environment.STORE_FILE).read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"not a database", b"\x00" * 100_000], ids=["empty", "text", "zeros"])
def test_a_file_in_the_place_of_the_store_is_refused_or_used_but_never_a_traceback(tmp_path: Path, content: bytes) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / environment.STORE_FILE).write_bytes(content)
    if not content:
        with Daemon.start(tmp_path) as daemon, daemon.asker() as asker:
            assert asker.status().span_count == 0
        return
    code, out, told = serve("--data-dir", data)
    assert (code, out) == (WORLD, "")
    assert told.startswith("sessiond: LMDB failed: ")
    assert str(data) in told
    assert "Traceback" not in told
    assert (data / environment.STORE_FILE).read_bytes() == content


def test_a_store_cut_short_is_refused(tmp_path: Path) -> None:
    with Daemon.start(tmp_path) as daemon:
        with daemon.sender() as sender:
            sender.export(request(*(span(trace=number, session=f"s{number}", text="x" * 1000) for number in range(1, 200))))
        daemon.stop()
    store = tmp_path / "data" / environment.STORE_FILE
    with store.open("r+b") as file:
        file.truncate(store.stat().st_size // 2)
    code, out, told = serve("--data-dir", tmp_path / "data")
    assert (code, out) == (WORLD, "")
    assert "Traceback" not in told
    checked = sessiond("check", "--data-dir", tmp_path / "data")
    assert checked.returncode == WORLD
    assert "Traceback" not in checked.stderr


def test_a_data_directory_that_can_not_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    data = tmp_path / "file" / "data"
    told = f"sessiond: data_dir: '{data}' can't be made: Not a directory; choose another --data-dir\n"
    assert serve("--data-dir", data) == (WORLD, "", told)
    told = f"sessiond: data_dir: '{data.parent}' can't be made: File exists; choose another --data-dir\n"
    assert serve("--data-dir", data.parent) == (WORLD, "", told)


def test_a_data_directory_that_can_not_be_written_is_told() -> None:
    code, out, told = serve("--data-dir", "/proc/self")
    assert (code, out) == (WORLD, "")
    assert told.startswith("sessiond: data_dir: '/proc/self' can't be written: ")
    assert told.endswith("; choose another --data-dir, or mend its rights\n")


def test_a_store_file_that_can_not_be_opened_is_told(tmp_path: Path) -> None:
    (tmp_path / "data" / environment.STORE_FILE).mkdir(parents=True)
    code, out, told = serve("--data-dir", tmp_path / "data")
    assert (code, out) == (WORLD, "")
    assert str(tmp_path / "data") in told
    assert "Is a directory" in told
    assert "Traceback" not in told


def test_a_directory_without_a_store_is_told_by_what_works_on_stores(tmp_path: Path) -> None:
    for command in ("check", "rebuild"):
        ended = sessiond(command, "--data-dir", tmp_path)
        assert ended.returncode == SETTINGS
        assert f"{tmp_path} holds no store (data.mdb is not there)" in ended.stderr
        assert "Traceback" not in ended.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def signals() -> Iterator[None]:
    """The handlers of signals as they were, after what sets them."""
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


MOUNT = "36 35 98:0 / {place} rw,noatime shared:1 - {kind} server:/export rw\n"


@pytest.mark.parametrize("kind", ["nfs4", "nfs", "cifs", "9p", "ceph", "fuse.sshfs", "fuse.glusterfs"])
@pytest.mark.usefixtures("signals")
def test_a_network_file_system_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(MOUNT.format(place="/", kind="ext4") + MOUNT.format(place=tmp_path, kind=kind))
    monkeypatch.setattr(environment, "MOUNTS_FILE", str(table))
    # Were it taken, the daemon would run into an address that is not ours, and tell that.
    settings = {"receiver": {"otlp_grpc": "192.0.2.1:4317"}, "store": {"data_dir": tmp_path / "data"}}
    config = Config.model_validate(settings)
    assert app.serve(config, lambda: config) == WORLD
    told = (
        f"sessiond: {tmp_path / 'data'} is on a network file system ({kind}, mounted at {tmp_path}), "
        "where LMDB can't keep data safe; choose a --data-dir on a local disk\n"
    )
    assert capsys.readouterr() == ("", told)
    assert not (tmp_path / "data" / environment.STORE_FILE).exists()


@pytest.mark.parametrize(
    "lines",
    [
        MOUNT.format(place="/", kind="nfs4") + MOUNT.format(place="{path}", kind="ext4"),
        MOUNT.format(place="{path}", kind="nfs4") + MOUNT.format(place="{path}", kind="tmpfs"),
        MOUNT.format(place="{path}/other", kind="nfs4") + MOUNT.format(place="/", kind="overlay"),
        MOUNT.format(place="{path}", kind="fuse.ext4"),
    ],
    ids=["local under network", "mounted over", "beside", "local fuse"],
)
def test_a_local_file_system_near_a_network_one_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: str) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(lines.replace("{path}", str(tmp_path)))
    monkeypatch.setattr(environment, "MOUNTS_FILE", str(table))
    environment.open_environment(tmp_path / "data", bytes_max=1 << 20, trees=keys.TREES, of=keys.FORMAT).close()
    assert (tmp_path / "data" / environment.STORE_FILE).exists()


def test_a_mount_point_with_odd_letters_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "net köln dir"
    place.mkdir()
    table = tmp_path / "mountinfo"
    table.write_text(MOUNT.format(place="/", kind="ext4") + MOUNT.format(place=str(place).replace(" ", r"\040"), kind="nfs4"))
    monkeypatch.setattr(environment, "MOUNTS_FILE", str(table))
    with pytest.raises(environment.Occupied):
        environment.open_environment(place / "data", bytes_max=1 << 20, trees=keys.TREES, of=keys.FORMAT)


# -- a running daemon ----------------------------------------------------------------------------------------------------------


def refused(call: Callable[[], Any]) -> tuple[str, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value.code().name, caught.value.details()


def test_bad_requests_are_refused_and_the_daemon_goes_on(daemon: Daemon) -> None:
    good, zero, short, text = (span(trace=number, id=number, name="replaced", session="s") for number in range(1, 5))
    zero.trace_id, short.span_id = bytes(16), b"12"
    text.attributes[0].value.string_value = "replaced"
    with daemon.sender() as sender, daemon.asker() as asker:
        code, message = refused(sender.say_nothing)
        assert (code, message.endswith("requires exactly one request message.")) == ("UNIMPLEMENTED", True)
        told = "request: '3 bytes' are no ExportTraceServiceRequest; send OTLP traces, protobuf-encoded"
        assert refused(lambda: sender.export(b"\xff\xff\xff")) == ("INVALID_ARGUMENT", told)
        answer = sender.export(request(good, zero, short, text).SerializeToString().replace(b"replaced", b"\xff\xfe\xfd pqr."[:8]))
        assert answer.partial_success.rejected_spans == 2
        assert [trace.trace_id for trace in asker.traces()] == [trace_id(4).hex(), trace_id(1).hex()]
        assert dict(asker.status().refused_span_counts) == {"trace_id": 1, "span_id": 1}
    ended = daemon.stop()
    assert (ended.code, "Traceback" in ended.stderr) == (0, False)


def test_a_full_store_says_so_in_health_and_status_and_goes_on_reading(tmp_path: Path) -> None:
    with (
        Daemon.start(tmp_path, store={"bytes_max": 1 << 20}) as daemon,
        daemon.sender() as sender,
        daemon.asker() as asker,
    ):
        code, message = _fill(sender)
        assert code == "UNAVAILABLE"
        assert message.endswith("its quota is 1048576; raise store.bytes_max")
        until(lambda: health_of(daemon.otlp_grpc) == "NOT_SERVING")
        assert health_of(daemon.query) == "SERVING"
        status = asker.status()
        assert (status.serving, status.last_error) == (False, message)
        assert len(asker.traces()) == status.trace_count > 0
        assert (daemon.stop().code, "Traceback" in daemon.stderr) == (0, False)
    with Daemon.start(tmp_path, store={"bytes_max": 1 << 24}) as larger, larger.sender() as sender:
        sender.export(request(span(trace=10**6)))
        assert health_of(larger.otlp_grpc) == "SERVING"


def _fill(sender: Sender) -> tuple[str, str]:
    """Export until it is refused; how."""
    for number in range(1, 1000):
        try:
            sender.export(request(span(trace=number, session="s", noise=os.urandom(50_000))))
        except grpc.RpcError as error:
            return error.code().name, error.details()
    raise AssertionError("the store was never full")


def test_a_store_that_vanishes_under_the_daemon_ends_in_no_silence(tmp_path: Path) -> None:
    with Daemon.start(tmp_path) as daemon, daemon.sender() as sender, daemon.asker() as asker:
        sender.export(request(span(trace=1)))
        shutil.rmtree(tmp_path / "data")
        sender.export(request(span(trace=2)))
        assert [trace.trace_id for trace in asker.traces()] == [trace_id(2).hex(), trace_id(1).hex()]
        assert daemon.stop().code == 0


def test_systemd_is_told_when_the_daemon_is_ready_and_when_it_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(20)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        with Daemon.start(tmp_path) as daemon:
            assert systemd.recv(100) == b"READY=1"
            assert systemd.recv(100) == b"WATCHDOG=1"
            daemon.stop()
            said = systemd.recv(100)
            while said == b"WATCHDOG=1":
                said = systemd.recv(100)
            assert said == b"STOPPING=1"
