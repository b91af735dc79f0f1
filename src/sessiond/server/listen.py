"""A gRPC server on an address, with health, and without the defaults that hurt."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from sessiond.core.errors import Occupied

OPTIONS: Final = (
    # Without it a second daemon would silently take half of the traffic.
    ("grpc.so_reuseport", 0),
    # A Collector with keepalive pings every 10 s. Both are needed, or it gets GOAWAY; the look-alike
    # min_recv_ping_interval_without_data_ms is ignored (measured).
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 5000),
)


class Listener:
    """A server and its health, bound to an address."""

    def __init__(self, server: grpc.Server, port: int, host: str, servicer: health.HealthServicer) -> None:
        self.server = server
        self.address = f"{host}:{port}"
        self._health = servicer

    def start(self) -> None:
        """Begin to answer."""
        self.server.start()
        self.set_serving(serving=True)

    def set_serving(self, *, serving: bool) -> None:
        """What the health service answers."""
        status = health_pb2.HealthCheckResponse.SERVING if serving else health_pb2.HealthCheckResponse.NOT_SERVING
        self._health.set("", status)

    def stop(self, grace_seconds: float) -> None:
        """Say NOT_SERVING, take no new call, and return when those under way have ended or `grace_seconds` are over."""
        self._health.enter_graceful_shutdown()
        self.server.stop(grace_seconds).wait()


def bind(
    name: str, address: str, handlers: Sequence[grpc.GenericRpcHandler], *, threads: int, message_bytes_max: int = 4 << 20
) -> Listener:
    """A server bound to HOST:PORT (port 0: any free one), not yet started. Raises Occupied where it can't be bound."""
    server = grpc.server(
        ThreadPoolExecutor(threads, thread_name_prefix=name),
        handlers=handlers,
        options=(*OPTIONS, ("grpc.max_receive_message_length", message_bytes_max)),
    )
    servicer = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    try:
        port = server.add_insecure_port(address)
    except RuntimeError as error:
        raise Occupied(
            f"{name}: can't listen on {address}",
            hint="stop what listens there (another sessiond or a Collector?), or choose another address",
        ) from error
    return Listener(server, port, address.rpartition(":")[0], servicer)
