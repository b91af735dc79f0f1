"""Excerpts show what was found, where it stands."""

from hypothesis import given
from hypothesis import strategies as st

from sessiond.core.search.analysis import words
from sessiond.core.search.document import PIECE_LENGTH_MAX, Piece, bounded
from sessiond.core.search.excerpts import EXCERPT_LENGTH_MAX, EXCERPTS_MAX, Excerpt, Range, excerpts
from sessiond.core.search.language import parse

SPAN = b"spanspan"


def test_an_excerpt_is_the_text_around_with_what_was_found_marked() -> None:
    (found,) = excerpts(parse('"the WEATHER" bern*'), [Piece("input", "What is the weather in Bernburg?", SPAN)])
    marked = (Range(8, 19), Range(23, 31))
    assert found == Excerpt("input", SPAN, "What is the weather in Bernburg?", marked, is_cut_before=False, is_cut_behind=False)


def test_a_long_text_is_cut_between_words_around_the_first_find() -> None:
    text = "one two three " * 50 + "the needle is here " + "four five six " * 50
    (found,) = excerpts(parse("needle"), [Piece("output", text)])
    assert (found.is_cut_before, found.is_cut_behind) == (True, True)
    assert len(found.text) <= EXCERPT_LENGTH_MAX
    assert found.text.startswith(("one", "two", "three"))
    assert found.text.split()[-1] in ("four", "five", "six")
    assert [found.text[one.start : one.end] for one in found.highlights] == ["needle"]


def test_what_shows_most_comes_first_and_each_shows_something_new() -> None:
    pieces = [Piece("input", "rain"), Piece("output", "rain and snow"), Piece("error", "hail"), Piece("name", "rain")]
    found = excerpts(parse("rain OR snow OR hail"), pieces)
    assert [one.place for one in found] == ["output", "error"]
    many = [Piece("input", f"w{number}") for number in range(9)]
    assert len(excerpts(parse(" OR ".join(piece.text for piece in many)), many)) == EXCERPTS_MAX


def test_what_is_not_sought_shows_nothing() -> None:
    assert excerpts(parse("NOT rain"), [Piece("input", "snow")]) == []


def test_a_find_longer_than_an_excerpt_is_cut_and_marked() -> None:
    text = "x" * 150 + " " + "y" * 150
    (found,) = excerpts(parse(f'"{text}"'), [Piece("input", text)])
    assert found.highlights == (Range(0, len(found.text)),)
    assert found.is_cut_behind


def test_of_a_run_without_blanks_the_characters_sought_are_marked_alone() -> None:
    def marked(query: str, text: str) -> list[str]:
        return [
            found.text[one.start : one.end] for found in excerpts(parse(query), [Piece("input", text)]) for one in found.highlights
        ]

    assert marked("京", "東京都") == ["京"]
    assert marked("都", "東京都") == ["都"]
    assert marked("東京", "東京都") == ["東京"]
    assert marked("か", "かんが゙か") == ["か", "か"]
    assert marked("が゙", "かが゙く") == ["が゙"]
    assert marked('"in 京"', "in 京都") == ["in 京"]
    assert marked("bern*", "Bernburg") == ["Bernburg"]


QUERIES = st.sampled_from(["a", "ab", "bb*", "東", "東京", "é a", '"a b"', "ab*"])


@given(st.text(st.sampled_from("ab \n東京é-"), max_size=600), QUERIES)
def test_marks_are_ranges_of_the_text_and_in_order(text: str, query: str) -> None:
    for found in excerpts(parse(query), [Piece("input", text)]):
        assert found.text in text
        assert len(found.text) <= EXCERPT_LENGTH_MAX
        ends = [edge for one in found.highlights for edge in one]
        assert ends == sorted(ends)
        assert all(one.start < one.end <= len(found.text) for one in found.highlights)
        assert all(words(found.text[one.start : one.end]) for one in found.highlights)


def test_a_document_is_bounded_and_holds_each_piece_once() -> None:
    long = "a" * (PIECE_LENGTH_MAX + 5)
    short = [Piece("input", "x", b"1"), Piece("input", "x", b"2"), Piece("output", "x"), Piece("name", "")]
    found = bounded([*short, Piece("input", long)])
    assert [(piece.place, len(piece.text), piece.span_id) for piece in found] == [
        ("input", 1, b"1"),
        ("output", 1, b""),
        ("input", PIECE_LENGTH_MAX, b""),
    ]
    many = bounded(Piece("input", f"{number}" + long) for number in range(20))
    assert sum(len(piece.text) for piece in many) == 256 * 1024
