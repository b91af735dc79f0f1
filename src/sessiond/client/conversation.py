"""Conversation: a session with its turns and what was said in them, gathered from a stream."""

from typing import NamedTuple

from sessiond.wire._pb.v1 import session_service_pb2 as pb
from sessiond.wire._pb.v1.conversation_pb2 import Finding, TranscriptEntry, TurnFigures
from sessiond.wire._pb.v1.resources_pb2 import Session, Trace


class Conversation(NamedTuple):
    """A session, its traces in order of start, how each of them stands to the others, what went wrong, and what was said."""

    session: Session
    traces: list[Trace]
    turns: list[TurnFigures]
    """One for each of `traces`, in their order."""
    findings: list[Finding]
    transcript: list[TranscriptEntry]
    """Empty where it was not asked for."""

    @classmethod
    def empty(cls) -> "Conversation":
        return cls(Session(), [], [], [], [])

    def add(self, answer: pb.GetSessionResponse) -> None:
        """Take the next message of the stream."""
        if answer.HasField("session"):
            self.session.CopyFrom(answer.session)
        self.traces.extend(answer.traces)
        self.turns.extend(answer.turns)
        self.findings.extend(answer.findings)
        self.transcript.extend(answer.transcript)


def request(session_id: str, project: str, *, transcript: bool) -> pb.GetSessionRequest:
    """The request that is answered with a conversation."""
    view = pb.SESSION_VIEW_FULL if transcript else pb.SESSION_VIEW_TURNS
    return pb.GetSessionRequest(project=project, session_id=session_id, view=view)
