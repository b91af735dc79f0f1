"""A client that knows nothing but the .proto files: run as a program of its own, it calls every RPC and prints the answers as JSON.

Usage: fresh_client.py HOST:PORT SESSION_ID TRACE_ID USER_ID. The generated modules are found by PYTHONPATH, ahead of the installed
package.
"""

import json
import sys

import grpc
from google.protobuf.json_format import MessageToDict
from google.protobuf.message_factory import GetMessageClass
from sessiond.v1 import (
    admin_service_pb2,
    admin_service_pb2_grpc,
    feedback_service_pb2,
    feedback_service_pb2_grpc,
    session_service_pb2,
    session_service_pb2_grpc,
    transfer_service_pb2,
    transfer_service_pb2_grpc,
)

SERVICES = (
    (feedback_service_pb2, "FeedbackService", feedback_service_pb2_grpc.FeedbackServiceStub),
    (session_service_pb2, "SessionService", session_service_pb2_grpc.SessionServiceStub),
    (transfer_service_pb2, "TransferService", transfer_service_pb2_grpc.TransferServiceStub),
    (admin_service_pb2, "AdminService", admin_service_pb2_grpc.AdminServiceStub),
)


def main(address: str, session_id: str, trace_id: str, user_id: str) -> None:
    arguments = {
        "GetSession": {"session_id": session_id, "view": "SESSION_VIEW_FULL"},
        "GetTrace": {"trace_id": trace_id},
        "Explain": {"trace_id": trace_id},
        "GetUser": {"user_id": user_id},
        "Search": {"query": "turn", "session_id": session_id},
        "Erase": {"of": "ERASE_OF_SESSIONS", "session_id": session_id, "validate_only": True},
        "CreateScore": {"score": {"score_id": "a", "session_id": session_id, "name": "helpful", "number": 0.25}},
        "GetScore": {"score_id": "a"},
        "UpdateScore": {"score": {"score_id": "a", "number": 0.75}},
        "ListScores": {"session_id": session_id},
        "DeleteScore": {"score_id": "a"},
        "ImportScores": {"scores": [{"score_id": "b", "trace_id": trace_id, "name": "fine", "boolean": True}, {"trace_id": "no"}]},
        "CreateAnnotation": {"annotation": {"annotation_id": "c", "trace_id": trace_id, "text": "why?"}},
        "GetAnnotation": {"annotation_id": "c"},
        "UpdateAnnotation": {"annotation": {"annotation_id": "c", "text": "why not"}},
        "ListAnnotations": {"trace_id": trace_id},
        "DeleteAnnotation": {"annotation_id": "c"},
        "ImportAnnotations": {"annotations": [{"annotation_id": "d", "session_id": session_id, "text": "good"}]},
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
