"""The time to the first token: units, what confirms them, and which source counts."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import MS, T0, facts, span
from sessiond.core.conventions import Unit
from sessiond.core.spans.first_token import first_token_nano, instant_unix_nano

SECOND = 1000 * MS


@pytest.mark.parametrize(
    ("value", "unit", "duration", "expected"),
    [
        (0.2, "s", SECOND, 200 * MS),
        ("0.2", "s", SECOND, 200 * MS),
        (0.203845801, "s", SECOND, 203_845_801),
        (1, "s", SECOND, SECOND),
        (1.0000001, "s", SECOND, None),
        (200, "s", SECOND, None),
        (0, "s", SECOND, None),
        (-0.2, "s", SECOND, None),
        (math.nan, "s", SECOND, None),
        (math.inf, "s", SECOND, None),
        (1e300, "s", SECOND, None),
        (True, "s", SECOND, None),
        ("soon", "s", SECOND, None),
        (0.2, "s", 0, None),
        (0.2, "s", -5, None),
        (206.25, "ms", SECOND, 206_250_000),
        (229, "magnitude", SECOND, 229 * MS),
        ("229", "magnitude", SECOND, 229 * MS),
        (0.229, "magnitude", SECOND, 229 * MS),
        # An int is milliseconds even where it could be seconds, a double seconds even where it could be more.
        (200, "magnitude", 250 * SECOND, 200 * MS),
        (200.0, "magnitude", 250 * SECOND, 200 * SECOND),
        # Where the type's unit can't be true, the largest that can is.
        (229.0, "magnitude", SECOND, 229 * MS),
        (229_000, "magnitude", SECOND, 229 * MS),
        (229_000_000, "magnitude", SECOND, 229 * MS),
        (5 * 10**9, "magnitude", SECOND, None),
        (0, "magnitude", SECOND, None),
    ],
)
def test_a_number_is_a_time_where_the_spans_duration_confirms_its_unit(value: Any, unit: Unit, duration: int, expected: int | None):
    assert first_token_nano(value, unit, start_unix_nano=T0, end_unix_nano=T0 + duration) == expected


def test_a_span_without_a_start_confirms_nothing():
    assert first_token_nano(0.2, "s", start_unix_nano=0, end_unix_nano=T0) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00", 0),
        ("2024-02-29T12:00:00.5Z", 1_709_208_000_500_000_000),
        ("2024-03-01t00:00:00z", 1_709_251_200_000_000_000),
        ("2026-11-23T15:19:17.994328Z", 1_795_447_157_994_328_000),
        ('"2026-11-23T15:19:17.994328Z"', 1_795_447_157_994_328_000),
        ("2026-11-23 15:19:17.123456789012", 1_795_447_157_123_456_789),
        ("2026-11-23T17:19:17+02:00", 1_795_447_157_000_000_000),
        ("2026-11-23T10:49:17-0430", 1_795_447_157_000_000_000),
        ("2000-12-31T23:59:59Z", 978_307_199_000_000_000),
        ("2026-13-23T15:19:17Z", None),
        ("2026-11-23", None),
        ("yesterday", None),
        ("", None),
        (1_795_447_157, None),
    ],
)
def test_an_instant_is_read_to_the_nanosecond(text: Any, expected: int | None):
    assert instant_unix_nano(text) == expected


@settings(deadline=None)
@given(st.datetimes(), st.text(max_size=3))
def test_an_instant_is_what_a_calendar_says(moment: Any, tail: str):
    since = moment - type(moment)(1970, 1, 1)
    micros = (since.days * 86_400 + since.seconds) * 10**6 + since.microseconds
    assert instant_unix_nano(moment.isoformat()) == micros * 1000
    assert instant_unix_nano(moment.isoformat() + "!" + tail) is None


def test_a_source_that_cannot_be_true_leaves_room_for_the_next():
    built = span(operation="chat", end_ms=1000, gen_ai__response__time_to_first_chunk=7.0, ai__response__msToFirstChunk=200.0)
    (found,) = facts(built)
    assert found.first_token_nano == 200 * MS


def test_an_attribute_counts_before_an_event_and_the_earliest_of_its_events_counts():
    chunks = [("llm.content.completion.chunk", at, {}) for at in (-1, 0, 400, 300, 5000)]
    with_both = span(operation="chat", end_ms=1000, events=chunks, ttft_ms=500)
    with_events = span(operation="chat", end_ms=1000, events=chunks)
    better = span(operation="chat", end_ms=1000, events=[*chunks, ("First Token Stream Event", 700, {})])
    assert [one.first_token_nano for one in facts(with_both, with_events, better)] == [500 * MS, 300 * MS, 700 * MS]


def test_events_at_the_end_of_a_call_are_no_first_token():
    events = [("gen_ai.choice", 900, {}), ("gen_ai.content.completion", 900, {})]
    (found,) = facts(span(operation="chat", end_ms=1000, events=events))
    assert (found.first_token_nano, found.has_output) == (None, True)


def test_only_a_call_has_a_first_token():
    timed = {"end_ms": 1000, "ttft_ms": 200, "events": [("ai.stream.firstChunk", 200, {})]}
    call, agent = facts(span(operation="chat", **timed), span(operation="invoke_agent", **timed))
    assert (call.first_token_nano, agent.first_token_nano) == (200 * MS, None)
