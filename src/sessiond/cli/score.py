"""`sessiond score`."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click

from sessiond.cli import feedback, listing, options
from sessiond.cli.lazy import EXIT_FAILED
from sessiond.cli.output import remark
from sessiond.client import Client, Score
from sessiond.client.feedback import lines
from sessiond.client.feedback.requests import ScoreValue

SOURCES: Final = ("human", "evaluator", "api")
SCORES: Final = listing.Kind[Score](
    "score", lines.score_row, feedback.score_columns, "No scores yet. `sessiond score SESSION helpful=0.8` gives one."
)
_TARGET: Final = ("target", "is_session", "project")
_CONTENT: Final = ("source", "author", "comment", "metadata")


@click.command()
@feedback.target
@click.argument("values", nargs=-1, metavar="[NAME=VALUE]...")
@feedback.is_session
@feedback.project
@click.option(
    "--source", type=click.Choice(SOURCES), default=None, help="Who judged; human where not given. Of a list: only theirs."
)
@feedback.author
@click.option("--comment", default=None, metavar="TEXT", help="Why.")
@click.option("--metadata", multiple=True, metavar="KEY=VALUE", help="Whatever else; may be given several times.")
@click.option(
    "--id", "score_id", default=None, metavar="ID", help="The score's own id: giving the same score again changes nothing."
)
@click.option("--name", default=None, metavar="NAME", help="Of a list: only of this name.")
@feedback.own_only
@feedback.updated
@click.option("--value", default=None, metavar="VALUE", help="With --update: the new value.")
@feedback.deleted
@click.option(
    "--import",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Store the scores of a file of JSON lines.",
)
@options.limit
@options.as_json
@options.endpoint
@click.pass_context
def score(ctx: click.Context, /, *, endpoint: str, **written: Any) -> None:  # noqa: ANN401 - as click gives them
    """Score a session, trace or span; list, change and import scores.

    TARGET is a session's id, a trace's, or TRACE/SPAN. With NAME=VALUE it is scored: VALUE is a number, true or false, or any
    other text for a category, which stands in JSON's quotes where it looks like one of those: 'grade="1"'. Without, its scores
    are listed, and without a TARGET all. A session's score is stale once the session has a turn that came later.
    """
    use, fitting, words = _use(written)
    feedback.refuse_others(ctx, words, fitting)
    with options.asking(endpoint) as client:
        use(client, **{name: written[name] for name in fitting}, as_json=written["as_json"])


def _use(written: dict[str, Any]) -> tuple[Any, Sequence[str], str]:
    """Which use of the command was written, what goes with it, and how it is called."""
    if written["file"] is not None:
        return _import, ("file",), "--import"
    if written["deleted"] is not None:
        return _delete, ("deleted",), "--delete"
    if written["updated"] is not None:
        return _update, ("updated", "value", *_CONTENT), "--update"
    if written["values"]:
        return _create, (*_TARGET, "values", "score_id", *_CONTENT), "NAME=VALUE"
    return _list, (*_TARGET, "own_only", "name", "source", "author", "limit"), "a list of scores"


def _create(
    client: Client,
    *,
    target: str,
    is_session: bool,
    project: str,
    values: Sequence[str],
    score_id: str | None,
    metadata: Sequence[str],
    as_json: bool,
    source: str | None,
    **content: str | None,
) -> None:
    if score_id is not None and len(values) > 1:
        raise click.UsageError("--id is for one NAME=VALUE")
    of = feedback.target_of(target, project, is_session=is_session)
    named = [_named(value) for value in values]
    fields = feedback.given(score_id=score_id, metadata=_pairs(metadata) or None, source=source or "human", **content)
    stored: list[Score] = []
    try:
        stored.extend(client.feedback.create_score(name, value, **of, **fields) for name, value in named)
    finally:  # what is stored is told, though a later one failed
        _show(stored, as_json=as_json)
        if stored and len(stored) < len(named):
            remark(f"{', '.join(score.name for score in stored)}: stored; give only the others again")


def _update(
    client: Client, *, updated: str, value: str | None, metadata: Sequence[str], as_json: bool, **content: str | None
) -> None:
    new = None if value is None else _value(value)
    changes = feedback.given(value=new, metadata=_pairs(metadata) or None, **content)
    if not changes:
        raise click.UsageError("--update wants something to change, such as --value")
    _show([client.feedback.update_score(updated, **changes)], as_json=as_json)


def _delete(client: Client, *, deleted: str, as_json: bool) -> None:
    client.feedback.delete_score(deleted)
    feedback.show_deleted("score", deleted, as_json=as_json)


def _list(
    client: Client,
    *,
    target: str | None,
    is_session: bool,
    project: str,
    own_only: bool,
    limit: int,
    as_json: bool,
    **conditions: str | None,
) -> None:
    of: Any = {} if target is None else feedback.target_of(target, project, is_session=is_session)
    known = feedback.given(**conditions)
    found = client.feedback.scores(**of, **known, own_only=own_only, limit=limit + 1)
    listing.write(found, SCORES, limit, as_json=as_json, when_empty=listing.none_of(SCORES, {**of, **known}))


def _import(client: Client, *, file: Path, as_json: bool) -> None:
    from sessiond.cli.score_import import import_file  # noqa: PLC0415 - hardly ever needed

    if import_file(client, file, as_json=as_json):
        click.get_current_context().exit(EXIT_FAILED)


def _show(scores: Sequence[Score], *, as_json: bool) -> None:
    if scores:
        listing.write(iter(scores), SCORES, len(scores), as_json=as_json, when_empty="")


def _named(written: str) -> tuple[str, ScoreValue]:
    name, equals, value = written.partition("=")
    if not equals or not name or not value:
        raise click.UsageError(f"{written!r} is not NAME=VALUE, such as helpful=0.8")
    return name, _value(value)


def _value(written: str) -> ScoreValue:
    """JSON's numbers, true, false and texts; anything else is a category as it stands, unless it looks like one of those."""
    try:
        found = json.loads(written, parse_constant=_no_number)
    except ValueError:
        if _is_nearly_a_value(written):
            raise click.UsageError(
                f"{written!r} is no value: write a number such as 0.5, true or false; a category in JSON's quotes: '\"{written}\"'"
            ) from None
        return written
    if isinstance(found, bool | str):
        return found
    return float(found) if isinstance(found, int | float) else written


def _no_number(name: str) -> None:
    raise ValueError(f"{name} can't be compared")


def _is_nearly_a_value(written: str) -> bool:
    """Whether it is a number or a yes or no as others write it than JSON: .5, +3, nan, TRUE."""
    if written.strip().lower() in {"true", "false"}:
        return True
    try:
        float(written)
    except ValueError:
        return False
    return True


def _pairs(written: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for one in written:
        key, equals, value = one.partition("=")
        if not equals or not key:
            raise click.UsageError(f"--metadata {one!r} is not KEY=VALUE")
        pairs[key] = value
    return pairs
