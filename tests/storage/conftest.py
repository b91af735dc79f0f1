"""The engines that are held to the contract. After every test the store is checked, from span bytes."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from builders import OTHER_RULES, RULES
from sessiond.service.upkeep.check import check
from sessiond.storage.api import Store
from sessiond.storage.lmdb.store import LmdbStore
from sessiond.storage.memory import MemoryStore

ENGINES: dict[str, Callable[[Path], Store]] = {
    "memory": lambda _: MemoryStore(),
    "lmdb": lambda path: LmdbStore.open(path, bytes_max=1 << 30),
}


@pytest.fixture(params=ENGINES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = ENGINES[request.param](tmp_path)
    try:
        yield opened
        rules = OTHER_RULES if opened.rules == OTHER_RULES.fingerprint else RULES
        assert [problem for checked in check(opened, lambda: rules) for problem in checked.problems] == []
    finally:
        opened.close()
