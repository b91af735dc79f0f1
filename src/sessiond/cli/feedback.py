"""What `sessiond score` and `sessiond annotate` share, and how feedback looks wherever it is shown."""

import re
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Final, TypeVar

import click
from click.core import ParameterSource
from rich.text import Text

from sessiond.cli.output import layout_of_stdout, show
from sessiond.cli.render import Column, table, text
from sessiond.cli.text import ABSENT, ago, clean, one_line
from sessiond.client import Annotation, Score, ScoreSource, ScoreSum
from sessiond.client.feedback.lines import value_of
from sessiond.client.feedback.requests import Of
from sessiond.client.rows import enum_name
from sessiond.core.figures.trace import DEFAULT_PROJECT

NOTES_SHOWN: Final = 10
"""Notes shown with a session or trace; `sessiond annotate ID` lists them all."""
TEXT_WIDTH_MAX: Final = 60
_TRACE: Final = re.compile(r"([0-9a-fA-F]{32})(?:/([0-9a-fA-F]{16}))?")
_NEARLY_A_TRACE: Final = re.compile(r"[0-9a-fA-F]{30,34}|[0-9a-fA-F]{30,34}/.*")
"""What somebody most likely took for one: a digit too few or too many, or no span's id behind the slash."""
_DIGITS: Final = 4
"""Of a number that is shown; --json has all."""

Item = TypeVar("Item", Score, Annotation)

target = click.argument("target", required=False, metavar="[TARGET]")
is_session = click.option("--session", "is_session", is_flag=True, help="TARGET is a session, though its id looks like a trace's.")
project = click.option("--project", default="", metavar="NAME", help="The session's project; `default` where not given.")
own_only = click.option("--own", "own_only", is_flag=True, help="Leave out what is of a session's traces, or of a trace's spans.")
author = click.option("--author", default=None, metavar="WHO", help="Who it is from; of a list: only from them.")
updated = click.option("--update", "updated", metavar="ID", help="Change the one of this id.")
deleted = click.option("--delete", "deleted", metavar="ID", help="Remove the one of this id.")


def target_of(written: str, project: str, *, is_session: bool) -> Of:
    """What TARGET names: a trace by 32 hexadecimal digits, a span by a trace and 16 digits behind a slash, else a session."""
    found = None if is_session else _TRACE.fullmatch(written.strip())
    if found is None and not is_session and _NEARLY_A_TRACE.fullmatch(written.strip()):
        raise click.UsageError(
            f"{written!r} is nearly a trace's id of 32 digits, or TRACE/SPAN with 16 more; if it is a session's, add --session"
        )
    if found is None:
        return {"session_id": written, "project": project}
    if project:
        raise click.UsageError("--project goes with a session; a trace's id is unique without")
    return {"trace_id": found[1], "span_id": found[2] or ""}


def refuse_others(ctx: click.Context, mode: str, fitting: Collection[str]) -> None:
    """Refuse what was written and does not go with a use of the command. `fitting` are names of parameters."""
    for parameter in ctx.command.params:
        name = str(parameter.name)
        is_written = ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE and ctx.params[name] not in (None, ())
        if is_written and name not in {*fitting, "endpoint", "as_json"}:
            shown = parameter.opts[0] if isinstance(parameter, click.Option) else parameter.make_metavar(ctx)
            raise click.UsageError(f"{shown} does not go with {mode}")


def given(**fields: Any) -> Any:  # noqa: ANN401  (keyword arguments of the client)
    """Those that were written."""
    return {name: value for name, value in fields.items() if value is not None}


def summed(name: str, scores: ScoreSum) -> str:
    """`helpful 0.75 (4)`, `verdict bad 1 good 3`; what is stale is told."""
    parts = [name]
    if scores.HasField("mean"):
        parts.append(f"{scores.mean:.{_DIGITS}g}")
    parts += (f"{category} {count:,}" for category, count in sorted(scores.categories.items()))
    if scores.count > 1 and scores.HasField("mean"):
        parts.append(f"({scores.count:,})")
    if scores.stale_count:
        parts.append(f"[{scores.stale_count:,} stale]" if scores.stale_count < scores.count else "[stale]")
    return " ".join(parts)


def score_columns(scores: Sequence[Score], now_unix_nano: int) -> list[Column[Score]]:
    """The columns for some scores."""
    return [
        _age(now_unix_nano),
        Column("OF", _of),
        Column("NAME", lambda score: text(score.name, "bold")),
        Column("VALUE", _value),
        Column("SOURCE", lambda score: text(enum_name(ScoreSource.DESCRIPTOR, score.source)), rank=2),
        *_author(scores),
        Column("COMMENT", lambda score: _short(score.comment), rank=4, width_max=TEXT_WIDTH_MAX),
        Column("ID", lambda score: text(score.score_id, "dim"), rank=3),
    ]


def note_columns(notes: Sequence[Annotation], now_unix_nano: int) -> list[Column[Annotation]]:
    """The columns for some annotations."""
    return [
        _age(now_unix_nano),
        Column("OF", _of),
        Column("NOTE", lambda note: _short(note.text)),
        Column("PLACE", _place, rank=4),
        *_author(notes),
        Column("TAGS", lambda note: text(", ".join(note.tags)), rank=3, width_max=TEXT_WIDTH_MAX),
        Column("ID", lambda note: text(note.annotation_id, "dim"), rank=2),
    ]


def show_notes(notes: Iterable[Annotation]) -> None:
    """Write annotations as a table with a line behind it."""
    found, layout = list(notes), layout_of_stdout()
    show(table(note_columns(found, time.time_ns()), found, layout), "", layout=layout)


def show_deleted(noun: str, item_id: str, *, as_json: bool) -> None:
    """Say that one is gone; to a program the exit code does."""
    if not as_json:
        click.echo(f"the {noun} {clean(item_id)} is deleted")


def _age(now_unix_nano: int) -> Column[Any]:
    return Column("GIVEN", lambda item: Text(ago(item.update_time.ToNanoseconds(), now_unix_nano)))


def _author(items: Sequence[Item]) -> list[Column[Item]]:
    author: Callable[[Any], Text] = lambda item: text(item.author)  # noqa: E731
    return [Column("AUTHOR", author, rank=1)] if any(item.author for item in items) else []


def _of(item: Score | Annotation) -> Text:
    if item.session_id:
        return text(item.session_id if item.project == DEFAULT_PROJECT else f"{item.session_id} in {item.project}")
    return text(f"{item.trace_id}/{item.span_id}" if item.span_id else item.trace_id)


def _value(score: Score) -> Text:
    value = value_of(score)
    shown = str(value).lower() if isinstance(value, bool) else f"{value:.{_DIGITS}g}" if isinstance(value, float) else value
    return text(shown).append(" (stale)" if score.stale else "", "yellow")


def _place(note: Annotation) -> Text:
    if not note.HasField("anchor"):
        return Text(ABSENT)
    anchor = note.anchor
    parts = [anchor.trace_id, anchor.span_id]
    if anchor.HasField("message_index"):
        parts.append(f"message {anchor.message_index}")
    if anchor.HasField("begin"):
        parts.append(f"characters {anchor.begin} to {anchor.end}")
    return text(" ".join(filter(None, parts)))


def _short(said: str) -> Text:
    return text(one_line(said))
