"""How values read to a person."""

import pytest

from sessiond.cli.text import ago, clean, duration, feedback, number, one_line, plural, size

NANO = 10**9


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "0 ms"),
        (0.0000001, "0 ms"),
        (0.25, "0.25 ms"),
        (412.3, "412 ms"),
        (999.4, "999 ms"),
        (999.6, "1.0 s"),
        (1234, "1.2 s"),
        (59_400, "59.4 s"),
        (59_999, "1 min 0 s"),
        (184_000, "3 min 4 s"),
        (7_500_000, "2 h 5 min"),
        (273_600_000, "3 d 4 h"),
    ],
)
def test_a_duration_has_the_units_a_person_would_say(milliseconds, text):
    assert duration(milliseconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "just now"), (0, "just now"), (59, "59s ago"), (180, "3m ago"), (7200, "2h ago"), (864_000, "10d ago")],
)
def test_an_age_is_its_largest_unit(seconds, text):
    assert ago(1000 * NANO, (1000 + seconds) * NANO) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (3 << 29, "1.5 GiB"), (5 << 40, "5.0 TiB"), (2 << 50, "2048.0 TiB")],
)
def test_a_size_is_binary(count, text):
    assert size(count) == text


def test_numbers_have_separators_and_nouns_their_plural():
    assert (number(1_234_567), number(0), number(None)) == ("1,234,567", "0", "-")
    assert (plural(1, "trace"), plural(0, "trace"), plural(2000, "trace")) == ("1 trace", "0 traces", "2,000 traces")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\tb\r\nc", "a\\tb\\r\\nc"),
        ("\x9b2J\x7f", "\\x9b2J\\x7f"),
        ("\u202edesrever\u2028", "\\u202edesrever\\u2028"),
        ("\u200f\u061c\u2066x\u2069", "\\u200f\\u061c\\u2066x\\u2069"),
        ("\ufeff\ufff9\U000e0041\ud800", "\\ufeff\\ufff9\\U000e0041\\ud800"),
    ],
)
def test_what_steers_a_terminal_is_shown_and_not_sent(text, shown):
    assert clean(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "Grüße, 世界 🙂",
        "Combien\xa0? 10\u202f000\xa0€",
        "日本語\u3000テスト",
        "می\u200cشود",
        "क्\u200dष",
        "👩\u200d💻 \U0001fae9 \u2764\ufe0f",
        "soft\xadhyphen",
        "C:\\new",
    ],
)
def test_what_writing_needs_is_shown_as_it_came(text):
    assert (clean(text), one_line(text)) == (text, text)


def test_a_text_on_one_line_keeps_the_spaces_that_its_writing_needs():
    assert one_line("\n a\r\n\tb  c\xa0!\u3000\u2028d\n") == "a b c\xa0!\u3000\u2028d"


@pytest.mark.parametrize(
    ("count", "told"), [(0, "0 scores and annotations"), (1, "1 score or annotation"), (1234, "1,234 scores and annotations")]
)
def test_feedback_is_counted_in_words(count: int, told: str) -> None:
    assert feedback(count) == told
