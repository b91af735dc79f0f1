"""By what rules figures are made: how names are read, what tokens cost, and what these and the figures' own code are known by."""

from hashlib import blake2b
from typing import Final

from sessiond.core.figures.pricing import PriceBook
from sessiond.core.identity import SpanKey
from sessiond.core.model import ReceivedSpan, Rejection, SpanFacts, StoredSpan
from sessiond.core.spans.normalize import ExtraKeys
from sessiond.core.spans.sources import Source
from sessiond.storage.api import RULES_BYTES
from sessiond.wire import otlp

VERSION: Final = 3
"""Of everything in `core/` and `wire/` that turns spans into figures: raised whenever the same spans, prices and keys would give
others, so that what is stored is made again."""


class Rules:
    """What the figures of a store are made by. Whoever holds the same rules gets the same figures of the same spans."""

    def __init__(self, prices: PriceBook, keys: ExtraKeys = ExtraKeys()) -> None:  # noqa: B008  (a value, never changed)
        self.prices = prices
        self.keys = keys
        self._normalizer = keys.normalizer()

    @property
    def fingerprint(self) -> bytes:
        """RULES_BYTES that differ where some figure may."""
        told = (VERSION, tuple(self.keys), self.prices.fingerprint)
        return blake2b(repr(told).encode(), digest_size=RULES_BYTES).digest()

    def read(self, span: StoredSpan) -> ReceivedSpan | Rejection:
        """A stored span made again from its bytes."""
        return otlp.decode_span(span.data, span.origin, received_unix_nano=span.received_unix_nano, normalizer=self._normalizer)

    def facts(self, span: StoredSpan) -> SpanFacts | None:
        """The facts of a stored span; None where this version can't read it."""
        received = self.read(span)
        return None if isinstance(received, Rejection) else received.facts

    def sources(self, span: StoredSpan) -> tuple[SpanKey, tuple[Source, ...]] | None:
        """A stored span's key, and where its facts come from; None where this version can't read it."""
        return otlp.sources(span.data, span.origin, self._normalizer)
