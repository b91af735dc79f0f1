"""Out of one daemon and into another, by the command line: the same rows, byte for byte the same spans, and nothing lost midway."""

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import pytest

from builders import request, span
from daemon import Daemon, sessiond, until
from e2e.test_captures import CAPTURES
from sessiond.client import Annotation, Client, Score

LISTS = ("sessions", "traces", "users")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon that holds the captures."""
    with Daemon.start(tmp_path_factory.mktemp("first")) as daemon:
        with daemon.sender() as sender:
            for file in sorted(file for capture in CAPTURES for file in capture.glob("*.traces.*.binpb")):
                sender.export(file.read_bytes())
        with Client(daemon.query) as client:
            session = next(iter(client.sessions(limit=1)))
            _, traces = client.session(session.session_id)
            trace = next(traces)
            client.feedback.create_score("helpful", 0.5, session_id=session.session_id, author="ann", metadata={"a": "b"})
            client.feedback.create_score("good", True, trace_id=trace.trace_id, comment="é")
            client.feedback.create_score("kind", "bug", trace_id=trace.trace_id, span_id=trace.root_span_id, source="human")
            client.feedback.create_annotation("see here", trace_id=trace.trace_id, tags=["t"], anchor={"begin": 0, "end": 3})
            client.feedback.create_annotation("not here yet", trace_id="ab" * 16)
        yield daemon


@pytest.fixture
def second(tmp_path: Path) -> Iterator[Daemon]:
    with Daemon.start(tmp_path) as daemon:
        yield daemon


def run(daemon: Daemon, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return sessiond(*arguments, "--endpoint", daemon.query)


def rows(daemon: Daemon, what: str) -> list[str]:
    """Without states, which depend on when they are looked at."""
    found = [json.loads(line) for line in run(daemon, what, "--json", "--limit", "1000").stdout.splitlines()]
    return [{name: value for name, value in row.items() if name != "state"} for row in found]


def feedback(daemon: Daemon) -> tuple[list[Score], list[Annotation]]:
    with Client(daemon.query) as client:
        return list(client.feedback.scores()), list(client.feedback.annotations())


@pytest.mark.parametrize("name", ["spans.jsonl", "spans.binpb", "spans.jsonl.zst", "spans.binpb.zst"])
def test_another_daemon_has_the_same_rows_after_an_import(first: Daemon, second: Daemon, tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    exported = run(first, "export", "spans", file)
    assert (exported.returncode, exported.stdout) == (0, "")
    imported = run(second, "import", file)
    assert imported.returncode == 0, imported.stderr
    assert imported.stdout.splitlines() == [
        f"{file}: {exported.stderr.split()[0]} spans imported",
        f"{file}.feedback.jsonl: 0 spans, 5 scores and annotations imported",
    ]
    assert feedback(second) == feedback(first)
    assert {what: rows(second, what) for what in LISTS} == {what: rows(first, what) for what in LISTS}
    assert run(second, "check").returncode == 0


def test_figures_of_what_matches_are_written(first: Daemon, tmp_path: Path) -> None:
    file = tmp_path / "failed.jsonl"
    assert run(first, "export", "traces", file, "--filter", "status = error").returncode == 0
    assert [json.loads(line) for line in file.read_text().splitlines()] == [
        row for row in rows(first, "traces") if row["status"] == "error"
    ]


def test_spans_of_sessions_are_those_of_all_their_traces(first: Daemon, second: Daemon, tmp_path: Path) -> None:
    file = tmp_path / "of.binpb"
    assert run(first, "export", "spans", file, "--of", "sessions", "--filter", "failed_trace_count > 0").returncode == 0
    assert run(second, "import", file).returncode == 0
    assert rows(second, "sessions") == [row for row in rows(first, "sessions") if row["failed_trace_count"]]


def test_feedback_on_what_matches_is_written_beside_it(first: Daemon, second: Daemon, tmp_path: Path) -> None:
    (scored,) = [row for row in rows(first, "sessions") if row["annotations"]]
    for name, what in (("with", scored["session_id"]), ("without", "sess-alice-strands")):
        run(first, "export", "spans", tmp_path / f"{name}.binpb", "--of", "sessions", "--session", what)
    assert not (tmp_path / "without.binpb.feedback.jsonl").exists()
    run(second, "import", tmp_path / "with.binpb")
    scores, annotations = feedback(second)
    assert (len(scores), [annotation.text for annotation in annotations]) == (3, ["see here"])
    assert rows(second, "sessions") == [scored]


def test_an_export_over_another_leaves_nothing_of_its_feedback(first: Daemon, tmp_path: Path) -> None:
    run(first, "export", "spans", tmp_path / "a.binpb")
    run(first, "export", "spans", tmp_path / "a.jsonl")
    assert {path.name for path in tmp_path.iterdir()} == {
        "a.binpb",
        "a.binpb.feedback.jsonl",
        "a.jsonl",
        "a.jsonl.feedback.jsonl",
    }
    run(first, "export", "spans", tmp_path / "a.binpb", "--session", "sess-alice-strands")
    assert {path.name for path in tmp_path.iterdir()} == {"a.binpb", "a.jsonl", "a.jsonl.feedback.jsonl"}


@pytest.mark.parametrize(("what", "field"), [("sessions", "start_time"), ("traces", "start_time"), ("users", "first_seen_time")])
def test_what_started_before_a_time_is_exported_by_it(first: Daemon, tmp_path: Path, what: str, field: str) -> None:
    times = sorted(row[field] for row in rows(first, what))
    file = tmp_path / "early.jsonl"
    assert run(first, "export", what, file, "--until", times[-1], "--since", times[0]).returncode == 0
    exported = [json.loads(line) for line in file.read_text().splitlines()]
    assert sorted(row[field] for row in exported) == [time for time in times if time < times[-1]]


def test_spans_of_what_started_before_a_time_are_exported(first: Daemon, second: Daemon, tmp_path: Path) -> None:
    times = sorted(row["start_time"] for row in rows(first, "traces"))
    run(first, "export", "spans", tmp_path / "early.binpb", "--until", times[20])
    run(second, "import", tmp_path / "early.binpb")
    assert sorted(row["start_time"] for row in rows(second, "traces")) == times[:20]


def test_a_bad_score_is_told_with_its_place_and_costs_nothing_else(second: Daemon, tmp_path: Path) -> None:
    file = tmp_path / "a.feedback.jsonl"
    good = '{"score":{"score_id":"1","trace_id":"' + "ab" * 16 + '","name":"n","number":1}}'
    file.write_text(f'{{"score":{{"oops":1}}}}\n{{"score":{{"name":"no target","number":1}}}}\n{good}\n')
    done = run(second, "import", file)
    assert done.returncode == 1
    assert f"{file}, line 1: is no score" in done.stderr
    assert f"{file}, line 2: " in done.stderr
    assert [score.score_id for score in feedback(second)[0]] == ["1"]


def test_an_import_goes_through_pipes(first: Daemon, second: Daemon) -> None:
    command = [sys.executable, "-m", "sessiond"]
    for what in ("spans", "feedback"):
        with subprocess.Popen([*command, "export", what, "-", "--endpoint", first.query], stdout=subprocess.PIPE) as export:
            done = subprocess.run([*command, "import", "-", "--endpoint", second.query], stdin=export.stdout, check=False)
        assert (export.returncode, done.returncode) == (0, 0)
    assert rows(second, "traces") == rows(first, "traces")


def test_spans_go_into_a_pipe_by_its_name_and_no_feedback_beside_it(first: Daemon, second: Daemon, tmp_path: Path) -> None:
    reads, writes = os.pipe()
    with begun(first, "export", "spans", f"/dev/fd/{writes}", "--format", "protobuf", pass_fds=[writes]) as export:
        os.close(writes)
        with os.fdopen(reads, "rb") as pipe:
            (tmp_path / "spans.binpb").write_bytes(pipe.read())
    assert export.returncode == 0
    assert run(second, "import", tmp_path / "spans.binpb").returncode == 0
    assert {row["trace_id"] for row in rows(second, "traces")} == {row["trace_id"] for row in rows(first, "traces")}


def test_bad_lines_are_told_with_their_place_and_cost_nothing_else(first: Daemon, second: Daemon, tmp_path: Path) -> None:
    file = tmp_path / "spans.jsonl"
    run(first, "export", "spans", file)
    bad_span = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "no ids"}]}]}]})
    file.write_text(f"{{oops\n{file.read_text()}{bad_span}\n")
    done = run(second, "import", file)
    assert done.returncode == 1
    assert f"{file}, line 1: is no JSON" in done.stderr
    assert "1 span refused: " in done.stderr
    assert "2 problems; all else was imported" in done.stderr
    assert rows(second, "traces") == rows(first, "traces")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon that holds 20 MB of spans: long enough under way to be stopped midway."""
    with Daemon.start(tmp_path_factory.mktemp("large")) as daemon:
        with daemon.sender() as sender:
            sent = request(*(span(trace=number, id=one, name="x" * 2000) for number in range(1, 1001) for one in range(1, 11)))
            sender.export(sent)
        yield daemon


def begun(daemon: Daemon, *arguments: str | Path, **settings: Any) -> "subprocess.Popen[str]":
    """A command that is under way."""
    command = [sys.executable, "-m", "sessiond", *map(str, arguments), "--endpoint", daemon.query]
    return subprocess.Popen(command, text=True, **settings)


def test_an_import_that_was_killed_can_be_started_again(large: Daemon, second: Daemon, tmp_path: Path) -> None:
    file = tmp_path / "spans.jsonl"
    run(large, "export", "spans", file)
    killed = begun(second, "import", file)
    with second.asker() as asker:
        until(lambda: asker.status().span_count, "the first spans")
    killed.kill()
    killed.wait()
    assert run(second, "import", file).returncode == 0
    assert rows(second, "traces") == rows(large, "traces")
    assert run(second, "check").returncode == 0


def test_an_import_goes_on_when_the_daemon_was_killed_and_started_again(large: Daemon, tmp_path: Path) -> None:
    file = tmp_path / "spans.binpb"
    run(large, "export", "spans", file)
    with Daemon.start(tmp_path) as killed:
        importing = begun(killed, "import", file, stdout=subprocess.PIPE)
        with killed.asker() as asker:
            until(lambda: asker.status().span_count, "the first spans")
        killed.kill()
    assert importing.poll() is None
    with Daemon.start(tmp_path, query={"address": killed.query}) as daemon:
        said, _ = importing.communicate(timeout=60)
        assert (importing.returncode, said) == (0, f"{file}: 10,000 spans imported\n")
        assert rows(daemon, "traces") == rows(large, "traces")


def test_an_export_that_was_killed_leaves_what_stood_under_its_name(large: Daemon, tmp_path: Path) -> None:
    file = tmp_path / "spans.jsonl"
    file.write_text("before")
    killed = begun(large, "export", "spans", file)
    until(lambda: [path for path in tmp_path.glob("spans.jsonl.*") if path.stat().st_size], "the first spans")
    killed.kill()
    killed.wait()
    assert file.read_text() == "before"


def test_a_terminal_shows_how_many_there_are_and_how_fast(first: Daemon, second: Daemon, tmp_path: Path) -> None:
    for arguments, said in (
        (("export", "spans", tmp_path / "a.jsonl"), "138 spans"),
        (("import", tmp_path / "a.jsonl"), "138 imported"),
    ):
        inner, outer = pty.openpty()
        with os.fdopen(inner, "rb", 0) as terminal:
            with begun(second if "import" in arguments else first, *arguments, stderr=outer, stdout=subprocess.DEVNULL) as process:
                os.close(outer)
                shown = b"".join(read_to_its_end(terminal)).decode()
            assert process.returncode == 0
        assert said in shown
        assert re.search(r"[\d,]+/s", shown)


def read_to_its_end(terminal: IO[bytes]) -> Iterator[bytes]:
    """What is written to a terminal until nobody has it open, which Linux tells by an error."""
    with suppress(OSError):
        while read := terminal.read(4096):
            yield read


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("spans", "out.parquet"), "parquet is for sessions, traces, users, not for spans"),
        (("sessions", "out"), "its name does not tell how to write it"),
        (("users", "out.jsonl", "--session", "s1"), "users are not found by --session or --user"),
        (("sessions", "out.jsonl", "--filter", "cost >"), "filter"),
        (("sessions", "nowhere/out.jsonl"), "No such file or directory"),
    ],
)
def test_what_can_t_be_exported_is_told_and_leaves_no_file(
    first: Daemon, tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    what, name, *more = arguments
    done = run(first, "export", what, tmp_path / name, *more)
    assert done.returncode in (1, 2)
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_import_of_what_is_not_there_is_told(second: Daemon, tmp_path: Path) -> None:
    done = run(second, "import", tmp_path / "nothing.jsonl")
    assert (done.returncode, "does not exist" in done.stderr) == (2, True)
