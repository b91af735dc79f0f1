"""`sessiond search`."""

import re
import time
from collections.abc import Iterator
from typing import Final, Unpack

import click
from rich.console import RenderableType
from rich.text import Text

from sessiond.cli import columns, options
from sessiond.cli.output import layout_of_stdout, remark, show, show_json
from sessiond.cli.render import Fact, Indented, block, text
from sessiond.cli.text import clean, duration, plural
from sessiond.client import SearchConditions, SearchExcerpt, SearchPlace, SearchResponse, SearchRow
from sessiond.client.rows import Row, enum_name, row, session_row, trace_row

LIMIT: Final = 10
"""Rows shown where no limit is given: with their excerpts, two screens."""
HIGHLIGHT: Final = "bold yellow"

_BLANK: Final = re.compile(r"\s", re.ASCII)


@click.command()
@click.argument("words", nargs=-1, required=True)
@options.project
@options.session_id
@options.user_id
@options.since
@options.until
@options.filtered(lambda context: "session" if context.params.get("by_session") else "trace")
@click.option("--newest", is_flag=True, help="The latest first, instead of the best.")
@click.option("--by-session", is_flag=True, help="One row a session, with how many of its turns were found.")
@options.limited(LIMIT)
@options.as_json
@options.endpoint
def search(
    *, words: tuple[str, ...], newest: bool, limit: int, as_json: bool, endpoint: str, **conditions: Unpack[SearchConditions]
) -> None:
    """Find turns by what was said and done in them.

    Searched are questions and answers, tools' calls and results, errors and names.

    WORDS must all be found. "a phrase" is found as it stands, weath* goes on, OR, NOT and parentheses join; quote all of it for the
    shell.
    """
    with options.asking(endpoint) as client:
        found = client.search(" ".join(words), limit=limit, **conditions | {"order": "newest" if newest else "best"})
        page, shown = SearchResponse(), 0
        for page in found:
            for number, one in enumerate(page.rows, shown):
                show_json(_json(one)) if as_json else _show(one, is_first=not number)
            shown += len(page.rows)
    _remark(page, shown, limit)


def _remark(page: SearchResponse, shown: int, limit: int) -> None:
    """What is to be known of an answer besides its rows."""
    if not shown:
        remark("Nothing was found.")
    elif page.next_page_token:
        remark(f"{limit:,} shown; --limit N for more")
    elif page.cut:
        remark("There may be more; give more words or conditions to see them.")
    if page.building:
        remark("The search index is being built and does not hold everything yet; `sessiond status` tells how far it is.")
    elif behind := page.behind.ToMilliseconds():
        remark(f"What came in the last {duration(behind)} is not searched yet.")


def _json(found: SearchRow) -> Row:
    return {
        "trace": trace_row(found.trace),
        "session": session_row(found.session) if found.HasField("session") else None,
        "hit_count": found.hit_count,
        "excerpts": [row(excerpt) for excerpt in found.excerpts],
    }


def _show(found: SearchRow, *, is_first: bool) -> None:
    layout = layout_of_stdout()
    facts = [Fact(_place(excerpt), _marked(excerpt)) for excerpt in found.excerpts]
    parts: list[RenderableType] = [_head(found), *([Indented(block(facts), 2)] if facts else [])]
    show(*([] if is_first else [""]), *parts, layout=layout)


def _head(found: SearchRow) -> Text:
    return Text("  ").join(_head_parts(found))


def _head_parts(found: SearchRow) -> Iterator[Text]:
    now, trace = time.time_ns(), found.trace
    if found.HasField("session"):
        yield columns.age(found.session.last_activity_time, now)
        yield Text.assemble("session ", text(found.session.session_id, "bold"))
        yield Text(f"{plural(found.hit_count, 'turn')} of {found.session.trace_count:,}")
        yield Text.assemble("first ", text(trace.trace_id))
    else:
        yield columns.age(trace.start_time, now)
        yield Text.assemble("trace ", text(trace.trace_id, "bold"))
        if trace.session_id:
            yield Text.assemble("session ", text(trace.session_id))
    yield text(trace.name)
    yield columns.failure(trace)


def _place(excerpt: SearchExcerpt) -> str:
    return (enum_name(SearchPlace.DESCRIPTOR, excerpt.place) or "").removeprefix("search_place_").replace("_", " ")


def _marked(excerpt: SearchExcerpt) -> Text:
    """The excerpt on one line, with what was found made bold."""
    plain = _BLANK.sub(" ", excerpt.text)
    marked, end = Text("..." if excerpt.cut_before else ""), 0
    for one in excerpt.highlights:
        marked.append(clean(plain[end : one.start]))
        marked.append(clean(plain[one.start : one.end]), HIGHLIGHT)
        end = one.end
    marked.append(clean(plain[end:]) + ("..." if excerpt.cut_behind else ""))
    return marked
