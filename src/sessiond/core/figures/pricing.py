"""What tokens cost: unit prices, the arithmetic, and under which names a price is looked for (docs/metrics.md, Cost).

Where prices come from is not known here: a `PriceBook` answers for one exact provider and model.

Money is integers. A unit price is in yocto-dollars per token: $1 per million tokens is 10**18. Pico-dollars would do for prices
as providers print them, but the table holds some that were divided before (0.041666666666666664 per million), and a cost must equal
the table's own to the last nano-dollar.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final, NamedTuple, Protocol

from sessiond.core.conventions import PROVIDER_ALIASES
from sessiond.core.fold import SUM_MAX
from sessiond.core.model import Cost, Usage

YOCTO_PER_USD_PER_MILLION: Final = 10**18
"""Yocto-dollars per token, of one dollar per million tokens."""
_YOCTO_PER_NANO: Final = 10**15
_HALF_NANO: Final = _YOCTO_PER_NANO // 2

RULES: Final = 1
"""Of this file: raised when the same usage, names and table would give another cost, so that stored costs are known to be old."""

NO_COST: Final = Cost()

Attempt = tuple[str | None, str]
"""(provider, model) to ask a price of; without a provider the model's name alone must tell whose it is."""


class TokenPrice(NamedTuple):
    """The price of a kind of token."""

    yocto: int
    tiers: tuple[tuple[int, int], ...] = ()
    """(input tokens, price), ascending: a call with more input than that pays that price for *all* its tokens."""

    def per_token(self, input_tokens: int) -> int:
        """Yocto-dollars for each token of a call with so much input, its cached part included."""
        if not self.tiers:
            return self.yocto
        for threshold, yocto in reversed(self.tiers):
            if input_tokens > threshold:
                return yocto
        return self.yocto


class Rates(NamedTuple):
    """Yocto-dollars for each token of one call, by its kind; 0 where it is not billed."""

    input: int
    output: int
    cache_read: int
    cache_write: int
    reasoning: int


@dataclass(frozen=True)
class UnitPrices:
    """What a model costs. Input or output without a price is not billed; a part of one without a price costs what the rest does."""

    input: TokenPrice | None = None
    output: TokenPrice | None = None
    cache_read: TokenPrice | None = None
    cache_write: TokenPrice | None = None
    reasoning: TokenPrice | None = None
    request_yocto: int = 0
    """Yocto-dollars for each call, beside its tokens."""

    def rates(self, input_tokens: int) -> Rates:
        """The rates of a call with so much input, its cached part included."""
        thresholds, rates = self._by_threshold
        return rates[bisect_left(thresholds, input_tokens)]

    @cached_property
    def _by_threshold(self) -> tuple[Sequence[int], Sequence[Rates]]:
        """Where tiers begin, and the rates below the first and above each: worked out once, for all calls."""
        prices = (self.input, self.output, self.cache_read, self.cache_write, self.reasoning)
        thresholds = sorted({threshold for price in prices if price is not None for threshold, _ in price.tiers})
        return thresholds, [self._rates(0), *(self._rates(threshold + 1) for threshold in thresholds)]

    def _rates(self, input_tokens: int) -> Rates:
        def per_token(*prices: TokenPrice | None) -> int:
            return next((price.per_token(input_tokens) for price in prices if price is not None), 0)

        return Rates(
            per_token(self.input),
            per_token(self.output),
            per_token(self.cache_read, self.input),
            per_token(self.cache_write, self.input),
            per_token(self.reasoning, self.output),
        )


class PriceRow(NamedTuple):
    """Unit prices, and in words where they come from."""

    provider: str | None
    model: str
    description: str
    """Which row of the table or configuration: "openai gpt-4o-mini, since 2024-07-18"."""
    prices: UnitPrices


class PriceBook(Protocol):
    """Prices by exact names; the order in which names are tried is `price_row`'s. Any thread may ask.

    An answer depends on the arguments and on what `fingerprint` names, on nothing else. None: no price for that at that time.
    """

    @property
    def fingerprint(self) -> str:
        """Of table, overrides and rules: another one means that some price may have changed, the same one that none has."""
        ...

    @property
    def has_overrides(self) -> bool:
        """Whether configuration says anything; where not, `override` need not be asked."""
        ...

    def override(self, provider: str | None, model: str, at_unix_nano: int) -> PriceRow | None:
        """What configuration says, which goes over any list price."""
        ...

    def row(self, provider: str | None, model: str, at_unix_nano: int) -> PriceRow | None:
        """The list price."""
        ...


def estimate(usage: Usage, prices: UnitPrices) -> Cost:
    """The cost of one call, each side and the total rounded once, half to even.

    A side without tokens is absent and the total is what is known; without either there is no cost. Cached tokens are a part of
    input and reasoning is one of output: what they claim beyond it is not billed.
    """
    input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens = usage
    if input_tokens is None and output_tokens is None:
        return NO_COST
    rates = prices.rates(input_tokens or 0)
    total, input_nano, output_nano = prices.request_yocto, None, None
    if input_tokens is not None:
        read = min(cache_read_tokens or 0, input_tokens)
        written = min(cache_write_tokens or 0, input_tokens - read)
        side = read * rates.cache_read + written * rates.cache_write + (input_tokens - read - written) * rates.input
        total, input_nano = total + side, _nano(side)
    if output_tokens is not None:
        reasoning = min(reasoning_tokens or 0, output_tokens)
        side = reasoning * rates.reasoning + (output_tokens - reasoning) * rates.output
        total, output_nano = total + side, _nano(side)
    return Cost(_nano(total), input_nano, output_nano)


def _nano(yocto: int) -> int:
    """Nano-dollars, half to even, held below SUM_MAX: tokens may be any number that a sender wrote, a row holds 64 bits."""
    nano, rest = divmod(yocto, _YOCTO_PER_NANO)
    if rest > _HALF_NANO or (rest == _HALF_NANO and nano & 1):
        nano += 1
    return min(nano, SUM_MAX)


def price_row(
    book: PriceBook, provider: str | None, response_model: str | None, request_model: str | None, at_unix_nano: int
) -> PriceRow | None:
    """The price that holds for a call, or None: an override of any of its names first, then the list price of the first listed."""
    asked = attempts(provider, response_model, request_model)
    for ask in (book.override, book.row) if book.has_overrides else (book.row,):
        for by_provider, model in asked:
            found = ask(by_provider, model, at_unix_nano)
            if found is not None:
                return found
    return None


ATTEMPTS_CACHED: Final = 4096
"""Calls' names whose attempts are remembered: some hundred are in use at once; names are at most 1,000 characters."""

_LOCAL: Final = frozenset({"ollama", "vllm", "lmstudio", "lm_studio", "llama.cpp", "llamacpp", "llamafile", "localai"})
"""Who runs a model on one's own machine: its maker's list price would be a false figure."""
_LOCAL_TAG: Final = re.compile(r":(?:latest|[\d.]+[bm])(?:-|$)")
"""A size as Ollama writes it (deepseek-r1:8b), whatever the provider says: SDKs of OpenAI are pointed at it."""

_SHAPES: Final = (
    (re.compile(r"(?:[a-z-]+\.)?(?:ai21|amazon|anthropic|cohere|deepseek|meta|minimax|mistral|openai|qwen|writer)\.[a-z]"), "aws"),
    (re.compile(r"text-embedding-(?:3|ada)"), "openai"),
)
"""Names that tell their provider, which the table doesn't see: Bedrock's, with or without a region before them."""

_ROUTES: Final = re.compile(r"litellm|litellm_proxy|converse|converse_like|invoke|responses|chat|[a-z]{2}(?:-[a-z]+)+-\d")
"""Parts of a routed name that name no provider: bedrock/converse/..., bedrock/us-east-1/..."""
_ROUTE_PARTS_MAX: Final = 4

_DATE: Final = re.compile(r"[-@]20\d{2}-?[01]\d-?[0-3]\d(?=$|-v\d|:)")
"""A dated version that the table does not list costs what the name without its date does."""


@lru_cache(ATTEMPTS_CACHED)
def attempts(provider: str | None, response_model: str | None, request_model: str | None) -> tuple[Attempt, ...]:
    """What to ask a price book, in order, each once.

    First the model that answered, then the one asked for. Each first as it is: at the provider given, at the one that the name
    tells, and by the name alone. Then the same without routers before it (`openai/`, `bedrock/us-east-1/`, `models/`), where
    what the router names goes first; then without its date. Models that run locally are asked for at their provider only.
    """
    found: dict[Attempt, None] = {}
    for model in filter(None, (response_model, request_model)):
        routed = list(_unrouted(model))
        local = next((name for name in (provider, *(name for name, _ in routed)) if (name or "").lower() in _LOCAL), None)
        named, bare = routed[-1] if routed else (None, model)
        undated = _DATE.sub("", bare)
        for router, name in ((None, model), *routed, (named, undated)):
            providers: tuple[str | None, ...] = (*filter(None, (router, provider, _told_by(name))), None)
            if local or _LOCAL_TAG.search(name):
                providers = (local or provider,)
            found.update(dict.fromkeys((each, name) for each in providers))
    return tuple(found)


def _told_by(name: str) -> str | None:
    return next((provider for shape, provider in _SHAPES if shape.match(name.lower())), None)


def _unrouted(model: str) -> Iterator[tuple[str | None, str]]:
    """The name with more and more of what routes it taken away, each with the provider that the part taken away names."""
    if model.startswith("arn:"):
        yield "aws", model.rpartition("/")[2]
        return
    head, found, name = model.rpartition("models/")
    if found and (not head or "publishers/" in head):
        yield "google", name
        return
    provider, name = None, model
    for _ in range(_ROUTE_PARTS_MAX):
        router, found, rest = name.partition("/")
        router = router.lower()
        if not found or not rest or not (router in PROVIDER_ALIASES or router in _LOCAL or _ROUTES.fullmatch(router)):
            return
        provider, name = PROVIDER_ALIASES.get(router, router if router in _LOCAL else provider), rest
        yield provider, name
