"""Every RPC, asked by a client that was generated from the .proto files just now."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import duration_pb2, timestamp_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

from builders import request, span, trace_id
from daemon import DEADLINE_SECONDS, Asker, Parts, Sender, parts
from sessiond.wire._pb.v1 import session_service_pb2 as pb

PROTO = Path(__file__).parents[2] / "proto"


@pytest.fixture
def generated(tmp_path: Path) -> Path:
    """A folder with Python modules made from sessiond/v1/*.proto."""
    out = tmp_path / "generated"
    out.mkdir()
    imported = FileDescriptorSet()
    for module in (duration_pb2, timestamp_pb2, common_pb2, resource_pb2, trace_pb2):
        module.DESCRIPTOR.CopyToProto(imported.file.add())
    descriptors = tmp_path / "imported.binpb"
    descriptors.write_bytes(imported.SerializeToString())
    sources = sorted(str(path.relative_to(PROTO)) for path in (PROTO / "sessiond" / "v1").glob("*.proto"))
    protoc = [sys.executable, "-m", "grpc_tools.protoc", f"--descriptor_set_in={descriptors}", f"-I{PROTO}"]
    subprocess.run([*protoc, f"--python_out={out}", f"--grpc_python_out={out}", *sources], check=True)
    for package in ("sessiond", "sessiond/v1"):
        (out / package / "__init__.py").touch()
    return out


def ask_all(generated: Path, address: str, session_id: str, number: int, user_id: str) -> dict[str, list[dict[str, Any]]]:
    """What a fresh client was answered, by RPC."""
    client = Path(__file__).with_name("fresh_client.py")
    done = subprocess.run(
        [sys.executable, str(client), address, session_id, trace_id(number).hex(), user_id],
        env={**os.environ, "PYTHONPATH": str(generated)},
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers: dict[str, list[dict[str, Any]]] = json.loads(done.stdout)
    return answers


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Parts]:
    with parts(tmp_path / "data", has_index=True) as found:
        yield found


FROM_API = {"number": 0.25, "source": "SCORE_SOURCE_API"}
NO_TRACE = "trace_id: 'no' must be 32 hexadecimal digits"


def without_times(message: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in message.items() if name not in ("create_time", "update_time")}


def test_a_fresh_client_is_answered_by_every_rpc(running: Parts, sender: Sender, asker: Asker, generated: Path) -> None:
    sent = request(
        span(trace=1, id=1, name="turn", session="s", user="u", end_ms=50),
        span(
            trace=1,
            id=2,
            parent=1,
            operation="chat",
            model="gpt-4o-mini",
            tokens_in=5,
            tokens_out=7,
            start_ms=10,
            end_ms=30,
            gen_ai__input__messages='[{"role": "user", "content": "Hello"}]',
        ),
    )
    sender.export(sent)
    answers = ask_all(generated, running.query.address, "s", 1, "u")
    (session,), (trace,) = asker.sessions(), asker.traces()
    session_row, trace_row = (MessageToDict(row, preserving_proto_field_name=True) for row in (session, trace))
    assert (session_row["session_id"], session_row["input_tokens"], session_row["trace_count"]) == ("s", "5", "1")
    assert (trace_row["session_id"], trace_row["duration_ms"], trace_row["models"]) == ("s", 50.0, ["gpt-4o-mini"])
    said = {name: answers.pop(name) for name in list(answers) if name.endswith(("Score", "Scores", "Annotation", "Annotations"))}
    (batch,), (feedback,) = answers.pop("ExportSpans"), answers.pop("ExportFeedback")
    assert (len(batch["resource_spans"]), len(batch["received_unix_nanos"])) == (1, 2)
    assert [score["score_id"] for score in feedback["scores"]] == ["b"]
    assert [annotation["annotation_id"] for annotation in feedback["annotations"]] == ["d"]
    status, checked = answers.pop("GetStatus"), answers.pop("Check")
    spans = answers["GetTrace"].pop(1)
    *_, transcript, turns = answers["GetSession"]
    del answers["GetSession"][2:]
    (entry,) = transcript["transcript"]
    assert (entry["role"], entry["text"], entry["text_length"]) == ("ROLE_USER", "Hello", "5")
    assert turns == {"turns": [{"trace_id": trace_id(1).hex(), "prompt_tokens": "5"}]}
    explained_trace, figures, *explained = answers.pop("Explain")
    user_row = MessageToDict(asker.api.GetUser(pb.GetUserRequest(user_id="u")), preserving_proto_field_name=True)
    assert (user_row["user_id"], user_row["trace_count"], user_row["cost_usd"]) == ("u", "1", 4.95e-06)
    (found,) = answers.pop("Search")
    (hit,) = found["rows"]
    (excerpt,) = hit["excerpts"]
    assert (hit["trace"], excerpt["text"], excerpt["highlights"]) == (trace_row, "turn", [{"end": 4}])
    (stats,) = answers.pop("Stats")
    assert (stats["total"]["count"], stats["total"]["duration_ms"]["p95"]) == ("1", 50.0)
    assert answers == {
        "ListSessions": [{"sessions": [session_row]}],
        "StreamSessions": [{"sessions": [session_row]}],
        "GetSession": [{"session": session_row}, {"traces": [trace_row]}],
        "ListTraces": [{"traces": [trace_row]}],
        "StreamTraces": [{"traces": [trace_row]}],
        "GetTrace": [{"trace": trace_row}, {"traces_data": MessageToDict(sent, preserving_proto_field_name=True)}],
        "GetUser": [user_row],
        "ListUsers": [{"users": [user_row]}],
        "ImportSpans": [{}],
        "Reprice": [{}],
        "Erase": [{"trace_count": "1", "span_count": "2", "session_count": "1", "feedback_count": "2"}],
    }
    assert (session_row["scores"], session_row["annotations"]) == ({"fine": {"count": "1", "mean": 1.0}}, "1")
    assert (trace_row["scores"], trace.annotations) == ({"fine": {"count": "1", "mean": 1.0}}, 0)
    assert {name: [without_times(message) for message in messages] for name, messages in said.items()} == {
        "CreateScore": [score := {"score_id": "a", "project": "default", "session_id": "s", "name": "helpful", **FROM_API}],
        "GetScore": [score],
        "UpdateScore": [score | {"number": 0.75}],
        "DeleteScore": [{}],
        "ListScores": [{}],
        "ImportScores": [{"created_count": 1, "failures": [{"index": 1, "field": "trace_id", "message": NO_TRACE}]}],
        "CreateAnnotation": [note := {"annotation_id": "c", "trace_id": trace_id(1).hex(), "text": "why?"}],
        "GetAnnotation": [note],
        "UpdateAnnotation": [note | {"text": "why not"}],
        "DeleteAnnotation": [{}],
        "ListAnnotations": [{}],
        "ImportAnnotations": [{"created_count": 1}],
    }
    assert (explained_trace, [list(one) for one in explained]) == ({"trace": trace_row}, [["calls"]])
    evidence = {one["field"]: one.get("evidence", []) for one in figures["figures"]}
    assert evidence["session_id"] == [{"span_id": "0000000000000001", "key": "session.id", "value": "s"}]
    (call,) = explained[0]["calls"]
    assert (call["span_id"], call["cost_usd"], call["cost_source"]) == ("0000000000000002", 4.95e-06, "estimated")
    assert [(one["span_id"], one.get("counted", False), one["duration_ms"]) for one in spans["spans"]] == [
        ("0000000000000001", False, 50.0),
        ("0000000000000002", True, 20.0),
    ]
    assert (status[0]["serving"], status[0]["span_count"], status[0]["session_count"]) == (True, "2", "1")
    assert checked[-1] == {"checked_trace_count": "1", "checked_session_count": "1", "checked_user_count": "1"}
