"""How a filter is read: what binds tighter, where a text ends, and what a person is told who wrote something else."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import span, summary
from seen_rows import seen
from sessiond.core.errors import Invalid
from sessiond.core.filter import parse_filter, parse_order
from sessiond.core.filter.grammar import NESTING_MAX, TERMS_MAX
from sessiond.core.filter.lexer import TEXT_LENGTH_MAX
from sessiond.core.rows.fields import FIELDS, Kind

ROW = seen(summary(span(name="a:b", user="ann", metadata='{"http.route": "/x", "OR": "1", "a b": "2", "-a": 3}')))
YES, NO = "name:b", "name:zzz"
KINDS: list[Kind] = ["trace", "session", "user"]


def holds(text: str) -> bool:
    return parse_filter(text, "trace").matches(ROW)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        (" \n\t", True),
        ("YES AND YES", True),
        ("YES AND NO", False),
        ("YES NO", False),
        ("YES YES", True),
        ("NO OR YES", True),
        ("NO OR NO", False),
        ("YES OR YES AND NO", False),  # (YES OR YES) AND NO; where AND bound tighter it would hold
        ("NO AND YES OR YES", False),
        ("NO YES OR YES", False),
        ("(NO AND YES) OR YES", True),
        ("YES OR (YES AND NO)", True),
        ("NOT NO", True),
        ("NOT YES", False),
        ("-NO", True),
        ("-YES", False),
        ("- NO", True),
        ("NOT (YES AND NO)", True),
        ("-(YES OR NO)", False),
        ("NOT YES OR YES", True),  # NOT binds tightest
        ("NOT NO AND NO", False),
        ("YES -NO", True),
        ("((((YES))))", True),
        ("YES AND (NO OR (YES AND NOT NO))", True),
    ],
)
def test_or_binds_tighter_than_and_and_not_tighter_than_both(text: str, expected: bool):
    assert holds(re.sub("YES|NO(?!T)", lambda found: {"YES": YES, "NO": NO}[found[0]], text)) is expected


@pytest.mark.parametrize(
    "text",
    [
        "name = a:b",
        "name=a:b",
        'name = "a:b"',
        "name = 'a:b'",
        r"name = 'a\:b'".replace("\\", ""),
        'name="a:b"user_id="ann"',
        "name = a:b (user_id = ann)",
        "(name = a:b)user_id = ann",
        "start_time > 2020-01-01T00:00:00+02:00",
        "metadata.http.route = /x",
        'metadata."http.route" = /x',
        "metadata.http . route = /x",
        'metadata."a b" = 2',
        "metadata.OR = 1",
        "metadata.-a = 3",
        "cost_usd >= -.5",
        "cost_usd < 1.5",
        "name = AN OR name = a:b",
    ],
)
def test_texts_end_where_a_reader_would_say(text: str):
    assert holds(text)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r'"\""', '"'),
        (r"'\''", "'"),
        ('"\'"', "'"),
        (r'"\\"', "\\"),
        (r'"\*"', "*"),
        (r'"a\*"', "a*"),
        (r'"\n\t\r"', "\n\t\r"),
        ('"OR"', "OR"),
        ('"(a)"', "(a)"),
    ],
)
def test_quotes_and_escapes_let_any_text_be_said(written: str, meant: str):
    row = seen(ROW.summary._replace(name=meant))
    other = seen(ROW.summary._replace(name=f"{meant}x"))
    assert [parse_filter(f"name = {written}", "trace").matches(each) for each in (row, other)] == [True, False]


@pytest.mark.parametrize(
    ("text", "piece", "position", "words"),
    [
        ("AND name:a", "AND", 1, "a field is wanted"),
        ("name:a AND", "the end", 11, "a field is wanted"),
        ("name:a AND AND name:b", "AND", 12, "a field is wanted"),
        ("name:a OR", "the end", 10, "a field is wanted"),
        ("NOT", "the end", 4, "a field is wanted"),
        ("NOT NOT name:a", "NOT", 5, "a field is wanted"),
        ("(name:a", "the end", 8, "it opened at character 1"),
        ("name:a)", ")", 7, "AND and OR"),
        ("()", ")", 2, "a field is wanted"),
        ("name:a, name:b", ",", 7, "AND and OR"),
        ("name =", "the end", 7, "a value is wanted"),
        ("name = = a", "=", 8, "a value is wanted"),
        ("name = OR name = b", "OR", 8, "stand in quotes"),
        ("name:(a OR b)", "(", 6, "each comparison has one value"),
        ("name.", "the end", 6, "behind a dot"),
        ("name = a\\b", "\\", 9, "stands in quotes"),
        ('name = "a', '"a', 8, "not closed"),
        (r'name = "\q"', r"\q", 9, "no escape"),
        ("!name:a", "!", 1, "NOT negates"),
        ("name ~ a", "name", 1, "one of = !="),
        ("agent", "agent", 1, 'name:"agent"'),
        ("name:a error", "error", 8, "compared with nothing"),
        ("name", "name", 1, "one of = !="),
        ("name:a and name:b", "and", 8, "written AND"),
        ("not name:a", "not", 1, "written NOT"),
        ("5 < total_tokens", "5", 1, "the field stands left"),
        ('"a" = name', "a", 1, "the field stands left"),
        ("cots_usd > 1", "cots_usd", 1, "did you mean cost_usd"),
        ("name:a AND model:x", "model", 12, "did you mean models"),
        ("zzzzz > 1", "zzzzz", 1, "docs/fields.md"),
        ("name.first = a", "first", 6, "has no keys"),
        ("list_counts.modles > 1", "modles", 13, "did you mean models"),
        ("scores > 1", ">", 8, "scores.helpful < 0.5"),
        ("scores.helpful > bad", "bad", 18, "a number to compare the mean with"),
        ("scores.helpful:1", "1", 16, "is not what scores.helpful is compared with by :"),
        ("scores.helpful = b*d", "b*d", 18, r"\*"),
        ("scores.helpful > p95(scores.helpful)", ">", 16, "with a function"),
        ("name = a*b", "a*b", 8, r"\*"),
        ("name < a*", "a*", 8, "which only = and != and : take"),
        ("cost_usd > p95(cost_usd", "the end", 24, "parenthesis of p95"),
        ("cost_usd > p95()", "p95", 12, "one field"),
        ("cost_usd > p95(cost_usd, ttft_ms)", "p95", 12, "one field"),
        ("cost_usd > max(cost_usd)", "max", 12, "median(field)"),
        ("cost_usd > p0(cost_usd)", "p0", 12, "no function"),
        ("cost_usd > p100(cost_usd)", "p100", 12, "no function"),
        ("cost_usd > p95(ttft_ms)", "ttft_ms", 16, "one is milliseconds, the other usd"),
        ("cost_usd > p95(nothing)", "nothing", 16, "no field"),
        ("cost_usd:p95(cost_usd)", ":", 9, "with a function"),
        ("name > p95(name)", ">", 6, "with a function"),
        ("NOT cost_usd > p95(cost_usd)", "p95", 16, "inside OR or NOT"),
        ("name:a OR cost_usd > p95(cost_usd)", "p95", 22, "inside OR or NOT"),
        ("p95(cost_usd) < cost_usd", "p95", 1, "functions stand right"),
        ("\ud800", "\ud800", 1, "Unicode"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_to_do(text: str, piece: str, position: int, words: str):
    with pytest.raises(Invalid) as caught:
        parse_filter(text, "trace")
    assert caught.value.field == "filter"
    assert f"filter: {piece!r} at" in caught.value.message
    assert f"at character {position} " in caught.value.message
    assert words in str(caught.value)


def test_the_first_of_several_mistakes_is_told():
    with pytest.raises(Invalid, match="'and' at character 13"):
        parse_filter("user_id = u and nothing = 1", "trace")


def test_a_bare_word_of_a_user_is_told_a_field_that_users_have():
    with pytest.raises(Invalid, match='user_id:"ann"'):
        parse_filter("ann", "user")


def nested(depth: int) -> str:
    return "(" * depth + YES + ")" * depth


@pytest.mark.parametrize(
    ("at_most", "too_much"),
    [
        (nested(NESTING_MAX), nested(NESTING_MAX + 1)),
        ("-(" * NESTING_MAX + YES + ")" * NESTING_MAX, "-(" * (NESTING_MAX + 1) + YES + ")" * (NESTING_MAX + 1)),
        (" ".join([YES] * TERMS_MAX), " ".join([YES] * (TERMS_MAX + 1))),
        (" OR ".join([YES] * TERMS_MAX), " OR ".join([YES] * (TERMS_MAX + 1))),
        (YES.ljust(TEXT_LENGTH_MAX), YES.ljust(TEXT_LENGTH_MAX + 1)),
    ],
    ids=["nesting", "negations", "terms", "alternatives", "length"],
)
def test_filters_are_bounded(at_most: str, too_much: str):
    assert isinstance(holds(at_most), bool)
    with pytest.raises(Invalid, match="at most"):
        parse_filter(too_much, "trace")


def test_an_error_repeats_little_of_a_long_text():
    with pytest.raises(Invalid) as caught:
        parse_filter("x" * TEXT_LENGTH_MAX + " = 1", "trace")
    assert len(str(caught.value)) < 200


MISCHIEF = [
    *(
        "(" * 8000,
        "-" * 8000,
        "NOT " * 2000,
        "a." * 4000,
        '"' * 8001,
        "\\" * 8000,
        '"' + "\\" * 8001,
        "'" + "\\*" * 4000,
        "*" * 8000,
    ),
    *("name = " + "9" * 8000, "cost_usd > " + "9" * 8000, "cost_usd > 1e99", "cost_usd > 1e-99", "duration_ms > " + "9" * 60 + "d"),
    *("cost_usd > 1e999999999", "metadata.a < 1e999999999", "start_time > " + "2" * 8000, "name:" + "*" * 8000, "p" * 8000 + "(x)"),
    *(
        "cost_usd > p" + "9" * 8000 + "(cost_usd)",
        "trace_id = " + "f" * 8001,
        "x" * 8000,
        "metadata." * 900 + "a:b",
        "\0",
        "\ud800",
    ),
]


@pytest.mark.timeout(5)  # a number of 10**9 digits, or a pattern that is tried in every way, would take longer than anyone waits
@pytest.mark.parametrize("text", MISCHIEF, ids=lambda text: text[:12].encode("utf-8", "replace").hex())
def test_mischief_is_refused_or_read_at_once(text: str):
    accepts_or_refuses(text)


def accepts_or_refuses(text: str) -> None:
    for kind in KINDS:
        for parse in (parse_filter, parse_order):
            try:
                parse(text, kind)
            except Invalid as refused:
                assert "at character" in refused.message  # noqa: PT017  (which of them raise is not the point)


PIECES = [
    *["AND", "OR", "NOT", "-", "(", ")", "=", "!=", "<", "<=", ":", ".", ",", "*", '"', "'", "\\", "!", "desc", "asc"],
    *["1", "1.5", "20s", "2026-11-01", "2026-11-01T09:30:00Z", "true", "error", "ab*", '"a b"', "p95(cost_usd)", "median(ttft_ms)"],
    *sorted({field.name for fields in FIELDS.values() for field in fields}),
]


@settings(max_examples=300, deadline=1000)
@given(
    st.text()
    | st.lists(st.sampled_from(PIECES), max_size=12).flatmap(
        lambda found: st.sampled_from([" ", ""]).map(lambda gap: gap.join(found))
    )
)
def test_whatever_is_written_is_read_or_refused(text: str):
    accepts_or_refuses(text)
