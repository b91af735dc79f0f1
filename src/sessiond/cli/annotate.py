"""`sessiond annotate`."""

from collections.abc import Sequence
from typing import Any, Final

import click

from sessiond.cli import feedback, listing, options
from sessiond.client import Annotation, Client
from sessiond.client.feedback import lines

NOTES: Final = listing.Kind[Annotation](
    "annotation", lines.annotation_row, feedback.note_columns, "No annotations yet. `sessiond annotate SESSION TEXT` writes one."
)
_TARGET: Final = ("target", "is_session", "project")
_PLACE: Final = ("trace_id", "span_id", "message_index", "characters")


PLACE_MAX: Final = 2**31 - 1
"""What a message of the API can say; no text is so long."""
_DIGITS_MAX: Final = len(str(PLACE_MAX))


def _is_place(text: str) -> bool:
    return text.isdecimal() and len(text) <= _DIGITS_MAX and int(text) <= PLACE_MAX


class _RangeType(click.ParamType[tuple[int, int]]):
    """BEGIN:END, counted from 0, the end not included."""

    name = "BEGIN:END"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:  # noqa: ANN401
        begin, colon, end = str(value).partition(":")
        if not (colon and _is_place(begin) and _is_place(end)):
            self.fail(f"{value!r} is not BEGIN:END, such as 0:12", param, ctx)
        return int(begin), int(end)


@click.command()
@feedback.target
@click.argument("text", required=False, metavar="[TEXT]")
@feedback.is_session
@feedback.project
@feedback.author
@click.option(
    "--tag", "tags", multiple=True, metavar="TAG", help="A tag; may be given several times. Of a list: only with this tag."
)
@click.option("--trace", "trace_id", default=None, metavar="ID", help="The place: in this trace of a session.")
@click.option("--span", "span_id", default=None, metavar="ID", help="The place: in this span.")
@click.option(
    "--message",
    "message_index",
    type=click.IntRange(0, PLACE_MAX),
    default=None,
    metavar="N",
    help="The place: in this message, from 0.",
)
@click.option("--characters", type=_RangeType(), default=None, help="The place: from a character to before another, from 0.")
@click.option(
    "--id", "annotation_id", default=None, metavar="ID", help="The annotation's own id: writing the same again changes nothing."
)
@feedback.own_only
@feedback.updated
@click.option("--text", "new_text", default=None, metavar="TEXT", help="With --update: the new text.")
@feedback.deleted
@options.limit
@options.as_json
@options.endpoint
@click.pass_context
def annotate(ctx: click.Context, /, *, endpoint: str, **written: Any) -> None:  # noqa: ANN401 - as click gives them
    """Write a note on a session, trace or span; list and change notes.

    TARGET is a session's id, a trace's, or TRACE/SPAN. With TEXT it is annotated, without its annotations are listed, and
    without a TARGET all.
    """
    use, fitting, words = _use(written)
    feedback.refuse_others(ctx, words, fitting)
    with options.asking(endpoint) as client:
        use(client, **{name: written[name] for name in fitting}, as_json=written["as_json"])


def _use(written: dict[str, Any]) -> tuple[Any, Sequence[str], str]:
    """Which use of the command was written, what goes with it, and how it is called."""
    if written["deleted"] is not None:
        return _delete, ("deleted",), "--delete"
    if written["updated"] is not None:
        return _update, ("updated", "new_text", "author", "tags", *_PLACE), "--update"
    if written["text"] is not None:
        return _create, (*_TARGET, "text", "annotation_id", "author", "tags", *_PLACE), "TEXT"
    return _list, (*_TARGET, "own_only", "author", "tags", "limit"), "a list of annotations"


def _create(
    client: Client,
    *,
    target: str,
    is_session: bool,
    project: str,
    text: str,
    annotation_id: str | None,
    author: str | None,
    tags: Sequence[str],
    as_json: bool,
    **place: Any,  # noqa: ANN401 - of _PLACE
) -> None:
    of = feedback.target_of(target, project, is_session=is_session)
    fields = feedback.given(annotation_id=annotation_id, author=author, tags=tags, anchor=_anchor(**place))
    _show(client.feedback.create_annotation(text, **of, **fields), as_json=as_json)


def _update(
    client: Client,
    *,
    updated: str,
    new_text: str | None,
    author: str | None,
    tags: Sequence[str],
    as_json: bool,
    **place: Any,  # noqa: ANN401 - of _PLACE
) -> None:
    changes = feedback.given(text=new_text, author=author, tags=tags or None, anchor=_anchor(**place))
    if not changes:
        raise click.UsageError("--update wants something to change, such as --text")
    _show(client.feedback.update_annotation(updated, **changes), as_json=as_json)


def _delete(client: Client, *, deleted: str, as_json: bool) -> None:
    client.feedback.delete_annotation(deleted)
    feedback.show_deleted("annotation", deleted, as_json=as_json)


def _list(
    client: Client,
    *,
    target: str | None,
    is_session: bool,
    project: str,
    own_only: bool,
    author: str | None,
    tags: Sequence[str],
    limit: int,
    as_json: bool,
) -> None:
    if len(tags) > 1:
        raise click.UsageError("a list takes one --tag")
    of: Any = {} if target is None else feedback.target_of(target, project, is_session=is_session)
    known = feedback.given(author=author, tag=tags[0] if tags else None)
    found = client.feedback.annotations(**of, **known, own_only=own_only, limit=limit + 1)
    listing.write(found, NOTES, limit, as_json=as_json, when_empty=listing.none_of(NOTES, {**of, **known}))


def _show(note: Annotation, *, as_json: bool) -> None:
    listing.write(iter([note]), NOTES, 1, as_json=as_json, when_empty="")


def _anchor(
    *, trace_id: str | None, span_id: str | None, message_index: int | None, characters: tuple[int, int] | None
) -> dict[str, str | int] | None:
    begin, end = characters or (None, None)
    found = feedback.given(trace_id=trace_id, span_id=span_id, message_index=message_index, begin=begin, end=end)
    return found or None
