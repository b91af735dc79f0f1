"""Which calls of a trace are no part of the conversation with its user, though no tool stands around them.

Where a span around the calls tells what the user said, and some call was given these words, the others are the application's own
questions: for a title, of a check, of another agent. Else only an agent inside an agent that itself calls a model may have been
asked by that one, and was where it was not given the words of the trace's first call.
"""

from collections.abc import Sequence

from sessiond.core.conversation.quotes import Quotes
from sessiond.core.conversation.teller import Talk, Words
from sessiond.core.text.messages import question


def asides_of(talks: Sequence[Talk], agents: Sequence[int], asked: Words | None) -> frozenset[int]:
    """Places of the asides among calls without a tool around them; `agents` as `around.Around` has them."""
    given = [talk for talk in talks if talk.given]
    told_apart = asked is not None and all(asked.place not in (talk.place, talk.given_at) for talk in talks)
    if asked is not None and told_apart:
        others = _without(given, asked.text)
        if len(others) < len(given):
            return frozenset(talk.place for talk in others)
    words = question(given[0].given) if given else None
    if words is None:
        return frozenset()
    speaking = {agents[talk.place] for talk in talks}
    inside = [talk for talk in given if agents[talk.place] >= 0 and agents[agents[talk.place]] in speaking - {-1}]
    return frozenset(talk.place for talk in _without(inside, words))


def _without(talks: Sequence[Talk], words: str) -> list[Talk]:
    """The calls that were not given these words."""
    quotes = Quotes(words)
    return [talk for talk in talks if quotes.place_in(talk.given) is None]
