"""Both clients behind one face."""

import asyncio
from functools import partial

import pytest

from client.blocking import Blocking
from sessiond.client import Client


@pytest.fixture(scope="session")
def runner():
    """One loop for all tests: grpc.aio hands late events of a loop that is closed to the next one, which chokes on them."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(params=["sync", "aio"])
def client_of(request, runner):
    """Makes a client of an endpoint."""
    return Client if request.param == "sync" else partial(Blocking, runner)
