"""`sessiond session`: its turns against each other, what went wrong, and with --messages what was said."""

import json

from rich.text import Text

from client.canned import MOMENT, Canned, session, trace
from sessiond.cli.output import Layout, drawn
from sessiond.cli.render import Indented
from sessiond.cli.transcript import TEXT_LENGTH_MAX
from sessiond.wire._pb.v1 import session_service_pb2 as pb
from sessiond.wire._pb.v1.conversation_pb2 import Finding, ToolUse, TranscriptEntry, TurnFigures
from sessiond.wire._pb.v1.resources_pb2 import STATUS_ERROR
from sessiond.wire.conversation import TEXT_BYTES_MAX, TOOL_BYTES_MAX

A, B = "a" * 32, "b" * 32
ROLE = TranscriptEntry


def entry(role: int, text: str, turn: str = A, **fields: object) -> TranscriptEntry:
    return TranscriptEntry(role=role, text=text, text_length=len(text), trace_id=turn, turn_trace_id=turn, **fields)


def canned(*said: TranscriptEntry, **more: object) -> Canned:
    failed = trace(B, status=STATUS_ERROR, error_type="Timeout", error_message="took too long", duration_ms=3000)
    return Canned([session("s")], [trace(A, models=["gpt-5"]), failed], transcript=said, **more)


def told(result) -> list[str]:
    """What is below the block of facts."""
    lines = result.stdout.splitlines()
    return lines[lines.index("") + 1 :]


def test_figures_far_above_the_median_are_marked_and_prompts_show_how_they_grew(run):
    turns = [
        TurnFigures(trace_id=A, duration_ratio=1.9, prompt_tokens=100),
        TurnFigures(trace_id=B, duration_ratio=4.25, prompt_tokens=1300, prompt_growth_tokens=1200),
    ]
    header, first, second = told(run(canned(turns=turns), "session", "s"))
    assert header.split()[:4] == ["TURN", "STARTED", "TRACE", "NAME"]
    assert " x" not in first
    assert "3.0 s x4.2" in second
    assert "1,300 +1,200  Timeout" in second


def test_what_went_wrong_is_told_in_sentences(run):
    findings = [
        Finding(kind=Finding.KIND_FIRST_FAILURE, trace_ids=[B], times=1, detail="took\ntoo long"),
        Finding(kind=Finding.KIND_FIRST_FAILURE, trace_ids=[A], times=2),
        Finding(kind=Finding.KIND_TOOL_ERRORS, trace_ids=[A, B], times=3, tool="search", detail="x" * 200),
        Finding(kind=Finding.KIND_LOOP, trace_ids=[A], times=4, tool="poll", detail="{}"),
        Finding(kind=Finding.KIND_CALL_AGAIN, trace_ids=[A, B], times=2, tool="poll", detail="{}"),
        Finding(kind=Finding.KIND_ASKED_AGAIN, trace_ids=[A], times=1),
        Finding(kind=Finding.KIND_PROMPT_GROWTH, trace_ids=[B], times=12_000),
        Finding(kind=99, trace_ids=[B]),
        Finding(kind=Finding.KIND_LOOP, trace_ids=["c" * 32]),
    ]
    lines = told(run(canned(findings=findings), "session", "s"))
    assert lines[lines.index("what went wrong") + 1 :] == [
        "- turn 2 failed: took too long",
        "- turn 1 is the first of 2 that failed",
        f"- search failed 3 times in turns 1, 2: {'x' * 120}...",
        "- poll was called 4 times with the same arguments in turn 1: {}",
        "- poll was called 2 times with the same arguments in turns 1, 2: {}",
        "- after turn 1 the user asked the same again",
        "- the prompt grew to 12,000 tokens in turn 2",
    ]


def test_a_conversation_reads_turn_by_turn(run):
    use = ToolUse(name="get_weather", arguments='{"city": "Lisbon"}', arguments_length=18, result="sun\nny", result_length=6)
    failed = ToolUse(name="search", error="timed out")
    said = [
        entry(ROLE.ROLE_SYSTEM, "Be terse.", agent="bot"),
        entry(ROLE.ROLE_USER, "Hello\n\tthere", agent="bot"),
        entry(ROLE.ROLE_ASSISTANT, "Let me look.", agent="bot", tool_uses=[use, failed]),
        entry(ROLE.ROLE_USER, "Look it up.", depth=1, agent="helper"),
        entry(ROLE.ROLE_ASSISTANT, "Sunny.", agent="bot"),
    ]
    result = run(canned(*said), "session", "s", "--messages")
    assert told(result) == [
        f"turn 1  2026-01-01 00:00:00 UTC  0 ms  - / - tokens  -  gpt-5  {A}",
        "system",
        "    Be terse.",
        "user",
        "    Hello",
        "        there",
        "assistant",
        "    Let me look.",
        '    > get_weather {"city": "Lisbon"}',
        "    < sun",
        "      ny",
        "    > search",
        "    ! timed out",
        "    user  helper",
        "        Look it up.",
        "assistant  bot",
        "    Sunny.",
        "",
        f"turn 2  2026-01-01 00:00:00 UTC  3.0 s  - / - tokens  -  {B}  failed",
        "    no text was sent",
        "    ! took too long",
    ]


def test_the_typography_of_a_text_is_shown_as_it_came_and_lines_end_only_where_it_breaks_them(run):
    said = "Combien\xa0? 10\u202f000\xa0€\r\n日本語\u3000テスト\rمی\u200cشود\u2028👩\u200d💻\x0c"
    lines = told(run(canned(entry(ROLE.ROLE_USER, said)), "session", "s", "--messages"))
    assert lines[1:5] == [
        "user",
        "    Combien\xa0? 10\u202f000\xa0€",
        "    日本語\u3000テスト",
        "    می\u200cشود\\u2028👩\u200d💻\\x0c",
    ]


def test_input_errors_and_findings_on_one_line_keep_their_spaces(run):
    said = "Combien\xa0?\n10\u202f000\xa0€"
    findings = [Finding(kind=Finding.KIND_FIRST_FAILURE, trace_ids=[B], times=1, detail=said)]
    asked = canned(findings=findings)
    asked.sessions[0].input = said
    lines = run(asked, "session", "s").stdout.splitlines()
    assert "input            Combien\xa0? 10\u202f000\xa0€" in lines
    assert lines[-1] == "- turn 2 failed: Combien\xa0? 10\u202f000\xa0€"


def test_long_texts_end_with_their_length_unless_all_is_wanted(run):
    said = [entry(ROLE.ROLE_USER, "x" * (TEXT_LENGTH_MAX + 234))]
    short = run(canned(*said), "session", "s", "--messages").stdout
    assert f"    {'x' * TEXT_LENGTH_MAX}... (1,234 characters; --full shows more)\n" in short
    assert f"    {'x' * 1234}\n" in run(canned(*said), "session", "s", "--messages", "--full").stdout


def test_what_the_api_leaves_out_of_a_text_is_told_with_the_command_that_has_it(run):
    use = ToolUse(name="f", arguments="{}", arguments_length=70_002, result="r", result_length=2)
    cut = TranscriptEntry(role=ROLE.ROLE_USER, text="abc", text_length=2_000_003, trace_id=B, turn_trace_id=A, tool_uses=[use])
    has_all = f"of them not shown; sessiond export spans - --filter trace_id={B} has all)"
    assert told(run(canned(cut), "session", "s", "--messages", "--full"))[2:5] == [
        f"    abc... (2,000,003 characters, 2,000,000 {has_all}",
        f"    > f {{}}... (70,002 characters, 70,000 {has_all}",
        f"    < r... (2 characters, 1 {has_all}",
    ]
    told_by_help = " ".join(run(canned(), "session", "--help").stdout.split())
    assert f"up to {TEXT_BYTES_MAX >> 10} KiB, arguments and results up to {TOOL_BYTES_MAX >> 10} KiB" in told_by_help


def test_where_nobody_looks_a_line_of_a_text_stays_one_line_whatever_its_length(run):
    said = [entry(ROLE.ROLE_USER, "word " * 20_000 + "\nend")]
    lines = told(run(canned(*said), "session", "s", "--messages", "--full"))
    assert lines[1:4] == ["user", f"    {'word ' * 20_000}".rstrip(), "    end"]


def test_a_text_on_a_terminal_goes_on_below_its_beginning():
    lines = drawn(Indented(Text("one two three"), 4), Layout(11, is_terminal=True)).splitlines()
    assert lines == ["    one two", "    three"]


def test_full_alone_is_refused(run):
    result = run(canned(), "session", "s", "--full")
    assert (result.exit_code, "--full is for --messages" in result.stderr) == (2, True)


def test_json_of_messages_is_one_line_each(run):
    result = run(canned(entry(ROLE.ROLE_USER, "Hi"), entry(ROLE.ROLE_TOOL, "", B)), "session", "s", "--messages", "--json")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(row["role"], row["text"], row["turn_trace_id"], row["agent"]) for row in rows] == [
        ("user", "Hi", A, None),
        ("tool", "", B, None),
    ]


def test_a_limit_holds_for_turns(run):
    for more in ([], ["--json"], ["--messages"], ["--messages", "--json"]):
        result = run(canned(entry(ROLE.ROLE_USER, "Hi"), entry(ROLE.ROLE_USER, "last", B)), "session", "s", "--limit", "1", *more)
        assert B not in result.stdout
        assert result.stderr == "1 shown; --limit N for more\n"


def test_an_older_daemon_that_tells_no_figures_is_enough(run):
    asked = canned()
    assert run(asked, "session", "s").exit_code == 0
    assert asked.asked == [pb.GetSessionRequest(session_id="s", view=pb.SESSION_VIEW_TURNS)]


def test_what_somebody_said_never_steers_the_terminal(run):
    hostile = "\x1b[31m\x07\x9b\u202e[bold]x[/bold]"
    use = ToolUse(name=hostile, arguments=hostile, arguments_length=9, result=hostile, result_length=9, error=hostile)
    said = canned(entry(ROLE.ROLE_USER, hostile, agent=hostile, tool_uses=[use]))
    said.traces = [trace(A, start_time=MOMENT, error_message=hostile)]
    output = run(said, "session", "s", "--messages").output
    assert all(letter.isprintable() or letter == "\n" for letter in output)
    assert output.count("[bold]x[/bold]") == 5
