"""Generated conversations, and what their maker knows of them: the truth that figures are held against."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from builders import MS, span, span_id
from sessiond.core.model import Costs, Text, Texts, Usage

SESSIONS = ("alpha", "beta", "a" * 600)
USERS = ("ann", "bob", "Ω-user")
CALL_TOKENS = st.integers(min_value=0, max_value=10_000)
LIST_PRICES = {"gpt-4o-mini": (150, 600), "gpt-4.1-mini": (400, 1600)}
"""Nano-dollars for a token of input and of output."""
TAGS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=2, unique=True)
METADATA = st.dictionaries(st.sampled_from(["plan", "region"]), st.sampled_from(["1", "2", "3"]), max_size=2)
SAID = st.sampled_from(["", "Hi", "Wie geht es, Ω?", "word " * 300 + "end"])


class Bill(NamedTuple):
    """What one call used and cost. `failed` ones used nothing."""

    tokens: tuple[int, int] | None = None
    reported_nano: int | None = None
    list_price: tuple[int, int] | None = None


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
    bills: list[Bill] = field(default_factory=list)
    first_tokens_ms: list[int] = field(default_factory=list)
    """After the clock's start, as spans start."""
    tags: dict[str, None] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    """By whoever speaks with the user, best first."""
    answered: list[str] = field(default_factory=list)
    """The latest last; what the root says counts alone."""
    root_answer: str = ""

    def add(self, **values: Any) -> int:
        """Add a span; its id, which is also when it starts."""
        number = len(self.spans) + 1
        self.spans.append(span(trace=self.number, id=number, start_ms=number, end_ms=1000 + number, **values))
        self.errors += values.get("error") is not None
        self.tags.update(dict.fromkeys(values.get("tags", ())))
        self.metadata.update(json.loads(values.get("metadata", "{}")))
        return number

    @property
    def ttft_nano(self) -> int | None:
        return (min(self.first_tokens_ms) - 1) * MS if self.first_tokens_ms else None

    @property
    def texts(self) -> Texts:
        asked, answered = next(iter(self.asked), ""), self.root_answer or next(reversed(self.answered), "")
        return Texts(*(Text(text[:1000], len(text)) if text else None for text in (asked, answered)))


def usage_of(bills: Sequence[Bill]) -> Usage:
    """Tokens of some calls together: none of no call, not known of calls that tell of none."""
    if not bills:
        return Usage(0, 0, 0, 0, 0)
    tokens = [bill.tokens for bill in bills if bill.tokens is not None]
    return Usage(*map(sum, zip(*tokens, strict=True))) if tokens else Usage()


def costs_of(bills: Sequence[Bill]) -> Costs:
    """Costs of some calls together."""
    if not bills:
        return Costs(0, 0, 0, 0, 0, 0)
    reported = [bill.reported_nano for bill in bills if bill.reported_nano is not None]
    sides = [
        (bill.tokens[0] * bill.list_price[0], bill.tokens[1] * bill.list_price[1])
        for bill in bills
        if bill.tokens and bill.list_price and bill.reported_nano is None
    ]
    unpriced = sum(bill.tokens is not None for bill in bills) - len(reported) - len(sides)
    if not reported and not sides:
        return Costs(unpriced_call_count=unpriced)
    estimated = sum(map(sum, sides))
    in_and_out = map(sum, zip(*sides, strict=True)) if sides else (None, None)
    return Costs(sum(reported) + estimated, *in_and_out, sum(reported), estimated, unpriced)


@st.composite
def turns(draw: st.DrawFn, number: int) -> Turn:
    """A turn: a root, model calls told of in the ways emitters tell of them, tools, and ids anywhere."""
    turn = Turn(number)
    asked, turn.root_answer = draw(SAID), draw(SAID)
    said = {"input.value": asked, "output.value": turn.root_answer}
    turn.asked += filter(None, [asked])
    root = turn.add(name="turn", operation=draw(st.sampled_from(["invoke_agent", None])), **_given(said), **_labels(draw))
    for _ in range(draw(st.integers(0, 4))):
        parent = draw(st.integers(1, len(turn.spans)))
        draw(st.sampled_from([_call, _restated_call, _call_told_twice, _tool, _failed_call]))(draw, turn, parent)
    if turn.calls == 0 and draw(st.booleans()):
        turn.add(parent=root, operation="invoke_agent", **_billed(draw, turn))
    _bind(draw, turn)
    return turn


def _given(values: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in values.items() if value}


def _labels(draw: st.DrawFn) -> dict[str, Any]:
    tags, metadata = draw(TAGS), draw(METADATA)
    return ({"tags": tags} if tags else {}) | ({"metadata": json.dumps(metadata)} if metadata else {})


def _billed(draw: st.DrawFn, turn: Turn) -> dict[str, Any]:
    """Attributes of a call of any model, whose cost is reported, to be estimated, or not known."""
    tokens = (draw(CALL_TOKENS), draw(CALL_TOKENS))
    model = draw(st.sampled_from([*LIST_PRICES, "nobody-knows-1"]))
    reported = draw(st.none() | st.integers(1, 10**9 - 1))
    turn.bills.append(Bill(tokens, reported, LIST_PRICES.get(model)))
    figures = {"model": model, "tokens_in": tokens[0], "tokens_out": tokens[1]}
    return figures if reported is None else {**figures, "gen_ai.usage.cost": reported / 10**9}


def _streamed(draw: st.DrawFn, turn: Turn) -> dict[str, Any]:
    """When the first token came, of the span that is added next."""
    after_ms = draw(st.none() | st.integers(1, 900))
    if after_ms is None:
        return {}
    turn.first_tokens_ms.append(len(turn.spans) + 1 + after_ms)
    return {"gen_ai.response.time_to_first_chunk": after_ms / 1000}


def _spoken(draw: st.DrawFn, turn: Turn) -> dict[str, Any]:
    """What a call was asked and answered."""
    asked, answered = draw(SAID), draw(SAID)
    turn.asked += filter(None, [asked])
    turn.answered += filter(None, [answered])
    messages = {
        "gen_ai.input.messages": ("user", asked),
        "gen_ai.output.messages": ("assistant", answered),
    }
    return {
        key: json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])
        for key, (role, text) in messages.items()
        if text
    }


def _call(draw: st.DrawFn, turn: Turn, parent: int) -> None:
    turn.calls += 1
    above = _above_generations(turn, parent)
    told = _billed(draw, turn) | _streamed(draw, turn) | _spoken(draw, turn) | _labels(draw)
    turn.add(parent=above, operation="chat", **told)


def _restated_call(draw: st.DrawFn, turn: Turn, parent: int) -> None:
    """An agent span that says again what the call below it used."""
    turn.calls += 1
    told = _billed(draw, turn)
    agent = turn.add(parent=_above_generations(turn, parent), operation="invoke_agent", **told)
    turn.add(parent=agent, operation="chat", **told, **_streamed(draw, turn))


def _call_told_twice(draw: st.DrawFn, turn: Turn, parent: int) -> None:
    """Two instrumentations tell of one call: as parent and child, or side by side under one response id.

    Only the first of them knows when the first token came.
    """
    turn.calls += 1
    told = _billed(draw, turn)
    above = _above_generations(turn, parent)
    nested = draw(st.booleans())
    response_id = None if nested else f"response-{turn.number}-{len(turn.spans)}"
    first = turn.add(parent=above, operation="chat", response_id=response_id, **told, **_streamed(draw, turn))
    turn.add(parent=first if nested else above, operation="chat", response_id=response_id, **told)


def _failed_call(draw: st.DrawFn, turn: Turn, parent: int) -> None:
    turn.calls += 1
    turn.bills.append(Bill())
    turn.add(
        parent=_above_generations(turn, parent), operation="chat", model="m-1", error=draw(st.sampled_from(["500", "timeout"]))
    )


def _tool(draw: st.DrawFn, turn: Turn, parent: int) -> None:
    """A tool, whose text is not what the user said."""
    turn.tools += 1
    name = f"execute_tool {draw(st.sampled_from(['search', 'weather']))}"
    turn.add(parent=parent, operation="execute_tool", name=name, input__value="{}", output__value="42", **_labels(draw))


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
