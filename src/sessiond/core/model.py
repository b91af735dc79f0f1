"""The values that everything else speaks of. Shapes live here, no rules.

They are named tuples: immutable, slotted, compared whole, stored as arrays and read back by the types of their fields, and built in
0.3 us where a frozen dataclass of twenty fields takes 1.8 us (measured). Times are unix nanoseconds, durations nanoseconds, ids raw
bytes: the edges render hex, RFC 3339 and milliseconds. `None` is "not known", never 0.
"""

from collections.abc import Container, Iterable, Sequence
from typing import Literal, NamedTuple, Protocol, TypeAlias

Value: TypeAlias = str | int | float | bool | bytes | Sequence["Value"] | dict[str, "Value"] | None
"""An attribute's value in Python's own types; what could not be read is None."""

OperationKind = Literal[
    "chat",
    "text_completion",
    "embeddings",
    "rerank",
    "retrieval",
    "tool",
    "agent",
    "workflow",
    "chain",
    "guardrail",
    "evaluator",
    "memory",
    "image",
    "speech",
    "other",
]

Binding: TypeAlias = tuple[int, str]
"""An id found on a span: (order, id). The smaller order wins: twice the key's rank, plus one where the resource said it."""


class Event(NamedTuple):
    """A span event. `attributes` holds what could be read."""

    name: str
    time_unix_nano: int
    attributes: dict[str, Value]


class AttributesView(Protocol):
    """Attributes as they were written, each decoded only when asked for. The same key twice: the last one counts."""

    @property
    def encoded(self) -> Sequence[bytes]:
        """Each attribute's bytes, in the order sent. Equal bytes say the same, whatever span they stand on."""
        ...

    def key_of(self, encoded: bytes) -> bytes:
        """The key of one of them, in UTF-8 if it is as it should be; empty where it can't be read."""
        ...

    def value_of(self, encoded: bytes, nested_bytes_max: int = ...) -> Value:
        """The value of one of them; None where it can't be read, or is a list or an object of more than `nested_bytes_max`."""
        ...

    def held(self, wanted: Container[bytes]) -> dict[str, bytes]:
        """The attributes whose key is in `wanted`: key -> bytes."""
        ...


class SpanView(AttributesView, Protocol):
    """A span as `core.spans.normalize` reads it; `wire` implements it over the bytes, so that only what is asked for is decoded."""

    @property
    def trace_id(self) -> bytes: ...
    @property
    def span_id(self) -> bytes: ...
    @property
    def parent_id(self) -> bytes: ...
    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> int: ...
    @property
    def start_unix_nano(self) -> int: ...
    @property
    def end_unix_nano(self) -> int: ...
    @property
    def status_code(self) -> int: ...
    @property
    def status_message(self) -> str: ...
    @property
    def has_events(self) -> bool: ...
    def events(self) -> Iterable[Event]:
        """The span's events in the order sent; those that can't be read are left out."""
        ...

    def event_times(self) -> Sequence[tuple[str, int]]:
        """(name, unix nanoseconds) of the same events: a third of the cost, where a stream has hundreds (measured)."""
        ...


Role = Literal["system", "user", "assistant", "tool"]


class ToolCall(NamedTuple):
    """A model's wish that a tool be run."""

    id: str | None
    name: str
    arguments: str
    """As JSON, which is how models write them."""


class Message(NamedTuple):
    """What one side said. Thoughts are left out; an image or a file is a word in brackets."""

    role: Role
    text: str = ""
    """Of a tool: its result."""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    """Of a tool: the call that this is the result of."""
    texts: tuple[str, ...] = ()
    """Where its text is several ones of a list that names no role, such as the arguments of a function: each of them."""


class Usage(NamedTuple):
    """Tokens of one call. Input includes what was read from and written to a cache, output includes reasoning."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None


NO_USAGE = Usage()


class Cost(NamedTuple):
    """Nano-dollars. The sides are absent where only a total is known, and need not add up to it."""

    total_nano: int | None = None
    input_nano: int | None = None
    output_nano: int | None = None


class Costs(NamedTuple):
    """What some calls cost together, in nano-dollars: reported by emitters and estimated by the price table. None: not known."""

    total_nano: int | None = None
    input_nano: int | None = None
    output_nano: int | None = None
    reported_nano: int | None = None
    estimated_nano: int | None = None
    unpriced_call_count: int = 0
    """Calls whose cost is not known; it is not in the sums."""


class ResourceFacts(NamedTuple):
    """What a resource says for all of its spans."""

    service: str | None = None
    sessions: tuple[Binding, ...] = ()
    users: tuple[Binding, ...] = ()
    projects: tuple[Binding, ...] = ()


class SpanFacts(NamedTuple):
    """All that the figures need of one span: the only thing that summaries are computed from."""

    span_id: bytes
    parent_id: bytes
    """Empty for a root."""
    kind: int
    """OTLP's SpanKind number, unknown ones included."""
    name: str
    start_unix_nano: int
    """As sent; 0 where missing. `core.identity.interval` gives the times that figures use."""
    end_unix_nano: int
    received_unix_nano: int
    """First arrival of this span in any version."""
    operation: OperationKind = "other"
    service: str | None = None
    scope: str = ""
    """Name of the instrumentation scope."""
    is_error: bool = False
    error_type: str | None = None
    error_message: str | None = None
    sessions: tuple[Binding, ...] = ()
    users: tuple[Binding, ...] = ()
    projects: tuple[Binding, ...] = ()
    provider: str | None = None
    request_model: str | None = None
    response_model: str | None = None
    response_id: str | None = None
    tool: str | None = None
    agent: str | None = None
    first_token_nano: int | None = None
    """From the span's start to the first token of its answer."""
    tags: tuple[str, ...] = ()
    metadata: tuple[tuple[str, str], ...] = ()
    has_input: bool = False
    """Whether it carries text of an input; `core.text.messages` reads it from the span itself."""
    has_output: bool = False
    usage: Usage | None = None
    cost: Cost | None = None
    """As the emitter reports it, where that is more than 0, or 0 with no tokens."""


class Origin(NamedTuple):
    """What a span shares with its neighbours in a request: resource and scope, as bytes that came."""

    resource: bytes = b""
    resource_schema_url: bytes = b""
    scope: bytes = b""
    scope_schema_url: bytes = b""


class ReceivedSpan(NamedTuple):
    """One good span on its way to the store: its facts, and its bytes as they came."""

    trace_id: bytes
    facts: SpanFacts
    digest: bytes
    """blake2b-128 over origin and data."""
    origin: Origin
    data: bytes


class StoredSpan(NamedTuple):
    """A winning span as it came."""

    origin: Origin
    data: bytes
    digest: bytes
    received_unix_nano: int
    """First arrival of the span in any version."""


class Rejection(NamedTuple):
    """A span that can't be kept, and why, in words for its sender. `reason` is a short name to count by."""

    reason: str
    message: str


Metadata: TypeAlias = tuple[tuple[str, str], ...]
"""(key, value) pairs by key."""


class Text(NamedTuple):
    """Text as a row shows it: its beginning, and its whole length in characters."""

    beginning: str
    length: int


class Texts(NamedTuple):
    """What a trace's user asked, and what they were answered."""

    input: Text | None = None
    output: Text | None = None


NO_TEXTS = Texts()


class ScoreSum(NamedTuple):
    """The scores of one name in a row, summed up."""

    name: str
    score_count: int
    number_count: int
    """How many are numbers, a yes or no among them as 1 or 0; the others are categories."""
    total: float
    """Sum of those numbers."""
    categories: tuple[tuple[str, int], ...]
    """(category, how many) by category, the first of them (`core.feedback.rollup`)."""
    stale_count: int = 0
    """How many are of the session itself and older than its latest turn."""

    @property
    def mean(self) -> float | None:
        """Of the numbers; None where there is none."""
        return self.total / self.number_count if self.number_count else None


class TraceSummary(NamedTuple):
    """The figures of one trace, by the definitions of docs/metrics.md."""

    project: str
    trace_id: bytes
    session_id: str | None
    other_session_ids: tuple[str, ...]
    user_id: str | None
    name: str
    root_span_id: bytes
    root_missing: bool
    start_unix_nano: int
    end_unix_nano: int
    ttft_nano: int | None
    llm_duration_nano: int
    models: tuple[str, ...]
    request_models: tuple[str, ...]
    providers: tuple[str, ...]
    services: tuple[str, ...]
    agents: tuple[str, ...]
    tools: tuple[str, ...]
    span_count: int
    llm_call_count: int
    tool_call_count: int
    error_count: int
    failed_call_count: int
    error_type: str | None
    error_message: str | None
    received_unix_nano: int
    updated_unix_nano: int
    tags: tuple[str, ...]
    metadata: Metadata
    list_counts: tuple[tuple[str, int], ...]
    """(field, length before the cut) of each list that was longer than LIST_MAX."""
    annotations: int
    scores: tuple[ScoreSum, ...]
    usage: Usage
    costs: Costs


class TraceKey(NamedTuple):
    """A trace, and the project that it is listed in: its id alone tells it from all others."""

    project: str
    trace_id: bytes


class SessionKey(NamedTuple):
    """What a session is known by."""

    project: str
    session_id: str


class UserKey(NamedTuple):
    """What a user is known by."""

    project: str
    user_id: str


class SessionSummary(NamedTuple):
    """The figures of one session, by the definitions of docs/metrics.md."""

    project: str
    session_id: str
    user_id: str | None
    user_ids: tuple[str, ...]
    name: str
    start_unix_nano: int
    end_unix_nano: int
    last_activity_unix_nano: int
    duration_nano: int
    llm_duration_nano: int
    ttft_nano: int | None
    ttft_first_nano: int | None
    ttft_max_nano: int | None
    ttft_count: int
    trace_duration_p50_nano: int
    trace_duration_p95_nano: int
    trace_duration_max_nano: int
    models: tuple[str, ...]
    request_models: tuple[str, ...]
    providers: tuple[str, ...]
    services: tuple[str, ...]
    agents: tuple[str, ...]
    tools: tuple[str, ...]
    trace_count: int
    failed_trace_count: int
    first_failed_trace_id: bytes | None
    span_count: int
    llm_call_count: int
    tool_call_count: int
    error_count: int
    failed_call_count: int
    first_trace_id: bytes
    last_trace_id: bytes
    turns_received_unix_nano: int
    """When the latest of its traces was first received: what makes its scores stale."""
    tags: tuple[str, ...]
    metadata: Metadata
    list_counts: tuple[tuple[str, int], ...]
    annotations: int
    scores: tuple[ScoreSum, ...]
    usage: Usage
    costs: Costs

    @property
    def key(self) -> SessionKey:
        return SessionKey(self.project, self.session_id)


class UserSummary(NamedTuple):
    """The figures of one user, by the definitions of docs/metrics.md."""

    project: str
    user_id: str
    first_seen_unix_nano: int
    last_seen_unix_nano: int
    session_count: int
    trace_count: int
    failed_trace_count: int
    cost_mean_nano: int | None
    """Over the traces whose cost is known; so the median."""
    cost_median_nano: int | None
    models: tuple[str, ...]
    providers: tuple[str, ...]
    tools: tuple[str, ...]
    list_counts: tuple[tuple[str, int], ...]
    usage: Usage
    costs: Costs

    @property
    def key(self) -> UserKey:
        return UserKey(self.project, self.user_id)
