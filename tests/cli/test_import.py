"""`sessiond import` where the daemon fails midway."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
import zstandard
from click.testing import CliRunner

from builders import request, span
from sessiond.cli import main
from sessiond.files.frames import framed
from sessiond.files.otlp_json import line_of
from sessiond.wire._pb.v1.transfer_service_pb2 import ImportSpansResponse, SpanBatch
from sessiond.wire._pb.v1.transfer_service_pb2_grpc import TransferServiceServicer, add_TransferServiceServicer_to_server


class Failing(TransferServiceServicer):
    """Takes any batch but one that names `bad`."""

    def ImportSpans(self, request: SpanBatch, context: grpc.ServicerContext) -> ImportSpansResponse:  # noqa: N802
        if b"bad" in request.resource_spans[0]:
            context.abort(grpc.StatusCode.INTERNAL, "something broke")
        return ImportSpansResponse(accepted_span_count=1)


@pytest.fixture
def endpoint() -> Iterator[str]:
    server = grpc.server(ThreadPoolExecutor(2))
    add_TransferServiceServicer_to_server(Failing(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None).wait()


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["good", "good", "bad"], "{file}: 2 spans imported so far; import it again, and what is there already is passed over\n"),
        (["bad"], ""),
    ],
)
def test_an_import_that_can_t_go_on_says_how_far_it_came(endpoint: str, tmp_path: Path, names: list[str], told: str) -> None:
    file = tmp_path / "spans.binpb"
    batches = [request(span(trace=number, name=name)) for number, name in enumerate(names, 1)]
    file.write_bytes(b"".join(framed(batch.SerializeToString()) for batch in batches))
    done = CliRunner().invoke(main, ["import", str(file), "--endpoint", endpoint])
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == f"{told.format(file=file)}sessiond: something broke\n"


def test_of_a_file_of_something_else_some_lines_are_told_and_the_others_counted(endpoint: str, tmp_path: Path) -> None:
    file = tmp_path / "notes.jsonl"
    file.write_text('{"input_tokens": 1}\n' * 50)
    done = CliRunner().invoke(main, ["import", str(file), "--endpoint", endpoint])
    assert done.exit_code == 1
    *told, more, all_of_them = done.stderr.splitlines()
    assert len(told) == 20
    assert (more, all_of_them) == (f"{file}: 30 more problems, not shown", "50 problems; all else was imported")


BATCHES = [SpanBatch.FromString(request(span(trace=number)).SerializeToString()) for number in (1, 2, 3)]
FRAMES = b"".join(framed(batch.SerializeToString()) for batch in BATCHES)
LINES = b"".join(line_of(batch).encode() + b"\n" for batch in BATCHES)


@pytest.mark.parametrize(
    ("content", "told", "counts"),
    [
        (FRAMES[:-3], "nothing behind message 2 was imported: the file ends within a message", ("2 spans", "1 problem")),
        (
            framed(b"\xff") * 30 + b"\0",
            "nothing behind message 30 was imported: the file ends within a message",
            ("0 spans", "31 problems"),
        ),
        (
            zstandard.compress(LINES) + zstandard.compress(LINES)[:-3],
            "nothing behind line 3 was imported: it ends within what is compressed",
            ("3 spans", "1 problem"),
        ),
        (
            b"\x89PNG\r\n",
            "nothing of it was imported: 2,303,741,511 bytes can't be a message; is it a file of another kind?",
            ("0 spans", "1 problem"),
        ),
    ],
)
def test_of_a_file_that_can_t_be_read_on_it_is_told_behind_what_nothing_was_imported(
    endpoint: str, tmp_path: Path, content: bytes, told: str, counts: tuple[str, str]
) -> None:
    file = tmp_path / "spans"
    file.write_bytes(content)
    done = CliRunner().invoke(main, ["import", str(file), "--endpoint", endpoint])
    assert (done.exit_code, done.stdout) == (1, f"{file}: {counts[0]} imported\n")
    lines = done.stderr.splitlines()
    assert f"{file}: {told}" in lines
    assert lines[-1] == f"{counts[1]}; all else was imported, as far as it can be read"
