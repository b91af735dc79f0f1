"""A file is there whole or not at all."""

import os
from collections.abc import Callable
from pathlib import Path
from stat import S_ISFIFO

import pytest
import zstandard

from sessiond.files.written import feedback_beside, written


def test_the_name_appears_when_all_is_written(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    with written(str(path)) as stream:
        stream.write(b"half")
        assert not path.exists()
        stream.write(b" whole")
    assert path.read_bytes() == b"half whole"
    assert [one.name for one in tmp_path.iterdir()] == ["out.jsonl"]


def test_a_failure_leaves_what_stood_there(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(b"before")

    def fail_halfway() -> None:
        with written(str(path)) as stream:
            stream.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()
    assert path.read_bytes() == b"before"
    assert [one.name for one in tmp_path.iterdir()] == ["out.jsonl"]


def test_a_name_in_zst_is_compressed(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl.zst"
    with written(str(path)) as stream:
        stream.write(b"told " * 1000)
    with path.open("rb") as raw:
        assert zstandard.ZstdDecompressor().stream_reader(raw).read() == b"told " * 1000


def named_pipe(folder: Path) -> tuple[str, int]:
    path = folder / "pipe.jsonl"
    os.mkfifo(path)
    return str(path), os.open(path, os.O_RDONLY | os.O_NONBLOCK)


def pipe_by_its_number(_: Path) -> tuple[str, int]:
    reads, writes = os.pipe()
    return f"/dev/fd/{writes}", reads


@pytest.mark.parametrize("made", [named_pipe, pipe_by_its_number])
def test_what_is_no_file_is_written_to_and_stays_what_it_is(tmp_path: Path, made: Callable[[Path], tuple[str, int]]) -> None:
    path, reads = made(tmp_path)
    before = list(tmp_path.iterdir())
    with written(path) as stream:
        stream.write(b"told")
    assert os.read(reads, 100) == b"told"
    assert (S_ISFIFO(Path(path).stat().st_mode), list(tmp_path.iterdir())) == (True, before)


@pytest.mark.parametrize("before", [None, b"before"])
def test_the_file_that_a_link_leads_to_is_written_and_the_link_stays(tmp_path: Path, before: bytes | None) -> None:
    link, path = tmp_path / "link.jsonl", tmp_path / "there" / "out.jsonl"
    path.parent.mkdir()
    link.symlink_to(path)
    if before:
        path.write_bytes(before)
    with written(str(link)) as stream:
        stream.write(b"told")
        assert (path.read_bytes() if path.exists() else None) == before
    assert (link.readlink(), path.read_bytes()) == (path, b"told")
    assert [one.name for one in path.parent.iterdir()] == ["out.jsonl"]


@pytest.mark.parametrize("mode", [0o600, 0o666, 0o440])
def test_who_may_read_a_file_may_read_what_takes_its_place(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "out.jsonl"
    path.touch()
    path.chmod(mode)
    with written(str(path)) as stream:
        assert {one.stat().st_mode & 0o777 for one in tmp_path.iterdir()} == {mode}
        stream.write(b"told")
    assert (path.stat().st_mode & 0o777, path.read_bytes()) == (mode, b"told")


def test_a_new_file_has_the_mode_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "any").touch()
    with written(str(tmp_path / "out.jsonl")):
        pass
    assert (tmp_path / "out.jsonl").stat().st_mode == (tmp_path / "any").stat().st_mode


@pytest.mark.parametrize("name", ["nowhere/out.jsonl", "file/out.jsonl", "loop", f"{250 * 'x'}.json", "folder"])
def test_an_error_names_what_was_asked_for(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "folder").mkdir()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(OSError, match=name) as raised, written(str(tmp_path / name)):
        pass
    assert raised.value.filename == str(tmp_path / name)
    assert sorted(tmp_path.iterdir()) == before


def test_no_two_files_share_one_for_feedback() -> None:
    names = ["a.jsonl", "a.binpb", "a.binpb.zst", "a", "a.2026-10", "a.2026-11"]
    assert len({feedback_beside(name) for name in names}) == len(names)
