"""GetSession's views through a real port."""

from builders import request, span, trace_id
from daemon import Asker, Sender
from sessiond.server.sessions import MESSAGE_BYTES
from sessiond.wire._pb.v1 import session_service_pb2 as pb
from sessiond.wire._pb.v1.conversation_pb2 import Finding, TranscriptEntry
from told import calls, chat, messages, result, tool

WEATHER, SUNNY = ("user", "What is the weather in Lisbon?"), ("assistant", "Sunny, 21 degrees.")
LOOKED = calls(("c1", "get_weather", "{}"), text="Let me look.")


def answers(asker: Asker, view: "pb.SessionView") -> list[pb.GetSessionResponse]:
    return list(asker.api.GetSession(pb.GetSessionRequest(session_id="s", view=view), timeout=20))


def talk(sender: Sender) -> None:
    """Two turns: a tool that fails, and the question again."""
    sender.export(
        request(
            span(trace=1, id=1, session="s", operation="invoke_agent", end_ms=300),
            chat((WEATHER,), (LOOKED,), trace=1, parent=1, start_ms=10),
            tool("get_weather", trace=1, parent=1, start_ms=50, error="timed out"),
            tool("get_weather", trace=1, parent=1, start_ms=70, error="timed out"),
            chat((WEATHER, LOOKED, result("no answer", "c1")), (SUNNY,), trace=1, parent=1, start_ms=100),
            span(trace=2, id=1, session="s", start_ms=400, error="gone", input__value="What's the weather like in Lisbon?"),
        )
    )


def test_the_basic_view_is_the_session_and_its_traces(sender: Sender, asker: Asker) -> None:
    talk(sender)
    basic = answers(asker, pb.SESSION_VIEW_BASIC)
    assert basic == answers(asker, pb.SESSION_VIEW_UNSPECIFIED)
    assert [len(one.traces) for one in basic] == [0, 2]


def test_the_view_of_turns_tells_how_they_went(sender: Sender, asker: Asker) -> None:
    talk(sender)
    told = answers(asker, pb.SESSION_VIEW_TURNS)
    assert not any(one.transcript for one in told)
    assert [turn.trace_id for one in told for turn in one.turns] == [trace_id(1).hex(), trace_id(2).hex()]
    findings = [(one.kind, list(one.trace_ids), one.times, one.tool, one.detail) for some in told for one in some.findings]
    assert findings == [
        (Finding.KIND_FIRST_FAILURE, [trace_id(1).hex()], 2, "", "timed out"),
        (Finding.KIND_TOOL_ERRORS, [trace_id(1).hex()], 2, "get_weather", "timed out"),
        (Finding.KIND_ASKED_AGAIN, [trace_id(1).hex()], 1, "", ""),
    ]


def test_the_full_view_tells_what_was_said_between_traces_and_turns(sender: Sender, asker: Asker) -> None:
    talk(sender)
    told = answers(asker, pb.SESSION_VIEW_FULL)
    assert [kind for one in told for kind, value in one.ListFields() for kind in [kind.name]] == [
        "session",
        "traces",
        "transcript",
        "turns",
        "findings",
    ]
    entries = [entry for one in told for entry in one.transcript]
    assert [(entry.role, entry.text, [use.result for use in entry.tool_uses]) for entry in entries] == [
        (TranscriptEntry.ROLE_USER, WEATHER[1], []),
        (TranscriptEntry.ROLE_ASSISTANT, "Let me look.", ["no answer"]),
        (TranscriptEntry.ROLE_TOOL, "", [""]),
        (TranscriptEntry.ROLE_ASSISTANT, SUNNY[1], []),
        (TranscriptEntry.ROLE_USER, "What's the weather like in Lisbon?", []),
    ]


def test_long_transcripts_come_in_messages_that_every_client_takes(sender: Sender, asker: Asker) -> None:
    for turn in range(1, 9):
        said = {"gen_ai.input.messages": messages(("user", f"{turn} " + "word " * 60_000))}
        sender.export(request(span(trace=turn, id=1, session="s", start_ms=turn * 100, operation="chat", **said)))
    told = [one for one in answers(asker, pb.SESSION_VIEW_FULL) if one.transcript]
    assert sum(len(one.transcript) for one in told) == 8
    assert len(told) > 1
    assert max(one.ByteSize() for one in told) <= MESSAGE_BYTES + 64


def test_a_view_that_is_none_is_refused(sender: Sender, asker: Asker, refusal) -> None:
    talk(sender)
    with refusal() as said:
        answers(asker, 77)
    assert (said.refusal.code, said.refusal.field) == ("INVALID_ARGUMENT", "view")
