"""What was said in a span: its messages, by the table of sources, and the question and the answer among them.

The tables hold the lists `input` and `output` of docs/conventions.md in their order; the first source that yields a message wins.
How a value is read is `core.text.shapes`' business, which spans of a trace to look at `core.text.spans`'.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from sessiond.core.model import Event, Message, Role, SpanView, Value
from sessiond.core.text import shapes
from sessiond.core.text.shapes import Reader

SHORT_LENGTH_MAX: Final = 1000
"""Characters of a text in a row (docs/metrics.md, `input` and `output`)."""
INDEXED_DEPTH_MAX: Final = 10
"""Dots of an indexed key that part it; the deepest name that conventions give has eight."""


TextsHeld = Mapping[str, bytes]
"""Attribute key -> the attribute, as it is encoded."""


class Source(NamedTuple):
    """One place where a span may hold messages."""

    key: str
    """The attribute; of the events, where there are some."""
    read: Reader = shapes.read
    indexed: tuple[str, ...] = ()
    """Where the attribute may be flattened to `key.0.role`, `key.0.content`, ...: what its first entry has at least one of."""
    events: tuple[str, ...] = ()
    role: Role | None = None
    """Whose words they are where they don't say; else the user's in an input, the assistant's in an output."""


EVENT_ROLES: Final[dict[str, Role]] = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
_DETAILS: Final = ("gen_ai.client.inference.operation.details",)

INPUT: Final = (
    Source("gen_ai.input.messages"),
    Source("gen_ai.prompt", indexed=("role", "content")),
    Source("llm.input_messages", indexed=("message.role", "message.content")),
    Source("ai.prompt.messages"),
    Source("ai.prompt"),
    Source("langfuse.observation.input"),
    Source("langfuse.trace.input"),
    Source("lmnr.span.input"),
    Source("mlflow.spanInputs"),
    Source("input.value"),
    Source("traceloop.entity.input"),
    Source("pydantic_ai.all_messages"),
    Source("gcp.vertex.agent.llm_request"),
    Source("user_prompt", shapes.plain),
    Source("agentops.entity.input"),
    Source("content", events=tuple(EVENT_ROLES)),
    Source("gen_ai.input.messages", events=_DETAILS),
    Source("gen_ai.prompt", events=("gen_ai.content.prompt",)),
    Source("ai.value"),
    Source("ai.values", shapes.each_parsed),
    Source("gen_ai.retrieval.query.text", shapes.plain),
)

OUTPUT: Final = (
    Source("gen_ai.output.messages"),
    Source("gen_ai.completion", indexed=("role", "content")),
    Source("llm.output_messages", indexed=("message.role", "message.content")),
    Source("ai.response.text", shapes.plain),
    Source("ai.response.object", shapes.plain),
    Source("ai.response.toolCalls"),
    Source("ai.result.text", shapes.plain),
    Source("langfuse.observation.output"),
    Source("langfuse.trace.output"),
    Source("lmnr.span.output"),
    Source("mlflow.spanOutputs"),
    Source("output.value"),
    Source("traceloop.entity.output"),
    Source("final_result", shapes.plain),
    Source("gcp.vertex.agent.llm_response"),
    Source("response.model_output", shapes.plain),
    Source("agentops.entity.output"),
    Source("message", events=("gen_ai.choice",)),
    Source("content", events=("gen_ai.choice",)),
    Source("gen_ai.output.messages", events=_DETAILS),
    Source("gen_ai.completion", events=("gen_ai.content.completion",)),
    # What was found is no answer to anyone.
    Source("gen_ai.retrieval.documents", role="tool"),
    Source("retrieval.documents", indexed=("document.content",), role="tool"),
)

INSTRUCTIONS: Final = (
    Source("gen_ai.system_instructions", role="system"),
    Source("gen_ai.request.instructions", role="system"),
    Source("system_prompt", role="system"),
    Source("gen_ai.system_instructions", events=_DETAILS, role="system"),
)
"""Where a system prompt is that stands apart from the messages; one among these is theirs."""


class Flattened(Container[bytes]):
    """The keys of a table's sources that are flattened to one for each value."""

    __slots__ = ("_prefixes",)

    def __init__(self, sources: Iterable[Source]) -> None:
        self._prefixes = tuple(f"{source.key}.".encode() for source in sources if source.indexed)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, bytes) and key.startswith(self._prefixes)


class Table(NamedTuple):
    """Sources in order of precedence, and the attribute keys that they read.

    The flattened ones stand apart: a span's every key is held against their prefixes in Python, which most spans can be spared.
    """

    sources: tuple[Source, ...]
    keys: frozenset[bytes]
    flattened: Container[bytes]


def _table(sources: tuple[Source, ...]) -> Table:
    return Table(sources, frozenset(source.key.encode() for source in sources if not source.events), Flattened(sources))


_INPUT_TABLE: Final = _table(INPUT)
_OUTPUT_TABLE: Final = _table(OUTPUT)
_INSTRUCTIONS_TABLE: Final = _table(INSTRUCTIONS)
_ALL_KEYS: Final = _INPUT_TABLE.keys | _OUTPUT_TABLE.keys | _INSTRUCTIONS_TABLE.keys


def marks(sources: Iterable[Source]) -> frozenset[str]:
    """The attribute keys by which a span shows that it may hold text, events aside: each a plain key, for one look in a dict."""
    plain = {source.key for source in sources if not source.events}
    return frozenset(plain | {f"{source.key}.0.{name}" for source in sources for name in source.indexed})


def input_messages(span: SpanView, held: TextsHeld | None = None) -> tuple[Message, ...]:
    """What the span was given, oldest first; empty where it holds no text. A prompt repeats earlier turns: see `question`.

    `held` is what `texts_held` gives, where more than one kind of message is asked for.
    """
    return _read(span, _INPUT_TABLE, "user", held)


def output_messages(span: SpanView, held: TextsHeld | None = None) -> tuple[Message, ...]:
    """What came out of the span, oldest first; empty where it holds no text."""
    return _read(span, _OUTPUT_TABLE, "assistant", held)


def instructions(span: SpanView, held: TextsHeld | None = None) -> tuple[Message, ...]:
    """What the span's model was told to be, where that stands apart from what it was given."""
    return _read(span, _INSTRUCTIONS_TABLE, "system", held)


def texts_held(span: SpanView) -> TextsHeld:
    """The attributes of a span that may hold messages, flattened ones aside."""
    return span.held(_ALL_KEYS)


def question(messages: Sequence[Message]) -> str | None:
    """The text of the last user message: what precedes it are earlier turns. Tool results are none, whoever carries them."""
    return next((one.text.strip() for one in reversed(messages) if one.role == "user"), None)


def arguments(messages: Sequence[Message]) -> tuple[str, ...]:
    """The texts that the question is made of, where they are several: the arguments of the application's function, perhaps."""
    last = next((one for one in reversed(messages) if one.role == "user"), None)
    return () if last is None else tuple(text.strip() for text in last.texts)


def answer(messages: Sequence[Message]) -> str | None:
    """The text of the last assistant message that has some, since the last user message; a mere tool call is no answer."""
    for one in reversed(messages):
        if one.role == "user":
            return None
        if one.role == "assistant" and one.text:
            return one.text.strip()
    return None


def shorten(text: str) -> tuple[str, int]:
    """(at most SHORT_LENGTH_MAX characters of it, its full length in characters)."""
    return text[:SHORT_LENGTH_MAX], len(text)


class Said(NamedTuple):
    """What `instructions`, `input_messages` and `output_messages` give."""

    instructions: tuple[Message, ...]
    given: tuple[Message, ...]
    came_out: tuple[Message, ...]


def said(span: SpanView) -> Said:
    """All messages of a span."""
    held = texts_held(span)
    return Said(instructions(span, held), input_messages(span, held), output_messages(span, held))


def _read(span: SpanView, table: Table, role: Role, held: TextsHeld | None) -> tuple[Message, ...]:
    if held is None:
        held = span.held(table.keys)
    # Decoded once, and only where nothing before them had text.
    events: list[Event] | None = None
    flattened: dict[str, Value] | None = None
    for source in table.sources:
        said_by = source.role or role
        found: list[Message] = []
        if source.events:
            if events is None:
                events = list(span.events()) if span.has_events else []
            found = _of_events(source, events, said_by)
        elif source.key in held:
            found = source.read(span.value_of(held[source.key]), said_by)
        if not found and source.indexed:
            if flattened is None:
                flattened = {key: span.value_of(encoded) for key, encoded in span.held(table.flattened).items()}
            found = shapes.read(unflatten(flattened, f"{source.key}."), said_by) if flattened else []
        if found:
            return tuple(found)
    return ()


def _of_events(source: Source, events: Iterable[Event], role: Role) -> list[Message]:
    found: list[Message] = []
    for event in events:
        if event.name in source.events:
            value = event.attributes.get(source.key)
            named = EVENT_ROLES.get(event.name)
            found += source.read(value, role) if named is None else shapes.read(_body(event, value, named), named)
    return found


def _body(event: Event, content: Value, role: Role) -> dict[str, Value]:
    """A message's event as the message that it describes."""
    calls = event.attributes.get("tool_calls")
    return {
        "role": role,
        "content": shapes.parse(content) if isinstance(content, str) else content,
        "tool_calls": shapes.parse(calls) if isinstance(calls, str) else calls,
        "id": event.attributes.get("id"),
    }


def unflatten(values: dict[str, Value], prefix: str) -> Value:
    """What was flattened under the prefix: `0.role` and `0.content` are a list of one object.

    Numbers only give the order: those left out make no gap. Where a key is also the way to another, its own value stays.
    """
    tree: dict[str, Value] = {}
    for key in sorted(key for key in values if key.startswith(prefix)):
        *way, last = key[len(prefix) :].split(".", INDEXED_DEPTH_MAX)
        place: Value = tree
        for step in way:
            place = place.setdefault(step, {}) if isinstance(place, dict) else None
        if isinstance(place, dict):
            place[last] = _leaf(values[key])
    return _as_lists(tree)


def _leaf(value: Value) -> Value:
    """A flattened value; a list of parts may be JSON in it (OpenLLMetry)."""
    parts = shapes.parse(value) if isinstance(value, str) and value.startswith("[{") else None
    return parts if shapes.are_parts(parts) else value


def _as_lists(node: Value) -> Value:
    if not isinstance(node, dict):
        return node
    inner = {key: _as_lists(value) for key, value in node.items()}
    if inner and all(key.isdecimal() and len(key) < INDEXED_DEPTH_MAX for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner
