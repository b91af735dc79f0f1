"""Text becomes tokens, and queries find the text that they are part of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessiond.core.search.analysis import TOKEN_LENGTH_MAX, joined, sequence, tokens, words
from sessiond.core.search.matching import places

TEXTS = st.text(st.one_of(st.characters(), st.sampled_from("ab A_-.東京都ガｶﾞ각한e\u0301\u0e01\u0e34ßİ½")), max_size=40)
RUNS = st.text(st.sampled_from("東京都はガ각漢字の"), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("get_weather", ["get", "weather"]),
        ("foo:bar gpt-4.1", ["foo", "bar", "gpt", "4", "1"]),
        ("Ärger ÉTÉ e\u0301te\u0301 Straße", ["arger", "ete", "ete", "strasse"]),
        ("Łódź Ørsted \u0131I İ", ["lodz", "orsted", "ii", "i"]),
        ("\uff37\uff29\uff44\uff45\u3000\ufb01ne", ["wide", "fine"]),
        ("東京都", ["東京", "京都", "都"]),
        ("東", ["東"]),
        ("in東京at", ["in", "東京", "京", "at"]),
        ("ｶﾞｽ ガス", ["ガス", "ス", "ガス", "ス"]),
        ("\u1112\u1161\u11ab\uae00 한글", ["한글", "글", "한글", "글"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("½ x²", ["1", "2", "x2"]),
        ("don\u2019t \u2014 can't", ["don", "t", "can", "t"]),
        ("--- ... !", []),
        ("a" * 100, ["a" * TOKEN_LENGTH_MAX]),
        ("\u0301 a", ["a"]),
    ],
)
def test_text_becomes_tokens(text: str, expected: list[str]) -> None:
    assert words(text) == expected
    assert joined(text).text.split() == expected


@given(TEXTS)
def test_tokens_stand_where_they_say_and_are_the_same_both_ways(text: str) -> None:
    found = list(tokens(text))
    assert words(text) == [token.text for token in found] == joined(text).text.split()
    assert joined(text).length == len(found)
    assert all(0 <= token.start < token.end <= len(text) for token in found)
    assert [token.start for token in found] == sorted(token.start for token in found)
    assert all(token.text and " " not in token.text and len(token.text) <= TOKEN_LENGTH_MAX for token in found)
    assert all(words(text[token.start : token.end])[:1] for token in found)


@given(RUNS, st.data())
def test_every_part_of_a_run_without_blanks_is_found_and_nothing_else(run: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(run) - 1))
    part = run[start : data.draw(st.integers(start + 1, len(run)))]
    other = data.draw(RUNS)
    for sought in (part, other):
        at = places(sequence(sought), words(f"before {run} behind"))
        assert at == [place + 1 for place in range(len(run)) if run.startswith(sought, place)]


@given(TEXTS, TEXTS, TEXTS)
def test_a_text_is_found_in_what_it_is_part_of(before: str, text: str, behind: str) -> None:
    sought = sequence(text)
    if sought.tokens:
        assert places(sought, words(f"{before} {text} {behind}"))


def test_words_that_differ_in_case_and_accents_alone_are_the_same() -> None:
    assert words("CAFÉ Über") == words("cafe uber") == words("Cafe\u0301 u\u0308ber")
