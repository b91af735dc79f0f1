"""How both clients speak to a daemon: the options of their channels, and the health that they ask for first."""

import json
from typing import Final

import grpc

CONNECT_SECONDS_MAX: Final = 2.0
"""A daemon on this host answers in milliseconds; gRPC by itself would try an absent one for 20 s."""
HEALTH_CHECK: Final = "/grpc.health.v1.Health/Check"
"""Asked once at the start, with a deadline of its own.

Watching the channel's state instead would be gRPC's own way, but closing a watched channel was seen to wait for ever.
"""
NOBODY_THERE: Final = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
"""Of the health check. Any other status comes from something that answers: the next call will tell what."""
TIMEOUT_SECONDS: Final = 30.0
"""For an answer of one message."""
MESSAGE_BYTES_MAX: Final = 64 << 20
"""A span larger than a message's usual 1 MiB travels alone, and a receiver takes requests of up to 64 MiB."""
IMPORTS_AHEAD: Final = 4
"""Batches of an import that are under way beside the next: enough that they are committed together, few megabytes in memory."""
RECONNECT_SECONDS_MAX: Final = 5
"""Between gRPC's attempts to connect again. By itself it would come to wait two minutes; a restarted daemon is back in one."""

FEEDBACK_TWICE: Final = tuple(
    f"{verb}{noun}"
    for verb in ("Create", "Get", "Update", "List", "Import")
    for noun in ("Score", "Scores", "Annotation", "Annotations")
)
"""Whatever is created or imported has an id. Not to delete: what is gone already would be told to be missing."""
SERVICE_CONFIG: Final = {
    "methodConfig": [
        {
            "name": [
                {"service": "sessiond.v1.SessionService"},
                {"service": "sessiond.v1.AdminService"},
                *({"service": "sessiond.v1.FeedbackService", "method": method} for method in FEEDBACK_TWICE),
            ],
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.2s",
                "backoffMultiplier": 2,
                "maxBackoff": "1s",
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        },
        {
            "name": [{"service": "sessiond.v1.TransferService"}],
            "retryPolicy": {
                "maxAttempts": 5,
                "initialBackoff": "0.5s",
                "backoffMultiplier": 3,
                "maxBackoff": "10s",
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        },
    ]
}
"""gRPC asks again by itself while no part of an answer has come. Every call may be asked twice: they only read, or, as Reprice,
FEEDBACK_TWICE and ImportSpans, a second finds things as the first one left them; and an Erase answers before it erases anything. An
import has time to wait until a full queue is written."""

OPTIONS: Final = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
    # gRPC would ask the proxy of http_proxy for 127.0.0.1 too.
    ("grpc.enable_http_proxy", 0),
    # What gRPC may send again. By itself it keeps 256 KiB of a call, so that a large span would not wait for a busy daemon.
    ("grpc.per_rpc_retry_buffer_size", MESSAGE_BYTES_MAX),
    ("grpc.max_reconnect_backoff_ms", RECONNECT_SECONDS_MAX * 1000),
    ("grpc.service_config", json.dumps(SERVICE_CONFIG)),
)
