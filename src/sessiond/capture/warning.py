"""How an application is told that something it said was not taken: a warning at its own line, which Python shows once a line."""

import sys
import warnings
from types import FrameType
from typing import Final

PACKAGE: Final = "sessiond.capture"


def warn(problem: str) -> None:
    """Warn at the line outside this package that led here."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  (as the standard library's logging does; `inspect` reads source files)
    level = 2
    while frame is not None and str(frame.f_globals.get("__name__")).startswith(PACKAGE):
        frame, level = frame.f_back, level + 1
    warnings.warn(problem, RuntimeWarning, stacklevel=level)
