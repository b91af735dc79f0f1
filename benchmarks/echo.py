"""Ruler 1, `python -m benchmarks.echo ADDRESS`: what grpcio itself costs.

The same method as the receiver's, taking the same raw bytes, and answering empty at once. No receiver on grpcio can be faster.
"""

import sys

import grpc

from benchmarks.serving import serve


def _acknowledge(_: bytes, __: grpc.ServicerContext) -> bytes:
    return b""


if __name__ == "__main__":
    serve(sys.argv[1], _acknowledge)
