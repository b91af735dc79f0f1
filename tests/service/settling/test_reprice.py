"""Repricing: stored costs are made again by the prices as they are configured now, and told of until all are."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from builders import RULES, received, span, trace_id
from daemon import DEADLINE_SECONDS, Parts, parts, until
from sessiond.core.errors import Busy, Invalid
from sessiond.core.figures.pricing import UnitPrices
from sessiond.core.model import SessionKey, UserKey
from sessiond.prices import GenaiPriceBook, Override, token_price
from sessiond.service.settling.renewal import Renewed
from sessiond.service.settling.reprice import reprice
from sessiond.service.settling.rules import Rules


def priced(usd_per_million: int) -> Rules:
    price = token_price(Decimal(usd_per_million))
    return Rules(GenaiPriceBook([Override("house", None, None, UnitPrices(input=price, output=price))]))


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Parts]:
    """Three traces of one session and user, unpriced."""
    with parts(tmp_path / "data") as found:
        calls = (
            span(trace=number, session="s", user="u", operation="chat", model="house", tokens_in=1, tokens_out=0)
            for number in (1, 2, 3)
        )
        found.append(received(*calls)).result(DEADLINE_SECONDS)
        until(lambda: not found.writer.is_renewing)  # a new store is looked through as any other is
        yield found


def test_stored_costs_are_made_again_and_every_trace_is_told_of(running: Parts) -> None:
    assert list(reprice(running.writer, lambda: priced(7)))[-1] == Renewed(3, 3)
    assert running.queries.trace(trace_id(1))[0].costs.estimated_nano == 7000
    assert running.store.session(SessionKey("default", "s")).costs.total_nano == 21_000
    assert running.store.user(UserKey("default", "u")).costs.total_nano == 21_000


def test_the_first_answer_comes_when_queries_see_the_new_costs(running: Parts) -> None:
    answers = reprice(running.writer, lambda: priced(7))
    next(answers)
    assert running.queries.trace(trace_id(1))[0].costs.estimated_nano == 7000


def test_unchanged_prices_leave_nothing_to_do(running: Parts) -> None:
    list(reprice(running.writer, lambda: priced(7)))
    assert list(reprice(running.writer, lambda: priced(7))) == [Renewed(0, 0)]


def test_prices_can_be_taken_back(running: Parts) -> None:
    list(reprice(running.writer, lambda: priced(7)))
    assert list(reprice(running.writer, lambda: RULES))[-1] == Renewed(3, 3)
    assert running.queries.trace(trace_id(1))[0].costs.unpriced_call_count == 1


def test_prices_that_cannot_be_read_change_nothing(running: Parts) -> None:
    def broken() -> Rules:
        raise Invalid("prices", "x", "can't be read")

    with pytest.raises(Invalid, match="can't be read"):
        list(reprice(running.writer, broken))
    assert running.writer.rules is RULES
    assert not running.writer.is_renewing


def test_a_daemon_that_stops_says_so(running: Parts) -> None:
    running.writer.stop()
    with pytest.raises(Busy, match="stopping"):
        list(reprice(running.writer, lambda: priced(7)))


def test_spans_that_come_after_are_priced_anew(running: Parts) -> None:
    list(reprice(running.writer, lambda: priced(7)))
    later = span(trace=9, operation="chat", model="house", tokens_in=2, tokens_out=0)
    running.append(received(later)).result(DEADLINE_SECONDS)
    assert running.queries.trace(trace_id(9))[0].costs.estimated_nano == 14_000
