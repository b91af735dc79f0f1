"""A gRPC server for the rulers: OTLP's Export method on raw bytes, until SIGTERM."""

import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import grpc

from benchmarks.send import METHOD

HANDLER_THREADS = 16
"""More than the sender has in flight, so that no request waits for a thread."""
MESSAGE_BYTES_MAX = 64 << 20
DRAIN_SECONDS_MAX = 10

Handler = Callable[[bytes, grpc.ServicerContext], bytes]


def serve(address: str, export: Handler) -> None:
    """Answer Export by `export` until SIGTERM or SIGINT, then let what is in flight finish."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    options = [("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX)]
    server = grpc.server(ThreadPoolExecutor(HANDLER_THREADS), options=options)
    service, method = METHOD.strip("/").split("/")
    handlers = {method: grpc.unary_unary_rpc_method_handler(export)}
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(service, handlers)])
    server.add_insecure_port(address)
    server.start()
    stopped.wait()
    server.stop(DRAIN_SECONDS_MAX).wait()
