"""A query of ours as one of tantivy's, which finds the same: `core.search.matching` is what both mean."""

import re
from collections.abc import Sequence as AnySequence
from hashlib import blake2b
from typing import Final

from tantivy import FieldType, Occur, Query, Schema

from sessiond.core.rows.where import Where
from sessiond.core.search.analysis import Sequence
from sessiond.core.search.language import And, Node, Or
from sessiond.core.search.ranking import PREFIX_SCORE

TEXT: Final = "text"
KEY: Final = "key"
STATE_KEY: Final = "state"
START: Final = "start"
_UNIX_NANO_END: Final = 2**63


def query_of(schema: Schema, node: Node) -> Query:
    """What finds the documents that `node` matches."""
    if isinstance(node, Sequence):
        return _sequence(schema, node)
    if isinstance(node, And):
        return Query.boolean_query([(Occur.Must, query_of(schema, part)) for part in node.parts])
    if isinstance(node, Or):
        return Query.boolean_query([(Occur.Should, query_of(schema, part)) for part in node.parts])
    return Query.boolean_query([(Occur.Must, everything(schema)), (Occur.MustNot, query_of(schema, node.inner))])


def everything(schema: Schema) -> Query:
    """What finds the documents of all traces, none better than another."""
    return Query.boolean_query([(Occur.Must, _unscored(Query.all_query())), (Occur.MustNot, state(schema))])


def state(schema: Schema) -> Query:
    """What finds the one document that is of no trace. It has no text, so that nothing else that is searched for finds it."""
    return Query.term_query(schema, KEY, STATE_KEY, "basic")


def narrowed(schema: Schema, query: Query, where: Where, session_ids: AnySequence[str]) -> Query:
    """The same among the documents of traces that `where` holds for, with `session_ids` only in these."""
    wanted = [
        Query.term_query(schema, name, term(value), "basic")
        for name, value in (("project", where.project), ("session", where.session_id), ("user", where.user_id))
        if value is not None
    ]
    if where.since_unix_nano is not None or where.until_unix_nano is not None:
        until = _UNIX_NANO_END if where.until_unix_nano is None else where.until_unix_nano
        wanted.append(Query.range_query(schema, START, FieldType.Unsigned, where.since_unix_nano or 0, until, include_upper=False))
    if session_ids:
        wanted.append(Query.term_set_query(schema, "session", list(map(term, session_ids))))
    if not wanted:
        return query  # by itself: only so the index passes over what can't be among the best
    return Query.boolean_query([(Occur.Must, query), *((Occur.Must, _unscored(one)) for one in wanted)])


def term(name: str) -> str:
    """A name of a sender's as a term of one length: two that are the same term are told apart by their rows in the store."""
    return blake2b(name.encode(), digest_size=8).hexdigest()


def _sequence(schema: Schema, sought: Sequence) -> Query:
    *before, last = sought.tokens
    if sought.is_prefix:
        goes_on = f"{re.escape(last)}.*"
        if before:
            found = Query.regex_phrase_query(schema, TEXT, [*map(re.escape, before), goes_on])
        else:
            found = Query.regex_query(schema, TEXT, goes_on)
        return Query.const_score_query(found, PREFIX_SCORE)
    if before:
        return Query.phrase_query(schema, TEXT, [*before, last])
    return Query.term_query(schema, TEXT, last)


def _unscored(query: Query) -> Query:
    return Query.const_score_query(query, 0.0)
