"""Text -> tokens: what is compared when text is searched. Queries and texts go the same way, so that each finds the other.

Letters, digits and their marks make words; every sign parts them, `_`, `-`, `.` and `:` too: `get_weather` is `get` `weather`, and
is found by either and by both in sequence. Words are folded: Unicode NFKC, case, and accents (`Ärger` is `arger`).

Chinese, Japanese, Korean, Thai and others write words without blanks between them. There a run of characters gives each pair of
neighbours as a token, and its last character alone: `東京都` is `東京` `京都` `都`. So any part of a run, a single character too,
is the beginning of a sequence of its tokens (see `sequence`).
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

VERSION: Final = 1
"""Raised whenever the same text would give other tokens: an index of others is made anew."""
TOKEN_LENGTH_MAX: Final = 64
"""Characters of a token; the rest of a longer word is left out, in texts and in queries. Longer ones are keys and encoded bytes."""

_CHUNK: Final = re.compile("[0-9A-Za-z\x80-\U0010ffff]+")
"""Words of ASCII, and whatever else has to be looked at by character."""
_SIMPLE: Final = bytes(byte if chr(byte).isalnum() else ord(" ") for byte in bytes(range(128)).lower()) + bytes(128)
"""Of each character of ASCII what it is in a word, or a blank."""
_MARKS: Final = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f\u0591-\u05c7\u064b-\u065f\u0670]+")
"""Accents and other marks on letters of alphabets, and the points of Hebrew and Arabic, which few write. The vowel signs of other
scripts are not among them: they are as good as letters."""
_UNDIVIDED: Final = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ŧ": "t", "\u0131": "i", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d", "ŀ": "l"}
)
"""Letters that Unicode does not take apart into a letter and a mark."""
_UNSPACED: Final = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1100, 0x115F),  # the first parts of Korean syllables
    (0x1780, 0x17FF),  # Khmer
    (0x3005, 0x3007),  # signs for "again" and "zero"
    (0x3040, 0x312F),  # Hiragana, Katakana, Bopomofo
    (0x31A0, 0x31FF),
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0x9FFF),
    (0xAC00, 0xD7AF),  # Hangul
    (0xF900, 0xFAFF),
    (0xFF66, 0xFF9F),  # narrow Katakana
    (0x20000, 0x3FFFF),
)
"""First and last character of blocks that are written without blanks between words, or (Korean) with endings joined to them."""
_JOINED: Final = ((0x1160, 0x11FF), (0xFF9E, 0xFF9F))
"""Later parts of Korean syllables, and the marks of narrow Katakana: they belong to the character before them."""

_OTHER, _LETTER, _MARK, _ALONE = range(4)
"""What a character is: parts words; belongs to a word; to the character before it; is one of a run without blanks."""


class Token(NamedTuple):
    """A token, and the characters of the text that it stands for."""

    text: str
    start: int
    end: int
    ends_run: bool = False
    """Whether it is the last character of a run without blanks."""


class Sequence(NamedTuple):
    """Tokens that stand one behind the other; the last may go on where `is_prefix`."""

    tokens: tuple[str, ...]
    is_prefix: bool = False


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a text, in their order."""
    for chunk in _CHUNK.finditer(text):
        start, word = chunk.start(), chunk[0]
        if word.isascii():
            yield Token(word[:TOKEN_LENGTH_MAX].lower(), start, chunk.end())
        else:
            for token in _looked_at(word):
                yield token._replace(start=start + token.start, end=start + token.end)


class Joined(NamedTuple):
    """Tokens with blanks between them, as an index takes them."""

    text: str
    length: int
    """How many they are."""


def joined(text: str) -> Joined:
    """The same joined, without their places: several times as fast, since most text is ASCII."""
    if text.isascii():
        simple = text.encode().translate(_SIMPLE).decode()
        found = simple.split()
        if max(map(len, found), default=0) <= TOKEN_LENGTH_MAX:
            return Joined(simple, len(found))
    found = words(text)
    return Joined(" ".join(found), len(found))


def words(text: str) -> list[str]:
    """The same in a list."""
    if text.isascii():
        return [word[:TOKEN_LENGTH_MAX] for word in text.encode().translate(_SIMPLE).decode().split()]
    found: list[str] = []
    for word in _CHUNK.findall(text):
        if word.isascii():
            found.append(word[:TOKEN_LENGTH_MAX].lower())
        elif len(word) <= TOKEN_LENGTH_MAX:
            found += _remembered(word)
        else:
            found += [token.text for token in _looked_at(word)]
    return found


def sequence(text: str, *, is_prefix: bool = False) -> Sequence:
    """What of a text's tokens has to be found where the text is.

    A run without blanks may go on where the text ends, so its last character alone is none of them, unless it is all there is: then
    a token that begins with it will do.
    """
    found = list(tokens(text))
    if found and found[-1].ends_run:
        if len(found) > 1 and found[-2].end == found[-1].end:
            return Sequence(tuple(token.text for token in found[:-1]))
        is_prefix = True
    return Sequence(tuple(token.text for token in found), is_prefix)


def fold(word: str) -> str:
    """A word without what writers vary: width, ligatures, case, accents."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", word).casefold())
    return unicodedata.normalize("NFKC", _MARKS.sub("", folded)).translate(_UNDIVIDED)


@lru_cache(maxsize=8192)  # the words that a language uses often; some 2 MB
def _remembered(word: str) -> tuple[str, ...]:
    return tuple(token.text for token in _looked_at(word))


def _looked_at(chunk: str) -> Iterator[Token]:
    """The tokens of text that is not all ASCII letters and digits, character by character."""
    word_from: int | None = None
    run: list[tuple[int, int]] = []
    """Where each character of a run begins and ends, with its marks."""
    for place, character in enumerate(chunk):
        kind = _kind(character)
        if kind == _MARK and run:
            run[-1] = (run[-1][0], place + 1)
        elif kind == _ALONE:
            if word_from is not None:
                yield from _word(chunk, word_from, place)
                word_from = None
            run.append((place, place + 1))
        else:
            yield from _run(chunk, run)
            run = []
            if kind == _LETTER and word_from is None:
                word_from = place
            elif kind == _OTHER and word_from is not None:
                yield from _word(chunk, word_from, place)
                word_from = None
    if word_from is not None:
        yield from _word(chunk, word_from, len(chunk))
    yield from _run(chunk, run)


def _word(chunk: str, start: int, end: int) -> Iterator[Token]:
    """The tokens of a word: one, but where folding parts it (`½` is `1` `2`)."""
    part = ""
    for character in (*fold(chunk[start:end]), " "):
        if _kind(character) != _OTHER:
            part += character
        elif part:
            yield Token(part[:TOKEN_LENGTH_MAX], start, end)
            part = ""


def _run(chunk: str, run: list[tuple[int, int]]) -> Iterator[Token]:
    """The tokens of a run without blanks."""
    folded = [(fold(chunk[start:end]), start, end) for start, end in run]
    for (one, start, _), (other, _, end) in pairwise(folded):
        yield Token((one + other)[:TOKEN_LENGTH_MAX], start, end)
    if folded:
        last, start, end = folded[-1]
        yield Token(last[:TOKEN_LENGTH_MAX], start, end, ends_run=True)


@lru_cache(maxsize=16384)  # more characters than a language has; some 2 MB
def _kind(character: str) -> int:
    code = ord(character)
    if any(first <= code <= last for first, last in _JOINED):
        return _MARK
    category = unicodedata.category(character)
    if category[0] == "M":
        return _MARK
    if not character.isalnum():
        return _OTHER
    if category != "Nd" and any(first <= code <= last for first, last in _UNSPACED):
        return _ALONE
    return _LETTER
