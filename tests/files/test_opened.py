"""Files are read by what their bytes are: JSON lines or framed protobuf, compressed as a whole, message by message, or not."""

import gzip
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from builders import request, span
from sessiond.files.contents import BATCH_BYTES, Read, contents
from sessiond.files.frames import FRAME_BYTES_MAX, framed
from sessiond.files.opened import opened
from sessiond.files.otlp_json import line_of
from sessiond.wire._pb.v1.transfer_service_pb2 import SpanBatch

BATCHES = [SpanBatch.FromString(request(span(trace=number)).SerializeToString()) for number in (1, 2, 3)]
LINES = b"".join(line_of(one).encode() + b"\n" for one in BATCHES)
FRAMES = b"".join(framed(one.SerializeToString()) for one in BATCHES)


def zstd(plain: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(plain)


def in_two_zstd_frames(plain: bytes) -> bytes:
    return zstd(plain[:50]) + zstd(plain[50:])


def each_compressed(payloads: list[bytes]) -> bytes:
    return b"".join(framed(zstd(payload)) for payload in payloads)


def read(path: Path, content: bytes) -> list[tuple[str, SpanBatch | None, str]]:
    path.write_bytes(content)
    with opened(str(path)) as source:
        found = [one[:3] for one in contents(source)]
        assert source.size == (len(content) or None)
        assert source.meter.byte_count <= len(content)
        return found


@pytest.mark.parametrize("wrapped", [bytes, zstd, in_two_zstd_frames, gzip.compress])
@pytest.mark.parametrize(("content", "noun"), [(LINES, "line"), (FRAMES, "message")])
def test_every_form_gives_the_batches_and_their_places(
    tmp_path: Path, content: bytes, noun: str, wrapped: Callable[[bytes], bytes]
) -> None:
    expected = [(f"{noun} {number}", one, "") for number, one in enumerate(BATCHES, 1)]
    assert read(tmp_path / "f", wrapped(content)) == expected


@pytest.mark.parametrize(
    "payloads", [[one.SerializeToString() for one in BATCHES], [line_of(one).encode() for one in BATCHES]], ids=["protobuf", "json"]
)
def test_messages_that_a_collector_compressed_one_by_one(tmp_path: Path, payloads: list[bytes]) -> None:
    assert [batch for _, batch, _ in read(tmp_path / "f", each_compressed(payloads))] == BATCHES


def test_blank_lines_and_a_byte_order_mark_are_passed_over(tmp_path: Path) -> None:
    found = read(tmp_path / "f", b"\xef\xbb\xbf" + LINES.replace(b"\n", b"\n\n \n"))
    assert [(place, batch) for place, batch, _ in found] == list(zip(["line 1", "line 4", "line 7"], BATCHES, strict=True))


def test_an_empty_file_holds_nothing(tmp_path: Path) -> None:
    assert read(tmp_path / "f", b"") == []


def test_a_bad_line_costs_only_itself(tmp_path: Path) -> None:
    first, _, last = LINES.splitlines(keepends=True)
    found = read(tmp_path / "f", first + b"{oops}\n" + last)
    assert [batch for _, batch, _ in found] == [BATCHES[0], None, BATCHES[2]]
    assert found[1][0] == "line 2"
    assert "is no JSON" in found[1][2]


def test_a_bad_message_costs_only_itself(tmp_path: Path) -> None:
    found = read(
        tmp_path / "f", framed(BATCHES[0].SerializeToString()) + framed(b"\xff\xff") + framed(BATCHES[2].SerializeToString())
    )
    assert [batch for _, batch, _ in found] == [BATCHES[0], None, BATCHES[2]]


@pytest.mark.parametrize(
    ("frame", "problem"),
    [
        (b"\x28\xb5\x2f\xfdrubbish", "can't be uncompressed"),
        (zstd(b"x" * 1000)[:-4], "can't be uncompressed"),
        (zstd(b"\n\0") + b"more", "can't be uncompressed"),
        (zstd(bytes(FRAME_BYTES_MAX + 1)), "holds more than"),
        (zstandard.ZstdCompressor(write_content_size=False).compress(bytes(FRAME_BYTES_MAX + 1)), "can't be uncompressed"),
    ],
    ids=["rubbish", "cut short", "with more behind it", "too large", "too large, untold"],
)
def test_a_message_that_can_t_be_uncompressed_costs_only_itself(tmp_path: Path, frame: bytes, problem: str) -> None:
    first, last = (each_compressed([one.SerializeToString()]) for one in (BATCHES[0], BATCHES[2]))
    found = read(tmp_path / "f", first + framed(frame) + last)
    assert [batch for _, batch, _ in found] == [BATCHES[0], None, BATCHES[2]]
    assert found[1][0] == "message 2"
    assert problem in found[1][2]


def test_a_line_that_is_too_long_costs_only_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, last = LINES.splitlines(keepends=True)
    monkeypatch.setattr("sessiond.files.opened.LINE_BYTES_MAX", len(first))
    found = read(tmp_path / "f", first + b" " * (3 << 20) + second + last)
    assert [(place, batch) for place, batch, _ in found[:2]] == [("line 1", BATCHES[0]), ("line 2", None)]
    assert "is longer than" in found[1][2]
    assert found[2:] == [("line 3", BATCHES[2], "")]


def test_many_spans_of_one_message_come_in_several_batches_of_its_place(tmp_path: Path) -> None:
    sent = request(*(span(trace=number, name="x" * 1000) for number in range(1, 1001)))
    found = read(tmp_path / "f", framed(sent.SerializeToString()))
    assert {(place, problem) for place, _, problem in found} == {("message 1", "")}
    assert max(batch.ByteSize() for _, batch, _ in found) < 2 * BATCH_BYTES
    parts = [TracesData.FromString(batch.SerializeToString()).resource_spans[0] for _, batch, _ in found]
    assert {part.resource.SerializeToString() for part in parts} == {sent.resource_spans[0].resource.SerializeToString()}
    assert [one for part in parts for one in part.scope_spans[0].spans] == list(sent.resource_spans[0].scope_spans[0].spans)


def read_to_its_break(path: Path, content: bytes) -> tuple[list[Read], Read]:
    path.write_bytes(content)
    with opened(str(path)) as source:
        *found, broken = contents(source)
    return found, broken


@pytest.mark.parametrize("compress", [zstd, gzip.compress])
def test_what_comes_before_a_compressed_stream_breaks_off_is_read(tmp_path: Path, compress: Callable[[bytes], bytes]) -> None:
    found, broken = read_to_its_break(tmp_path / "f", compress(LINES) + compress(LINES)[:-9])
    assert [read.content for read in found[:3]] == BATCHES
    assert (broken.place, broken.content, broken.breaks_off) == (found[-1].place, None, True)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (FRAMES[:-3], "ends within a message"),
        (FRAMES + b"\0", "ends within a message"),
        (b"\xff" * 100, "can't be a message"),
        (zstd(LINES)[:-10], "ends within what is compressed"),
        (gzip.compress(FRAMES)[:-10], "ends within what is compressed"),
        (gzip.compress(FRAMES)[:-8] + bytes(8), "incorrect data check"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + zlib.compress(FRAMES)[20:], "while decompressing"),
    ],
)
def test_what_can_t_be_read_on_is_told_after_all_that_can(tmp_path: Path, content: bytes, problem: str) -> None:
    found, broken = read_to_its_break(tmp_path / "f", content)
    assert (broken.place, broken.content, broken.breaks_off) == (found[-1].place if found else "", None, True)
    assert problem in broken.problem
