"""`sessiond completion`, and what completes names of fields. Imported by every command that asks: nothing heavy may stand here."""

from collections.abc import Callable
from typing import Final

import click
from click.shell_completion import BashComplete, CompletionItem, ShellComplete, ZshComplete

from sessiond.core.fields import FIELDS, Kind

PROGRAM: Final = "sessiond"
SHELLS: Final[dict[str, type[ShellComplete]]] = {"bash": BashComplete, "zsh": ZshComplete}
WITHOUT_ORDER: Final = frozenset({"map", "counts"})

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


def beginning_of_filter(kind: Kind) -> Completer:
    """Completes the name that a filter begins with."""

    def complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(name, help=sentence) for name, sentence in _fields(kind, frozenset()) if name.startswith(incomplete)]

    return complete


def end_of_order(kind: Kind) -> Completer:
    """Completes the last of the names that stand between commas."""

    def complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
        before, comma, last = incomplete.rpartition(",")
        begun = last.lstrip()
        kept = before + comma + last[: len(last) - len(begun)]
        names = [(name, sentence) for name, sentence in _fields(kind, WITHOUT_ORDER) if name.startswith(begun)]
        return [CompletionItem(kept + name, help=sentence) for name, sentence in names]

    return complete


def _fields(kind: Kind, left_out: frozenset[str]) -> list[tuple[str, str]]:
    """Name and sentence of each field that rows of a kind have."""
    return [(field.name, field.sentence) for field in FIELDS[kind] if field.served and field.type not in left_out]
