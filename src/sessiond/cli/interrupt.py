"""Ctrl-C while a daemon is asked."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def ending_on_ctrl_c(exit_code: int) -> Iterator[None]:
    """Let Ctrl-C end the process then and there, with an exit code; there must be nothing to put in order.

    An exception would come wherever the main thread happens to be: between two steps of a lock of gRPC's it was seen to end in
    another exception, or never. A process that is deaf to Ctrl-C, as a shell's background jobs are, stays so.
    """
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, lambda *_: os._exit(exit_code))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
