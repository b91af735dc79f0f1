"""Messages of a conversation: every field, and none larger than a client takes."""

from sessiond.core.conversation.entry import Entry, ToolUse
from sessiond.core.turns.figures import TurnFigures
from sessiond.core.turns.findings import Finding
from sessiond.server.sessions import MESSAGE_BYTES
from sessiond.wire._pb.v1 import conversation_pb2 as pb
from sessiond.wire.conversation import TEXT_BYTES_MAX, entry_messages, figures_message, finding_message

TRACE, SPAN = bytes(15) + b"\x01", bytes(7) + b"\x02"
ENTRY = Entry("assistant", "Hi!", (), TRACE, SPAN, came_out=True)


def test_an_entry_says_all_that_is_known():
    use = ToolUse("c1", "search", '{"q": 1}', "found", "late", SPAN)
    (message,) = entry_messages(ENTRY._replace(tool_uses=(use,), depth=2, agent="helper", turn_id=SPAN * 2))
    assert message == pb.TranscriptEntry(
        role=pb.TranscriptEntry.ROLE_ASSISTANT,
        text="Hi!",
        text_length=3,
        tool_uses=[
            pb.ToolUse(
                call_id="c1",
                name="search",
                arguments='{"q": 1}',
                arguments_length=8,
                result="found",
                result_length=5,
                error="late",
                span_id="0000000000000002",
            )
        ],
        trace_id=f"{1:032x}",
        span_id="0000000000000002",
        depth=2,
        agent="helper",
        came_out=True,
        turn_trace_id="00000000000000020000000000000002",
    )


def test_what_is_not_told_is_absent():
    (message,) = entry_messages(ENTRY._replace(tool_uses=(ToolUse(None, "search", ""),)))
    (use,) = message.tool_uses
    assert not any(use.HasField(field) for field in ("call_id", "result", "error"))
    assert (use.span_id, message.HasField("agent"), message.turn_trace_id) == ("", False, message.trace_id)


def test_a_long_text_is_cut_between_characters_and_tells_its_length():
    (message,) = entry_messages(ENTRY._replace(text="é" * TEXT_BYTES_MAX))
    assert (message.text, message.text_length) == ("é" * (TEXT_BYTES_MAX // 2), TEXT_BYTES_MAX)


def test_no_message_is_larger_than_a_message_may_be():
    use = ToolUse("i" * 5000, "n" * 10**6, "🦊" * 10**5, "🦊" * 10**6, "e" * 10**6)
    messages = list(entry_messages(ENTRY._replace(text="🦊" * 10**6, tool_uses=(use,) * 20, agent="a" * 10**6)))
    assert sum(len(one.tool_uses) for one in messages) == 20
    assert [bool(one.text) for one in messages] == [True] + [False] * (len(messages) - 1)
    assert max(one.ByteSize() for one in messages) < MESSAGE_BYTES


def test_figures_that_are_not_known_are_absent():
    assert figures_message(TurnFigures(TRACE, cost_ratio=0.5, prompt_tokens=0)) == pb.TurnFigures(
        trace_id=TRACE.hex(), cost_ratio=0.5, prompt_tokens=0
    )
    assert figures_message(TurnFigures(TRACE, is_cut=True, asked_again=True)) == pb.TurnFigures(
        trace_id=TRACE.hex(), cut=True, asked_again=True
    )


def test_a_finding_names_its_turns():
    assert finding_message(Finding("loop", (TRACE,), 3, "search", "{}")) == pb.Finding(
        kind=pb.Finding.KIND_LOOP, trace_ids=[TRACE.hex()], times=3, tool="search", detail="{}"
    )
