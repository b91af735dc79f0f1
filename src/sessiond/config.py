"""Every setting: its type, default, unit and sentence. Read from a YAML file; options of the command line go over it.

Unknown keys stop the start, and all problems are told at once. `config.yaml` at the top of the repository is the whole of it, and a
test keeps the two in step.
"""

import difflib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ByteSize, ConfigDict, Field, ValidationError

from sessiond.core.errors import Code, SessiondError

OFF: Final = "off"
_ADDRESS: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+):([0-9]{1,5})")
_PORT_MAX: Final = 65535


class BadConfig(SessiondError):
    """The configuration can't be used; the message names every problem in it."""

    code = Code.INVALID


def _address(value: str) -> str:
    match = _ADDRESS.fullmatch(value)
    if match is None or int(match[2]) > _PORT_MAX:
        raise ValueError("must be HOST:PORT, such as 127.0.0.1:4317 or [::1]:4317")
    return value


def _off_word(value: object) -> object:
    """YAML reads a bare `off` as false."""
    return OFF if value is False else value


def _only_off(value: str) -> str:
    if value != OFF:
        raise ValueError("is not served in this version; leave it off")
    return value


Address = Annotated[str, AfterValidator(_address)]
NotServedAddress = Annotated[str, BeforeValidator(_off_word), AfterValidator(_only_off)]
Bytes = Annotated[ByteSize, Field(gt=0)]


def default_data_dir() -> Path:
    """$XDG_DATA_HOME/sessiond, else ~/.local/share/sessiond."""
    base = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(base).expanduser() / "sessiond"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, validate_default=True)


class Receiver(_Section):
    """Where spans come in."""

    otlp_grpc: Address = "127.0.0.1:4317"
    """Address of the OTLP/gRPC receiver."""
    otlp_http: NotServedAddress = OFF
    """Address of the OTLP/HTTP receiver, or off. Not served in this version."""
    message_bytes_max: Bytes = ByteSize(64 << 20)
    """Largest request, before and after decompression."""
    spans_max: Annotated[int, Field(gt=0)] = 1_000_000
    """Most spans in a request, counted before anything of it is built."""
    threads: Annotated[int, Field(gt=0, le=1024)] = 64
    """Requests taken in at once; each waits for the disk."""
    requests_bytes_max: Bytes = ByteSize(256 << 20)
    """Bytes of requests under way at once; above it senders are told to come again."""
    queue_bytes_max: Bytes = ByteSize(128 << 20)
    """Bytes of decoded spans waiting for the disk; above it senders are told to come again."""


class Query(_Section):
    """Where questions are answered."""

    address: Address = "127.0.0.1:4319"
    """Address of the query service."""
    threads: Annotated[int, Field(gt=0, le=1024)] = 32
    """Calls answered at once; a stream holds one while it lasts."""
    reflection: bool = False
    """Serve gRPC reflection, for tools such as grpcurl."""


class Web(_Section):
    """The web page."""

    address: NotServedAddress = OFF
    """Address of the web page, or off. Not served in this version."""


class StoreSettings(_Section):
    """Where spans are kept."""

    data_dir: Annotated[Path, AfterValidator(Path.expanduser)] = Field(default_factory=default_data_dir)
    """Directory of the store, on a local disk. Default: $XDG_DATA_HOME/sessiond, else ~/.local/share/sessiond."""
    bytes_max: Bytes = ByteSize(64 << 30)
    """Bytes the store may hold; above it senders are told to come again, and reading goes on."""


class Sessions(_Section):
    """What a session is."""

    idle_seconds: Annotated[int, Field(gt=0)] = 300
    """A session is live while spans arrived within this time, else idle."""


class Log(_Section):
    """The daemon's own log, on stderr."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Least level that is written."""
    format: Literal["text", "json"] = "text"
    """text for people, json for machines."""


class Config(_Section):
    """All settings."""

    receiver: Receiver = Receiver()
    query: Query = Query()
    web: Web = Web()
    store: StoreSettings = Field(default_factory=StoreSettings)
    sessions: Sessions = Sessions()
    log: Log = Log()


def load(path: Path | None, options: Mapping[str, object] | None = None) -> Config:
    """The settings of a YAML file (None: all defaults) with `options` ("receiver.otlp_grpc" -> value) over them.

    Raises BadConfig, naming every problem at once and what to do about it.
    """
    settings = {} if path is None else _read(path)
    for name, value in (options or {}).items():
        section, _, key = name.partition(".")
        part = settings.setdefault(section, {})
        if isinstance(part, dict):
            part[key] = value
    try:
        return Config.model_validate(settings)
    except ValidationError as error:
        problems = "\n".join(f"  {_told(problem)}" for problem in error.errors())
        raise BadConfig(
            f"{path or 'the options'} can't be used:\n{problems}", hint="every setting stands, with its default, in config.yaml"
        ) from error


def _read(path: Path) -> dict[str, Any]:
    try:
        read = yaml.safe_load(path.read_text())
    except OSError as error:
        raise BadConfig(f"{path}: {error.strerror}", hint="give --config a file that can be read, or leave it away") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadConfig(f"{path} is not YAML: {error}", hint="compare it with config.yaml") from error
    if read is None:
        return {}
    if not isinstance(read, dict):
        raise BadConfig(f"{path} must hold sections such as receiver: and query:", hint="compare it with config.yaml")
    return {str(key): {} if value is None else value for key, value in read.items()}


def _told(problem: Any) -> str:  # noqa: ANN401  (pydantic's ErrorDetails, which it does not export by name)
    """One problem in words: where, what, and for a key that is not known the one that may be meant."""
    place = [str(part) for part in problem["loc"]]
    name = ".".join(place)
    if problem["type"] == "extra_forbidden":
        return f"{name}: there is no such setting{_near(place)}"
    message = problem["msg"].removeprefix("Value error, ")
    return f"{name}: {problem['input']!r} {message[0].lower()}{message[1:]}"


def _near(place: list[str]) -> str:
    known = Config.model_fields
    for part in place[:-1]:
        section = known[part].annotation
        known = section.model_fields if isinstance(section, type) and issubclass(section, BaseModel) else {}
    near = difflib.get_close_matches(place[-1], known, n=1)
    return f"; did you mean {near[0]}?" if near else ""
