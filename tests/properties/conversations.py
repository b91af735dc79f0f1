"""Generated conversations, and what their maker knows of them: the truth that figures are held against."""

from dataclasses import dataclass, field

from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from builders import span, span_id

SESSIONS = ("alpha", "beta", "a" * 600)
USERS = ("ann", "bob", "Ω-user")
CALL_TOKENS = st.integers(min_value=0, max_value=10_000)


@dataclass
class Turn:
    """One trace as its maker sees it."""

    number: int
    spans: list[Span] = field(default_factory=list)
    session: str | None = None
    user: str | None = None
    calls: int = 0
    tools: int = 0
    errors: int = 0
    tokens_in: int = 0
    tokens_out: int = 0

    def add(self, **values: object) -> int:
        """Add a span; its id."""
        number = len(self.spans) + 1
        self.spans.append(span(trace=self.number, id=number, start_ms=number, end_ms=1000 + number, **values))
        self.errors += values.get("error") is not None
        return number


@st.composite
def turns(draw: st.DrawFn, number: int) -> Turn:
    """A turn: a root, model calls told of in the ways emitters tell of them, tools, and ids anywhere."""
    turn = Turn(number)
    root = turn.add(name="turn", operation=draw(st.sampled_from(["invoke_agent", None])))
    for _ in range(draw(st.integers(0, 4))):
        parent = draw(st.integers(1, len(turn.spans)))
        draw(st.sampled_from([_call, _restated_call, _call_told_twice, _tool, _failed_call]))(draw, turn, parent)
    if turn.calls == 0 and draw(st.booleans()):
        _report_alone(draw, turn, root)
    _bind(draw, turn)
    return turn


def _tokens(draw: st.DrawFn, turn: Turn) -> dict[str, int]:
    tokens = {"tokens_in": draw(CALL_TOKENS), "tokens_out": draw(CALL_TOKENS)}
    turn.tokens_in += tokens["tokens_in"]
    turn.tokens_out += tokens["tokens_out"]
    return tokens


def _call(draw: st.DrawFn, turn: Turn, parent: int) -> None:
    turn.calls += 1
    turn.add(parent=_above_generations(turn, parent), operation="chat", model="m-1", **_tokens(draw, turn))


def _restated_call(draw: st.DrawFn, turn: Turn, parent: int) -> None:
    """An agent span that says again what the call below it used."""
    turn.calls += 1
    tokens = _tokens(draw, turn)
    agent = turn.add(parent=_above_generations(turn, parent), operation="invoke_agent", **tokens)
    turn.add(parent=agent, operation="chat", model="m-2", **tokens)


def _call_told_twice(draw: st.DrawFn, turn: Turn, parent: int) -> None:
    """Two instrumentations tell of one call: as parent and child, or side by side under one response id."""
    turn.calls += 1
    tokens = _tokens(draw, turn)
    above = _above_generations(turn, parent)
    nested = draw(st.booleans())
    response_id = None if nested else f"response-{turn.number}-{len(turn.spans)}"
    first = turn.add(parent=above, operation="chat", model="m-3", response_id=response_id, **tokens)
    turn.add(parent=first if nested else above, operation="chat", model="m-3", response_id=response_id, **tokens)


def _failed_call(draw: st.DrawFn, turn: Turn, parent: int) -> None:
    turn.calls += 1
    turn.add(
        parent=_above_generations(turn, parent), operation="chat", model="m-1", error=draw(st.sampled_from(["500", "timeout"]))
    )


def _tool(draw: st.DrawFn, turn: Turn, parent: int) -> None:
    turn.tools += 1
    turn.add(parent=parent, operation="execute_tool", name=f"execute_tool {draw(st.sampled_from(['search', 'weather']))}")


def _report_alone(draw: st.DrawFn, turn: Turn, root: int) -> None:
    turn.add(parent=root, operation="invoke_agent", **_tokens(draw, turn))


def _above_generations(turn: Turn, parent: int) -> int:
    """A parent that is no model call: a call below a call would be the same call."""
    for built in turn.spans[parent - 1 :: -1]:
        if not any(kv.key == "gen_ai.operation.name" and kv.value.string_value == "chat" for kv in built.attributes):
            return int.from_bytes(built.span_id, "big")
    return 1


def _bind(draw: st.DrawFn, turn: Turn) -> None:
    """Put the session and the user on some of the spans; a conversation id on others, which is a weaker key."""
    everywhere = st.lists(st.sampled_from(turn.spans), unique_by=lambda built: built.span_id, max_size=len(turn.spans))
    weak = draw(st.sampled_from([None, "thread-1", "thread-2"]))
    strong = draw(st.sampled_from([None, *SESSIONS]))
    user = draw(st.sampled_from([None, *USERS]))
    for key, value in (("gen_ai.conversation.id", weak), ("session.id", strong), ("user.id", user)):
        chosen = draw(everywhere) if value is not None else []
        for built in chosen:
            built.attributes.add(key=key).value.string_value = value or ""
        if chosen and key == "user.id":
            turn.user = value
        elif chosen:
            turn.session = value  # the strong key comes last, and wins


@st.composite
def conversations(draw: st.DrawFn) -> list[Turn]:
    """Some turns, each a trace of its own."""
    return [draw(turns(number)) for number in range(1, draw(st.integers(1, 5)) + 1)]


def unfinished(built: Span) -> Span:
    """The version of a span that an emitter sends when it starts: no end, no figures."""
    early = Span()
    early.CopyFrom(built)
    early.end_time_unix_nano = 0
    del early.attributes[:]
    early.ClearField("status")
    assert early.span_id != span_id(0)
    return early


@st.composite
def deliveries(draw: st.DrawFn, told: list[Turn]) -> list[list[Span]]:
    """The spans as they may come: in any order and any batches, some twice, some first unfinished or so too late."""
    spans = [built for turn in told for built in turn.spans]
    again = draw(st.lists(st.sampled_from(spans), max_size=8))
    early = [unfinished(built) for built in draw(st.lists(st.sampled_from(spans), max_size=4))]
    shuffled = draw(st.permutations([*spans, *again, *early]))
    cuts = sorted(draw(st.sets(st.integers(1, len(shuffled)), max_size=6)))
    return [shuffled[start:end] for start, end in zip([0, *cuts], [*cuts, len(shuffled)], strict=True) if start < end]
