"""Queries are read as they are meant, and no text but an open quote or parenthesis is an error for its signs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessiond.core.errors import Invalid
from sessiond.core.search.analysis import Sequence, words
from sessiond.core.search.language import NESTING_MAX, QUERY_LENGTH_MAX, TOKENS_MAX, And, Node, Not, Or, parse, sequences
from sessiond.core.search.matching import matches


def word(*tokens: str) -> Sequence:
    return Sequence(tokens)


def begins(*tokens: str) -> Sequence:
    return Sequence(tokens, is_prefix=True)


A, B, C = word("a"), word("b"), word("c")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("weather", word("weather")),
        ("a b", And((A, B))),
        ("a AND b", And((A, B))),
        ("a and b", And((A, word("and"), B))),
        ("a b OR c", And((A, Or((B, C))))),
        ("(a b) OR c", Or((And((A, B)), C))),
        ("a NOT b", And((A, Not(B)))),
        ("NOT (a OR b)", Not(Or((A, B)))),
        ('"in Bern" a', And((word("in", "bern"), A))),
        ('a"b c"', And((A, word("b", "c")))),
        ("weath*", begins("weath")),
        ("get_wea*", begins("get", "wea")),
        ('"weath*"', word("weath")),
        ("foo:bar", word("foo", "bar")),
        ("-a +b", And((A, B))),
        ("a & b", And((A, B))),
        ("a OR -", A),
        ("NOT - a", A),
        ("都", begins("都")),
        ("都*", begins("都")),
        ("東京都", word("東京", "京都")),
        ("a*bc*", begins("a", "bc")),
    ],
)
def test_queries_are_read(query: str, expected: Node) -> None:
    assert parse(query) == expected


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("", "holds no word"),
        ("  ", "holds no word"),
        ("-- *", "holds no word"),
        ('a "b', "at character 3 is not closed"),
        ("a (b", "it opened at character 3"),
        ("a) b", "at character 2 closes a parenthesis that is not open"),
        ("a OR", "at character 5 stands where a word is wanted"),
        ("AND a", "at character 1 stands where a word is wanted; AND joins words: put it in quotes"),
        ("a NOT", "stands where a word is wanted"),
        ("()", "at character 2 stands where a word is wanted"),
        ("a w*", "at character 3 begins too many words: at least 2 letters"),
        ("a" * (QUERY_LENGTH_MAX + 1), "goes on: at most 2,048 characters"),
        ("a " * (TOKENS_MAX + 1), "at most 128 words"),
        ("(" * (NESTING_MAX + 1) + "a" + ")" * (NESTING_MAX + 1), "one parenthesis too many"),
        ("a\ud800", "holds half a character"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(query: str, told: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse(query)
    assert told in str(refused.value)
    assert refused.value.field == "query"


@given(st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from('ab "()*:-')), max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse(text)
    except Invalid:
        return


@given(st.text(st.characters(codec="utf-8", exclude_characters='"'), min_size=1, max_size=60))
def test_any_text_in_quotes_finds_itself(text: str) -> None:
    if words(text):
        assert matches(parse(f'"{text}"'), [["before"], ["some", *words(text), "more"]])


def test_only_what_is_sought_is_told_as_sequences() -> None:
    assert list(sequences(parse("a NOT (b OR NOT c)"))) == [A, C]
