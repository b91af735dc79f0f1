"""`sessiond serve`: the daemon in the foreground."""

import sys
from pathlib import Path

import click

from sessiond.config import BadConfig, load

_OPTIONS = {
    "data_dir": "store.data_dir",
    "otlp_grpc": "receiver.otlp_grpc",
    "otlp_http": "receiver.otlp_http",
    "query": "query.address",
    "web": "web.address",
}
"""Option -> the setting that it goes over."""


@click.command()
@click.option(
    "--config", type=click.Path(path_type=Path), help="YAML file of settings. Default: none, every setting has a default."
)
@click.option("--data-dir", metavar="DIR", help="Directory of the store. Default: ~/.local/share/sessiond.")
@click.option("--otlp-grpc", metavar="HOST:PORT", help="Address of the OTLP/gRPC receiver. Default: 127.0.0.1:4317.")
@click.option("--otlp-http", metavar="HOST:PORT|off", help="Address of the OTLP/HTTP receiver; only off in this version.")
@click.option("--query", metavar="HOST:PORT", help="Address of the query service. Default: 127.0.0.1:4319.")
@click.option("--web", metavar="HOST:PORT|off", help="Address of the web page; only off in this version.")
def serve(config: Path | None, **options: str | None) -> None:
    """Receive spans and answer questions, until SIGTERM or Ctrl-C.

    An option goes over the same setting in the file. Exit code 0 after a clean stop, 1 where the daemon can't run, 2 where the
    settings can't be used.
    """
    given = {_OPTIONS[name]: value for name, value in options.items() if value is not None}
    try:
        settings = load(config, given)
    except BadConfig as error:
        click.echo(f"sessiond: {error}", err=True)
        sys.exit(2)
    # Imported only now, so that a wrong option is told at once.
    from sessiond.app import serve as run  # noqa: PLC0415
    from sessiond.telemetry import configure_logging  # noqa: PLC0415

    configure_logging(settings.log.level, json=settings.log.format == "json")
    sys.exit(run(settings, lambda: load(config, given)))
