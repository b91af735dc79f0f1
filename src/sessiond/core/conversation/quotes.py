"""Whether a text is certain words, or quotes them: a question inside a template, an answer inside a larger one."""

import json
from collections.abc import Sequence
from typing import Final

from sessiond.core.conversation.parts import bare
from sessiond.core.model import Message

QUOTED_BYTES_MIN: Final = 8
"""Of words that count as quoted where they are part of a longer text: "yes" is part of too many."""


class Quotes:
    """Some words, looked for in many texts: most of them repeat each other, so each is looked at once."""

    def __init__(self, words: str) -> None:
        self.words = words
        self._bare = bare(words)
        self._is_long = len(words.encode()) >= QUOTED_BYTES_MIN
        self._seen: dict[str, bool] = {}

    def are_in(self, text: str) -> bool:
        """Whether the text is these words or, if they are long enough, holds them."""
        found = self._seen.get(text)
        if found is None:
            found = self._seen[text] = (self._is_long and self.words in text) or (
                len(text) >= len(self._bare) and bare(text) == self._bare
            )
        return found

    def place_in(self, messages: Sequence[Message]) -> int | None:
        """The place of the last user message that they are in."""
        for place in reversed(range(len(messages))):
            message = messages[place]
            if message.role == "user" and self.are_in(message.text):
                return place
        return None


def was_said(answer: str, said: Sequence[str]) -> bool:
    """Whether an answer is one of these texts, or in one, or holds the last of them, as it is or inside JSON."""
    if answer in said or any(map(Quotes(answer).are_in, reversed(said))):
        return True
    return bool(said) and any(Quotes(words).are_in(answer) for words in (said[-1], json.dumps(said[-1], ensure_ascii=False)[1:-1]))
