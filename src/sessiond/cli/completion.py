"""`sessiond completion`, and what completes names of fields. Imported by every command that asks: nothing heavy may stand here."""

from collections.abc import Callable
from typing import Any, Final

import click
from click.shell_completion import BashComplete, CompletionItem, ShellComplete, ZshComplete

from sessiond.core.rows.fields import FIELDS, Field, Kind

PROGRAM: Final = "sessiond"
SHELLS: Final[dict[str, type[ShellComplete]]] = {"bash": BashComplete, "zsh": ZshComplete}
WITHOUT_ORDER: Final = frozenset({"map", "counts", "scores"})
"""Types of fields by which nothing is sorted."""

KindOf = Kind | Callable[[click.Context], Kind]
"""The kind of a command's rows; of some it depends on what was typed before."""
Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


@click.command()
@click.argument("shell", type=click.Choice(list(SHELLS)))
@click.pass_context
def completion(ctx: click.Context, *, shell: str) -> None:
    """Print what makes a shell complete commands, options and fields.

    Write `eval "$(sessiond completion bash)"` into ~/.bashrc, or the same with zsh into ~/.zshrc, after compinit.
    """
    script = SHELLS[shell](ctx.find_root().command, {}, PROGRAM, f"_{PROGRAM.upper()}_COMPLETE").source()
    click.echo(script, nl=False)


def beginning_of_filter(kind_of: KindOf) -> Completer:
    """Completes the name that a filter begins with."""

    def complete(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
        kind = kind_of if isinstance(kind_of, str) else kind_of(ctx)
        return [_item(field) for field in FIELDS[kind] if field.name.startswith(incomplete)]

    return complete


def end_of_order(kind: Kind) -> Completer:
    """Completes the last of the names that stand between commas."""

    def complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
        last = incomplete.rpartition(",")[2].lstrip()
        kept = incomplete.removesuffix(last)
        fields = (field for field in FIELDS[kind] if field.type not in WITHOUT_ORDER)
        return [_item(field, kept) for field in fields if field.name.startswith(last)]

    return complete


def _item(field: Field[Any], before: str = "") -> CompletionItem:
    return CompletionItem(before + field.name, help=field.sentence)
