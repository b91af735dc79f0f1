"""The time from a call's start to the first token of its answer, out of numbers whose unit the span's duration must confirm."""

import re
from collections.abc import Iterable
from typing import Final

from sessiond.core.conventions import Unit
from sessiond.core.model import Value
from sessiond.core.values import NUMBER_LENGTH_MAX, as_number, as_text

SECOND, MILLISECOND, MICROSECOND, NANOSECOND = 10**9, 10**6, 10**3, 1

NANO_END: Final = 2**63
"""No number from here on is a duration in any unit."""

_BY_MAGNITUDE: Final = (SECOND, MILLISECOND, MICROSECOND, NANOSECOND)
_FIXED: Final[dict[Unit, int]] = {"s": SECOND, "ms": MILLISECOND}

_INSTANT: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9})\d*)?(?:[Zz]|([+-])(\d\d):?(\d\d))?$", re.ASCII
)


def first_token_nano(value: Value, unit: Unit, *, start_unix_nano: int, end_unix_nano: int) -> int | None:
    """Nanoseconds after the start, where 0 < t <= the span's duration; any other is none."""
    readings = _readings(value, unit, start_unix_nano)
    return next((t for t in readings if within(t, start_unix_nano, end_unix_nano)), None)


def within(nano: int, start_unix_nano: int, end_unix_nano: int) -> bool:
    """Whether a token can have come so long after the start; a missing start or end allows none."""
    return start_unix_nano > 0 and 0 < nano <= end_unix_nano - start_unix_nano


def _readings(value: Value, unit: Unit, start_unix_nano: int) -> Iterable[int]:
    """What the value may mean, the likeliest first, in nanoseconds after the start."""
    if unit == "iso8601":
        instant = instant_unix_nano(value)
        return () if instant is None else (instant - start_unix_nano,)
    number = as_number(value)
    if number is None or number >= NANO_END:
        return ()
    if unit in _FIXED:
        return (round(number * _FIXED[unit]),)
    # Strands writes int milliseconds and OpenLIT double seconds under one key. Size alone would not tell them apart: beside a call
    # of 250 seconds, 200 ms would pass for 200 s. So the type is asked first, and size where that can't be true.
    likeliest = MILLISECOND if isinstance(number, int) else SECOND
    return (round(number * scale) for scale in (likeliest, *_BY_MAGNITUDE))


def instant_unix_nano(value: Value) -> int | None:
    """An ISO 8601 date and time as unix nanoseconds; without an offset it is UTC. Its month's length is not looked at."""
    text = as_text(value)
    matched = _INSTANT.match(text) if text is not None and len(text) <= NUMBER_LENGTH_MAX else None
    if matched is None:
        return None
    year, month, day, hour, minute, second = map(int, matched.group(1, 2, 3, 4, 5, 6))
    fraction, sign, offset_hours, offset_minutes = matched.group(7, 8, 9, 10)
    if not 1 <= month <= 12:  # noqa: PLR2004  (months of a year)
        return None
    offset = (int(offset_hours) * 60 + int(offset_minutes)) * (-60 if sign == "-" else 60) if sign else 0
    seconds = _days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset
    return seconds * SECOND + int((fraction or "0").ljust(9, "0"))


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 in the Gregorian calendar, counted in years that begin in March, so that a leap day ends one."""
    year, month = (year - 1, month + 9) if month <= 2 else (year, month - 3)  # noqa: PLR2004  (January and February)
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * month + 2) // 5 + day - 1 - 719_468
