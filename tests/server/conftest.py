"""Servers in this process, and what a failed call said."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Self

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from daemon import Asker, Parts, Sender, parts


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Parts]:
    with parts(tmp_path / "data") as found:
        yield found


@pytest.fixture
def sender(running: Parts) -> Iterator[Sender]:
    with Sender(running.receiver.address) as found:
        yield found


@pytest.fixture
def asker(running: Parts) -> Iterator[Asker]:
    with Asker(running.query.address) as found:
        yield found


class Refusal(NamedTuple):
    """What a failed call said, in all the places where clients look."""

    code: str
    message: str
    reason: str = ""
    """Of ErrorInfo; "" where there is none."""
    kind: str = ""
    """In ErrorInfo's metadata."""
    field: str = ""
    """Of BadRequest; "" where there is none."""
    retry_seconds: tuple[int | None, int | None] = (None, None)
    """RetryInfo's delay in grpc-status-details-bin, where a Collector looks, and in google.rpc.retryinfo-bin, where Python does."""


@pytest.fixture
def refusal() -> "type[RefusalOf]":
    return RefusalOf


class RefusalOf:
    """`with RefusalOf() as said:` catches the failure of a call; `said.refusal` is what it said."""

    refusal: Refusal

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        assert isinstance(error, grpc.RpcError), f"the call did not fail as a call: {error!r}"
        self.refusal = _read(error)
        return True


def _read(error: grpc.RpcError) -> Refusal:
    trailers = dict(error.trailing_metadata())
    status = Status.FromString(trailers.get("grpc-status-details-bin", b""))
    info, bad, retry = ErrorInfo(), BadRequest(), RetryInfo()
    in_details = next((retry.retry_delay.seconds for any_message in status.details if any_message.Unpack(retry)), None)
    for any_message in status.details:
        any_message.Unpack(info)
        any_message.Unpack(bad)
    if status.code:
        assert (status.code, status.message) == (error.code().value[0], error.details())
        assert info.domain == "sessiond"
    alone = trailers.get("google.rpc.retryinfo-bin")
    return Refusal(
        code=error.code().name,
        message=error.details(),
        reason=info.reason,
        kind=info.metadata.get("kind", ""),
        field=bad.field_violations[0].field if bad.field_violations else "",
        retry_seconds=(in_details, None if alone is None else RetryInfo.FromString(alone).retry_delay.seconds),
    )
