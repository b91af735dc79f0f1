"""Tokens -> a tree, by the grammar of AIP-160: OR binds tighter than AND, and terms beside each other are joined by AND."""

from typing import Final, NamedTuple, TypeAlias

from sessiond.core.filter.lexer import Token, tokens
from sessiond.core.filter.problem import problem

CHARACTERS_MAX: Final = 8192
DEPTH_MAX: Final = 32
TERMS_MAX: Final = 256

_WORDS: Final = frozenset({"AND", "OR", "NOT"})


class Value(NamedTuple):
    """What a field is compared with."""

    text: str
    at: int
    is_quoted: bool = False
    has_star: bool = False
    """It ends with a `*`, which `text` leaves out."""


class Call(NamedTuple):
    """A function of a field, which a field is compared with."""

    name: str
    path: tuple[str, ...]
    at: int


class Comparison(NamedTuple):
    """A field, the comparator and what it is compared with."""

    path: tuple[str, ...]
    comparator: str
    value: Value | Call
    at: int


class Not(NamedTuple):
    """What must not hold."""

    inner: "Tree"


class And(NamedTuple):
    """What must all hold; nothing: everything does."""

    parts: tuple["Tree", ...]


class Or(NamedTuple):
    """Of which one must hold."""

    parts: tuple["Tree", ...]


Tree: TypeAlias = Comparison | Not | And | Or


def parse(text: str) -> Tree:
    """The tree of a filter. Raises Invalid."""
    if len(text) > CHARACTERS_MAX:
        raise problem(text, CHARACTERS_MAX + 1, f"is too long: a filter has at most {CHARACTERS_MAX:,} characters")
    return _Parser(list(tokens(text))).whole()


class _Parser:
    """One pass over the tokens, a method for each rule of the grammar."""

    def __init__(self, given: list[Token]) -> None:
        self._tokens = given
        self._place = 0
        self._depth = 0
        self._terms = 0

    def whole(self) -> Tree:
        if self._peek().kind == "end":
            return And(())
        found = self._expression()
        if self._peek().kind != "end":
            has_comparator = self._peek().kind == "comparator"
            raise self._unexpected(
                "does not belong here", "put a time, or any value with a : in it, in quotes" if has_comparator else ""
            )
        return found

    def _peek(self) -> Token:
        return self._tokens[self._place]

    def _take(self) -> Token:
        token = self._peek()
        self._place += 1
        return token

    def _expression(self) -> Tree:
        parts = [self._sequence()]
        while self._is_word("AND"):
            self._take()
            parts.append(self._sequence())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _sequence(self) -> Tree:
        parts = [self._factor()]
        while self._peek().kind in {"text", "quoted", "("} and not self._is_word("AND"):
            parts.append(self._factor())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _factor(self) -> Tree:
        parts = [self._term()]
        while self._is_word("OR"):
            self._take()
            parts.append(self._term())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _term(self) -> Tree:
        self._terms += 1
        if self._terms > TERMS_MAX:
            raise self._unexpected(f"is too much: a filter has at most {TERMS_MAX} terms")
        if self._is_word("NOT"):
            self._take()
            return Not(self._simple())
        if self._peek().kind == "text" and self._peek().text.startswith("-"):
            token = self._take()
            if len(token.text) > 1 or token.has_star:
                self._place -= 1
                self._tokens[self._place] = token._replace(text=token.text[1:], at=token.at + 1)
            return Not(self._simple())
        return self._simple()

    def _simple(self) -> Tree:
        if self._peek().kind != "(":
            return self._comparison()
        self._take()
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise self._unexpected(f"is too deep: parentheses nest at most {DEPTH_MAX} deep")
        inner = self._expression()
        if self._peek().kind != ")":
            raise self._unexpected("should be a closing parenthesis")
        self._take()
        self._depth -= 1
        return inner

    def _comparison(self) -> Comparison:
        at = self._peek().at
        path, first = self._path(), self._tokens[self._place - 1]
        if self._peek().kind == "(":
            raise problem(".".join(path), at, "is no function that stands here", hint="write FIELD COMPARATOR VALUE")
        if self._peek().kind != "comparator":
            word = ".".join(path) + ("*" if first.has_star else "")
            raise problem(word, at, "is compared with nothing", hint=f'name a field, such as name:"{word}"')
        return Comparison(path, self._take().text, self._argument(), at)

    def _path(self) -> tuple[str, ...]:
        """A field, and what is named inside it: texts with dots between them."""
        parts = [self._name()]
        while self._peek().kind == ".":
            self._take()
            parts.append(self._name())
        return tuple(parts)

    def _name(self) -> str:
        if self._peek().kind not in {"text", "quoted"} or self._is_any_word():
            raise self._unexpected("should be the name of a field")
        return self._take().text

    def _argument(self) -> Value | Call:
        first = self._peek()
        if first.kind == "quoted":
            self._take()
            return Value(first.text, first.at, True, first.has_star)
        if first.kind != "text" or self._is_any_word():
            raise self._unexpected("should be a value")
        pieces, has_star = [self._take()], first.has_star
        while self._peek().kind == "." and not self._peek().follows_space and not has_star:
            self._take()
            if self._peek().kind != "text" or self._peek().follows_space:
                raise self._unexpected("should be the rest of a value", hint="put a value with a dot at its end in quotes")
            pieces.append(self._take())
            has_star = pieces[-1].has_star
        text = ".".join(piece.text for piece in pieces)
        if self._peek().kind == "(" and not self._peek().follows_space and not has_star:
            return self._call(text, first.at)
        return Value(text, first.at, False, has_star)

    def _call(self, name: str, at: int) -> Call:
        self._take()
        path = self._path()
        if self._peek().kind != ")":
            raise self._unexpected("should be a closing parenthesis: a function takes one field")
        self._take()
        return Call(name, path, at)

    def _is_word(self, word: str) -> bool:
        return self._peek().kind == "text" and self._peek().text == word

    def _is_any_word(self) -> bool:
        return self._peek().kind == "text" and self._peek().text in _WORDS

    def _unexpected(self, why: str, hint: str = "") -> Exception:
        token = self._peek()
        return problem(token.text or "the end", token.at, why, hint=hint)
