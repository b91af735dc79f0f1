"""What statistics are asked for: over which kind of row, in buckets of which length, by the labels of which field."""

from collections.abc import Callable
from difflib import get_close_matches
from typing import Final, NamedTuple, Self, TypeAlias, cast

from sessiond.core.errors import Invalid
from sessiond.core.model import SessionSummary, TraceSummary
from sessiond.core.rows.fields import FIELDS, AnySummary, Kind
from sessiond.core.rows.numbers import NUMBERS
from sessiond.core.rows.seen import Seen
from sessiond.core.statistics.buckets import seconds

BUCKET_MIN_NANO: Final = 60 * 10**9
BUCKET_MAX_NANO: Final = 7 * 86400 * 10**9
"""A week. Longer ones would be months, which are of no one length."""
DEFAULT_GROUPS: Final = 20
GROUPS_MAX: Final = 100
"""More is no table that a person reads."""
METADATA: Final = "metadata."
"""Before the key, where rows are grouped by one of metadata."""
VALUE_LENGTH_MAX: Final = 80
"""Characters of a refused value that its message repeats."""

Labels: TypeAlias = tuple[str, ...]
LabelsOf: TypeAlias = Callable[[Seen[AnySummary]], Labels]

_GROUPED_BY: Final = (
    "models",
    "request_models",
    "providers",
    "services",
    "agents",
    "tools",
    "tags",
    "user_id",
    "name",
    "status",
    "project",
)


class Breakdown(NamedTuple):
    """What is asked of statistics; `asked` makes one of a request."""

    kind: Kind
    bucket_nano: int | None = None
    """None: no buckets."""
    group_by: str = ""
    """A field, or `metadata.` and a key; empty: no groups."""
    group_limit: int = DEFAULT_GROUPS

    @classmethod
    def asked(cls, kind: Kind, *, bucket_nano: int = 0, group_by: str = "", group_limit: int = 0) -> Self:
        """The breakdown that a request's values mean; 0 and empty are what a request leaves out. Raises Invalid."""
        if bucket_nano and not BUCKET_MIN_NANO <= bucket_nano <= BUCKET_MAX_NANO:
            raise Invalid("bucket", seconds(bucket_nano), "is not a length from a minute to a week")
        if group_by:
            _check_group_by(kind, group_by)
        if group_limit < 0:
            raise Invalid("group_limit", group_limit, "must not be negative")
        return cls(kind, bucket_nano or None, group_by, min(group_limit or DEFAULT_GROUPS, GROUPS_MAX))

    def labels_of(self) -> LabelsOf:
        """The way from a row to its labels, each once, none of them empty. It reads no summary where the numbers tell."""
        if self.group_by.startswith(METADATA):
            return _metadata(self.group_by.removeprefix(METADATA))
        field = next(field for field in FIELDS[self.kind] if field.name == self.group_by)
        if field.type == "enum":
            return _enum(NUMBERS[self.kind].index(field), field.values)
        return _list(field.get) if field.type == "strings" else _string(field.get)


def groupable(kind: Kind) -> list[str]:
    """The fields that rows of a kind can be grouped by, those of metadata left out."""
    names = {field.name for field in FIELDS[kind]}
    return [name for name in _GROUPED_BY if name in names]


def _check_group_by(kind: Kind, group_by: str) -> None:
    names = groupable(kind)
    if group_by in names or (group_by.startswith(METADATA) and group_by != METADATA and kind != "user"):
        return
    shown = group_by[:VALUE_LENGTH_MAX]
    near = get_close_matches(shown, names, n=1)
    every = names if kind == "user" else [*names, f"{METADATA}KEY"]
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(every)}"
    raise Invalid("group_by", shown, f"is nothing that {kind}s are grouped by", hint=hint)


def _metadata(key: str) -> LabelsOf:
    def labels(row: Seen[AnySummary]) -> Labels:
        pairs = cast("TraceSummary | SessionSummary", row.summary).metadata
        return tuple(value for name, value in pairs if name == key and value)

    return labels


def _enum(place: int, values: tuple[str, ...]) -> LabelsOf:
    labels = tuple((value,) for value in values)
    return lambda row: labels[row.numbers[place]]


def _list(get: Callable[[AnySummary], Labels]) -> LabelsOf:
    return lambda row: get(row.summary)


def _string(get: Callable[[AnySummary], str | None]) -> LabelsOf:
    def labels(row: Seen[AnySummary]) -> Labels:
        value = get(row.summary)
        return (value,) if value else ()

    return labels
