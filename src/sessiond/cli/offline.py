"""What works on a data directory while no daemon holds it: `sessiond rebuild`, and `sessiond check --data-dir`."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from lmdb import verify

from sessiond.cli.text import plural
from sessiond.config import Config
from sessiond.service.check import check
from sessiond.service.rebuild import rebuild as rebuild_store
from sessiond.storage.lmdb.environment import STORE_FILE, sync_directory
from sessiond.storage.lmdb.store import LmdbStore

NEW_STORE = "rebuilt"
"""Folder in the data directory that a rebuild writes to; what is left of one that was stopped is thrown away by the next."""


def check_data_dir(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Check the store in a directory that no daemon holds: (how far it is, what was found since), page by page.

    First the file's structure, page by page as LMDB lays it out; only a sound file is then read as a store.
    """
    store = _opened(path)
    try:
        problems = verify.verify(str(path))
        yield "file structure", problems
        if problems:
            return
        for checked in check(store):
            counts = ((checked.traces, "trace"), (checked.sessions, "session"), (checked.users, "user"))
            yield ", ".join(plural(count, noun) for count, noun in counts), checked.problems
    finally:
        store.close()


@click.command()
@click.option("--data-dir", type=click.Path(path_type=Path), help="Directory of the store. Default: ~/.local/share/sessiond.")
def rebuild(data_dir: Path | None) -> None:
    """Make everything but span bytes and arrival times again.

    Needs the daemon stopped, and free disk space of the size of the store: the new store takes the old one's place only when it is
    complete.
    """
    path = data_dir or Config().store.data_dir
    click.echo(f"{path}: rebuilt from {_rebuild(path)} spans")


def _rebuild(path: Path) -> int:
    old = _opened(path)
    target = path / NEW_STORE
    shutil.rmtree(target, ignore_errors=True)
    try:
        new = LmdbStore.open(target, bytes_max=old.extent().bytes_max)
        try:
            spans = _copied(old, new)
        finally:
            new.close()
        (target / STORE_FILE).replace(path / STORE_FILE)
        sync_directory(path)
        shutil.rmtree(target)
    finally:
        old.close()
    return spans


def _copied(old: LmdbStore, new: LmdbStore) -> int:
    total = old.extent().span_count
    spans = 0
    with click.progressbar(length=total, label="spans", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        for rebuilt in rebuild_store(old, new):
            bar.update(rebuilt.spans - spans)
            spans = rebuilt.spans
            for problem in rebuilt.problems:
                click.echo(f"left out: {problem}", err=True)
    return spans


def _opened(path: Path) -> LmdbStore:
    if not (path / STORE_FILE).exists():
        raise click.BadParameter(f"{path} holds no store ({STORE_FILE} is not there)", param_hint="--data-dir")
    # Whatever quota the daemon was given: the store may be as large as its file, and a rebuilt one about as large.
    return LmdbStore.open(path, bytes_max=max(Config().store.bytes_max, 2 * (path / STORE_FILE).stat().st_size))
