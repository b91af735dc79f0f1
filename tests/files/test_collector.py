"""What the Collector's own file exporter wrote of a capture is read as the requests that it took in."""

from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from sessiond.files.contents import contents
from sessiond.files.opened import opened
from sessiond.wire._pb.v1.transfer_service_pb2 import SpanBatch

DATA = Path(__file__).parents[1] / "data"
WRITTEN = sorted(path for path in (DATA / "collector").iterdir() if path.suffix != ".md")
SENT = [
    TracesData.FromString(path.read_bytes()) for path in sorted((DATA / "captures" / "otel_openai_v2").glob("*.traces.*.binpb"))
]


def test_there_is_a_file_of_every_form() -> None:
    assert (len(WRITTEN), len(SENT)) == (6, 3)


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.name)
def test_every_form_gives_the_requests(path: Path) -> None:
    with opened(str(path)) as source:
        found = list(contents(source))
    assert [read.problem for read in found] == ["", "", ""]
    assert [
        TracesData.FromString(read.content.SerializeToString()) for read in found if isinstance(read.content, SpanBatch)
    ] == SENT
