"""Repricing: the configured prices read again, and every stored cost made again where they or the price table changed."""

import threading
from collections.abc import Callable, Iterator
from typing import Final

from sessiond.core.pricing import PriceBook
from sessiond.service.renewal import Renewed
from sessiond.service.settle import Need
from sessiond.service.writer import Writer
from sessiond.storage.api import Store

TOLD_SECONDS: Final = 0.2
"""How often progress is told."""


def reprice(writer: Writer, store: Store, read_prices: Callable[[], PriceBook]) -> Iterator[Renewed]:
    """Let figures be made by the prices as they are configured now, and tell how far that is until all is done.

    Raises as `read_prices` does, and then nothing changed. Where no price changed there is nothing to do, and the only answer has
    `of` 0. Whoever stops listening stops nothing.
    """
    rules = writer.rules.with_prices(read_prices())
    if rules.fingerprint == writer.rules.fingerprint and not writer.is_renewing:
        yield Renewed(0, 0)
        return
    writer.change_rules(rules)
    pause = threading.Event()
    while writer.is_renewing:
        progress = writer.renewed()
        if progress is not None:
            yield progress
        pause.wait(TOLD_SECONDS)
    needs: tuple[Need, ...] = ("sessions", "users")
    for need in needs:
        writer.settled(need).result()
    traces = store.extent().trace_count
    yield Renewed(traces, traces)
