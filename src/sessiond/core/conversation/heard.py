"""What one span tells of a conversation: its messages and instructions, and of a tool what it was given and what it gave back."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from sessiond.core.model import Message, SpanView, Value
from sessiond.core.text.messages import input_messages, output_messages, said
from sessiond.core.text.parts import as_json
from sessiond.core.text.shapes import parse
from sessiond.core.values import unquote

CHARACTERS_MAX: Final = 16 * 2**20
"""Of one trace, each text counted once however many prompts repeat it: an answer to a person is some thousands, a long prompt a
million. What is beyond is left out, and the turn says so."""

REFERENCE_CHARACTERS: Final = 2
"""That a message counts as each time a prompt repeats it: a reference is held, of eight bytes."""

ARGUMENT_KEYS: Final = (
    "gen_ai.tool.call.arguments", "ai.toolCall.args", "gcp.vertex.agent.tool_call_args", "spring.ai.tool.call.arguments",
    "langfuse.observation.input", "lmnr.span.input", "mlflow.spanInputs", "input.value", "traceloop.entity.input",
    "agentops.entity.input", "tool.parameters",
)  # fmt: skip
"""`tool.parameters` is last: some OpenInference instrumentations write the tool's schema there."""
RESULT_KEYS: Final = (
    "gen_ai.tool.call.result", "ai.toolCall.result", "gcp.vertex.agent.tool_response", "spring.ai.tool.call.result",
    "langfuse.observation.output", "lmnr.span.output", "mlflow.spanOutputs", "output.value", "traceloop.entity.output",
    "agentops.entity.output",
)  # fmt: skip
CALL_ID_KEYS: Final = ("gen_ai.tool.call.id", "ai.toolCall.id", "tool_call.id", "tool.id", "spring.ai.tool.call.id")
_KEYS: Final = frozenset(key.encode() for key in (*ARGUMENT_KEYS, *RESULT_KEYS, *CALL_ID_KEYS))
_FUNCTION_KEYS: Final = frozenset({"args", "kwargs"})
"""Of a function's arguments, as Langfuse and Traceloop write them."""


class ToolRun(NamedTuple):
    """What a tool's own span tells."""

    call_id: str | None = None
    arguments: str = ""
    result: str | None = None


NO_RUN: Final = ToolRun()


class Heard(NamedTuple):
    """What a span tells. Its messages are oldest first, and a prompt repeats earlier turns."""

    instructions: tuple[Message, ...] = ()
    """Told apart from the messages."""
    given: tuple[Message, ...] = ()
    came_out: tuple[Message, ...] = ()
    run: ToolRun = NO_RUN


NOTHING: Final = Heard()


class Hearing:
    """Reads spans of one trace; a message that several of them carry is held once, and all of them within CHARACTERS_MAX."""

    def __init__(self) -> None:
        self._held: dict[Message, Message] = {}
        self._characters = 0
        self.is_cut = False

    def hear(self, span: SpanView, *, is_tool: bool) -> Heard:
        """What the span tells; of a tool only its run."""
        if is_tool:
            run = tool_run(span)
            return Heard(run=run) if self._has_room(len(run.arguments) + len(run.result or "")) else NOTHING
        told = said(span)
        return Heard(self._hold(told.instructions), self._hold(told.given), self._hold(told.came_out))

    def _hold(self, messages: Iterable[Message]) -> tuple[Message, ...]:
        return tuple([held for message in messages if (held := self._take(message))])

    def _take(self, message: Message) -> Message | None:
        held = self._held.get(message)
        size = REFERENCE_CHARACTERS
        if held is None:
            held = message
            size += len(message.text) + sum([len(call.name) + len(call.arguments) for call in message.tool_calls])
        if not self._has_room(size):
            return None
        self._held[held] = held
        return held

    def _has_room(self, size: int) -> bool:
        if self._characters + size > CHARACTERS_MAX:
            self.is_cut = True
            return False
        self._characters += size
        return True


def tool_run(span: SpanView) -> ToolRun:
    """What a tool was given and gave back: by attributes of its own, else by its messages (Strands' events)."""
    values = {key: span.value_of(encoded) for key, encoded in span.held(_KEYS).items()}
    call_id, arguments, result = (_first(values, keys) for keys in (CALL_ID_KEYS, ARGUMENT_KEYS, RESULT_KEYS))
    given = input_messages(span)[-1:] if arguments is None else ()
    returned = output_messages(span) if result is None else ()
    if call_id is None:
        call_id = next((one.tool_call_id for one in (*given, *returned) if one.tool_call_id), None)
    return ToolRun(
        call_id if isinstance(call_id, str) else None,
        given[0].text if given else _arguments(arguments),
        "\n".join(one.text for one in returned) if returned else _unquoted(result),
    )


def _first(values: dict[str, Value], keys: Iterable[str]) -> Value:
    for key in keys:
        value = values.get(key)
        if value is not None and value != "":
            return value
    return None


def _arguments(value: Value) -> str:
    """A tool's arguments; of a function's those that are named, where it has no others."""
    found = value
    if isinstance(value, str) and "kwargs" in value:
        found = parse(value)
    if isinstance(found, dict) and found.keys() == _FUNCTION_KEYS:
        named, placed = found["kwargs"], found["args"]
        return as_json(named if not placed else placed if not named else found)
    return _unquoted(value) or ""


def _unquoted(value: Value) -> str | None:
    """A text as it came, out of the quotes of JSON where it is in such; other values as JSON."""
    if value is None:
        return None
    text = as_json(value)
    return unquote(text) if text.startswith('"') else text
