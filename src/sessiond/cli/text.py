"""How values read to a person: safe text, durations, ages, sizes. Takes plain values and the time; writes nothing."""

import math
import re
from typing import Final

_SECOND, _MINUTE, _HOUR, _DAY = 1, 60, 3600, 86400

AGE_UNITS: Final = (("d", _DAY), ("h", _HOUR), ("m", _MINUTE), ("s", _SECOND))
_DURATION_UNITS: Final = (("d", _DAY, "h", _HOUR), ("h", _HOUR, "min", _MINUTE), ("min", _MINUTE, "s", _SECOND))
_SIZE_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB")
_MILLIS: Final = 1000
_NANO: Final = 10**9
_CENT: Final = 0.01
_NANO_DECIMALS: Final = 9
"""A cost is held to the nano-dollar."""
ABSENT: Final = "-"
"""Stands for a figure that is not known; 0 is a figure."""

_STEERING: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f"  # controls
    r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # which way writing runs
    r"\u2028\u2029"  # ends of lines and paragraphs
    r"\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"  # a byte order mark, annotations and tags, which nobody sees
    r"\ud800-\udfff]"  # halves of characters, which can't be written
)
_BLANKS: Final = re.compile(r"\s+", re.ASCII)


def clean(text: str) -> str:
    r"""The text with all that could steer a terminal made visible, such as `\x1b` for ESC.

    Spans are written by strangers: control characters, bidirectional overrides, line separators and the like are shown, never sent.
    `str.isprintable` would make French, Persian and new emoji unreadable: to it no space but the blank is printable, no joiner, and
    nothing newer than its table.
    """
    return _STEERING.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def one_line(text: str) -> str:
    """The text with one blank for each run of blanks, tabs and line breaks, none at its ends; other spaces are part of writing."""
    return _BLANKS.sub(" ", text).strip(" ")


def duration(milliseconds: float) -> str:
    """`0.25 ms`, `412 ms`, `1.2 s`, `3 min 4 s`, `2 h 5 min`, `3 d 4 h`."""
    seconds = round(milliseconds / 1000)
    for unit, size, part, part_size in _DURATION_UNITS:
        if seconds >= size:
            return f"{seconds // size:,} {unit} {seconds % size // part_size} {part}"
    rounded = float(f"{milliseconds:.3g}")
    return f"{rounded / 1000:.1f} s" if rounded >= _MILLIS else f"{round(rounded, 3):g} ms"


def ago(unix_nano: int, now_unix_nano: int) -> str:
    """`3m ago`; a moment that is now or still to come is `just now`."""
    seconds = (now_unix_nano - unix_nano) // _NANO
    for unit, size in AGE_UNITS:
        if seconds >= size:
            return f"{seconds // size}{unit} ago"
    return "just now"


def number(value: int | None) -> str:
    """With thousands separators; `-` where it is not known."""
    return ABSENT if value is None else f"{value:,}"


def dollars(usd: float | None) -> str:
    """`$12.34`, `$0.0042`, `$0.00000125`: two decimals from a cent on, else two digits that tell; `-` where it is not known."""
    if usd is None:
        return ABSENT
    if not usd or usd >= _CENT:
        return f"${usd:,.2f}"
    decimals = 1 - math.floor(math.log10(usd))
    return f"${usd:.{min(decimals, _NANO_DECIMALS)}f}"


def size(count: int) -> str:
    """Bytes as `512 B`, `1.5 GiB`."""
    power = min(max(count.bit_length() - 1, 0) // 10, len(_SIZE_UNITS) - 1)
    return f"{count / 1024**power:.1f} {_SIZE_UNITS[power]}" if power else f"{count} B"


def looked_at(traces: int, sessions: int, users: int, outdated: int) -> str:
    """How far a check is, in words."""
    counts = ((traces, "trace"), (sessions, "session"), (users, "user"))
    left_out = f" ({plural(outdated, 'trace')} of other rules not compared)" if outdated else ""
    return ", ".join(plural(count, noun) for count, noun in counts) + left_out


def plural(count: int, noun: str) -> str:
    """`1 trace`, `1,234 traces`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def feedback(count: int) -> str:
    """`1 score or annotation`, `1,234 scores and annotations`."""
    return "1 score or annotation" if count == 1 else f"{count:,} scores and annotations"
