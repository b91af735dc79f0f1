"""The shape of the table of conventions: a meaning, and one row for each name that an emitter gives it.

Everything that a rule needs is a column of its row, so that adding a name, a condition or a unit is data. How a column is
obeyed stands in `core.spans.reading` and `core.spans.normalize`, once for all rows.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from sessiond.core.model import OperationKind

Meaning = Literal[
    "session",
    "user",
    "project",
    "service",
    "operation",
    "span_type",
    "provider",
    "request_model",
    "response_model",
    "response_id",
    "input_tokens",
    "output_tokens",
    "total_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "cache_share",
    "total_cost",
    "input_cost",
    "output_cost",
    "cost_by_user",
    "first_token",
    "tool",
    "agent",
    "tags",
    "metadata",
    "input",
    "output",
    "error_mark",
    "error_type",
    "error_message",
]

Place = Literal["attribute", "object", "python", "prefix", "present", "event", "span", "meaning"]
"""Where a row looks:

- attribute: the attribute `key`;
- object: inside the attribute `key`, which holds a JSON object as text, or a key-value list;
- python: inside the attribute `key`, which holds the repr() of a Python dict;
- prefix: every attribute whose key begins with `key`; what follows is a name;
- present: as attribute, but its being there says it, whatever the value;
- event: the event named `key`;
- span: the span's own field `key`: name, status.code or status.message;
- meaning: what was found for the meaning `key`.
"""

CacheShare = Literal["inside", "outside", "by_provider"]
"""Whether a key's input tokens already hold those read from and written to a cache."""

Unit = Literal["s", "ms", "iso8601", "magnitude"]
"""Of a time to first token. iso8601 is the instant itself; magnitude: told by the number's type and the span's duration."""


class When(NamedTuple):
    """What must hold of a span for a row to count; every column that is set must."""

    span_type: str | None = None
    """A value of the meaning `span_type`."""
    scope_prefix: str = ""
    """Of the name of the instrumentation scope."""
    operation: OperationKind | None = None
    usage: bool = False
    """The span reports tokens."""


class Row(NamedTuple):
    """One name for a meaning."""

    key: str
    place: Place = "attribute"
    path: str = ""
    """For object and python: names with dots between, down to the value; empty is the whole object. For event: its attribute."""
    values: Mapping[str, str] | None = None
    """What each value means. A value that is not listed says nothing."""
    upper: bool = False
    """Compare the value in upper case."""
    pattern: str = ""
    """For span: what the text must match; its first group, where it has one, is the value."""
    value: str | None = None
    """What the row means, whatever it finds."""
    at_least: int = 0
    """For numbers that name a status: the smallest that says it."""
    when: When | None = None
    cache: CacheShare = "inside"
    """For `input_tokens`."""
    unit: Unit | None = None
    """For `first_token`."""
    commas: bool = False
    """For `tags`: one text holds several, with commas between."""

    @property
    def label(self) -> str:
        """What a person calls the place that the row looks at."""
        if self.place == "event":
            return f"event {self.key}#{self.path}" if self.path else f"event {self.key}"
        if self.place == "span":
            return f"span {self.key}"
        return f"{self.key}#{self.path}" if self.path else self.key


def rows(*keys: str) -> tuple[Row, ...]:
    """A row for each attribute key."""
    return tuple(Row(key) for key in keys)


def inside(key: str, *paths: str, cache: CacheShare = "inside") -> tuple[Row, ...]:
    """A row for each path inside the object of one attribute."""
    return tuple(Row(key, "object", path, cache=cache) for path in paths)


def events(*names: str) -> tuple[Row, ...]:
    """A row for each name of an event."""
    return tuple(Row(name, "event") for name in names)


CLAUDE_CODE_REQUEST = When(span_type="claude_code.llm_request")
"""Claude Code's keys are plain words such as `input_tokens`, so they count on its own spans only."""
