"""By what rules figures are made: how names are read, what tokens cost, and what these and the figures' own code are known by."""

from hashlib import blake2b
from typing import Final, NamedTuple

from sessiond.core.model import Rejection, SpanFacts, StoredSpan
from sessiond.core.pricing import PriceBook
from sessiond.storage.api import RULES_BYTES
from sessiond.wire import otlp

VERSION: Final = 1
"""Of everything in `core/` that turns spans into figures: raised whenever the same spans and prices would give others, so that
what is stored is made again."""


class Rules(NamedTuple):
    """What the figures of a store are made by. Whoever holds the same rules gets the same figures of the same spans."""

    prices: PriceBook

    @property
    def fingerprint(self) -> bytes:
        """RULES_BYTES that differ where some figure may."""
        told = (VERSION, self.prices.fingerprint)
        return blake2b(repr(told).encode(), digest_size=RULES_BYTES).digest()

    def facts(self, span: StoredSpan) -> SpanFacts | None:
        """The facts of a stored span; None where this version can't read it."""
        received = otlp.decode_span(span.data, span.origin, received_unix_nano=span.received_unix_nano)
        return None if isinstance(received, Rejection) else received.facts
