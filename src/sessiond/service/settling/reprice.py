"""Repricing: the configured prices read again, and every stored cost made again where they or the price table changed."""

import threading
from collections.abc import Callable, Iterator
from typing import Final

from sessiond.service.settling.renewal import Renewed
from sessiond.service.settling.rules import Rules
from sessiond.service.writer import Writer

TOLD_SECONDS: Final = 0.2
"""How often progress is told."""


def reprice(writer: Writer, reload: Callable[[], Rules]) -> Iterator[Renewed]:
    """Let costs be made by the prices as they are configured now, and tell how far that is until all is done.

    Of what `reload` gives only the prices are taken: spans are still decoded by the keys that the daemon started with. Raises as
    `reload` does, and then nothing changed. Where no price changed there is nothing to do: the only answer has `of` 0.
    Whoever stops listening stops nothing.
    """
    traces = writer.change_rules(Rules(reload().prices, writer.rules.keys)).result()
    pause = threading.Event()
    while writer.is_renewing:
        yield writer.renewed() or Renewed(traces, traces)
        pause.wait(TOLD_SECONDS)
    if traces:
        for need in ("sessions", "users"):
            writer.settled(need).result()
    yield Renewed(traces, traces)
