"""Tokens -> tree, by the grammar of AIP-160. What the names and values mean is the business of `restriction`.

expression : factor { [AND] factor }        factors one after the other are joined by AND too
factor     : term { OR term }               OR binds tighter than AND
term       : [NOT | -] ( "(" expression ")" | comparison )
comparison : path [comparator (value | name "(" [path {, path}] ")")]
path       : word { . word }
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, TypeAlias

from sessiond.core.filter.lexer import Misread, Token, TokenKind, tokens

NESTING_MAX: Final = 32
"""Parentheses inside each other: no person writes so many, and Python's own stack is far from its end."""
TERMS_MAX: Final = 256
"""Comparisons in one filter: enough for a list of ids, and a row is still compared in microseconds."""

Path: TypeAlias = tuple[Token, ...]
"""A name and what is behind its dots; at least one token, all of them words."""


class Call(NamedTuple):
    """A function's name and what it is called with."""

    name: Token
    arguments: tuple[Path, ...]


class Comparison(NamedTuple):
    """`path comparator value`."""

    path: Path
    comparator: Token
    value: Token | Call


class Bare(NamedTuple):
    """A path without a comparator: AIP-160's search in whatever fields a service chooses."""

    path: Path


class Not(NamedTuple):
    """What holds where `inner` does not."""

    inner: "Node"


class And(NamedTuple):
    """What holds where all parts do."""

    parts: tuple["Node", ...]


class Or(NamedTuple):
    """What holds where one of the parts does."""

    parts: tuple["Node", ...]


Node: TypeAlias = Comparison | Bare | Not | And | Or

EVERYTHING: Final = And(())
"""The tree of an empty filter."""


def parse(text: str) -> Node:
    """The tree of a filter. Raises Misread."""
    reader = Reader(tokens(text))
    if reader.token.kind == "end":
        return EVERYTHING
    tree = _expression(reader, 0)
    reader.expect("end", "can't be read here", hint="comparisons are joined by AND and OR")
    return tree


class Reader:
    """Tokens, read one after the other."""

    def __init__(self, found: Sequence[Token]) -> None:
        self._tokens = found
        self._place = 0
        self.comparison_count = 0

    @property
    def token(self) -> Token:
        """The next one, which is not taken yet."""
        return self._tokens[self._place]

    def take(self) -> Token:
        """The next token. Not past the end."""
        token = self.token
        self._place += 1
        return token

    def accept(self, *kinds: TokenKind) -> bool:
        """Take the next token if it is of one of these kinds."""
        if self.token.kind not in kinds:
            return False
        self._place += 1
        return True

    def expect(self, kind: TokenKind, problem: str, *, hint: str = "") -> None:
        """Take the next token, the last one aside; raise Misread if it is of another kind."""
        if self.token.kind != kind:
            raise Misread(self.token.text, self.token.position, problem, hint=hint)
        if kind != "end":
            self._place += 1


def _expression(reader: Reader, depth: int) -> Node:
    parts = [_factor(reader, depth)]
    while reader.token.kind not in ("end", ")", ","):
        reader.accept("AND")
        parts.append(_factor(reader, depth))
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def _factor(reader: Reader, depth: int) -> Node:
    parts = [_term(reader, depth)]
    while reader.accept("OR"):
        parts.append(_term(reader, depth))
    return parts[0] if len(parts) == 1 else Or(tuple(parts))


def _term(reader: Reader, depth: int) -> Node:
    if reader.accept("NOT", "-"):
        return Not(_simple(reader, depth))
    return _simple(reader, depth)


def _simple(reader: Reader, depth: int) -> Node:
    token = reader.token
    if not reader.accept("("):
        return _comparison(reader)
    if depth == NESTING_MAX:
        raise Misread(token.text, token.position, f"is one parenthesis too many: at most {NESTING_MAX} stand inside each other")
    inner = _expression(reader, depth + 1)
    reader.expect(")", "stands where a parenthesis should close", hint=f"it opened at character {token.position}")
    return inner


def _comparison(reader: Reader) -> Node:
    start = reader.token
    reader.comparison_count += 1
    if reader.comparison_count > TERMS_MAX:
        raise Misread(start.text, start.position, f"is one comparison too many: at most {TERMS_MAX} are taken")
    path = read_path(reader)
    if _is_called(path[-1], reader.token):
        raise Misread(start.text, start.position, "is a function where a field is wanted", hint="functions stand right")
    if reader.token.kind != "comparator":
        return Bare(path)
    return Comparison(path, reader.take(), _value(reader))


def read_path(reader: Reader) -> Path:
    """Take a path. Raises Misread where none begins."""
    path = [_word(reader, "stands where a field is wanted")]
    while reader.accept("."):
        path.append(_word(reader, "stands where the name behind a dot is wanted"))
    return tuple(path)


def _word(reader: Reader, problem: str, *, hint: str = "") -> Token:
    token = reader.token
    if not token.is_word:
        raise Misread(token.text, token.position, problem, hint=hint)
    return reader.take()


def _value(reader: Reader) -> Token | Call:
    hint = "each comparison has one value; words such as OR, and texts with signs in them, stand in quotes"
    token = _word(reader, "stands where a value is wanted", hint=hint)
    return _call(reader, token) if _is_called(token, reader.token) else token


def _is_called(name: Token, behind: Token) -> bool:
    """Whether a parenthesis opens right behind a name: `name:x (status = ok)` are two terms."""
    return name.kind == "text" and behind.kind == "(" and behind.position == name.position + len(name.text)


def _call(reader: Reader, name: Token) -> Call:
    reader.take()
    arguments: list[Path] = []
    if reader.token.kind != ")":
        arguments.append(read_path(reader))
        while reader.accept(","):
            arguments.append(read_path(reader))
    reader.expect(")", f"stands where the parenthesis of {name.text} should close")
    return Call(name, tuple(arguments))
