"""`sessiond score` and `sessiond annotate` against a daemon's real parts, and where feedback shows besides."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from builders import request, span, trace_id
from daemon import Parts, Sender, parts
from sessiond.cli import main

TRACE = trace_id(1).hex()
SPAN = "00" * 7 + "02"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Parts]:
    with parts(tmp_path / "data") as found, Sender(found.receiver.address) as sender:
        sender.export(request(span(trace=1, id=1, session="s"), span(trace=1, id=2, parent=1)))
        yield found


@pytest.fixture
def run(running: Parts) -> Callable[..., Result]:
    return lambda *arguments: CliRunner().invoke(main, [*arguments, "--endpoint", running.query.address])


def rows(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def told(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["session_id"], row["trace_id"], row["span_id"], row["name"], row["value"], row["source"]


@pytest.mark.parametrize(
    ("target", "of"),
    [
        (["s"], ("s", None, None)),
        ([TRACE], (None, TRACE, None)),
        ([f"{TRACE}/{SPAN}"], (None, TRACE, SPAN)),
        ([f" {TRACE.upper()} "], (None, TRACE, None)),
        ([TRACE[1:], "--session"], (TRACE[1:], None, None)),
        ([TRACE, "--session"], (TRACE, None, None)),
        (["a/b"], ("a/b", None, None)),
    ],
)
def test_a_target_is_a_session_a_trace_or_a_span(run: Any, target: list[str], of: tuple[Any, ...]) -> None:
    assert [told(row) for row in rows(run("score", *target, "helpful=0.5", "--json"))] == [(*of, "helpful", 0.5, "human")]
    assert [told(row)[:3] for row in rows(run("score", *target, "--json"))] == [of]


@pytest.mark.parametrize(
    ("written", "value"),
    [("x=0.5", 0.5), ("x=3", 3.0), ("x=true", True), ("x=false", False), ("x=bad", "bad"), ('x="1"', "1"), ("x=a=b", "a=b")],
)
def test_a_value_is_a_number_a_yes_or_no_or_a_category(run: Any, written: str, value: Any) -> None:
    (row,) = rows(run("score", "s", written, "--json"))
    assert (row["value"], type(row["value"])) == (value, type(value))


def test_several_values_are_given_at_once_with_all_that_goes_with_them(run: Any) -> None:
    options = ["--source", "evaluator", "--author", "ann", "--comment", "why", "--metadata", "run=17"]
    found = rows(run("score", "s", "a=1", "b=2", *options, "--json"))
    assert [(row["name"], row["author"], row["comment"], row["metadata"], row["source"]) for row in found] == [
        (name, "ann", "why", {"run": "17"}, "evaluator") for name in ("a", "b")
    ]
    assert [row["name"] for row in rows(run("score", "s", "--author", "ann", "--name", "a", "--json"))] == ["a"]


def test_the_same_again_changes_nothing_and_another_is_refused(run: Any) -> None:
    first = rows(run("score", "s", "a=1", "--id", "x", "--json"))
    assert rows(run("score", "s", "a=1", "--id", "x", "--json")) == first
    other = run("score", "s", "a=2", "--id", "x")
    assert (other.exit_code, other.stdout) == (1, "")
    assert other.stderr == "sessiond: another score is stored under the id 'x'; update it, or give another id\n"


def test_what_was_stored_is_told_though_a_later_one_is_refused(run: Any) -> None:
    result = run("score", "s", "a=1", f"{'b' * 2000}=1", "--json")
    assert result.exit_code == 2
    assert [json.loads(line)["name"] for line in result.stdout.splitlines()] == ["a"]
    assert "a: stored; give only the others again" in result.stderr
    assert len(result.stderr) < 1000


def test_a_score_is_updated_and_deleted(run: Any) -> None:
    rows(run("score", "s", "a=1", "--id", "x", "--json"))
    (row,) = rows(run("score", "--update", "x", "--value", "good", "--comment", "new", "--json"))
    assert (row["value"], row["comment"], row["author"]) == ("good", "new", "")
    assert run("score", "--delete", "x").stdout == "the score x is deleted\n"
    assert run("score", "--delete", "x").stderr == "sessiond: there is no score 'x'\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["score", "s", "a"], "'a' is not NAME=VALUE"),
        (["score", "s", "=1"], "is not NAME=VALUE"),
        *(
            (["score", "s", f"a={value}"], "is no value: write a number such as 0.5")
            for value in (".5", "+3", "nan", "NaN", "TRUE")
        ),
        (["score", TRACE[1:], "a=1"], "is nearly a trace's id"),
        (["annotate", f"{TRACE}/zz", "hi"], "is nearly a trace's id"),
        (["score", "s", "a=1", "b=2", "--id", "x"], "--id is for one NAME=VALUE"),
        (["score", "s", "a=1", "--metadata", "x"], "is not KEY=VALUE"),
        (["score", "s", "--value", "1"], "--value does not go with a list of scores"),
        (["score", "s", "--delete", "x"], "[TARGET] does not go with --delete"),
        (["score", "--update", "x"], "--update wants something to change"),
        (["score", TRACE, "a=1", "--project", "p"], "--project goes with a session"),
        (["score", "s", "a=1", "--limit", "5"], "--limit does not go with NAME=VALUE"),
        (["annotate", "s", "hi", "--text", "x"], "--text does not go with TEXT"),
        (["annotate", "s", "hi", "--characters", "5"], "'5' is not BEGIN:END"),
        (["annotate", "s", "hi", "--characters", "0:99999999999"], "'0:99999999999' is not BEGIN:END"),
        (["annotate", "s", "hi", "--characters", f"0:{'9' * 5000}"], "is not BEGIN:END"),
        (["annotate", "s", "hi", "--message", "4294967296"], "4294967296 is not in the range"),
        (["annotate", "--update", "x"], "--update wants something to change"),
        (["annotate", "--tag", "a", "--tag", "b"], "a list takes one --tag"),
        (["annotate", "--delete", "x", "--own"], "--own does not go with --delete"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_asked(run: Any, arguments: list[str], words: str) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr


def test_a_file_is_imported_and_each_bad_line_told_at_its_place(run: Any, tmp_path: Path) -> None:
    file = tmp_path / "scores.jsonl"
    lines = [
        json.dumps({"session_id": "s", "name": "a", "value": 1}),
        "oops",
        "",
        json.dumps({"session_id": "s", "name": "a", "value": 1}),
        json.dumps({"trace_id": "zz", "name": "a", "value": 1}),
        json.dumps({"trace_id": TRACE, "span_id": SPAN, "name": "b", "value": True, "source": "evaluator", "score_id": "x"}),
        json.dumps({"trace_id": TRACE, "name": "c", "value": 1, "score_id": "x"}),
    ]
    file.write_bytes("\n".join(lines).encode() + b"\n\xff\n")
    result = run("score", "--import", str(file))
    assert (result.exit_code, result.stdout) == (1, "3 scores imported, 4 lines left out\n")
    assert [line.partition(f"{file}:")[2].partition(";")[0] for line in result.stderr.splitlines()] == [
        "2: is no JSON: Expecting value: line 1 column 1 (char 0)",
        "8: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
        "5: trace_id: 'zz' must be 32 hexadecimal digits",
        "7: another score is stored under the id 'x'",
    ]
    again = run("score", "--import", str(file), "--json")
    assert [json.loads(line)["line"] for line in again.stdout.splitlines()] == [2, 8, 5, 7]
    assert again.stderr == "0 scores imported, 3 stored already, 4 lines left out\n"
    assert len(rows(run("score", "--json"))) == 3


def test_what_is_listed_can_be_imported_elsewhere(run: Any, tmp_path: Path) -> None:
    rows(run("score", "s", "a=1", "b=bad", "c=true", "--comment", "why", "--json"))
    listed = run("score", "--json")
    with parts(tmp_path / "other") as other:
        file = tmp_path / "scores.jsonl"
        file.write_text(listed.stdout)
        imported = CliRunner().invoke(main, ["score", "--import", str(file), "--endpoint", other.query.address])
        assert (imported.exit_code, imported.stdout) == (0, "3 scores imported\n")
        assert CliRunner().invoke(main, ["score", "--json", "--endpoint", other.query.address]).stdout == listed.stdout


def test_an_import_that_breaks_says_that_it_can_be_done_again(running: Parts, run: Any, tmp_path: Path) -> None:
    file = tmp_path / "scores.jsonl"
    file.write_text("\n".join(json.dumps({"session_id": "s", "name": "a", "value": number}) for number in range(2000)))
    running.writer.stop()
    result = run("score", "--import", str(file))
    assert result.exit_code == 1
    assert "0 scores stored so far; import the file again: what is stored is not stored twice" in result.stderr


def test_annotations_are_written_listed_changed_and_deleted(run: Any) -> None:
    place = ["--span", SPAN, "--message", "1", "--characters", "0:4"]
    (note,) = rows(run("annotate", TRACE, "why?", "--id", "n", "--tag", "x", "--tag", "y", "--author", "ann", *place, "--json"))
    assert note["anchor"] == {"trace_id": "", "span_id": SPAN, "message_index": 1, "begin": 0, "end": 4}
    assert (note["text"], note["tags"], note["author"], note["session_id"]) == ("why?", ["x", "y"], "ann", None)
    rows(run("annotate", "s", "fine", "--json"))
    assert [row["text"] for row in rows(run("annotate", "s", "--json"))] == ["fine", "why?"]
    assert [row["text"] for row in rows(run("annotate", "--tag", "x", "--json"))] == ["why?"]
    assert [row["text"] for row in rows(run("annotate", "s", "--own", "--json"))] == ["fine"]
    (changed,) = rows(run("annotate", "--update", "n", "--text", "because", "--json"))
    assert (changed["text"], changed["tags"], changed["anchor"]["end"]) == ("because", ["x", "y"], 4)
    assert run("annotate", "--delete", "n").exit_code == 0
    assert run("annotate", "--delete", "n").stderr == "sessiond: there is no annotation 'n'\n"


def test_there_is_a_word_for_nothing(run: Any) -> None:
    assert run("score").stderr.startswith("No scores yet. `sessiond score SESSION helpful=0.8`")
    assert run("annotate").stderr.startswith("No annotations yet.")
    assert run("score", "s").stderr.startswith("No score matches")


def test_sessions_and_traces_show_what_was_said(running: Parts, run: Any) -> None:
    rows(run("score", "s", "helpful=0.5", "verdict=bad", "--json"))
    rows(run("score", TRACE, "helpful=1", "verdict=good", "--json"))
    rows(run("annotate", TRACE, "why?\x1b[2J", "--author", "ann", "--json"))
    with Sender(running.receiver.address) as sender:
        sender.export(request(span(trace=2, id=1, session="s")))
    session = run("session", "s").stdout
    assert "scores           helpful 0.75 (2) [1 stale], verdict bad 1 good 1 [1 stale]\n" in session
    assert "annotations      1\n" in session
    assert r"why?\x1b[2J" in session
    assert "helpful 1, verdict good 1" in session
    trace = run("trace", TRACE).stdout
    assert "scores           helpful 1, verdict good 1\n" in trace
    assert r"why?\x1b[2J" in trace
    table = run("sessions", "--filter", "scores.helpful > 0.5").stdout.splitlines()
    assert table[0].split()[-2:] == ["SCORES", "NOTES"]
    assert table[1].endswith("helpful 0.75 (2) [1 stale], verdict bad 1 good 1 [1 stale]      1")
    assert "VALUE" in run("score", "s").stdout
    assert "0.5 (stale)" in run("score", "s", "--own").stdout


def test_where_nobody_looks_the_longest_comment_and_note_stand_whole_on_one_line(run: Any) -> None:
    comment, note = "c" * 10_000, " n" * 5000
    score = run("score", "s", "a=1", "--id", "x", "--author", "ann", "--comment", comment)
    assert [line.split()[2:] for line in score.stdout.splitlines()[1:]] == [["s", "a", "1", "human", "ann", comment, "x"]]
    rows(run("annotate", "s", note, "--id", "n", "--author", "ann", "--tag", "t", "--json"))
    rows(run("annotate", "s", "short", "--id", "m", "--json"))
    lines = run("session", "s").stdout.splitlines()
    listed = lines[lines.index("") + 1 :][:3]
    assert [line.split()[2:] for line in listed] == [
        ["NOTE", "PLACE", "AUTHOR", "TAGS", "ID"],
        ["s", "short", "-", "-", "-", "m"],
        ["s", *note.split(), "-", "ann", "t", "n"],
    ]


def test_without_feedback_no_column_tells_of_it(run: Any) -> None:
    assert "SCORES" not in run("sessions").stdout
    assert "NOTES" not in run("traces").stdout
