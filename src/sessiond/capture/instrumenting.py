"""The one line that an application begins with. It imports the SDK and gRPC when it is called, and not before."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sessiond.capture.export import Export


def instrument(endpoint: str | None = None, service_name: str | None = None) -> "Export":
    """Send every span of this process to a daemon, and stamp those inside captures. Done again, it returns what was done first.

    An endpoint is host:port or a URL; https:// alone is encrypted. Where none is given it is OpenTelemetry's variable
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT or OTEL_EXPORTER_OTLP_ENDPOINT, or else http://127.0.0.1:4317. A provider of
    OpenTelemetry's SDK that is set already stays, with its resource and whatever else it sends to; else one is made and set,
    whose resource has `service_name` (or OTEL_SERVICE_NAME). Threads started from now on take the capture with them in which
    they were started. Raises ImportError where the extra `sessiond[capture]` is not installed, TypeError where the provider
    that is set is none of the SDK's.
    """
    try:
        from sessiond.capture.export import export_to  # noqa: PLC0415  (see above)
    except ModuleNotFoundError as missing:
        raise ImportError("instrument needs OpenTelemetry's SDK and exporter: pip install 'sessiond[capture]'") from missing
    return export_to(endpoint, service_name)
