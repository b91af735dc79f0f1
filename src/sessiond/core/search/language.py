"""A query's text -> what is searched for. No text is an error for the signs in it, but for quotes and parentheses left open.

query  : group { [AND] group }          groups one after the other must all be found, as in filters
group  : term { OR term }               OR binds tighter than AND, as in filters
term   : [NOT] ( "(" query ")" | "quoted" | word )

A word is whatever stands between blanks, quotes and parentheses. `core.search.analysis` makes tokens of it, so `foo:bar` is the two
words in sequence; with a `*` at its end it goes on. A word of signs alone says nothing and is passed over.
"""

import re
from collections.abc import Iterator
from collections.abc import Sequence as AnySequence
from typing import Final, Literal, NamedTuple, TypeAlias, cast

from sessiond.core.filter.lexer import Misread
from sessiond.core.search.analysis import Sequence, sequence
from sessiond.core.values import storable

QUERY_LENGTH_MAX: Final = 2048
"""Characters of a query: a paragraph that somebody pastes in quotes."""
TOKENS_MAX: Final = 128
"""Tokens of a query: each is a look into the index, and a paragraph has fewer."""
NESTING_MAX: Final = 16
"""Parentheses inside each other; Python's own stack is far from its end."""
PREFIX_LENGTH_MIN: Final = 2
"""Letters before a `*`: one letter begins so many words that what it finds says nothing."""


class And(NamedTuple):
    """What holds where all parts do."""

    parts: tuple["Node", ...]


class Or(NamedTuple):
    """What holds where one of the parts does."""

    parts: tuple["Node", ...]


class Not(NamedTuple):
    """What holds where `inner` does not."""

    inner: "Node"


Node: TypeAlias = Sequence | And | Or | Not

_Kind = Literal["word", "quoted", "(", ")", "AND", "OR", "NOT", "end"]
_PIECE: Final = re.compile(r"""[()]|"[^"]*"|[^\s()"]+""")
_OPERATORS: Final = frozenset({"AND", "OR", "NOT"})
_EMPTY_HINT: Final = 'give words, such as: weather "in Bern" get_w* NOT (rain OR snow)'


class _Piece(NamedTuple):
    """A piece of a query, and its first character from 1."""

    kind: _Kind
    text: str
    position: int


def parse(text: str) -> Node:
    """What a query searches for. Raises Invalid: which piece, at which character, and what to do about it."""
    try:
        return _Reader(list(_pieces(text))).query()
    except Misread as misread:
        raise misread.of("query") from None


def sequences(node: Node, *, wanted: bool = True) -> Iterator[Sequence]:
    """The sequences that a query searches for, those behind NOT left out (or with wanted=False those alone)."""
    if isinstance(node, Sequence):
        if wanted:
            yield node
    elif isinstance(node, Not):
        yield from sequences(node.inner, wanted=not wanted)
    else:
        for part in node.parts:
            yield from sequences(part, wanted=wanted)


def is_ranked(node: Node) -> bool:
    """Whether what a query finds can be better or worse: not so where it only says how words begin, or what is not to be found."""
    return any(not one.is_prefix for one in sequences(node))


def _pieces(text: str) -> Iterator[_Piece]:
    if len(text) > QUERY_LENGTH_MAX:
        raise Misread(text, QUERY_LENGTH_MAX + 1, f"goes on: at most {QUERY_LENGTH_MAX:,} characters are taken")
    if storable(text) != text:
        raise Misread(text, 1, "is no Unicode text: it holds half a character")
    end = 0
    for found in _PIECE.finditer(text):
        if '"' in text[end : found.start()]:
            break
        end = found.end()
        yield _piece(found[0], found.start() + 1)
    opened = text.find('"', end)
    if opened >= 0:
        raise Misread(text[opened:], opened + 1, "is not closed: the quote at its end is missing")
    yield _Piece("end", "", len(text) + 1)


def _piece(text: str, position: int) -> _Piece:
    if text[0] == '"':
        return _Piece("quoted", text[1:-1], position)
    if text in _OPERATORS or text in "()":
        return _Piece(cast("_Kind", text), text, position)
    return _Piece("word", text, position)


class _Reader:
    """Pieces, read one after the other. A node is None where what was read says nothing."""

    def __init__(self, pieces: AnySequence[_Piece]) -> None:
        self._pieces = pieces
        self._place = 0
        self._token_count = 0

    def query(self) -> Node:
        """The whole. Raises Misread."""
        node = None if self._next.kind == "end" else self._all_of(0)
        if self._next.kind != "end":
            raise Misread(
                self._next.text, self._next.position, "closes a parenthesis that is not open", hint="put it in quotes if it is text"
            )
        if node is None:
            raise Misread("", 1, "holds no word to search for", hint=_EMPTY_HINT)
        return node

    @property
    def _next(self) -> _Piece:
        return self._pieces[self._place]

    def _take(self) -> _Piece:
        piece = self._next
        self._place += 1
        return piece

    def _accept(self, kind: _Kind) -> bool:
        accepted = self._next.kind == kind
        self._place += accepted
        return accepted

    def _all_of(self, depth: int) -> Node | None:
        parts = [self._any_of(depth)]
        while self._accept("AND") or self._next.kind not in ("end", ")"):
            parts.append(self._any_of(depth))
        return _joined(And, parts)

    def _any_of(self, depth: int) -> Node | None:
        parts = [self._term(depth)]
        while self._accept("OR"):
            parts.append(self._term(depth))
        return _joined(Or, parts)

    def _term(self, depth: int) -> Node | None:
        if self._accept("NOT"):
            inner = self._simple(depth)
            return None if inner is None else Not(inner)
        return self._simple(depth)

    def _simple(self, depth: int) -> Node | None:
        piece = self._next
        if piece.kind in ("word", "quoted"):
            return self._sequence(self._take())
        if piece.kind != "(":
            hint = f"{piece.text} joins words: put it in quotes if it is text" if piece.text else "operators join words"
            raise Misread(piece.text, piece.position, "stands where a word is wanted", hint=hint)
        if depth == NESTING_MAX:
            raise Misread(piece.text, piece.position, f"is one parenthesis too many: at most {NESTING_MAX} stand inside each other")
        self._take()
        inner = self._all_of(depth + 1)
        if not self._accept(")"):
            hint = f"it opened at character {piece.position}; put it in quotes if it is text"
            raise Misread(self._next.text, self._next.position, "stands where a parenthesis should close", hint=hint)
        return inner

    def _sequence(self, piece: _Piece) -> Sequence | None:
        text = piece.text.rstrip("*") if piece.kind == "word" else piece.text
        found = sequence(text, is_prefix=text != piece.text)
        self._token_count += len(found.tokens)
        if self._token_count > TOKENS_MAX:
            raise Misread(piece.text, piece.position, f"is too much: at most {TOKENS_MAX} words are searched for at once")
        if not found.tokens:
            return None
        if found.is_prefix and found.tokens[-1].isascii() and len(found.tokens[-1]) < PREFIX_LENGTH_MIN:
            problem = f"begins too many words: at least {PREFIX_LENGTH_MIN} letters stand before a *"
            raise Misread(piece.text, piece.position, problem)
        return found


def _joined(join: type[And] | type[Or], parts: AnySequence[Node | None]) -> Node | None:
    """Parts that say something, joined."""
    said = tuple(part for part in parts if part is not None)
    if not said:
        return None
    return said[0] if len(said) == 1 else join(said)
