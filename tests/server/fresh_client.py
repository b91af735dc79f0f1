"""A client that knows nothing but the .proto files: run as a program of its own, it calls every RPC and prints the answers as JSON.

Usage: fresh_client.py HOST:PORT SESSION_ID TRACE_ID USER_ID. The generated modules are found by PYTHONPATH, ahead of the installed
package.
"""

import json
import sys

import grpc
from google.protobuf.json_format import MessageToDict
from google.protobuf.message_factory import GetMessageClass
from sessiond.v1 import admin_service_pb2, admin_service_pb2_grpc, session_service_pb2, session_service_pb2_grpc

SERVICES = (
    (session_service_pb2, "SessionService", session_service_pb2_grpc.SessionServiceStub),
    (admin_service_pb2, "AdminService", admin_service_pb2_grpc.AdminServiceStub),
)


def main(address: str, session_id: str, trace_id: str, user_id: str) -> None:
    arguments = {
        "GetSession": {"session_id": session_id, "view": "SESSION_VIEW_FULL"},
        "GetTrace": {"trace_id": trace_id},
        "Explain": {"trace_id": trace_id},
        "GetUser": {"user_id": user_id},
        "Search": {"query": "turn", "session_id": session_id},
    }
    answers = {}
    with grpc.insecure_channel(address) as channel:
        for module, service, stub in SERVICES:
            bound = stub(channel)
            for method in module.DESCRIPTOR.services_by_name[service].methods:
                request = GetMessageClass(method.input_type)(**arguments.get(method.name, {}))
                answer = getattr(bound, method.name)(request, timeout=20)
                messages = list(answer) if method.server_streaming else [answer]
                answers[method.name] = [MessageToDict(message, preserving_proto_field_name=True) for message in messages]
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
