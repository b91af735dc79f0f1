"""How often a property is tried: `make torture` tries each ten times as often as `make test`."""

import os
from typing import Final

FACTOR: Final = int(os.environ.get("SESSIOND_TORTURE", "1"))


def examples(count: int) -> int:
    """So many of them, or more."""
    return count * FACTOR
