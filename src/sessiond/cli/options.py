"""What the commands that ask a daemon share: their options, and the connection."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click
from google.protobuf.timestamp_pb2 import Timestamp

from sessiond.cli.completion import KindOf, beginning_of_filter, end_of_order
from sessiond.cli.interrupt import ending_on_ctrl_c
from sessiond.cli.lazy import EXIT_INTERRUPTED, Failed, Refused
from sessiond.cli.text import AGE_UNITS
from sessiond.client import Client, RequestFailed
from sessiond.core.rows.fields import Kind

DEFAULT_ENDPOINT: Final = "127.0.0.1:4319"
LIMIT_MAX: Final = 10**9
DEFAULT_LIMIT: Final = 50

_ENDPOINT: Final = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s:/\[\]]+):([0-9]{1,5})")
_PORT_MAX: Final = 65535
_AGE: Final = re.compile(r"([0-9]{1,9})([smhd])")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_SECONDS_OF: Final = dict(AGE_UNITS)


class EndpointType(click.ParamType[str]):
    """HOST:PORT; an IPv6 host in brackets."""

    name = "HOST:PORT"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        found = _ENDPOINT.fullmatch(str(value))
        if found is None or not 0 < int(found[2]) <= _PORT_MAX:
            self.fail(f"{value!r} is not HOST:PORT, such as {DEFAULT_ENDPOINT}", param, ctx)
        return str(value)


class SinceType(click.ParamType[Timestamp]):
    """A moment as RFC 3339 with its time zone, the beginning of a day in UTC, or an age before now."""

    name = "TIME|AGE"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Timestamp:
        try:
            return value if isinstance(value, Timestamp) else moment(str(value), time.time_ns())
        except ValueError:
            told = "is no time such as 2026-01-31T09:30:00Z, no day such as 2026-01-31 and no age such as 15m, 2h or 7d"
            self.fail(f"{value!r} {told}", param, ctx)


def moment(text: str, now_unix_nano: int) -> Timestamp:
    """The moment that `--since` names, to the nanosecond; none is before 1970. Raises ValueError for any other text."""
    found = Timestamp()
    age = _AGE.fullmatch(text)
    if age is None:
        found.FromJsonString(f"{text}T00:00:00Z" if _DAY.fullmatch(text) else text)
    else:
        found.FromNanoseconds(max(0, now_unix_nano - int(age[1]) * _SECONDS_OF[age[2]] * 10**9))
    return found if found.seconds >= 0 else Timestamp()


endpoint = click.option(
    "--endpoint",
    type=EndpointType(),
    default=DEFAULT_ENDPOINT,
    envvar="SESSIOND_ENDPOINT",
    show_default=True,
    show_envvar=True,
    help="The daemon's query address.",
)


def limited(default: int) -> Callable[[Any], Any]:
    """--limit, with what it is where it is not given."""
    return click.option(
        "--limit",
        type=click.IntRange(min=1, max=LIMIT_MAX),
        default=default,
        show_default=True,
        metavar="N",
        help="At most so many rows.",
    )


limit = limited(DEFAULT_LIMIT)
as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object a line, with every field.")
project = click.option("--project", default="", metavar="NAME", help="Only this project; all where not given.")
session_id = click.option("--session", "session_id", default="", metavar="ID", help="Only this session.")
user_id = click.option("--user", "user_id", default="", metavar="ID", help="Only what this user took part in.")
since = click.option(
    "--since", type=SinceType(), help="Only what started at or after a time or day, or at most so long ago (15m, 2h, 7d)."
)
until = click.option("--until", type=SinceType(), help="Only what started before a time, or longer ago than so long.")

config = click.option("--config", type=click.Path(path_type=Path), help="The daemon's settings; its prices and keys are used.")


def filtered(kind: KindOf) -> Callable[[Any], Any]:
    """--filter over rows of a kind."""
    return click.option(
        "--filter",
        default="",
        metavar="FILTER",
        shell_complete=beginning_of_filter(kind),
        help="Only what this holds for, such as 'total_tokens > 5000'.",
    )


def ordered(kind: Kind) -> Callable[[Any], Any]:
    """--order-by over rows of a kind."""
    return click.option(
        "--order-by",
        default="",
        metavar="FIELDS",
        shell_complete=end_of_order(kind),
        help="In this order, such as 'cost_usd desc, total_tokens'.",
    )


@contextmanager
def asking(endpoint: str, *, when_interrupted: int = EXIT_INTERRUPTED) -> Iterator[Client]:
    """A connected client; a failed request ends the command with its message and exit code, Ctrl-C with one of its own."""
    try:
        with ending_on_ctrl_c(when_interrupted), Client(endpoint) as client:
            yield client
    except RequestFailed as failure:
        raise (Refused if failure.code == "INVALID_ARGUMENT" else Failed)(str(failure)) from failure
    except UnicodeEncodeError as error:  # an argument's bytes, which Python keeps as half characters
        raise Refused(f"{error.object!r} is no text in UTF-8") from error
