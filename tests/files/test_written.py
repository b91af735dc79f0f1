"""A file is there whole or not at all."""

from pathlib import Path

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


def test_no_two_files_share_one_for_feedback() -> None:
    names = ["a.jsonl", "a.binpb", "a.binpb.zst", "a", "a.2026-10", "a.2026-11"]
    assert len({feedback_beside(name) for name in names}) == len(names)
