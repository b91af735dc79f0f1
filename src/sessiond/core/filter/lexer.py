"""Text -> tokens with their positions. What may stand where is the business of `grammar` and `order`.

AIP-160 tells texts from the signs around them by what came before: right of a comparator a bare text may hold dots and colons
(`2026-11-01T10:00:00Z`, `gpt-4.1`, `-0.5`), elsewhere a dot joins the parts of a name and a leading minus negates.
"""

import re
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple, cast

from sessiond.core.errors import Invalid
from sessiond.core.values import storable

TEXT_LENGTH_MAX: Final = 8192
"""Characters of a filter or an order: as long as a URL may be, and 256 terms have room."""
_SHOWN_LENGTH_MAX: Final = 60
"""Characters of the sender's text that an error repeats."""

TokenKind = Literal["text", "quoted", "comparator", "(", ")", ",", ".", "-", "AND", "OR", "NOT", "end"]
"""`text` is a bare one, `quoted` one in quotes."""

_BLANKS: Final = re.compile(r"\s*")
_NAME: Final = re.compile(r"""[^\s()<>=!:,.'"\\]+""")
_VALUE: Final = re.compile(r"""[^\s()<>=,'"\\]+""")
_COMPARATOR: Final = re.compile(r"<=|>=|!=|[<>=:]")
_QUOTED: Final = {quote: re.compile(rf"{quote}((?:[^{quote}\\]|\\.)*+){quote}", re.DOTALL) for quote in "\"'"}
_SIGNS: Final = frozenset("(),.")
_KEYWORDS: Final = frozenset({"AND", "OR", "NOT"})
_ESCAPES: Final = {'"': '"', "'": "'", "\\": "\\", "*": "*", "n": "\n", "r": "\r", "t": "\t"}


class Misread(Exception):
    """A text that is no filter, or no order: which piece of it, at which character (from 1), why, and what to do about it."""

    def __init__(self, piece: str, position: int, problem: str, *, hint: str = "") -> None:
        super().__init__(piece, position, problem, hint)
        self.piece, self.position, self.problem, self.hint = piece, position, problem, hint

    def of(self, parameter: str) -> Invalid:
        """The same as a caller of the API is told it."""
        shown = self.piece if len(self.piece) <= _SHOWN_LENGTH_MAX else f"{self.piece[:_SHOWN_LENGTH_MAX]}..."
        return Invalid(parameter, shown or "the end", f"at character {self.position} {self.problem}", hint=self.hint)


class Token(NamedTuple):
    """One token. `position` is that of its first character, from 1."""

    kind: TokenKind
    text: str
    """What it says: of a quoted text without quotes and escapes."""
    position: int
    stars: tuple[int, ...] = ()
    r"""Where in `text` there is a `*` that no backslash made a plain one."""

    @property
    def is_word(self) -> bool:
        return self.kind in ("text", "quoted")


def tokens(text: str) -> list[Token]:
    """All tokens of a text, the last of kind "end". Raises Misread, also where it is longer than TEXT_LENGTH_MAX."""
    if len(text) > TEXT_LENGTH_MAX:
        raise Misread(text, TEXT_LENGTH_MAX + 1, f"goes on: at most {TEXT_LENGTH_MAX:,} characters are taken")
    if storable(text) != text:
        raise Misread(text, 1, "is no Unicode text: it holds half a character")
    return list(_tokens(text))


def _tokens(text: str) -> Iterator[Token]:
    before: TokenKind = "end"
    place = _after_blanks(text, 0)
    while place < len(text):
        token, end = _token_at(text, place, before)
        yield token
        before, place = token.kind, _after_blanks(text, end)
    yield Token("end", "", len(text) + 1)


def _after_blanks(text: str, place: int) -> int:
    blanks = _BLANKS.match(text, place)
    return blanks.end() if blanks else place


def _token_at(text: str, place: int, before: TokenKind) -> tuple[Token, int]:
    """The token that begins at a place, where `before` came before it; and where it ends."""
    sign, position = text[place], place + 1
    if sign in _QUOTED:
        return _quoted_at(text, place)
    if sign == "-" and before not in ("comparator", "."):
        return Token("-", sign, position), place + 1
    if bare := (_VALUE if before == "comparator" else _NAME).match(text, place):
        return _bare(bare[0], position, before), bare.end()
    if comparator := _COMPARATOR.match(text, place):
        return Token("comparator", comparator[0], position), comparator.end()
    if sign in _SIGNS:
        return Token(cast("TokenKind", sign), sign, position), place + 1
    raise Misread(sign, position, "has no meaning here", hint="NOT negates, and a text with such a sign stands in quotes")


def _bare(text: str, position: int, before: TokenKind) -> Token:
    if text in _KEYWORDS and before != ".":
        return Token(cast("TokenKind", text), text, position)
    return Token("text", text, position, tuple(place for place, sign in enumerate(text) if sign == "*"))


def _quoted_at(text: str, place: int) -> tuple[Token, int]:
    found = _QUOTED[text[place]].match(text, place)
    if not found:
        raise Misread(text[place:], place + 1, "is not closed: the quote at its end is missing")
    decoded: list[str] = []
    stars: list[int] = []
    signs = enumerate(found[1], place + 2)
    for position, sign in signs:
        if sign == "*":
            stars.append(len(decoded))
        decoded.append(_escaped(next(signs)[1], position) if sign == "\\" else sign)
    return Token("quoted", "".join(decoded), place + 1, tuple(stars)), found.end()


def _escaped(sign: str, position: int) -> str:
    if sign not in _ESCAPES:
        raise Misread(f"\\{sign}", position, "is no escape", hint=r"there are \" \' \\ \* \n \r \t")
    return _ESCAPES[sign]
