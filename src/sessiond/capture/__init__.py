"""What an application imports to say whose its spans are: `capture` for a turn of a conversation, `instrument` to send spans.

It stands apart: it imports nothing of the daemon, and nothing of the daemon imports it. It needs the extra `sessiond[capture]`;
the SDK and gRPC are imported by `instrument` alone, so that a library can use `capture` at the cost of OpenTelemetry's API.
"""

try:
    from sessiond.capture.forms import Capture, capture
    from sessiond.capture.instrumenting import instrument
except ImportError as missing:  # not only ModuleNotFoundError: `opentelemetry` itself is there, with the protocol's messages
    if not str(missing.name).startswith("opentelemetry"):
        raise
    raise ImportError("sessiond.capture needs OpenTelemetry: pip install 'sessiond[capture]'") from missing

__all__ = ["Capture", "capture", "instrument"]
