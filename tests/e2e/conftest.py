"""A daemon as a process, with a store of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon import Daemon


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    with Daemon.start(tmp_path) as found:
        yield found
