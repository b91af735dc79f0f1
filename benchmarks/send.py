"""The sender, a process of its own so that it shares no interpreter with the receiver: `python -m benchmarks.send FILE ADDRESS`.

It holds the whole load in memory before it starts, keeps a number of requests in flight over one channel, as an exporter does, and
prints one line of JSON: when the first request left and the last acknowledgement came (seconds of the machine's monotonic clock,
which every process reads alike), and how long each request took. Anything but a plain acknowledgement ends it with an error.
"""

import argparse
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import grpc

from benchmarks.load import read_load

METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
IN_FLIGHT = 8
REQUEST_SECONDS_MAX = 60
CONNECT_SECONDS_MAX = 10


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a load: monotonic times in seconds, and the latency of each request."""

    first_send: float
    last_acknowledgement: float
    request_seconds: list[float]


def send(path: Path, address: str, *, in_flight: int, per_second: float) -> Sent:
    """Send a load, to the last acknowledgement, at most so many requests a second; 0: as many as are taken.

    Raises grpc.RpcError or RuntimeError where a request is not taken whole.
    """
    bodies = list(read_load(path))
    with grpc.insecure_channel(address) as channel, ThreadPoolExecutor(in_flight) as pool:
        grpc.channel_ready_future(channel).result(CONNECT_SECONDS_MAX)
        export = channel.unary_unary(METHOD)
        first_send = time.monotonic()
        times = (first_send + number / per_second if per_second else 0.0 for number in range(len(bodies)))
        left, taking = zip(bodies, times, strict=True), threading.Lock()
        senders = [pool.submit(_send_all, export, left, taking) for _ in range(in_flight)]
        request_seconds = [seconds for sender in senders for seconds in sender.result()]
        last_acknowledgement = time.monotonic()  # before the channel closes, which can take 0.2 s
    return Sent(first_send, last_acknowledgement, request_seconds)


def _send_all(export: grpc.UnaryUnaryMultiCallable, left: Iterator[tuple[bytes, float]], taking: threading.Lock) -> list[float]:
    """Send one request after the other, none before its time, until none is left."""
    took: list[float] = []
    while True:
        with taking:
            taken = next(left, None)
        if taken is None:
            return took
        body, at = taken
        time.sleep(max(0.0, at - time.monotonic()))
        began = time.monotonic()
        answer = export(body, timeout=REQUEST_SECONDS_MAX)
        took.append(time.monotonic() - began)
        if answer:
            raise RuntimeError(f"spans were refused: {answer!r}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("load", type=Path)
    parser.add_argument("address")
    parser.add_argument("--in-flight", type=int, default=IN_FLIGHT)
    parser.add_argument("--per-second", type=float, default=0.0)
    arguments = parser.parse_args()
    sent = send(arguments.load, arguments.address, in_flight=arguments.in_flight, per_second=arguments.per_second)
    print(json.dumps(asdict(sent)))


if __name__ == "__main__":
    main()
