"""The price book: list prices of the genai-prices package as it was installed, and over them what configuration says.

Nothing here goes online: the package's updater is never started. The package knows which model a name means and which price
holds when; here each name is resolved once, to the intervals between the moments at which its price changes. Asking again is a
dictionary and two bisections: with all names of a call 0.9 us, and 2.6 for the arithmetic, where `calc_price` takes 67 (measured).
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from importlib import metadata
from typing import TYPE_CHECKING, Final, NamedTuple

from sessiond.core.figures.pricing import RULES, YOCTO_PER_USD_PER_MILLION, PriceRow, TokenPrice, UnitPrices

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, Provider, TieredPrices

NAMES_CACHED: Final = 4096
"""(provider, model) resolved and remembered. Some hundred are in use at once; senders may make up any number of names."""

_DAY_NANO: Final = 86_400 * 10**9
_EPOCH: Final = date(1970, 1, 1)
_MIDNIGHT: Final = time(tzinfo=UTC)


class Override(NamedTuple):
    """A price that goes over the list."""

    model: str
    """The whole name, or how it begins with `*` at its end. Upper and lower case are one, here and in the list."""
    provider: str | None
    """None: whoever serves it."""
    since: date | None
    """From the start of this day (UTC) on; None: always."""
    prices: UnitPrices

    def matches(self, provider: str | None, model: str) -> bool:
        beginning = self.model.removesuffix("*")
        named = model.startswith(beginning) if beginning != self.model else model == beginning
        return named and self.provider in (None, provider)


class _Day(NamedTuple):
    """The rows of one day: each from its start, in nanoseconds after midnight UTC, to the next one's."""

    starts: Sequence[int]
    rows: Sequence[PriceRow | None]


class _Dated(NamedTuple):
    """The days that hold from each start, in unix nanoseconds, to the next one's. The first start is before all time."""

    starts: Sequence[float]
    days: Sequence[_Day]

    def row(self, at_unix_nano: int) -> PriceRow | None:
        day = self.days[bisect_right(self.starts, at_unix_nano) - 1]
        return day.rows[bisect_right(day.starts, at_unix_nano % _DAY_NANO) - 1]


_NOWHERE: Final = _Dated((float("-inf"),), (_Day((0,), (None,)),))


class GenaiPriceBook:
    """A `core.figures.pricing.PriceBook` over the bundled table of genai-prices.

    The first question loads the table: 80 ms and 5.5 MiB (measured), which a daemon without calls to price need not spend.
    """

    def __init__(self, overrides: Iterable[Override] = ()) -> None:
        self._overrides = sorted(overrides, key=_by_precedence)
        self._override = lru_cache(NAMES_CACHED)(self._resolve_override)
        self._listed = lru_cache(NAMES_CACHED)(_resolve)

    @property
    def fingerprint(self) -> str:
        """Of rules, the package's version and the overrides in order of precedence, however they were written."""
        told = (RULES, metadata.version("genai-prices"), [tuple(each) for each in self._overrides])
        return blake2b(repr(told).encode(), digest_size=16).hexdigest()

    @property
    def has_overrides(self) -> bool:
        return bool(self._overrides)

    def override(self, provider: str | None, model: str, at_unix_nano: int) -> PriceRow | None:
        """The row of the most exact override, as `_by_precedence` orders them."""
        return self._override(provider, model).row(at_unix_nano)

    def row(self, provider: str | None, model: str, at_unix_nano: int) -> PriceRow | None:
        """The package's price at that time, by its own matching of names.

        None where it knows no such provider or model, and where the model has no price for tokens.
        """
        return self._listed(provider, model).row(at_unix_nano)

    @property
    def resolved_count(self) -> int:
        """Names that were looked for in the package's table; all other questions were answered from memory."""
        return self._listed.cache_info().misses

    def _resolve_override(self, provider: str | None, model: str) -> _Dated:
        provider, model = provider and provider.lower(), model.lower()
        fitting = [each for each in self._overrides if each.matches(provider, model)]

        def on(day: date) -> _Day:
            return _Day((0,), (next((_overridden(each) for each in fitting if each.since is None or each.since <= day), None),))

        return _dated((each.since for each in fitting if each.since), on)


def token_price(usd_per_million: Decimal | None) -> TokenPrice | None:
    """A price as providers print it; what is finer than a yocto-dollar per token is rounded."""
    return None if usd_per_million is None else TokenPrice(_yocto(usd_per_million))


def _by_precedence(override: Override) -> tuple[bool, int, bool, int, str, str]:
    """A whole name before a beginning, a longer one before a shorter, with a provider before without, the latest since first."""
    model, provider, since, _ = override
    return model.endswith("*"), -len(model), provider is None, -(since or date.min).toordinal(), model, provider or ""


def _overridden(override: Override) -> PriceRow:
    model, provider, since, prices = override
    served = f" at {provider}" if provider else ""
    return PriceRow(provider, model, f"override {model}{served}{_since(since)}", prices)


def _resolve(provider: str | None, model: str) -> _Dated:
    """All rows of the model that the package means by these names.

    Its own look-ups (`DataSnapshot`, `calc_price`) keep every name ever asked for, so they are not used: names come from senders.
    """
    from genai_prices.data import providers  # noqa: PLC0415  (the table: see GenaiPriceBook)
    from genai_prices.data_snapshot import find_provider_by_id  # noqa: PLC0415

    name = model.lower()
    if provider is None:
        host = next((each for each in providers if each.model_match and each.model_match.is_match(name)), None)
    else:
        host = find_provider_by_id(providers, provider)
    found = host and host.find_model(name, all_providers=providers)
    return _dated_rows(host, found) if host and found else _NOWHERE


def _dated_rows(host: "Provider", model: "ModelInfo") -> _Dated:
    """The rows of a model, each read with the package's own `get_prices` at the moment at which it may begin to hold."""
    from genai_prices.types import StartDateConstraint  # noqa: PLC0415  (as in _resolve)

    dates, times = [], {_MIDNIGHT}
    for condition in model.prices if isinstance(model.prices, list) else ():
        constraint = condition.constraint
        if constraint is None:
            continue
        if isinstance(constraint, StartDateConstraint):
            dates.append(constraint.start_date)
        else:
            times |= {_utc(constraint.start_time), _utc(constraint.end_time)}
    begins = sorted(times)

    def on(day: date) -> _Day:
        rows = []
        for begin, end in zip(begins, [*begins[1:], _MIDNIGHT], strict=True):
            prices = _unit_prices(model, model.get_prices(datetime.combine(day, begin)))
            hours = f", {begin:%H:%M} to {end:%H:%M} UTC" if len(begins) > 1 else ""
            words = f"{host.id} {model.id}{_since(day)}{hours}"
            rows.append(None if prices is None else PriceRow(host.id, model.id, words, prices))
        return _Day([_after_midnight_nano(begin) for begin in begins], rows)

    return _dated(dates, on)


def _dated(dates: Iterable[date], on: Callable[[date], _Day]) -> _Dated:
    """The days that begin at some dates, and before them all the one that holds on the first of all days."""
    changes = sorted(set(dates))
    starts = ((each - _EPOCH).days * _DAY_NANO for each in changes)
    return _Dated((float("-inf"), *starts), [on(each) for each in (date.min, *changes)])


def _unit_prices(model: "ModelInfo", price: "ModelPrice") -> UnitPrices | None:
    """A price of the package, or None where it has none for tokens.

    The package has nothing at all for models that are free, and for some whose price nobody wrote down. Only a name that says
    so (`...:free`) is free here: a figure that is not known is absent, never 0.
    """
    if price.input_mtok is None and price.output_mtok is None:
        return UnitPrices() if model.id.endswith(":free") else None
    return UnitPrices(
        input=_token_price(price.input_mtok),
        output=_token_price(price.output_mtok),
        cache_read=_token_price(price.cache_read_mtok),
        cache_write=_token_price(price.cache_write_mtok),
        reasoning=_token_price(price.output_reasoning_mtok),
        request_yocto=_request_yocto(price.requests_kcount),
    )


def _token_price(price: "Decimal | TieredPrices | None") -> TokenPrice | None:
    if price is None or isinstance(price, Decimal):
        return token_price(price)
    return TokenPrice(_yocto(price.base), tuple((tier.start, _yocto(tier.price)) for tier in price.tiers))


def _request_yocto(per_thousand: "Decimal | TieredPrices | None") -> int:
    return 0 if per_thousand is None else _yocto(1000 * (per_thousand if isinstance(per_thousand, Decimal) else per_thousand.base))


def _yocto(usd_per_million: Decimal) -> int:
    return int((usd_per_million * YOCTO_PER_USD_PER_MILLION).to_integral_value())


def _since(day: date | None) -> str:
    return f", since {day}" if day and day > date.min else ""


def _utc(of_day: time) -> time:
    """The time of day in UTC, which is what one without a zone is in."""
    return datetime.combine(_EPOCH, of_day, of_day.tzinfo or UTC).astimezone(UTC).timetz()


def _after_midnight_nano(of_day: time) -> int:
    return (datetime.combine(_EPOCH, of_day) - datetime.combine(_EPOCH, _MIDNIGHT)) // timedelta(microseconds=1) * 1000
