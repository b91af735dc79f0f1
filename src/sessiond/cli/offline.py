"""What works on a data directory while no daemon holds it: `sessiond rebuild`, and `sessiond check --data-dir`."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from lmdb import verify

from sessiond.cli import options
from sessiond.cli.text import feedback, looked_at
from sessiond.config import Config, load
from sessiond.parts import rules_of
from sessiond.service.settling.rules import Rules
from sessiond.service.upkeep.check import check
from sessiond.service.upkeep.rebuild import Rebuilt
from sessiond.service.upkeep.rebuild import rebuild as rebuild_store
from sessiond.storage.lmdb.environment import STORE_FILE, OtherFormat, sync_directory
from sessiond.storage.lmdb.keys import PREVIOUS_FORMATS
from sessiond.storage.lmdb.previous import PreviousStore
from sessiond.storage.lmdb.store import LmdbStore

NEW_STORE = "rebuilt"
"""Folder in the data directory that a rebuild writes to; what is left of one that was stopped is thrown away by the next."""


def check_data_dir(path: Path, config: Path | None) -> Iterator[tuple[str, list[str]]]:
    """Check the store in a directory that no daemon holds: (how far it is, what was found since), page by page.

    `config` is the daemon's, whose prices and keys the figures are made by.

    First the file's structure, page by page as LMDB lays it out; only a sound file is then read as a store.
    """
    rules = rules_of(load(config))
    store = _opened(path, rules)
    try:
        problems = verify.verify(str(path))
        yield "file structure", problems
        if problems:
            return
        for checked in check(store, lambda: rules):
            yield looked_at(checked.traces, checked.sessions, checked.users, checked.outdated), checked.problems
    finally:
        store.close()


@click.command()
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    help="Directory of the store. Default: that of --config, else ~/.local/share/sessiond.",
)
@options.config
def rebuild(data_dir: Path | None, config: Path | None) -> None:
    """Make everything but span bytes, arrival times and feedback again.

    It is the way from the previous format of the store to this one. Needs the daemon stopped, and free disk space of the size of
    the store: the new store takes the old one's place only when it is complete.
    """
    settings = load(config)
    path = data_dir or settings.store.data_dir
    rebuilt = _rebuild(path, rules_of(settings))
    said = f", with {feedback(rebuilt.feedback)}" if rebuilt.feedback else ""
    click.echo(f"{path}: rebuilt from {rebuilt.spans} spans{said}")


def _rebuild(path: Path, rules: Rules) -> Rebuilt:
    bytes_max = _bytes_max(path)
    old = _opened_to_rebuild(path, bytes_max, rules)
    target = path / NEW_STORE
    shutil.rmtree(target, ignore_errors=True)
    try:
        new = LmdbStore.open(target, bytes_max=bytes_max, rules=rules.fingerprint)
        try:
            rebuilt = _copied(old, new, rules)
        finally:
            new.close()
        (target / STORE_FILE).replace(path / STORE_FILE)
        sync_directory(path)
        shutil.rmtree(target)
    finally:
        old.close()
    return rebuilt


def _copied(old: LmdbStore | PreviousStore, new: LmdbStore, rules: Rules) -> Rebuilt:
    total = old.span_count() if isinstance(old, PreviousStore) else old.extent().span_count
    rebuilt = Rebuilt(0, [])
    with click.progressbar(length=total, label="spans", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        spans = 0
        for rebuilt in rebuild_store(old, new, rules):
            bar.update(rebuilt.spans - spans)
            spans = rebuilt.spans
            for problem in rebuilt.problems:
                click.echo(f"left out: {problem}", err=True)
    return rebuilt


def _opened(path: Path, rules: Rules) -> LmdbStore:
    return LmdbStore.open(path, bytes_max=_bytes_max(path), rules=rules.fingerprint)


def _opened_to_rebuild(path: Path, bytes_max: int, rules: Rules) -> LmdbStore | PreviousStore:
    try:
        return LmdbStore.open(path, bytes_max=bytes_max, rules=rules.fingerprint)
    except OtherFormat as error:
        previous = next((of for of in PREVIOUS_FORMATS if str(of).encode() == error.found), None)
        if previous is None:
            raise
    return PreviousStore.open(path, bytes_max=bytes_max, of=previous)


def _bytes_max(path: Path) -> int:
    """Whatever quota the daemon was given: the store may be as large as its file, and a rebuilt one about as large."""
    if not (path / STORE_FILE).exists():
        raise click.BadParameter(f"{path} holds no store ({STORE_FILE} is not there)", param_hint="--data-dir")
    return max(Config().store.bytes_max, 2 * (path / STORE_FILE).stat().st_size)
