"""A click group that imports a command when it is used, and the one place where failures become exit codes.

Importing everything takes the time and memory of a daemon; `sessiond --help` and a query need neither.
"""

import errno
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import IO, Any, Final, NamedTuple, cast

import click
from click.shell_completion import CompletionItem

from sessiond.cli.text import clean
from sessiond.core.errors import Code, SessiondError

EXIT_FAILED: Final = 1
"""Something failed in the world: no daemon, no such id, a check that found problems."""
EXIT_INVALID: Final = 2
"""What the caller wrote can't be used; click's own."""
EXIT_INTERRUPTED: Final = 130
"""What a shell gives for SIGINT."""


class Command(NamedTuple):
    """Where a command is (`module:attribute`), and its line in the group's help."""

    target: str
    help: str


class Failed(click.ClickException):
    """Ends the command line with a message on stderr and EXIT_FAILED."""

    exit_code = EXIT_FAILED

    def __init__(self, message: str) -> None:
        super().__init__("\n".join(map(clean, message.split("\n"))))

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"sessiond: {self.message}", file=file or sys.stderr)


class Refused(Failed):
    """The same with EXIT_INVALID: it is for the caller to write something else."""

    exit_code = EXIT_INVALID


class LazyGroup(click.Group):
    """Commands from a table. A failed operation is told in one line, never by a traceback."""

    def __init__(self, *, commands_table: Mapping[str, Command], **settings: Any) -> None:  # noqa: ANN401 - click's own
        super().__init__(**settings)
        self._table = commands_table

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        # Read when gRPC is imported. What it says on stderr of its own, sessiond says in words that help.
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")
        entry = self._table.get(cmd_name)
        return cast("click.Command", load(entry.target)) if entry else None

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        names = [CompletionItem(name, help=row.help) for name, row in self._table.items() if name.startswith(incomplete)]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.help) for name, command in self._table.items()])

    def main(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - click's own
        open_closed_streams()
        return super().main(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except SessiondError as error:
            raise (Refused if error.code is Code.INVALID else Failed)(str(error)) from error
        except OSError as error:
            if error.errno == errno.EPIPE:  # a reader that went away: click ends the command quietly
                raise
            where = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes | os.PathLike) else ""
            raise Failed(f"{where}{error.strerror or error}") from error
        except KeyboardInterrupt:
            ctx.exit(EXIT_INTERRUPTED)


def open_closed_streams() -> None:
    """Put the null device where a standard stream is closed, as by `>&-`.

    Python has None there, and the number of the stream would be that of the next file, which would get what is written to it.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115 - to the end of the process


def load(target: str) -> object:
    """What `module:attribute` names, imported now."""
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)
